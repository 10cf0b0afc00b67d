//! `/acme/orders`: what was ordered by ACME, and why it failed.

use axum::Json;
use axum::extract::State;
use domain::acme::authorization::{Authorization, AuthorizationState, AuthorizationStatus, Proof};
use domain::acme::challenge::{Challenge, ChallengeState};
use domain::acme::order::OrderStatus;
use domain::id::OrderId;
use domain::identifier::Identifier;
use domain::permission::Permission;
use lifecycle::OrderFilter;
use lifecycle::acme::orders::OrderView;
use pki::time::Timestamp;
use protocols::rest::authorization as authz;
use protocols::rest::order as wire;
use protocols::rest::page::{Page, PageQuery};

use super::Verbs;
use super::access::Operator;
use super::extract::Named;
use super::failure::Failure;
use super::listing::Listing;
use super::names::Names;
use super::{enrollments, explain};

/// ACME orders, newest first
#[utoipa::path(get, path = "/api/v1/acme/orders", tag = "acme",
    params(PageQuery, wire::OrderQuery),
    responses((status = 200, description = "A page of orders", body = Page<wire::Order>)))]
pub(crate) async fn list(
    State(verbs): State<Verbs>,
    operator: Operator,
    listing: Listing<wire::OrderQuery, OrderId>,
) -> Result<Json<Page<wire::Order>>, Failure> {
    let names = Names::load(&verbs).await?;
    let filter = filter(&listing.filter, &names, &operator)?;
    let found = verbs
        .list_orders(filter, listing.after.clone(), listing.rows())
        .await?;
    Ok(Json(listing.page(
        found,
        |view| view.order.id.to_string(),
        |view| render(&view, &names),
    )))
}

/// One ACME order, with its authorizations, every failed probe, and its way through the pipeline
#[utoipa::path(get, path = "/api/v1/acme/orders/{id}", tag = "acme",
    params(("id" = String, Path, description = "Id of the order")),
    responses((status = 200, description = "The order", body = wire::OrderDetails)))]
pub(crate) async fn show(
    State(verbs): State<Verbs>,
    operator: Operator,
    Named(id): Named<OrderId>,
) -> Result<Json<wire::OrderDetails>, Failure> {
    let unknown = || Failure::not_found(format!("there is no ACME order {id}"));
    let view = verbs.any_order(&id).await?.ok_or_else(unknown)?;
    operator.require(Permission::AcmeRead, view.order.team_id.as_ref(), unknown)?;
    let authorizations = verbs.authorizations_of(&view).await?;
    let enrollment = match &view.order.enrollment_id {
        Some(id) => verbs.enrollment(id).await?,
        None => None,
    };
    let names = Names::load(&verbs).await?;
    let now = verbs.now();
    Ok(Json(wire::OrderDetails {
        order: render(&view, &names),
        explanation: explain::order(&view, &authorizations, enrollment.as_ref(), now),
        metadata: match &enrollment {
            Some(enrollment) => enrollment.metadata.clone(),
            None => verbs.order_metadata(&view.order).await?,
        },
        authorizations: authorizations
            .iter()
            .map(|a| render_authorization(a, now))
            .collect(),
        pipeline: enrollment.map(|enrollment| enrollments::render(&enrollment, &names)),
    }))
}

fn filter(
    query: &wire::OrderQuery,
    names: &Names,
    operator: &Operator,
) -> Result<OrderFilter, Failure> {
    let account = query.account.as_deref().map(str::parse).transpose();
    let directory = query.directory.as_deref();
    Ok(OrderFilter {
        visible: operator.visible(Permission::AcmeRead),
        directory: directory
            .map(|name| names.directory_id(name, operator.rights()))
            .transpose()?,
        account: account.map_err(|error: domain::id::ParseIdError| {
            Failure::invalid(format!("`account`: {error}"))
        })?,
    })
}

fn render(view: &OrderView, names: &Names) -> wire::Order {
    let order = &view.order;
    let (status, error, certificate) = match &view.status {
        OrderStatus::Pending => (wire::OrderStatus::Pending, None, None),
        OrderStatus::Ready => (wire::OrderStatus::Ready, None, None),
        OrderStatus::Processing { .. } => (wire::OrderStatus::Processing, None, None),
        OrderStatus::Valid { certificate } => (
            wire::OrderStatus::Valid,
            None,
            Some(certificate.to_string()),
        ),
        OrderStatus::Invalid(fault) => (wire::OrderStatus::Invalid, Some(fault.to_string()), None),
    };
    wire::Order {
        id: order.id.to_string(),
        status,
        identifiers: order.identifiers.iter().map(render_identifier).collect(),
        account: order.account_id.to_string(),
        directory: names.directory(&order.directory_id),
        profile: order.profile_name.clone(),
        profile_version: order.profile_version,
        error,
        certificate,
        enrollment: order.enrollment_id.as_ref().map(ToString::to_string),
        replaces: order.replaces.as_ref().map(ToString::to_string),
        team: order.team_id.as_ref().map(|id| names.team(id)),
        created_at: order.created_at,
        expires_at: order.expires_at,
    }
}

pub(super) fn render_identifier(identifier: &Identifier) -> authz::Identifier {
    authz::Identifier {
        kind: identifier.kind().to_owned(),
        value: identifier.value(),
    }
}

fn render_authorization(authorization: &Authorization, now: Timestamp) -> authz::Authorization {
    let proof = match &authorization.state {
        AuthorizationState::Valid { by, .. } => Some(match by {
            Proof::Challenge(kind) => kind.to_string(),
            Proof::Unchecked(kind) => format!("{kind}, not looked at"),
            Proof::TrustedBinding => "trusted-binding".to_owned(),
        }),
        AuthorizationState::Pending
        | AuthorizationState::Invalid
        | AuthorizationState::Deactivated
        | AuthorizationState::Revoked => None,
    };
    authz::Authorization {
        id: authorization.id.to_string(),
        identifier: render_identifier(&authorization.identifier),
        wildcard: authorization.wildcard,
        status: render_status(authorization.status(now)),
        proof,
        challenges: authorization
            .challenges
            .iter()
            .map(render_challenge)
            .collect(),
        expires_at: authorization.expires_at,
    }
}

fn render_status(status: AuthorizationStatus) -> authz::AuthorizationStatus {
    match status {
        AuthorizationStatus::Pending => authz::AuthorizationStatus::Pending,
        AuthorizationStatus::Valid => authz::AuthorizationStatus::Valid,
        AuthorizationStatus::Invalid => authz::AuthorizationStatus::Invalid,
        AuthorizationStatus::Deactivated => authz::AuthorizationStatus::Deactivated,
        AuthorizationStatus::Expired => authz::AuthorizationStatus::Expired,
        AuthorizationStatus::Revoked => authz::AuthorizationStatus::Revoked,
    }
}

fn render_challenge(challenge: &Challenge) -> authz::Challenge {
    let (status, attempts, validated_at) = match &challenge.state {
        ChallengeState::Pending => (authz::ChallengeStatus::Pending, [].as_slice(), None),
        ChallengeState::Processing { attempts } => (
            authz::ChallengeStatus::Processing,
            attempts.as_slice(),
            None,
        ),
        ChallengeState::Valid { validated_at } => (
            authz::ChallengeStatus::Valid,
            [].as_slice(),
            Some(*validated_at),
        ),
        ChallengeState::Invalid { attempts } => {
            (authz::ChallengeStatus::Invalid, attempts.as_slice(), None)
        }
    };
    let attempt = |attempt: &domain::acme::challenge::Attempt| authz::Attempt {
        at: attempt.at,
        error: explain::failure_kind(attempt.failure.kind).to_owned(),
        detail: attempt.failure.detail.clone(),
    };
    authz::Challenge {
        kind: challenge.kind.to_string(),
        status,
        attempts: attempts.iter().map(attempt).collect(),
        validated_at,
    }
}
