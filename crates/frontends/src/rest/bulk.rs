//! `/certificates/bulk`: many certificates at once, looked at before anything is done.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use domain::bulk as noun;
use domain::bulk::{BulkCommand, MAX_CERTIFICATES};
use domain::id::{BulkId, CertificateId};
use domain::permission::Permission;
use http::StatusCode;
use http::header::LOCATION;
use lifecycle::bulk::{BulkPlan, BulkView, Selection};
use protocols::rest::bulk as wire;
use protocols::rest::metadata::Scalar;
use protocols::rest::page::{Page, PageQuery};

use super::Verbs;
use super::access::Operator;
use super::extract::{Body, Named, created};
use super::failure::Failure;
use super::listing::{Everything, Listing};
use super::metadata::wishes;
use super::names::Names;
use super::people::People;
use super::search::read;

/// Plan a bulk action: a dry run that changes nothing
///
/// The plan says how many certificates it is about, shows the first of them, and those that it cannot
/// deal with and why. Run it by its id within an hour: it does what was shown, whatever else fits the
/// filter by then.
#[utoipa::path(post, path = "/api/v1/certificates/bulk", tag = "bulk",
    request_body = wire::PlanBulk,
    responses((status = 201, description = "The plan", body = wire::Bulk,
        headers(("Location" = String, description = "The plan")))))]
pub(crate) async fn plan(
    State(verbs): State<Verbs>,
    operator: Operator,
    Body(request): Body<wire::PlanBulk>,
) -> Result<Response, Failure> {
    let selection = match (request.ids, request.filter) {
        (Some(ids), None) => Selection::Ids(read_ids(&ids)?),
        (None, Some(query)) => {
            let names = Names::load(&verbs).await?;
            let fields = verbs.fields().await?;
            let asked = read(query, &names, &fields, &operator, verbs.now())?;
            Selection::Filter(Box::new(asked.filter))
        }
        (None, None) | (Some(_), Some(_)) => {
            return Err(Failure::invalid(
                "say which certificates: send either `ids` or `filter`",
            ));
        }
    };
    let plan = BulkPlan {
        action: read_action(request.action),
        selection,
        per_minute: request.per_minute,
    };
    let view = verbs.plan_bulk(plan, &operator.caller()).await?;
    let body = detailed(&verbs, &view).await?;
    Ok(created(place(&view.bulk.id), &body))
}

/// Bulk actions and plans, newest first
#[utoipa::path(get, path = "/api/v1/certificates/bulk", tag = "bulk", params(PageQuery),
    responses((status = 200, description = "A page of bulk actions", body = Page<wire::Bulk>)))]
pub(crate) async fn list(
    State(verbs): State<Verbs>,
    operator: Operator,
    listing: Listing<Everything, BulkId>,
) -> Result<Json<Page<wire::Bulk>>, Failure> {
    let own = match sees_all(&operator) {
        true => None,
        false => Some(operator.caller().actor.id),
    };
    let found = verbs
        .list_bulks(own, listing.after.clone(), listing.rows())
        .await?;
    let planners = found.iter().map(|view| view.bulk.planner.id.clone());
    let people = People::load(&verbs, planners).await?;
    Ok(Json(listing.page(
        found,
        |view| view.bulk.id.to_string(),
        |view| render(&view, &people),
    )))
}

/// One bulk action: how far it is
#[utoipa::path(get, path = "/api/v1/certificates/bulk/{id}", tag = "bulk",
    params(("id" = String, Path, description = "Id of the bulk action")),
    responses((status = 200, description = "The bulk action", body = wire::Bulk)))]
pub(crate) async fn show(
    State(verbs): State<Verbs>,
    operator: Operator,
    Named(id): Named<BulkId>,
) -> Result<Json<wire::Bulk>, Failure> {
    let view = find(&verbs, &operator, &id).await?;
    Ok(Json(detailed(&verbs, &view).await?))
}

/// The certificates of a bulk action, and what became of each
#[utoipa::path(get, path = "/api/v1/certificates/bulk/{id}/items", tag = "bulk",
    params(("id" = String, Path, description = "Id of the bulk action"), PageQuery,
        wire::BulkItemQuery),
    responses((status = 200, description = "A page of certificates", body = Page<wire::BulkItem>)))]
pub(crate) async fn items(
    State(verbs): State<Verbs>,
    operator: Operator,
    Named(id): Named<BulkId>,
    listing: Listing<wire::BulkItemQuery, CertificateId>,
) -> Result<Json<Page<wire::BulkItem>>, Failure> {
    find(&verbs, &operator, &id).await?;
    let outcome = listing.filter.outcome.map(read_outcome);
    let found = verbs
        .list_bulk_items(&id, outcome, listing.after.clone(), listing.rows())
        .await?;
    Ok(Json(listing.page(
        found,
        |item| item.certificate.to_string(),
        render_item,
    )))
}

/// Run a plan, as it was shown; for who planned it
#[utoipa::path(post, path = "/api/v1/certificates/bulk/{id}/run", tag = "bulk",
    params(("id" = String, Path, description = "Id of the plan")),
    responses((status = 202, description = "It runs; its id tells how far it is", body = wire::Bulk)))]
pub(crate) async fn run(
    State(verbs): State<Verbs>,
    operator: Operator,
    Named(id): Named<BulkId>,
) -> Result<Response, Failure> {
    let body = command(&verbs, &operator, &id, BulkCommand::Run).await?;
    Ok((StatusCode::ACCEPTED, [(LOCATION, place(&id))], Json(body)).into_response())
}

/// Stop a bulk action so that it can go on later
#[utoipa::path(post, path = "/api/v1/certificates/bulk/{id}/pause", tag = "bulk",
    params(("id" = String, Path, description = "Id of the bulk action")),
    responses((status = 200, description = "It stands still", body = wire::Bulk)))]
pub(crate) async fn pause(
    State(verbs): State<Verbs>,
    operator: Operator,
    Named(id): Named<BulkId>,
) -> Result<Json<wire::Bulk>, Failure> {
    let body = command(&verbs, &operator, &id, BulkCommand::Pause).await?;
    Ok(Json(body))
}

/// Let a bulk action go on where it stopped
#[utoipa::path(post, path = "/api/v1/certificates/bulk/{id}/resume", tag = "bulk",
    params(("id" = String, Path, description = "Id of the bulk action")),
    responses((status = 200, description = "It runs again", body = wire::Bulk)))]
pub(crate) async fn resume(
    State(verbs): State<Verbs>,
    operator: Operator,
    Named(id): Named<BulkId>,
) -> Result<Json<wire::Bulk>, Failure> {
    let body = command(&verbs, &operator, &id, BulkCommand::Resume).await?;
    Ok(Json(body))
}

/// End a bulk action early; what is done stays done
#[utoipa::path(post, path = "/api/v1/certificates/bulk/{id}/cancel", tag = "bulk",
    params(("id" = String, Path, description = "Id of the bulk action")),
    responses((status = 200, description = "It has ended", body = wire::Bulk)))]
pub(crate) async fn cancel(
    State(verbs): State<Verbs>,
    operator: Operator,
    Named(id): Named<BulkId>,
) -> Result<Json<wire::Bulk>, Failure> {
    let body = command(&verbs, &operator, &id, BulkCommand::Cancel).await?;
    Ok(Json(body))
}

async fn command(
    verbs: &Verbs,
    operator: &Operator,
    id: &BulkId,
    command: BulkCommand,
) -> Result<wire::Bulk, Failure> {
    find(verbs, operator, id).await?;
    verbs.command_bulk(id, command, &operator.caller()).await?;
    let view = find(verbs, operator, id).await?;
    detailed(verbs, &view).await
}

/// A bulk action may be about certificates of several teams: it is seen by who planned it, and by
/// those who see everything.
async fn find(verbs: &Verbs, operator: &Operator, id: &BulkId) -> Result<BulkView, Failure> {
    let found = verbs.bulk(id).await?;
    let (all, own) = (sees_all(operator), operator.caller().actor.id);
    found
        .filter(|view| all || view.bulk.planner.id == own)
        .ok_or_else(|| Failure::not_found(format!("there is no bulk action {id}")))
}

fn sees_all(operator: &Operator) -> bool {
    operator.rights().allows(Permission::CertificatesRead, None)
}

fn place(id: &BulkId) -> String {
    format!("/api/v1/certificates/bulk/{id}")
}

fn read_ids(texts: &[String]) -> Result<Vec<CertificateId>, Failure> {
    if texts.len() > MAX_CERTIFICATES {
        return Err(Failure::invalid(format!(
            "`ids` names more than {MAX_CERTIFICATES} certificates; plan fewer at a time"
        )));
    }
    texts
        .iter()
        .map(|text| {
            text.parse()
                .map_err(|error| Failure::invalid(format!("`ids`: {error}")))
        })
        .collect()
}

fn read_action(action: wire::BulkAction) -> noun::BulkAction {
    match action {
        wire::BulkAction::Renew {} => noun::BulkAction::Renew,
        wire::BulkAction::Revoke { reason } => noun::BulkAction::Revoke { reason },
        wire::BulkAction::EditMetadata { metadata } => noun::BulkAction::EditMetadata {
            metadata: wishes(metadata),
        },
        wire::BulkAction::Transfer { team } => noun::BulkAction::Transfer { team },
    }
}

fn read_outcome(outcome: wire::BulkOutcome) -> noun::BulkOutcome {
    match outcome {
        wire::BulkOutcome::Excluded => noun::BulkOutcome::Excluded,
        wire::BulkOutcome::Pending => noun::BulkOutcome::Pending,
        wire::BulkOutcome::Done => noun::BulkOutcome::Done,
        wire::BulkOutcome::Failed => noun::BulkOutcome::Failed,
    }
}

/// With the first certificates that it is about, and the first that it leaves alone.
async fn detailed(verbs: &Verbs, view: &BulkView) -> Result<wire::Bulk, Failure> {
    let planner = [view.bulk.planner.id.clone()];
    let mut rendered = render(view, &People::load(verbs, planner).await?);
    let id = &view.bulk.id;
    let excluded = noun::BulkOutcome::Excluded;
    let left_alone = verbs
        .list_bulk_items(id, Some(excluded), None, SAMPLE)
        .await?;
    rendered.excluded = left_alone.into_iter().map(render_item).collect();
    if view.bulk.state == noun::BulkState::Planned {
        let pending = noun::BulkOutcome::Pending;
        let sample = verbs
            .list_bulk_items(id, Some(pending), None, SAMPLE)
            .await?;
        rendered.sample = sample.into_iter().map(render_item).collect();
    }
    Ok(rendered)
}

fn render(view: &BulkView, people: &People) -> wire::Bulk {
    let BulkView { bulk, counts } = view;
    wire::Bulk {
        id: bulk.id.to_string(),
        action: match &bulk.action {
            noun::BulkAction::Renew => wire::BulkAction::Renew {},
            noun::BulkAction::Revoke { reason } => wire::BulkAction::Revoke { reason: *reason },
            noun::BulkAction::EditMetadata { metadata } => wire::BulkAction::EditMetadata {
                metadata: metadata
                    .iter()
                    .map(|(field, value)| (field.clone(), value.clone().map(Scalar::Text)))
                    .collect(),
            },
            noun::BulkAction::Transfer { team } => {
                wire::BulkAction::Transfer { team: team.clone() }
            }
        },
        status: match bulk.state {
            noun::BulkState::Planned => wire::BulkStatus::Planned,
            noun::BulkState::Running => wire::BulkStatus::Running,
            noun::BulkState::Paused => wire::BulkStatus::Paused,
            noun::BulkState::Cancelled => wire::BulkStatus::Cancelled,
            noun::BulkState::Finished => wire::BulkStatus::Finished,
        },
        planner: bulk.planner.id.clone(),
        people: people.of([bulk.planner.id.clone()]),
        per_minute: bulk.per_minute,
        counts: wire::BulkCounts {
            excluded: counts.excluded,
            pending: counts.pending,
            done: counts.done,
            failed: counts.failed,
        },
        sample: Vec::new(),
        excluded: Vec::new(),
        created_at: bulk.created_at,
        expires_at: bulk.expires_at,
        started_at: bulk.started_at,
        finished_at: bulk.finished_at,
    }
}

fn render_item(item: noun::BulkItem) -> wire::BulkItem {
    wire::BulkItem {
        certificate: item.certificate.to_string(),
        outcome: match item.outcome {
            noun::BulkOutcome::Excluded => wire::BulkOutcome::Excluded,
            noun::BulkOutcome::Pending => wire::BulkOutcome::Pending,
            noun::BulkOutcome::Done => wire::BulkOutcome::Done,
            noun::BulkOutcome::Failed => wire::BulkOutcome::Failed,
        },
        detail: item.detail,
    }
}

const SAMPLE: u32 = 20;
