//! `/enrollments`: passes through the issuance pipeline.

use axum::Json;
use axum::extract::State;
use domain::enrollment::{Enrollment, EnrollmentState, Requester};
use domain::id::EnrollmentId;
use domain::policy::Violation;
use lifecycle::EnrollmentFilter;
use protocols::rest::enrollment as wire;
use protocols::rest::page::{Page, PageQuery};

use super::Verbs;
use super::extract::Named;
use super::failure::Failure;
use super::listing::Listing;
use super::names::Names;
use super::orders::render_identifier;

/// Enrollments, newest first
#[utoipa::path(get, path = "/api/v1/enrollments", tag = "enrollments",
    params(PageQuery, wire::EnrollmentQuery),
    responses((status = 200, description = "A page of enrollments", body = Page<wire::Enrollment>)))]
pub(crate) async fn list(
    State(verbs): State<Verbs>,
    listing: Listing<wire::EnrollmentQuery, EnrollmentId>,
) -> Result<Json<Page<wire::Enrollment>>, Failure> {
    let names = Names::load(&verbs).await?;
    let filter = EnrollmentFilter {
        status: listing
            .filter
            .status
            .map(|status| status.as_str().to_owned()),
    };
    let found = verbs
        .list_enrollments(filter, listing.after.clone(), listing.rows())
        .await?;
    Ok(Json(listing.page(
        found,
        |enrollment| enrollment.id.to_string(),
        |enrollment| render(&enrollment, &names),
    )))
}

/// One enrollment
#[utoipa::path(get, path = "/api/v1/enrollments/{id}", tag = "enrollments",
    params(("id" = String, Path, description = "Id of the enrollment")),
    responses((status = 200, description = "The enrollment", body = wire::Enrollment)))]
pub(crate) async fn show(
    State(verbs): State<Verbs>,
    Named(id): Named<EnrollmentId>,
) -> Result<Json<wire::Enrollment>, Failure> {
    let enrollment = verbs
        .enrollment(&id)
        .await?
        .ok_or_else(|| Failure::not_found(format!("there is no enrollment {id}")))?;
    Ok(Json(render(&enrollment, &Names::load(&verbs).await?)))
}

pub(super) fn render(enrollment: &Enrollment, names: &Names) -> wire::Enrollment {
    let standing = Standing::of(&enrollment.state, names);
    wire::Enrollment {
        id: enrollment.id.to_string(),
        status: standing.status,
        identifiers: enrollment
            .identifiers
            .iter()
            .map(render_identifier)
            .collect(),
        requester: render_requester(&enrollment.requester, names),
        profile: names.profile(&enrollment.profile_id),
        profile_version: enrollment.profile_version,
        issuer: standing.issuer,
        certificate: standing.certificate,
        violations: standing.violations,
        reason: standing.reason,
        attempts: standing.attempts,
        poll_at: standing.poll_at,
        replaces: enrollment.replaces.as_ref().map(ToString::to_string),
        metadata: enrollment.metadata.clone(),
        created_at: enrollment.created_at,
        updated_at: enrollment.updated_at,
    }
}

/// What a state says about itself.
struct Standing {
    status: wire::EnrollmentStatus,
    issuer: Option<String>,
    certificate: Option<String>,
    violations: Vec<wire::Violation>,
    reason: Option<String>,
    attempts: Option<u32>,
    poll_at: Option<pki::time::Timestamp>,
}

impl Standing {
    fn new(status: wire::EnrollmentStatus) -> Self {
        Self {
            status,
            issuer: None,
            certificate: None,
            violations: Vec::new(),
            reason: None,
            attempts: None,
            poll_at: None,
        }
    }

    fn of(state: &EnrollmentState, names: &Names) -> Self {
        use wire::EnrollmentStatus as Status;
        match state {
            EnrollmentState::Rejected { violations } => Self {
                violations: violations.iter().map(render_violation).collect(),
                ..Self::new(Status::Rejected)
            },
            EnrollmentState::Approved {
                attempts,
                last_error,
            } => Self {
                attempts: Some(*attempts),
                reason: last_error.clone(),
                ..Self::new(Status::Approved)
            },
            EnrollmentState::Signing {
                issuer, attempts, ..
            } => Self {
                issuer: Some(names.issuer(issuer)),
                attempts: Some(*attempts),
                ..Self::new(Status::Signing)
            },
            EnrollmentState::AwaitingIssuer {
                issuer, poll_at, ..
            } => Self {
                issuer: Some(names.issuer(issuer)),
                poll_at: Some(*poll_at),
                ..Self::new(Status::AwaitingIssuer)
            },
            EnrollmentState::Issued { certificate } => Self {
                certificate: Some(certificate.to_string()),
                ..Self::new(Status::Issued)
            },
            EnrollmentState::Failed { reason } => Self {
                reason: Some(reason.clone()),
                ..Self::new(Status::Failed)
            },
            EnrollmentState::Cancelled { reason } => Self {
                reason: Some(reason.clone()),
                ..Self::new(Status::Cancelled)
            },
        }
    }
}

fn render_requester(requester: &Requester, names: &Names) -> wire::Requester {
    match requester {
        Requester::AcmeAccount {
            account,
            directory,
            order,
        } => wire::Requester::AcmeAccount {
            account: account.to_string(),
            directory: names.directory(directory),
            order: order.to_string(),
        },
        Requester::User { user } => wire::Requester::User {
            user: user.to_string(),
        },
        Requester::Token { token } => wire::Requester::Token {
            token: token.to_string(),
        },
        Requester::System => wire::Requester::System,
    }
}

fn render_violation(violation: &Violation) -> wire::Violation {
    wire::Violation {
        rule: violation.rule.clone(),
        message: violation.message.clone(),
        identifier: violation.identifier.as_ref().map(render_identifier),
    }
}
