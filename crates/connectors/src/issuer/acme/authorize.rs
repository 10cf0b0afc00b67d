//! Authorizations of an order (RFC 8555 section 7.5): responses are noted, put in place, seen by our
//! own resolvers, and only then is the CA told to look.

use std::sync::Arc;
use std::time::Duration;

use domain::clock::Clock;
use domain::id::IssuerId;
use domain::issuer::IssueError;
use domain::issuer::response::{ChallengeResponse, ChallengeResponses, ProofPlace, ResponsesError};
use protocols::acme::authorization::{Authorization, AuthorizationStatus};
use protocols::acme::challenge::{Challenge, ChallengeStatus};
use protocols::acme::identifier::IdentifierType;
use protocols::acme::key_authorization::KeyAuthorization;
use protocols::acme::order::Order;
use serde_json::json;

use super::account::Account;
use super::client::{AcmeClient, Signer};
use super::handle::Handle;
use super::order::PATIENCE;
use crate::net::Resolver;
use crate::solver::{ChallengeSolver, Proof, SolveError};

/// A response that is not seen is put in place again after so long: something may have undone it.
const PUT_AGAIN: Duration = Duration::from_secs(30);
/// As soon as something that was put in place may be seen.
const GLANCE: Duration = Duration::from_secs(1);

/// Shows the CA what it wants to see.
pub(super) struct Authorizer {
    pub(super) issuer: IssuerId,
    pub(super) solver: Option<Arc<dyn ChallengeSolver>>,
    pub(super) propagation: Duration,
    pub(super) responses: Arc<dyn ChallengeResponses>,
    pub(super) resolver: Arc<Resolver>,
    pub(super) clock: Arc<dyn Clock>,
}

impl From<SolveError> for IssueError {
    fn from(error: SolveError) -> Self {
        match error {
            SolveError::Unavailable(text) => {
                Self::Unavailable(format!("the challenge is not solved yet: {text}"))
            }
            SolveError::Refused(text) => {
                Self::Refused(format!("the challenge cannot be solved: {text}"))
            }
        }
    }
}

fn unnoted(error: ResponsesError) -> IssueError {
    IssueError::Unavailable(error.to_string())
}

impl Authorizer {
    /// Does what can be done now for every outstanding authorization; says when to look again.
    pub(super) async fn work(
        &self,
        client: &AcmeClient,
        account: &Account,
        order: &Order,
        handle: &mut Handle,
    ) -> Result<Duration, IssueError> {
        let mut wait = PATIENCE;
        for url in &order.authorizations {
            let reply = client.get(account, url).await?;
            let authorization: Authorization = reply.json()?;
            match authorization.status {
                AuthorizationStatus::Valid => continue,
                AuthorizationStatus::Pending => {}
                AuthorizationStatus::Invalid
                | AuthorizationStatus::Deactivated
                | AuthorizationStatus::Expired
                | AuthorizationStatus::Revoked => return Err(failed(&authorization)),
            }
            let asked = reply.retry_after();
            let next = self
                .respond(client, account, &authorization, handle)
                .await?;
            wait = wait.min(asked.unwrap_or(next));
        }
        Ok(wait.max(GLANCE))
    }

    /// Why nothing came of an order: the name at fault, where there is one.
    pub(super) async fn explain(
        &self,
        client: &AcmeClient,
        account: &Account,
        order: &Order,
    ) -> IssueError {
        for url in &order.authorizations {
            let Ok(reply) = client.get(account, url).await else {
                continue;
            };
            let authorization = reply.json::<Authorization>().ok();
            let at_fault = authorization.filter(|a| a.status == AuthorizationStatus::Invalid);
            if let Some(authorization) = at_fault {
                return failed(&authorization);
            }
        }
        IssueError::Refused(match &order.error {
            Some(problem) => format!("the CA gave the order up: {problem}"),
            None => "the CA gave the order up without saying why".to_owned(),
        })
    }

    async fn respond(
        &self,
        client: &AcmeClient,
        account: &Account,
        authorization: &Authorization,
        handle: &mut Handle,
    ) -> Result<Duration, IssueError> {
        let solver = self.solver.as_deref().ok_or_else(|| {
            IssueError::Refused(format!(
                "the CA wants control over {} to be shown, and the issuer's `solver` is `none`",
                authorization.identifier.value
            ))
        })?;
        let challenge = offered(authorization, solver.place())?;
        match challenge.status {
            ChallengeStatus::Invalid => return Err(failed(authorization)),
            ChallengeStatus::Processing | ChallengeStatus::Valid => return Ok(PATIENCE),
            ChallengeStatus::Pending if handle.told.contains(&challenge.url) => {
                return Ok(PATIENCE);
            }
            ChallengeStatus::Pending => {}
        }
        let response = self.response(account, authorization, challenge, handle, solver.place());
        let response = response.await?;
        self.put(solver, &response, &challenge.url, handle).await?;
        if !self.is_in_place(&response).await {
            return Ok(GLANCE);
        }
        client
            .post(Signer::Account(account), &challenge.url, &json!({}))
            .await?;
        handle.told.insert(challenge.url.clone());
        Ok(GLANCE)
    }

    /// What goes where; noted, with the time at which it was noted first.
    async fn response(
        &self,
        account: &Account,
        authorization: &Authorization,
        challenge: &Challenge,
        handle: &Handle,
        place: ProofPlace,
    ) -> Result<ChallengeResponse, IssueError> {
        let token = challenge
            .token()
            .ok_or_else(|| IssueError::Refused("the CA's challenge has no token".to_owned()))?;
        let proof = KeyAuthorization::new(token, &account.key.jwk().thumbprint());
        let (name, value) = match place {
            ProofPlace::Http01 => (token.as_str().to_owned(), proof.as_str().to_owned()),
            ProofPlace::Dns01 => {
                let domain = authorization.identifier.value.trim_end_matches('.');
                let name = self
                    .end_of_aliases(format!("_acme-challenge.{domain}"))
                    .await?;
                (name, proof.dns_value())
            }
        };
        let noted = self
            .responses
            .of_order(&self.issuer, &handle.order)
            .await
            .map_err(unnoted)?;
        let same = noted
            .into_iter()
            .find(|noted| noted.name == name && noted.value == value);
        if let Some(same) = same {
            return Ok(same);
        }
        let response = ChallengeResponse {
            issuer: self.issuer.clone(),
            order: handle.order.clone(),
            place,
            name,
            value,
            placed_at: self.clock.now(),
        };
        self.responses.note(&response).await.map_err(unnoted)?;
        Ok(response)
    }

    /// A name may be delegated by a CNAME to a zone that only serves such records; the CA follows it,
    /// and so do we.
    async fn end_of_aliases(&self, name: String) -> Result<String, IssueError> {
        let end = self.resolver.follow_aliases(&name).await;
        end.map_err(|error| IssueError::Unavailable(error.to_string()))
    }

    async fn put(
        &self,
        solver: &dyn ChallengeSolver,
        response: &ChallengeResponse,
        challenge: &str,
        handle: &mut Handle,
    ) -> Result<(), IssueError> {
        let now = self.clock.now();
        let is_fresh = |at: &pki::time::Timestamp| now.since(*at) < PUT_AGAIN;
        if handle.put.get(challenge).is_some_and(is_fresh) {
            return Ok(());
        }
        solver.put(&proof(response)).await?;
        handle.put.insert(challenge.to_owned(), now);
        Ok(())
    }

    /// Whether the CA will see it: our own resolvers do, or they had the time for it. Where DNS looks
    /// different from inside, they may never.
    async fn is_in_place(&self, response: &ChallengeResponse) -> bool {
        match response.place {
            ProofPlace::Http01 => true,
            ProofPlace::Dns01 => {
                let found = self.resolver.lookup_txt(&response.name).await;
                found.is_ok_and(|texts| texts.iter().any(|text| text == response.value.as_bytes()))
                    || self.clock.now().since(response.placed_at) >= self.propagation
            }
        }
    }

    /// Takes away what was put in place for an order. What cannot be taken away now stays noted.
    pub(super) async fn clear(&self, order: &str) {
        match self.responses.of_order(&self.issuer, order).await {
            Ok(responses) => self.remove(responses).await,
            Err(error) => tracing::warn!(error = %error, "responses to challenges stay for now"),
        }
    }

    /// Takes away what nobody came back for.
    pub(super) async fn clear_abandoned(&self, older_than: Duration) {
        let before = self.clock.now() - older_than;
        match self.responses.placed_before(&self.issuer, before).await {
            Ok(responses) => self.remove(responses).await,
            Err(error) => tracing::warn!(error = %error, "responses to challenges stay for now"),
        }
    }

    async fn remove(&self, responses: Vec<ChallengeResponse>) {
        for response in responses {
            let solver = self.solver.as_deref();
            // A solver of another kind than the one that put it there cannot take it away.
            let removed = match solver.filter(|solver| solver.place() == response.place) {
                Some(solver) => solver.remove(&proof(&response)).await,
                None => Ok(()),
            };
            let outcome = match removed {
                Ok(()) => self
                    .responses
                    .forget(&response)
                    .await
                    .map_err(|e| e.to_string()),
                Err(error) => Err(error.to_string()),
            };
            if let Err(error) = outcome {
                tracing::warn!(
                    issuer.id = %self.issuer, record = response.name, error,
                    "a response to a challenge is not taken away; it is tried again"
                );
            }
        }
    }
}

fn proof(response: &ChallengeResponse) -> Proof {
    Proof {
        name: response.name.clone(),
        value: response.value.clone(),
    }
}

fn offered(authorization: &Authorization, place: ProofPlace) -> Result<&Challenge, IssueError> {
    let wanted = place.as_str();
    let found = authorization
        .challenges
        .iter()
        .find(|challenge| challenge.kind.as_str() == wanted);
    found.ok_or_else(|| {
        let kinds: Vec<&str> = authorization
            .challenges
            .iter()
            .map(|challenge| challenge.kind.as_str())
            .collect();
        let star = if authorization.wildcard { "*." } else { "" };
        let hint = match authorization.identifier.kind {
            IdentifierType::Ip => "; an IP address is proven by http-01",
            _ => "",
        };
        IssueError::Refused(format!(
            "for {star}{} the CA offers {}, and the issuer's solver answers {wanted}{hint}",
            authorization.identifier.value,
            kinds.join(", ")
        ))
    })
}

fn failed(authorization: &Authorization) -> IssueError {
    let told = authorization
        .challenges
        .iter()
        .find_map(|challenge| challenge.error.as_ref());
    let name = &authorization.identifier.value;
    IssueError::Refused(match told {
        Some(problem) => format!("the CA does not see control over {name}: {problem}"),
        None => format!(
            "the CA's authorization for {name} is {}",
            authorization.status
        ),
    })
}
