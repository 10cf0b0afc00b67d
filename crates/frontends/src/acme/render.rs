//! From nouns to wire bodies.

use domain::acme::account::{Account, AccountStatus};
use domain::acme::authorization::{Authorization, AuthorizationStatus};
use domain::acme::challenge::{Challenge, ChallengeKind, ChallengeState};
use domain::acme::directory::Directory;
use domain::acme::order::{OrderFault, OrderStatus};
use domain::identifier::Identifier;
use lifecycle::Lifecycle;
use lifecycle::acme::orders::OrderView;
use pki::time::Timestamp;
use protocols::acme::challenge::ChallengeDetails;
use protocols::acme::key_authorization::Token;
use protocols::acme::problem::{Problem, ProblemType};
use protocols::acme::{account, authorization, challenge, identifier, order};

use super::failure::{Failure, validation_problem};
use super::urls::Urls;

pub(crate) fn account(account: &Account, urls: &Urls) -> account::Account {
    account::Account {
        status: match account.status {
            AccountStatus::Valid => account::AccountStatus::Valid,
            AccountStatus::Deactivated => account::AccountStatus::Deactivated,
            AccountStatus::Revoked => account::AccountStatus::Revoked,
        },
        contact: account.contacts.clone(),
        terms_of_service_agreed: account.terms_agreed.then_some(true),
        external_account_binding: account
            .eab_jws
            .as_ref()
            .and_then(|jws| serde_json::from_str(jws).ok()),
        orders: Some(urls.orders(&account.id)),
    }
}

pub(crate) fn identifier(identifier: &Identifier) -> identifier::Identifier {
    match identifier {
        Identifier::Dns(name) => identifier::Identifier::dns(name.as_str()),
        Identifier::Ip(address) => identifier::Identifier::ip(*address),
        Identifier::Permanent(_)
        | Identifier::Hardware(_)
        | Identifier::Email(_)
        | Identifier::Uri(_) => {
            identifier::Identifier::new(identifier.kind().into(), identifier.value())
        }
    }
}

pub(crate) fn order(view: &OrderView, urls: &Urls) -> order::Order {
    let order = &view.order;
    let (status, error, certificate) = match &view.status {
        OrderStatus::Pending => (order::OrderStatus::Pending, None, None),
        OrderStatus::Ready => (order::OrderStatus::Ready, None, None),
        OrderStatus::Processing { .. } => (order::OrderStatus::Processing, None, None),
        OrderStatus::Valid { certificate } => (
            order::OrderStatus::Valid,
            None,
            Some(urls.certificate(certificate)),
        ),
        OrderStatus::Invalid(fault) => (
            order::OrderStatus::Invalid,
            Some(order_problem(fault)),
            None,
        ),
    };
    order::Order {
        status,
        expires: Some(order.expires_at.floor_to_second()),
        identifiers: order.identifiers.iter().map(identifier).collect(),
        not_before: order.not_before,
        not_after: order.not_after,
        error,
        authorizations: order
            .authorization_ids
            .iter()
            .map(|id| urls.authorization(id))
            .collect(),
        finalize: urls.finalize(&order.id),
        certificate,
        replaces: order.replaces_cert_id.clone(),
        profile: Some(order.profile_name.clone()),
    }
}

fn order_problem(fault: &OrderFault) -> Problem {
    let kind = match fault {
        OrderFault::Expired => ProblemType::Malformed,
        OrderFault::Authorization(_) | OrderFault::NotApproved(_) => ProblemType::Unauthorized,
        OrderFault::Issuance(_) => ProblemType::ServerInternal,
    };
    let problem = Problem::new(kind, fault.to_string());
    let status = problem.http_status();
    problem.with_status(status)
}

/// What an authorization's rendering depends on besides itself.
pub(crate) struct AuthorizationContext<'a> {
    pub(crate) lifecycle: &'a Lifecycle,
    pub(crate) directory: &'a Directory,
    pub(crate) urls: &'a Urls,
    pub(crate) now: Timestamp,
}

pub(crate) fn authorization(
    authorization: &Authorization,
    context: &AuthorizationContext<'_>,
) -> Result<authorization::Authorization, Failure> {
    let status = match authorization.status(context.now) {
        AuthorizationStatus::Pending => authorization::AuthorizationStatus::Pending,
        AuthorizationStatus::Valid => authorization::AuthorizationStatus::Valid,
        AuthorizationStatus::Invalid => authorization::AuthorizationStatus::Invalid,
        AuthorizationStatus::Deactivated => authorization::AuthorizationStatus::Deactivated,
        AuthorizationStatus::Expired => authorization::AuthorizationStatus::Expired,
        AuthorizationStatus::Revoked => authorization::AuthorizationStatus::Revoked,
    };
    let challenges: Result<Vec<_>, Failure> = authorization
        .challenges
        .iter()
        .map(|offered| challenge(authorization, offered, context))
        .collect();
    Ok(authorization::Authorization {
        identifier: identifier(&authorization.identifier),
        status,
        expires: Some(authorization.expires_at.floor_to_second()),
        challenges: challenges?,
        wildcard: authorization.wildcard,
    })
}

fn token(authorization: &Authorization) -> Result<Token, Failure> {
    let token = authorization.token.parse();
    token.map_err(|error| Failure::internal(&error))
}

pub(crate) fn challenge(
    authorization: &Authorization,
    offered: &Challenge,
    context: &AuthorizationContext<'_>,
) -> Result<challenge::Challenge, Failure> {
    let (status, validated) = match &offered.state {
        ChallengeState::Pending => (challenge::ChallengeStatus::Pending, None),
        ChallengeState::Processing { .. } => (challenge::ChallengeStatus::Processing, None),
        ChallengeState::Valid { validated_at } => (
            challenge::ChallengeStatus::Valid,
            Some(validated_at.floor_to_second()),
        ),
        ChallengeState::Invalid { .. } => (challenge::ChallengeStatus::Invalid, None),
    };
    let details = match offered.kind {
        ChallengeKind::DnsPersist01 => ChallengeDetails::Persist {
            issuer_domain_names: context.lifecycle.issuer_domain_names(context.directory),
            account_uri: Some(context.urls.account(&authorization.account_id)),
        },
        ChallengeKind::EmailReply00 => ChallengeDetails::Email {
            from: context.lifecycle.email_sender().to_owned(),
            token: token(authorization)?,
        },
        ChallengeKind::Http01
        | ChallengeKind::Dns01
        | ChallengeKind::TlsAlpn01
        | ChallengeKind::DnsAccount01
        | ChallengeKind::DeviceAttest01 => ChallengeDetails::Token(token(authorization)?),
    };
    Ok(challenge::Challenge {
        kind: offered.kind.as_str().into(),
        url: context.urls.challenge(&authorization.id, offered.kind),
        status,
        validated,
        error: offered.state.last_failure().map(validation_problem),
        details,
    })
}
