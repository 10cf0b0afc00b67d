//! `/approvals`: what waits for people, and what they say.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use domain::approval::Verdict;
use domain::id::ApprovalId;
use domain::permission::Permission;
use lifecycle::approvals::{Dossier, Saying};
use lifecycle::{ApprovalCursor, ApprovalFilter, ApprovalSort};
use protocols::rest::approval as wire;
use protocols::rest::page::{Page, PageQuery};

use super::Verbs;
use super::access::Operator;
use super::dossier;
use super::extract::{Body, Named, created};
use super::failure::Failure;
use super::listing::Listing;
use super::names::Names;
use super::people::{self, People};

/// What waits for people, or waited, newest first unless `sort` says otherwise
#[utoipa::path(get, path = "/api/v1/approvals", tag = "approvals",
    params(PageQuery, wire::ApprovalQuery),
    responses((status = 200, description = "A page of approvals", body = Page<wire::Approval>)))]
pub(crate) async fn list(
    State(verbs): State<Verbs>,
    operator: Operator,
    listing: Listing<wire::ApprovalQuery, ApprovalCursor>,
) -> Result<Json<Page<wire::Approval>>, Failure> {
    let names = Names::load(&verbs).await?;
    let filter = filter(&listing.filter, &names, &operator)?;
    let sort = filter.sort;
    let (after, rows) = (listing.after.clone(), listing.rows());
    if after.as_ref().is_some_and(|cursor| !cursor.fits(sort)) {
        return Err(Failure::invalid(
            "`after` is of a page in another order; begin again, or give the same `sort`",
        ));
    }
    let found = match listing.filter.mine {
        true => {
            verbs
                .list_approvals_of(operator.principal(), filter, after, rows)
                .await?
        }
        false => verbs.list_approvals(filter, after, rows).await?,
    };
    let mut pairs = Vec::with_capacity(found.len());
    for approval in found {
        if let Some(enrollment) = verbs.enrollment(&approval.enrollment_id).await? {
            pairs.push((approval, enrollment));
        }
    }
    let ids = pairs.iter().flat_map(|(a, e)| people::of_approval(a, e));
    let people = People::load(&verbs, ids).await?;
    Ok(Json(listing.page(
        pairs,
        |(approval, _)| sort.cursor_of(approval).to_string(),
        |(approval, enrollment)| dossier::render(&approval, &enrollment, &names, &people),
    )))
}

fn filter(
    query: &wire::ApprovalQuery,
    names: &Names,
    operator: &Operator,
) -> Result<ApprovalFilter, Failure> {
    let profile = query.profile.as_deref();
    let enrollment = query.enrollment.as_deref().map(str::parse).transpose();
    Ok(ApprovalFilter {
        // Whose turn it is may decide, and so see it, in whatever team it is.
        visible: match query.mine {
            true => domain::access::Visibility::All,
            false => operator.visible(Permission::ApprovalsRead),
        },
        status: query.status.map(|status| status.as_str().to_owned()),
        profile: profile
            .map(|name| names.profile_id(name, operator.rights()))
            .transpose()?,
        is_decided: query.decided,
        sort: match query.sort.unwrap_or_default() {
            wire::ApprovalSort::Newest => ApprovalSort::Newest,
            wire::ApprovalSort::Deadline => ApprovalSort::Deadline,
            wire::ApprovalSort::Changed => ApprovalSort::Changed,
        },
        enrollment: enrollment.map_err(|error: domain::id::ParseIdError| {
            Failure::invalid(format!("`enrollment`: {error}"))
        })?,
    })
}

/// One approval, with everything that is needed to decide
#[utoipa::path(get, path = "/api/v1/approvals/{id}", tag = "approvals",
    params(("id" = String, Path, description = "Id of the approval")),
    responses((status = 200, description = "The approval", body = wire::ApprovalDetails)))]
pub(crate) async fn show(
    State(verbs): State<Verbs>,
    operator: Operator,
    Named(id): Named<ApprovalId>,
) -> Result<Json<wire::ApprovalDetails>, Failure> {
    details(&verbs, &operator, &id).await.map(Json)
}

/// What is shown of an approval to whoever may see it.
async fn details(
    verbs: &Verbs,
    operator: &Operator,
    id: &ApprovalId,
) -> Result<wire::ApprovalDetails, Failure> {
    let unknown = || Failure::not_found(format!("there is no approval {id}"));
    let found = verbs.dossier(id, Some(operator.principal())).await?;
    let found = found.ok_or_else(unknown)?;
    if !matches!(found.turn, Some(Ok(_))) {
        let team = found.approval.team_id.as_ref();
        operator.require(Permission::ApprovalsRead, team, unknown)?;
    }
    render(verbs, &found).await
}

async fn render(verbs: &Verbs, found: &Dossier) -> Result<wire::ApprovalDetails, Failure> {
    let ids = people::of_approval(&found.approval, &found.enrollment);
    let people = People::load(verbs, ids).await?;
    Ok(dossier::details(found, &Names::load(verbs).await?, &people))
}

/// Approve
///
/// Takes part in the decision as the profile's rule says: it may need more people than you. Nobody
/// approves an own request.
#[utoipa::path(post, path = "/api/v1/approvals/{id}/approve", tag = "approvals",
    params(("id" = String, Path, description = "Id of the approval")),
    request_body = wire::Approve,
    responses((status = 200, description = "The approval as it is now", body = wire::ApprovalDetails)))]
pub(crate) async fn approve(
    State(verbs): State<Verbs>,
    operator: Operator,
    Named(id): Named<ApprovalId>,
    Body(request): Body<wire::Approve>,
) -> Result<Json<wire::ApprovalDetails>, Failure> {
    let saying = Saying {
        approval: id,
        verdict: Verdict::Approve,
        reason: request.reason,
    };
    say(&verbs, &operator, saying).await
}

/// Deny: the request ends, and whoever asked is shown the reason
#[utoipa::path(post, path = "/api/v1/approvals/{id}/deny", tag = "approvals",
    params(("id" = String, Path, description = "Id of the approval")),
    request_body = wire::Deny,
    responses((status = 200, description = "The approval as it is now", body = wire::ApprovalDetails)))]
pub(crate) async fn deny(
    State(verbs): State<Verbs>,
    operator: Operator,
    Named(id): Named<ApprovalId>,
    Body(request): Body<wire::Deny>,
) -> Result<Json<wire::ApprovalDetails>, Failure> {
    let saying = Saying {
        approval: id,
        verdict: Verdict::Deny,
        reason: Some(request.reason),
    };
    say(&verbs, &operator, saying).await
}

async fn say(
    verbs: &Verbs,
    operator: &Operator,
    saying: Saying,
) -> Result<Json<wire::ApprovalDetails>, Failure> {
    let id = saying.approval.clone();
    // What is not seen is not there, whatever is wrong with the decision besides.
    details(verbs, operator, &id).await?;
    verbs
        .decide(saying, operator.principal(), &operator.caller())
        .await?;
    let unknown = || Failure::not_found(format!("there is no approval {id}"));
    let found = verbs.dossier(&id, Some(operator.principal())).await?;
    render(verbs, &found.ok_or_else(unknown)?).await.map(Json)
}

/// Approve or deny several at once; each is decided on by itself
#[utoipa::path(post, path = "/api/v1/approvals/decide", tag = "approvals",
    request_body = wire::DecideMany,
    responses((status = 200, description = "What became of each", body = wire::DecidedMany)))]
pub(crate) async fn decide(
    State(verbs): State<Verbs>,
    operator: Operator,
    Body(request): Body<wire::DecideMany>,
) -> Result<Json<wire::DecidedMany>, Failure> {
    if !(1..=MAX_AT_ONCE).contains(&request.approvals.len()) {
        return Err(Failure::invalid(format!(
            "`approvals` must name 1 to {MAX_AT_ONCE} approvals"
        )));
    }
    let mut results = Vec::with_capacity(request.approvals.len());
    for id in &request.approvals {
        let decided = decide_one(&verbs, &operator, id, &request).await;
        results.push(wire::DecidedOne {
            approval: id.chars().take(64).collect(),
            status: decided.as_ref().ok().copied(),
            error: decided.err().map(|failure| failure.detail().to_owned()),
        });
    }
    Ok(Json(wire::DecidedMany { results }))
}

async fn decide_one(
    verbs: &Verbs,
    operator: &Operator,
    id: &str,
    request: &wire::DecideMany,
) -> Result<wire::ApprovalStatus, Failure> {
    let id: ApprovalId = id
        .parse()
        .map_err(|error: domain::id::ParseIdError| Failure::not_found(error.to_string()))?;
    let saying = Saying {
        approval: id,
        verdict: dossier::verdict_in(request.verdict),
        reason: request.reason.clone(),
    };
    say(verbs, operator, saying)
        .await
        .map(|Json(details)| details.approval.status)
}

/// A one-time link by which you decide in a browser; shown this once
#[utoipa::path(post, path = "/api/v1/approvals/{id}/link", tag = "approvals",
    params(("id" = String, Path, description = "Id of the approval")),
    request_body = wire::CreateApprovalLink,
    responses((status = 201, description = "The link", body = wire::ApprovalLink)))]
pub(crate) async fn link(
    State(verbs): State<Verbs>,
    operator: Operator,
    Named(id): Named<ApprovalId>,
    Body(request): Body<wire::CreateApprovalLink>,
) -> Result<Response, Failure> {
    details(&verbs, &operator, &id).await?;
    let verdicts: Vec<Verdict> = request
        .verdicts
        .into_iter()
        .map(dossier::verdict_in)
        .collect();
    if verdicts.is_empty() {
        return Err(Failure::invalid(
            "`verdicts` is empty, so the link could say nothing; leave it out for both",
        ));
    }
    let minted = verbs
        .mint_link(
            &id,
            operator.principal().clone(),
            &verdicts,
            &operator.caller(),
        )
        .await?;
    let link = wire::ApprovalLink {
        url: minted.url.to_string(),
        approver: minted.approver.to_string(),
        expires_at: minted.expires_at,
    };
    Ok(created(format!("/api/v1/approvals/{id}"), &link))
}

const MAX_AT_ONCE: usize = 100;
