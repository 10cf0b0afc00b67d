//! What comes into our mailbox: what counts is kept and decides, what does not is told and decides nothing.

use std::time::Duration;

use domain::acme::authorization::{Authorization, AuthorizationStatus};
use domain::acme::challenge::ChallengeKind;
use domain::acme::email::{EmailExchange, Received, Reply, ReplyFault};
use domain::acme::validation::{FailureKind, ValidationFailure};
use domain::event::Event;
use domain::id::AuthorizationId;
use domain::identifier::Identifier;
use pki::time::Timestamp;
use serde_json::json;
use store::{StoreError, Tx};

use super::{EmailError, count};
use crate::Lifecycle;
use crate::actor::Caller;

/// What became of a reply, as figures count it.
#[derive(Clone, Copy)]
enum Counted {
    Believed,
    Refused,
    Unsettled,
}

impl Lifecycle {
    /// Looks at what came in. Says when to look again: soon where there was something.
    pub(crate) async fn read_mailbox(&self) -> Result<Duration, EmailError> {
        let Some(exchange) = self.email.clone() else {
            return Ok(MAILBOX_IDLE);
        };
        let received = exchange.receive().await.map_err(EmailError::Receive)?;
        let mut settled = Vec::new();
        for mail in &received {
            let counted = self.take_reply(&*exchange, mail).await?;
            count(match counted {
                Counted::Believed => "believed",
                Counted::Refused => "refused",
                Counted::Unsettled => "unsettled",
            });
            if !matches!(counted, Counted::Unsettled) {
                settled.push(mail.number);
            }
        }
        if !settled.is_empty() {
            let marked = exchange.settle(&settled).await;
            marked.map_err(EmailError::Receive)?;
        }
        Ok(match settled.is_empty() {
            true => MAILBOX_WAIT,
            false => Duration::from_secs(1),
        })
    }

    async fn take_reply(
        &self,
        exchange: &dyn EmailExchange,
        mail: &Received,
    ) -> Result<Counted, StoreError> {
        let reply = match &mail.reply {
            Ok(reply) => reply,
            Err(why) => {
                tracing::info!(mail.number = mail.number, why, "mail passed over");
                return Ok(Counted::Refused);
            }
        };
        let token = reply.token.clone().unwrap_or_default();
        let found = self
            .store
            .read("email_challenge.by_token", move |tx| {
                Box::pin(async move {
                    let Some(challenge) = tx.find_email_challenge_by_token(&token).await? else {
                        return Ok::<_, StoreError>(None);
                    };
                    let id = &challenge.authorization;
                    let authorization = tx.find_authorization(id).await?;
                    Ok(Some(challenge).zip(authorization))
                })
            })
            .await?;
        let Some((challenge, authorization)) = found else {
            tracing::info!(
                mail.number = mail.number,
                "mail passed over: no challenge of its subject is known here"
            );
            return Ok(Counted::Refused);
        };
        let Identifier::Email(mailbox) = &authorization.identifier else {
            return Ok(Counted::Refused);
        };
        let is_open = authorization.status(self.now()) == AuthorizationStatus::Pending;
        if !is_open || challenge.digest.is_some() {
            tracing::info!(authorization.id = %authorization.id, "reply passed over: it is decided");
            return Ok(Counted::Refused);
        }
        match reply.believed(mailbox, &challenge, exchange.rules()) {
            Ok(digest) => {
                self.believe(&authorization, digest).await?;
                Ok(Counted::Believed)
            }
            Err(fault) => {
                let may_wait = self.now().since(authorization.created_at) < DKIM_PATIENCE;
                let is_unsigned = matches!(fault, ReplyFault::Unsigned(_));
                if is_unsigned && reply.is_unsettled() && may_wait {
                    return Ok(Counted::Unsettled);
                }
                self.refuse_reply(&authorization, reply, &fault.to_string())
                    .await?;
                Ok(Counted::Refused)
            }
        }
    }

    /// A reply that counts: it is durable first, and decides where the client said that it is ready.
    async fn believe(&self, authorization: &Authorization, said: &str) -> Result<(), StoreError> {
        let (id, digest, now) = (authorization.id.clone(), said.to_owned(), self.now());
        self.store
            .write("email_challenge.reply", move |tx| {
                Box::pin(async move { tx.note_email_reply(&id, &digest, now).await })
            })
            .await?;
        self.decide_email(&authorization.id).await.map(drop)
    }

    /// Notes why a reply does not count, where the client sees it. Anybody may write to us in anybody's
    /// name, so it decides nothing; after a few, further ones are only logged.
    async fn refuse_reply(
        &self,
        authorization: &Authorization,
        reply: &Reply,
        why: &str,
    ) -> Result<(), StoreError> {
        let detail = format!("a reply to the challenge does not count: {why}");
        let from = reply.from.as_ref().map(ToString::to_string);
        let data = json!({ "identifier": authorization.identifier, "from": from, "why": why });
        let event = self.event(
            &Caller::system(),
            "email_challenge.reply_refused",
            authorization.id.as_str(),
            data,
        );
        let failure = ValidationFailure::passing(FailureKind::Unauthorized, detail);
        let (id, now) = (authorization.id.clone(), self.now());
        self.store
            .write("email_challenge.refuse", move |tx| {
                Box::pin(async move { note_refusal(tx, &id, failure, &event, now).await })
            })
            .await
    }
}

async fn note_refusal(
    tx: &mut Tx<'_>,
    id: &AuthorizationId,
    failure: ValidationFailure,
    event: &Event,
    now: Timestamp,
) -> Result<(), StoreError> {
    let kind = ChallengeKind::EmailReply00;
    let Some(mut authorization) = tx.find_authorization_for_update(id).await? else {
        return Ok(());
    };
    let noted = authorization
        .challenge(kind)
        .map_or(0, |challenge| challenge.state.attempts());
    if noted >= MAX_REFUSALS {
        return Ok(());
    }
    // Before the client said that it is ready there is no attempt to note it at.
    if authorization.note_failure(kind, failure, now).is_ok() {
        tx.update_authorization(&authorization).await?;
    }
    tx.insert_event(event).await
}

/// How often an empty mailbox is looked at.
const MAILBOX_WAIT: Duration = Duration::from_secs(10);
const MAILBOX_IDLE: Duration = Duration::from_secs(60 * 60);
/// How long a sender's name servers may take before its signature is called missing.
const DKIM_PATIENCE: Duration = Duration::from_secs(60 * 60);
const MAX_REFUSALS: usize = 5;
