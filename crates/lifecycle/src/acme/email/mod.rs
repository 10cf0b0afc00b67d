//! email-reply-00 (RFC 8823): a mail goes out with each authorization for a mailbox, replies are read from
//! our own mailbox by a job ([`replies`]), and what counts becomes the verdict.

mod replies;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::BASE64URL_NOPAD;
use domain::acme::authorization::{Authorization, AuthorizationStatus, Proof, TransitionError};
use domain::acme::challenge::{ChallengeKind, ChallengeState};
use domain::acme::email::{ChallengeMail, EmailChallenge, MailError};
use domain::acme::validation::{FailureKind, ValidationFailure};
use domain::id::AuthorizationId;
use domain::identifier::Identifier;
use serde_json::json;
use store::jobs::JobRow;
use store::{StoreError, Tx};

use super::challenges::{RespondError, failure_limit_key};
use super::validation::Outcome;
use crate::Lifecycle;
use crate::actor::Caller;
use crate::jobs::Job;
use crate::limits;

/// Why mails do not go out or are not read; tried again.
#[derive(Debug, thiserror::Error)]
pub enum EmailError {
    #[error("the challenge's mail is not sent: {0}")]
    Send(MailError),
    #[error("replies are not read: {0}")]
    Receive(MailError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What goes out with an authorization for a mailbox, stored together with it.
#[derive(Clone, Debug)]
pub(crate) struct Outgoing {
    challenge: EmailChallenge,
    job: JobRow,
}

impl Lifecycle {
    /// Who challenges by mail come from; empty where none are sent.
    pub fn email_sender(&self) -> &str {
        self.email.as_ref().map_or("", |email| email.from())
    }

    /// Whether this kind of challenge can be offered here at all.
    pub(crate) fn can_offer(&self, kind: ChallengeKind) -> bool {
        kind != ChallengeKind::EmailReply00 || self.email.is_some()
    }

    /// The mails for new authorizations.
    pub(crate) fn outgoing_mails(&self, fresh: &[Authorization]) -> Vec<Outgoing> {
        let offered = fresh.iter().filter(|authorization| {
            authorization
                .challenge(ChallengeKind::EmailReply00)
                .is_some()
        });
        offered.map(|one| self.outgoing_mail(&one.id)).collect()
    }

    fn outgoing_mail(&self, id: &AuthorizationId) -> Outgoing {
        // RFC 8823 section 3: at least 128 bits travel by mail.
        let token: [u8; 32] = self.random.octets();
        let name: [u8; 16] = self.random.octets();
        let domain = self.email_sender().rsplit('@').next().unwrap_or_default();
        let job = Job::SendEmailChallenge {
            authorization: id.clone(),
        };
        Outgoing {
            challenge: EmailChallenge {
                authorization: id.clone(),
                token: BASE64URL_NOPAD.encode(&token),
                message_id: format!("<{}@{domain}>", data_encoding::HEXLOWER.encode(&name)),
                sent_at: None,
                digest: None,
                replied_at: None,
            },
            job: self.new_job(&job, self.now()),
        }
    }

    /// Sends the mail of an authorization that still waits for it.
    pub(crate) async fn send_email_challenge(
        &self,
        job: &JobRow,
        id: &AuthorizationId,
    ) -> Result<(), EmailError> {
        let now = self.now();
        let wanted = id.clone();
        let found = self
            .store
            .read("email_challenge.find", move |tx| {
                Box::pin(async move {
                    let challenge = tx.find_email_challenge(&wanted).await?;
                    let authorization = tx.find_authorization(&wanted).await?;
                    Ok::<_, StoreError>(challenge.zip(authorization))
                })
            })
            .await?;
        let waiting = found.filter(|(challenge, authorization)| {
            challenge.sent_at.is_none() && authorization.status(now) == AuthorizationStatus::Pending
        });
        let (Some((challenge, authorization)), Some(exchange)) = (waiting, &self.email) else {
            return Ok(self.complete_job(job).await?);
        };
        let Identifier::Email(to) = authorization.identifier.clone() else {
            return Ok(self.complete_job(job).await?);
        };
        let mail = ChallengeMail {
            to,
            token: challenge.token,
            message_id: challenge.message_id,
            at: now,
        };
        match exchange.send(&mail).await {
            Ok(()) => self.note_sent(job, id).await,
            Err(MailError::Refused(text)) => {
                count("refused-by-mail-server");
                let kind = FailureKind::Connection;
                let failure = ValidationFailure::lasting(kind, refused_mail(&text));
                self.fail_email(id, failure).await?;
                Ok(self.complete_job(job).await?)
            }
            Err(error) => Err(EmailError::Send(error)),
        }
    }

    async fn note_sent(&self, job: &JobRow, id: &AuthorizationId) -> Result<(), EmailError> {
        count("sent");
        let event = self.event(
            &Caller::system(),
            "email_challenge.sent",
            id.as_str(),
            json!({}),
        );
        let (job, id, now) = (job.clone(), id.clone(), self.now());
        self.store
            .write("email_challenge.sent", move |tx| {
                Box::pin(async move {
                    tx.note_email_sent(&id, now).await?;
                    tx.insert_event(&event).await?;
                    tx.complete_job(&job).await?;
                    Ok::<_, StoreError>(())
                })
            })
            .await?;
        Ok(())
    }

    /// Decides about a challenge whose client is ready and whose reply is there.
    pub(crate) async fn decide_email(
        &self,
        id: &AuthorizationId,
    ) -> Result<Option<Authorization>, StoreError> {
        let wanted = id.clone();
        let found = self
            .store
            .read("email_challenge.decide", move |tx| {
                Box::pin(async move {
                    let Some(authorization) = tx.find_authorization(&wanted).await? else {
                        return Ok::<_, StoreError>(None);
                    };
                    let challenge = tx.find_email_challenge(&wanted).await?;
                    let account = tx.find_account(&authorization.account_id).await?;
                    Ok(challenge
                        .zip(account)
                        .map(|(challenge, account)| (authorization, challenge, account)))
                })
            })
            .await?;
        let Some((authorization, challenge, account)) = found else {
            return Ok(None);
        };
        let (true, Some(said)) = (is_processing(&authorization), &challenge.digest) else {
            return Ok(Some(authorization));
        };
        let Some(directory) = self.directory_by_id(&authorization.directory_id).await? else {
            return Ok(Some(authorization));
        };
        // RFC 8823 section 3: both halves of the token, and the account's key.
        let (mailed, told) = (&challenge.token, &authorization.token);
        let key_authorization = format!("{mailed}{told}.{}", account.thumbprint);
        let expected = digest(&SHA256, key_authorization.as_bytes());
        let expected = BASE64URL_NOPAD.encode(expected.as_ref());
        let is_right = verify_slices_are_equal(said.as_bytes(), expected.as_bytes()).is_ok();
        let kind = ChallengeKind::EmailReply00;
        let outcome = match is_right {
            true => Outcome::Valid {
                attested: None,
                by: Proof::Challenge(kind),
                expires_at: self.now() + directory.spec.valid_authorization_lifetime(),
                caa_fresh_until: None,
            },
            false => Outcome::Invalid(ValidationFailure::lasting(
                FailureKind::IncorrectResponse,
                "the reply has another digest than this challenge and this account's key make; answer \
                 with base64url(SHA-256(token-part1 || token-part2 || \".\" || thumbprint))",
            )),
        };
        self.record_outcome(None, &authorization, kind, outcome)
            .await
    }

    /// The client says that the reply is under way (RFC 8823 section 3, step 5).
    pub(crate) async fn await_reply(
        &self,
        id: &AuthorizationId,
    ) -> Result<Authorization, RespondError> {
        let (wanted, now) = (id.clone(), self.now());
        let begun = self
            .store
            .write("email_challenge.begin", move |tx| {
                Box::pin(async move {
                    let found = tx.find_authorization_for_update(&wanted).await?;
                    let mut authorization = found.ok_or(RespondError::NotFound)?;
                    match authorization.begin(ChallengeKind::EmailReply00, now) {
                        Ok(true) => {
                            tx.update_authorization(&authorization).await?;
                        }
                        Ok(false) | Err(TransitionError::NotPending) => {}
                        Err(error) => return Err(error.into()),
                    }
                    Ok::<_, RespondError>(authorization)
                })
            })
            .await?;
        Ok(self.decide_email(id).await?.unwrap_or(begun))
    }

    /// Forgets mails whose authorizations were deleted.
    pub(crate) async fn forget_email_challenges(&self) -> Result<(), StoreError> {
        self.store
            .write("email_challenge.purge", move |tx| {
                Box::pin(async move { tx.purge_email_challenges().await.map(drop) })
            })
            .await
    }

    /// The challenge cannot be met any more.
    async fn fail_email(
        &self,
        id: &AuthorizationId,
        failure: ValidationFailure,
    ) -> Result<(), StoreError> {
        let (id, now) = (id.clone(), self.now());
        let data = json!({ "challenge": ChallengeKind::EmailReply00, "error": failure });
        let caller = Caller::system();
        let event = self.event(&caller, "authorization.failed", id.as_str(), data);
        let limit = self.settings.limits.failed_validations_per_account;
        self.store
            .write("email_challenge.fail", move |tx| {
                Box::pin(async move {
                    let Some(mut authorization) = tx.find_authorization_for_update(&id).await?
                    else {
                        return Ok(());
                    };
                    let kind = ChallengeKind::EmailReply00;
                    let is_open = authorization.begin(kind, now).is_ok();
                    if is_open && authorization.fail(kind, failure, now).is_ok() {
                        tx.update_authorization(&authorization).await?;
                        tx.insert_event(&event).await?;
                        let key = failure_limit_key(&authorization.account_id);
                        let _ = limits::take(tx, &key, limit, now).await?;
                    }
                    Ok::<_, StoreError>(())
                })
            })
            .await
    }
}

/// Stores a mail with its authorization.
pub(crate) async fn insert_outgoing(
    tx: &mut Tx<'_>,
    outgoing: &Outgoing,
) -> Result<(), StoreError> {
    tx.insert_email_challenge(&outgoing.challenge).await?;
    tx.enqueue(&outgoing.job).await.map(drop)
}

impl Outgoing {
    /// Whose it is.
    pub(crate) fn authorization(&self) -> &AuthorizationId {
        &self.challenge.authorization
    }
}

fn is_processing(authorization: &Authorization) -> bool {
    authorization
        .challenge(ChallengeKind::EmailReply00)
        .is_some_and(|one| matches!(one.state, ChallengeState::Processing { .. }))
}

fn refused_mail(text: &str) -> String {
    format!("the challenge could not be mailed: {text}")
}

fn count(outcome: &'static str) {
    metrics::counter!("certwright_email_challenges_total", "outcome" => outcome).increment(1);
}
