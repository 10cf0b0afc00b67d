//! `/alerts`: certificates that end without a successor, and who looks after them.

use axum::Json;
use axum::extract::State;
use domain::id::{CertificateId, IncidentId};
use domain::notification::incident::{ClosingReason, IncidentState};
use domain::permission::Permission;
use lifecycle::IncidentFilter;
use lifecycle::notification::alerts::Alert;
use protocols::rest::alert as wire;
use protocols::rest::page::{Page, PageQuery};

use super::Verbs;
use super::access::Operator;
use super::extract::{Body, Named};
use super::failure::Failure;
use super::listing::Listing;
use super::names::Names;

/// Alerts, newest first
#[utoipa::path(get, path = "/api/v1/alerts", tag = "alerts",
    params(PageQuery, wire::AlertQuery),
    responses((status = 200, description = "A page of alerts", body = Page<wire::Alert>)))]
pub(crate) async fn list(
    State(verbs): State<Verbs>,
    operator: Operator,
    mut listing: Listing<wire::AlertQuery, IncidentId>,
) -> Result<Json<Page<wire::Alert>>, Failure> {
    let query = std::mem::take(&mut listing.filter);
    let certificate = query.certificate.map(|text| text.parse::<CertificateId>());
    let filter = IncidentFilter {
        visible: operator.visible(Permission::CertificatesRead),
        state: query.state.map(read_state),
        certificate: certificate
            .transpose()
            .map_err(|error| Failure::invalid(format!("`certificate`: {error}")))?,
    };
    let found = verbs
        .list_alerts(filter, listing.after.clone(), listing.rows())
        .await?;
    let names = Names::load(&verbs).await?;
    Ok(Json(listing.page(
        found,
        |alert| alert.incident.id.to_string(),
        |alert| render(alert, &names),
    )))
}

/// One alert
#[utoipa::path(get, path = "/api/v1/alerts/{id}", tag = "alerts",
    params(("id" = String, Path, description = "Id of the alert")),
    responses((status = 200, description = "The alert", body = wire::Alert)))]
pub(crate) async fn show(
    State(verbs): State<Verbs>,
    operator: Operator,
    Named(id): Named<IncidentId>,
) -> Result<Json<wire::Alert>, Failure> {
    let alert = find(&verbs, &operator, Permission::CertificatesRead, &id).await?;
    Ok(Json(render(alert, &Names::load(&verbs).await?)))
}

/// Say that you look after an alert; it closes itself when the certificate is renewed or revoked
#[utoipa::path(post, path = "/api/v1/alerts/{id}/acknowledge", tag = "alerts",
    params(("id" = String, Path, description = "Id of the alert")),
    request_body = wire::AcknowledgeRequest,
    responses((status = 200, description = "The alert as it is now", body = wire::Alert)))]
pub(crate) async fn acknowledge(
    State(verbs): State<Verbs>,
    operator: Operator,
    Named(id): Named<IncidentId>,
    Body(request): Body<wire::AcknowledgeRequest>,
) -> Result<Json<wire::Alert>, Failure> {
    find(&verbs, &operator, Permission::CertificatesEdit, &id).await?;
    if request
        .note
        .as_ref()
        .is_some_and(|note| note.len() > LONGEST_NOTE)
    {
        return Err(Failure::invalid(format!(
            "`note` is longer than {LONGEST_NOTE} octets"
        )));
    }
    let alert = verbs
        .acknowledge_alert(&id, request.note, &operator.caller())
        .await?;
    Ok(Json(render(alert, &Names::load(&verbs).await?)))
}

/// The alert, if it is the operator's to see and to treat so: it is whose certificate it is.
async fn find(
    verbs: &Verbs,
    operator: &Operator,
    needed: Permission,
    id: &IncidentId,
) -> Result<Alert, Failure> {
    let unknown = || Failure::not_found(format!("there is no alert {id}"));
    let alert = verbs.alert(id).await?.ok_or_else(unknown)?;
    let certificate = alert.certificate.as_ref();
    let team = certificate.and_then(|certificate| certificate.team_id.as_ref());
    operator.require(needed, team, unknown)?;
    Ok(alert)
}

const LONGEST_NOTE: usize = 1000;

fn read_state(state: wire::AlertState) -> IncidentState {
    match state {
        wire::AlertState::Open => IncidentState::Open,
        wire::AlertState::Acknowledged => IncidentState::Acknowledged,
        wire::AlertState::Closed => IncidentState::Closed,
    }
}

fn render(alert: Alert, names: &Names) -> wire::Alert {
    let Alert {
        incident,
        certificate,
    } = alert;
    wire::Alert {
        id: incident.id.to_string(),
        state: match incident.state() {
            IncidentState::Open => wire::AlertState::Open,
            IncidentState::Acknowledged => wire::AlertState::Acknowledged,
            IncidentState::Closed => wire::AlertState::Closed,
        },
        certificate: incident.certificate_id.to_string(),
        team: certificate
            .as_ref()
            .and_then(|certificate| certificate.team_id.as_ref())
            .map(|team| names.team(team)),
        not_after: certificate
            .as_ref()
            .map(|certificate| certificate.not_after),
        names: certificate
            .map(|certificate| certificate.names)
            .unwrap_or_default(),
        threshold: incident.threshold,
        opened_at: incident.opened_at,
        updated_at: incident.updated_at,
        acknowledgement: incident.acknowledgement.map(|by| wire::Acknowledgement {
            at: by.at,
            by: by.by,
            note: by.note,
        }),
        closed_at: incident.closed.map(|closing| closing.at),
        closing_reason: incident.closed.map(|closing| match closing.reason {
            ClosingReason::Renewed => wire::ClosingReason::Renewed,
            ClosingReason::Revoked => wire::ClosingReason::Revoked,
            ClosingReason::Abandoned => wire::ClosingReason::Abandoned,
        }),
    }
}
