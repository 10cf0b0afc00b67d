//! `/approval-delegations`: who is away, and who decides meanwhile.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use domain::access::{ParsePrincipalError, Principal};
use domain::approval::Delegation;
use domain::id::DelegationId;
use http::StatusCode;
use lifecycle::DelegationFilter;
use lifecycle::approvals::NewDelegation;
use pki::time::Timestamp;
use protocols::rest::approval as wire;
use protocols::rest::page::{Page, PageQuery};

use super::Verbs;
use super::access::Operator;
use super::extract::{Body, Named, created};
use super::failure::Failure;
use super::listing::Listing;
use super::people::{self, People};

/// Absences and delegations, newest first
#[utoipa::path(get, path = "/api/v1/approval-delegations", tag = "approvals",
    params(PageQuery, wire::DelegationQuery),
    responses((status = 200, description = "A page of delegations", body = Page<wire::Delegation>)))]
pub(crate) async fn list(
    State(verbs): State<Verbs>,
    listing: Listing<wire::DelegationQuery, DelegationId>,
) -> Result<Json<Page<wire::Delegation>>, Failure> {
    let now = verbs.now();
    let filter = DelegationFilter {
        principal: principal("principal", listing.filter.principal.as_deref())?,
        delegate: principal("delegate", listing.filter.delegate.as_deref())?,
        in_force_at: listing.filter.in_force.then_some(now),
    };
    let found = verbs
        .list_delegations(filter, listing.after.clone(), listing.rows())
        .await?;
    let people = People::load(&verbs, found.iter().flat_map(people::of_delegation)).await?;
    Ok(Json(listing.page(
        found,
        |delegation| delegation.id.to_string(),
        |delegation| render(&delegation, &people, now),
    )))
}

/// Say that you are away, and who decides meanwhile
///
/// To speak for somebody else takes the permission `access:administer`. Who represents somebody
/// decides once, be it for oneself or for the other; and never on an own request.
#[utoipa::path(post, path = "/api/v1/approval-delegations", tag = "approvals",
    request_body = wire::CreateDelegation,
    responses((status = 201, description = "The delegation", body = wire::Delegation)))]
pub(crate) async fn create(
    State(verbs): State<Verbs>,
    operator: Operator,
    Body(request): Body<wire::CreateDelegation>,
) -> Result<Response, Failure> {
    let wanted = NewDelegation {
        principal: principal("principal", request.principal.as_deref())?,
        delegate: principal("delegate", request.delegate.as_deref())?,
        reason: request.reason,
        starts_at: request.starts_at,
        ends_at: request.ends_at,
    };
    let by = (operator.principal(), operator.rights());
    let made = verbs.delegate(wanted, by, &operator.caller()).await?;
    let path = format!("/api/v1/approval-delegations?principal={}", made.principal);
    let people = People::load(&verbs, people::of_delegation(&made)).await?;
    Ok(created(path, &render(&made, &people, verbs.now())))
}

/// End a delegation before its time
#[utoipa::path(delete, path = "/api/v1/approval-delegations/{id}", tag = "approvals",
    params(("id" = String, Path, description = "Id of the delegation")),
    responses((status = 204, description = "It has ended")))]
pub(crate) async fn end(
    State(verbs): State<Verbs>,
    operator: Operator,
    Named(id): Named<DelegationId>,
) -> Result<StatusCode, Failure> {
    let by = (operator.principal(), operator.rights());
    verbs.end_delegation(&id, by, &operator.caller()).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn principal(member: &str, text: Option<&str>) -> Result<Option<Principal>, Failure> {
    text.map(str::parse)
        .transpose()
        .map_err(|error: ParsePrincipalError| Failure::invalid(format!("`{member}`: {error}")))
}

fn render(delegation: &Delegation, people: &People, now: Timestamp) -> wire::Delegation {
    wire::Delegation {
        id: delegation.id.to_string(),
        principal: delegation.principal.to_string(),
        delegate: delegation.delegate.as_ref().map(ToString::to_string),
        reason: delegation.reason.clone(),
        is_in_force: delegation.is_in_force(now),
        starts_at: delegation.starts_at,
        ends_at: delegation.ends_at,
        ended_at: delegation.ended_at,
        created_by: delegation.created_by.clone(),
        people: people.of(people::of_delegation(delegation)),
        created_at: delegation.created_at,
    }
}
