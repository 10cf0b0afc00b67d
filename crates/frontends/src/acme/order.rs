//! newOrder, the order resource and an account's list of orders (RFC 8555 sections 7.1.2.1, 7.4).

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use domain::acme::order::OrderStatus;
use domain::id::{AccountId, OrderId};
use domain::identifier::IdentifierError;
use http::StatusCode;
use http::header::{LINK, LOCATION, RETRY_AFTER};
use lifecycle::acme::new_order::{IdentifierFault, IdentifierReason, NewOrder, NewOrderError};
use lifecycle::acme::orders::OrderView;
use protocols::acme::account::OrderList;
use protocols::acme::identifier::{Identifier, IdentifierType};
use protocols::acme::order as wire;
use protocols::acme::problem::{Problem, ProblemType};

use super::AcmeState;
use super::failure::Failure;
use super::render;
use super::signed::ByAccount;
use super::urls::Urls;

pub(crate) async fn create(
    State(state): State<AcmeState>,
    request: ByAccount,
) -> Result<Response, Failure> {
    let body: wire::NewOrder = request.json()?;
    let asked = NewOrder {
        identifiers: body
            .identifiers
            .into_iter()
            .map(|identifier| (identifier.kind.as_str().to_owned(), identifier.value))
            .collect(),
        profile: body.profile,
        not_before: body.not_before,
        not_after: body.not_after,
        replaces: body.replaces,
    };
    let view = state
        .lifecycle
        .new_order(
            &request.directory,
            &request.account,
            asked,
            &request.caller(),
        )
        .await
        .map_err(failure)?;
    Ok((StatusCode::CREATED, respond(&view, &request.urls)).into_response())
}

pub(crate) async fn show(
    State(state): State<AcmeState>,
    request: ByAccount,
) -> Result<Response, Failure> {
    request.require_post_as_get()?;
    let id: OrderId = request.param("id")?;
    let view = state
        .lifecycle
        .order(&request.account, &id)
        .await?
        .ok_or_else(|| Failure::not_found("order"))?;
    Ok(respond(&view, &request.urls))
}

/// An order with its URL, and while it is processed with when to look again.
pub(crate) fn respond(view: &OrderView, urls: &Urls) -> Response {
    let location = [(LOCATION, urls.order(&view.order.id))];
    let body = Json(render::order(view, urls));
    match view.status {
        OrderStatus::Processing { retry_after } => {
            let seconds = retry_after.as_secs().max(1).to_string();
            (location, [(RETRY_AFTER, seconds)], body).into_response()
        }
        OrderStatus::Pending
        | OrderStatus::Ready
        | OrderStatus::Valid { .. }
        | OrderStatus::Invalid(_) => (location, body).into_response(),
    }
}

pub(crate) async fn list(
    State(state): State<AcmeState>,
    RawQuery(query): RawQuery,
    request: ByAccount,
) -> Result<Response, Failure> {
    request.require_post_as_get()?;
    let id: AccountId = request.param("id")?;
    if id != request.account.id {
        return Err(Failure::unauthorized(
            "orders are only shown to the account that made them",
        ));
    }
    let after = query.as_deref().map(read_cursor).transpose()?;
    let orders = state
        .lifecycle
        .orders_of_account(&request.account, after, PAGE)
        .await?;
    let urls = &request.urls;
    let body = Json(OrderList {
        orders: orders.iter().map(|order| urls.order(&order.id)).collect(),
    });
    match orders.last() {
        Some(last) if orders.len() == PAGE as usize => {
            let next = format!("<{}?after={}>;rel=\"next\"", urls.orders(&id), last.id);
            Ok(([(LINK, next)], body).into_response())
        }
        _ => Ok(body.into_response()),
    }
}

/// Our own `next` links are the only queries there are.
fn read_cursor(query: &str) -> Result<OrderId, Failure> {
    query
        .strip_prefix("after=")
        .and_then(|id| id.parse().ok())
        .ok_or_else(|| Failure::malformed("follow the `next` link as it was given"))
}

fn failure(error: NewOrderError) -> Failure {
    let text = error.to_string();
    match error {
        NewOrderError::NoIdentifiers | NewOrderError::TooManyIdentifiers(..) => {
            Failure::malformed(text)
        }
        NewOrderError::Identifiers(faults) => {
            let problems = faults.iter().map(identifier_problem).collect();
            Problem::from_subproblems(text, problems).into()
        }
        NewOrderError::Names(_) => Failure::new(ProblemType::RejectedIdentifier, text),
        NewOrderError::NoSuchProfile(_) => Failure::new(ProblemType::InvalidProfile, text),
        NewOrderError::Validity(_) | NewOrderError::Replaces(_) => Failure::malformed(text),
        // The client cannot mend it, an operator can: the text says where.
        NewOrderError::Metadata(_) => Failure::new(ProblemType::RejectedIdentifier, text),
        NewOrderError::AlreadyReplaced => Failure::new(ProblemType::AlreadyReplaced, text),
        NewOrderError::AccountNotValid => Problem::unauthorized(text).with_status(401).into(),
        NewOrderError::RateLimited(limited) => limited.into(),
        NewOrderError::Store(error) => error.into(),
    }
}

fn identifier_problem(fault: &IdentifierFault) -> Problem {
    let kind = match &fault.reason {
        IdentifierReason::Malformed(
            IdentifierError::UnsupportedType { .. }
            | IdentifierError::UnknownType { .. }
            | IdentifierError::UnsupportedName(_),
        ) => ProblemType::UnsupportedIdentifier,
        IdentifierReason::Malformed(
            IdentifierError::BadDnsName { .. }
            | IdentifierError::BadIpAddress { .. }
            | IdentifierError::BadMailbox { .. }
            | IdentifierError::BadUri { .. }
            | IdentifierError::BadDevice { .. },
        )
        | IdentifierReason::Duplicate(_) => ProblemType::Malformed,
        IdentifierReason::Policy(_)
        | IdentifierReason::NotBound(_)
        | IdentifierReason::NoChallenge(_)
        | IdentifierReason::NoMaker(_) => ProblemType::RejectedIdentifier,
    };
    let identifier = Identifier::new(IdentifierType::from(fault.kind.as_str()), &*fault.value);
    Problem::about(identifier, kind, fault.reason.to_string())
}

const PAGE: u32 = 100;
