//! Where an order stands, in a sentence: what is waited for, or what went wrong.

use domain::acme::authorization::{Authorization, AuthorizationStatus};
use domain::acme::order::OrderStatus;
use domain::acme::validation::FailureKind;
use domain::enrollment::{Enrollment, EnrollmentState};
use lifecycle::acme::orders::OrderView;
use pki::time::Timestamp;

/// The sentence.
pub(crate) fn order(
    view: &OrderView,
    authorizations: &[Authorization],
    enrollment: Option<&Enrollment>,
    now: Timestamp,
) -> String {
    match &view.status {
        OrderStatus::Pending => format!(
            "waits for the client to prove control of {}",
            names(authorizations, now, AuthorizationStatus::Pending).join(", ")
        ),
        OrderStatus::Ready => "all names are proven; waits for the client to finalize".to_owned(),
        OrderStatus::Processing { .. } => processing(enrollment),
        OrderStatus::Valid { certificate } => format!("issued the certificate {certificate}"),
        OrderStatus::Invalid(fault) => match failed(authorizations, now) {
            failed if failed.is_empty() || enrollment.is_some() => fault.to_string(),
            failed => failed.join("; "),
        },
    }
}

fn names(list: &[Authorization], now: Timestamp, status: AuthorizationStatus) -> Vec<String> {
    list.iter()
        .filter(|authorization| authorization.status(now) == status)
        .map(shown)
        .collect()
}

fn shown(authorization: &Authorization) -> String {
    match authorization.wildcard {
        true => format!("*.{}", authorization.identifier),
        false => authorization.identifier.to_string(),
    }
}

fn failed(authorizations: &[Authorization], now: Timestamp) -> Vec<String> {
    let reason = |authorization: &Authorization| {
        let name = shown(authorization);
        match (authorization.status(now), authorization.last_failure()) {
            (AuthorizationStatus::Pending | AuthorizationStatus::Valid, _) => None,
            (_, Some(failure)) => Some(format!(
                "control of {name} was not proven: {} ({})",
                failure.detail,
                failure_kind(failure.kind)
            )),
            (AuthorizationStatus::Deactivated, None) => {
                Some(format!("the client gave up its authorization for {name}"))
            }
            (AuthorizationStatus::Revoked, None) => {
                Some(format!("the authorization for {name} was revoked"))
            }
            (AuthorizationStatus::Invalid | AuthorizationStatus::Expired, None) => Some(format!(
                "the client did not prove control of {name} before {}",
                authorization.expires_at
            )),
        }
    };
    authorizations.iter().filter_map(reason).collect()
}

fn processing(enrollment: Option<&Enrollment>) -> String {
    let state = enrollment.map(|enrollment| &enrollment.state);
    match state {
        Some(EnrollmentState::AwaitingApproval {
            approval, deadline, ..
        }) => format!(
            "waits for people: somebody has to decide on {approval} until {deadline}; \
             `certwright approval show` says who"
        ),
        Some(
            EnrollmentState::Approved {
                last_error: Some(error),
                attempts,
                ..
            }
            | EnrollmentState::Signing {
                last_error: Some(error),
                attempts,
                ..
            },
        ) => {
            let then = state.and_then(|state| state.setback().next_at);
            let then = then.map_or_else(String::new, |at| format!("; it is tried again at {at}"));
            format!("could not be signed so far, after {attempts} tries: {error}{then}")
        }
        Some(EnrollmentState::AwaitingIssuer {
            poll_at,
            last_error: Some(error),
            ..
        }) => {
            format!(
                "the issuer has taken the request, but: {error}; it is asked again at {poll_at}"
            )
        }
        Some(EnrollmentState::AwaitingIssuer { poll_at, .. }) => {
            format!("the issuer has taken the request; it is asked again at {poll_at}")
        }
        Some(_) | None => "is being signed".to_owned(),
    }
}

/// The ACME error type without its prefix.
pub(crate) fn failure_kind(kind: FailureKind) -> &'static str {
    match kind {
        FailureKind::BadAttestationStatement => "badAttestationStatement",
        FailureKind::Caa => "caa",
        FailureKind::Connection => "connection",
        FailureKind::Dns => "dns",
        FailureKind::IncorrectResponse => "incorrectResponse",
        FailureKind::Malformed => "malformed",
        FailureKind::ServerInternal => "serverInternal",
        FailureKind::Tls => "tls",
        FailureKind::Unauthorized => "unauthorized",
    }
}
