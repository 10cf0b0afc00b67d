//! `/enrollments`: passes through the issuance pipeline.

use axum::Json;
use axum::extract::State;
use domain::enrollment::{Enrollment, EnrollmentState, Requester};
use domain::id::EnrollmentId;
use domain::metadata::Source;
use domain::permission::Permission;
use domain::policy::Violation;
use lifecycle::EnrollmentFilter;
use protocols::rest::enroll::CancelEnrollment;
use protocols::rest::enrollment as wire;
use protocols::rest::metadata::MetadataSource;
use protocols::rest::page::{Page, PageQuery};

use super::Verbs;
use super::access::Operator;
use super::extract::{Body, Named};
use super::failure::Failure;
use super::key_evidence;
use super::listing::Listing;
use super::names::Names;
use super::orders::render_identifier;
use super::people::{self, People};

/// Enrollments, newest first
#[utoipa::path(get, path = "/api/v1/enrollments", tag = "enrollments",
    params(PageQuery, wire::EnrollmentQuery),
    responses((status = 200, description = "A page of enrollments", body = Page<wire::Enrollment>)))]
pub(crate) async fn list(
    State(verbs): State<Verbs>,
    operator: Operator,
    listing: Listing<wire::EnrollmentQuery, EnrollmentId>,
) -> Result<Json<Page<wire::Enrollment>>, Failure> {
    let names = Names::load(&verbs).await?;
    let filter = EnrollmentFilter {
        visible: operator.visible(Permission::CertificatesRead),
        status: listing
            .filter
            .status
            .map(|status| status.as_str().to_owned()),
        changed_since: listing.filter.changed_since,
    };
    let found = verbs
        .list_enrollments(filter, listing.after.clone(), listing.rows())
        .await?;
    let people = People::load(&verbs, found.iter().filter_map(people::of_enrollment)).await?;
    Ok(Json(listing.page(
        found,
        |enrollment| enrollment.id.to_string(),
        |enrollment| wire::Enrollment {
            people: people.of(people::of_enrollment(&enrollment)),
            ..render(&enrollment, &names)
        },
    )))
}

/// One enrollment
#[utoipa::path(get, path = "/api/v1/enrollments/{id}", tag = "enrollments",
    params(("id" = String, Path, description = "Id of the enrollment")),
    responses((status = 200, description = "The enrollment", body = wire::Enrollment)))]
pub(crate) async fn show(
    State(verbs): State<Verbs>,
    operator: Operator,
    Named(id): Named<EnrollmentId>,
) -> Result<Json<wire::Enrollment>, Failure> {
    let enrollment = find(&verbs, &operator, Permission::CertificatesRead, &id).await?;
    Ok(Json(detailed(&verbs, &enrollment, &operator).await?))
}

/// Withdraw a request that is not issued yet
#[utoipa::path(post, path = "/api/v1/enrollments/{id}/cancel", tag = "enrollments",
    params(("id" = String, Path, description = "Id of the enrollment")),
    request_body = CancelEnrollment,
    responses((status = 200, description = "Withdrawn", body = wire::Enrollment)))]
pub(crate) async fn cancel(
    State(verbs): State<Verbs>,
    operator: Operator,
    Named(id): Named<EnrollmentId>,
    Body(request): Body<CancelEnrollment>,
) -> Result<Json<wire::Enrollment>, Failure> {
    let reason = request.reason.unwrap_or_else(|| "withdrawn".to_owned());
    if reason.chars().count() > MAX_REASON {
        return Err(Failure::invalid(format!(
            "`reason` is longer than {MAX_REASON} characters"
        )));
    }
    find(&verbs, &operator, Permission::CertificatesRequest, &id).await?;
    let ended = verbs
        .cancel_enrollment(&id, reason, &operator.caller())
        .await?;
    Ok(Json(detailed(&verbs, &ended, &operator).await?))
}

pub(super) async fn find(
    verbs: &Verbs,
    operator: &Operator,
    needed: Permission,
    id: &EnrollmentId,
) -> Result<Enrollment, Failure> {
    let unknown = || Failure::not_found(format!("there is no enrollment {id}"));
    let enrollment = verbs.enrollment(id).await?.ok_or_else(unknown)?;
    operator.require(needed, enrollment.team_id.as_ref(), unknown)?;
    Ok(enrollment)
}

const MAX_REASON: usize = 500;

/// An enrollment with its certificate and with what can be done next.
pub(super) async fn detailed(
    verbs: &Verbs,
    enrollment: &Enrollment,
    operator: &Operator,
) -> Result<wire::Enrollment, Failure> {
    let mut rendered = render(enrollment, &Names::load(verbs).await?);
    let ids = people::of_enrollment(enrollment);
    rendered.people = People::load(verbs, ids.clone()).await?.of(ids);
    let chain = verbs.issued_chain(enrollment).await?;
    rendered.chain = chain.map(|chain| chain.to_pem());
    let own = format!("/api/v1/enrollments/{}", enrollment.id);
    let certificate = rendered
        .certificate
        .as_ref()
        .map(|id| format!("/api/v1/certificates/{id}"));
    let holds_key = verbs.holds_key_for(enrollment, &operator.caller()).await?;
    rendered.links = Some(wire::EnrollmentLinks {
        download: certificate.as_ref().map(|path| format!("{path}/download")),
        certificate,
        key: holds_key.then(|| format!("{own}/key")),
        cancel: (!enrollment.state.is_final()).then(|| format!("{own}/cancel")),
    });
    Ok(rendered)
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
        chain: None,
        links: None,
        violations: standing.violations,
        reason: standing.reason,
        attempts: standing.attempts,
        poll_at: standing.poll_at,
        approval: standing.approval,
        deadline_at: standing.deadline_at,
        replaces: enrollment.replaces.as_ref().map(ToString::to_string),
        team: enrollment.team_id.as_ref().map(|id| names.team(id)),
        metadata: enrollment.metadata.clone(),
        metadata_sources: enrollment
            .metadata_sources
            .iter()
            .map(|(field, source)| (field.clone(), render_source(*source)))
            .collect(),
        people: std::collections::BTreeMap::new(),
        subject: enrollment.subject.as_ref().map(ToString::to_string),
        key_evidence: enrollment.key_evidence.as_ref().map(key_evidence::render),
        created_at: enrollment.created_at,
        updated_at: enrollment.updated_at,
    }
}

/// The state's name on the wire.
pub(super) fn status_of(state: &EnrollmentState, names: &Names) -> wire::EnrollmentStatus {
    Standing::of(state, names).status
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
    approval: Option<String>,
    deadline_at: Option<pki::time::Timestamp>,
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
            approval: None,
            deadline_at: None,
        }
    }

    /// With what the last try met with, and when the next one is.
    fn waiting(status: wire::EnrollmentStatus, state: &EnrollmentState) -> Self {
        let setback = state.setback();
        Self {
            reason: setback.last_error.map(str::to_owned),
            poll_at: setback.next_at,
            ..Self::new(status)
        }
    }

    fn of(state: &EnrollmentState, names: &Names) -> Self {
        use wire::EnrollmentStatus as Status;
        match state {
            EnrollmentState::Rejected { violations } => Self {
                violations: violations.iter().map(render_violation).collect(),
                ..Self::new(Status::Rejected)
            },
            EnrollmentState::Approved { attempts, .. } => Self {
                attempts: Some(*attempts),
                ..Self::waiting(Status::Approved, state)
            },
            EnrollmentState::Signing {
                issuer, attempts, ..
            } => Self {
                issuer: Some(names.issuer(issuer)),
                attempts: Some(*attempts),
                ..Self::waiting(Status::Signing, state)
            },
            EnrollmentState::AwaitingIssuer { issuer, .. } => Self {
                issuer: Some(names.issuer(issuer)),
                ..Self::waiting(Status::AwaitingIssuer, state)
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
            EnrollmentState::AwaitingApproval {
                approval, deadline, ..
            } => Self {
                approval: Some(approval.to_string()),
                deadline_at: Some(*deadline),
                ..Self::new(Status::AwaitingApproval)
            },
            EnrollmentState::Denied { reason } => Self {
                reason: Some(reason.clone()),
                ..Self::new(Status::Denied)
            },
            EnrollmentState::Expired { reason } => Self {
                reason: Some(reason.clone()),
                ..Self::new(Status::Expired)
            },
        }
    }
}

pub(super) fn render_requester(requester: &Requester, names: &Names) -> wire::Requester {
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
        Requester::Client { entry_point, proof } => wire::Requester::Client {
            entry_point: entry_point.to_string(),
            client: proof.id().to_owned(),
        },
        Requester::System => wire::Requester::System,
    }
}

pub(super) fn render_violation(violation: &Violation) -> wire::Violation {
    wire::Violation {
        rule: violation.rule.clone(),
        message: violation.message.clone(),
        fix: violation.fix.clone(),
        identifier: violation.identifier.as_ref().map(render_identifier),
    }
}

fn render_source(source: Source) -> MetadataSource {
    match source {
        Source::Requested => MetadataSource::Requested,
        Source::Renewed => MetadataSource::Renewed,
        Source::EabKey => MetadataSource::EabKey,
        Source::Account => MetadataSource::Account,
        Source::Directory => MetadataSource::Directory,
        Source::Password => MetadataSource::Password,
        Source::EntryPoint => MetadataSource::EntryPoint,
        Source::Profile => MetadataSource::Profile,
        Source::Computed => MetadataSource::Computed,
        Source::Default => MetadataSource::Default,
    }
}
