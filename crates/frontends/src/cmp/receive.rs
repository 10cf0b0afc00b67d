//! One message: from its octets to the octets of the answer.

use std::sync::Arc;

use domain::cmp::CmpEndpoint;
use lifecycle::actor::Caller;
use lifecycle::cmp::CmpSender;
use pki::time::Timestamp;
use protocols::cmp::{Body, BodyKind, FailInfo, Info, Message, Operation};

use super::Verbs;
use super::answer::Answerer;
use super::authenticate::{Authenticated, authenticate};
use super::refusal::Refusal;
use crate::origin::Origin;
use domain::event::ActorKind;

/// Where a message came in.
pub(super) struct Received<'a> {
    pub(super) verbs: &'a Verbs,
    pub(super) endpoint: Arc<CmpEndpoint>,
    pub(super) operation: Option<Operation>,
    pub(super) origin: Origin,
}

/// What goes back.
pub(super) enum Answered {
    Message(Vec<u8>),
    /// An error message about what was no message.
    Unreadable(Vec<u8>),
    Nothing,
}

/// A message whose sender is known.
pub(super) struct Question<'a> {
    pub(super) verbs: &'a Verbs,
    pub(super) endpoint: &'a Arc<CmpEndpoint>,
    pub(super) message: &'a Message,
    pub(super) sender: &'a CmpSender,
    pub(super) caller: Caller,
    /// The transactionID in hexadecimal digits.
    pub(super) transaction: String,
    /// The nonce that the answer will have.
    pub(super) nonce: &'a [u8],
}

/// What is answered.
pub(super) struct Reply {
    pub(super) body: Body,
    /// What the header says beside.
    pub(super) general_info: Vec<Info>,
    /// Certificates that the other side may need.
    pub(super) certificates: Vec<Vec<u8>>,
}

impl From<Body> for Reply {
    fn from(body: Body) -> Self {
        Self {
            body,
            general_info: Vec::new(),
            certificates: Vec::new(),
        }
    }
}

impl Received<'_> {
    pub(super) async fn answer(&self, der: &[u8]) -> Answered {
        let mut answerer = Answerer::new(self.verbs, &self.endpoint);
        let message = match Message::from_der(der) {
            Ok(message) => message,
            Err(error) => {
                let reply = Refusal::from(error).body().into();
                return match answerer.message(reply).await {
                    Some(der) => Answered::Unreadable(der),
                    None => Answered::Nothing,
                };
            }
        };
        answerer.answers(&message.header);
        let reply = match self.exchange(&message, &mut answerer).await {
            Ok(reply) => reply,
            Err(refusal) => {
                tracing::info!(
                    cmp.endpoint = self.endpoint.name,
                    cmp.message = message.kind.map_or("unknown", BodyKind::as_str),
                    cmp.failure = refusal.failure.as_str(),
                    reason = refusal.text,
                    "CMP message refused"
                );
                refusal.body().into()
            }
        };
        match answerer.message(reply).await {
            Some(der) => Answered::Message(der),
            None => Answered::Nothing,
        }
    }

    async fn exchange(
        &self,
        message: &Message,
        answerer: &mut Answerer<'_>,
    ) -> Result<Reply, Refusal> {
        // Before anything else runs: what nobody may send is refused whoever sends it.
        let kind = self.check_kind(message)?;
        let transaction = check_header(message, &self.endpoint, self.verbs.now())?;
        let Authenticated { sender, protector } =
            authenticate(self.verbs, &self.endpoint, message).await?;
        answerer.protect_as(protector);
        let nonce = answerer.nonce();
        let question = Question {
            verbs: self.verbs,
            endpoint: &self.endpoint,
            message,
            sender: &sender,
            caller: self.origin.caller(ActorKind::Client, sender.proof().id()),
            transaction,
            nonce: &nonce,
        };
        match message.body()? {
            Body::Request(..) | Body::Pkcs10(_) => question.certify().await,
            Body::PollRequest(number) => question.poll(number).await,
            Body::Confirmation(status) => question.confirm(status).await,
            Body::Error(_) => question.give_up().await,
            Body::Revocation(wish) => question.revoke(&wish).await,
            Body::GeneralRequest(infos) => question.inform(infos).await,
            Body::Response(..)
            | Body::RevocationAnswer(_)
            | Body::Confirmed
            | Body::Nested(_)
            | Body::GeneralResponse(_)
            | Body::PollResponse(_) => Err(not_answered(kind)),
        }
    }

    fn check_kind(&self, message: &Message) -> Result<BodyKind, Refusal> {
        let kind = message.kind.ok_or_else(|| {
            Refusal::new(
                FailInfo::BadRequest,
                "messages of this type are not answered here",
            )
        })?;
        match kind {
            BodyKind::InitializationRequest
            | BodyKind::CertificationRequest
            | BodyKind::Pkcs10Request
            | BodyKind::KeyUpdateRequest
            | BodyKind::RevocationRequest
            | BodyKind::GeneralRequest
            | BodyKind::CertificateConfirmation
            | BodyKind::PollRequest
            | BodyKind::Error => {}
            BodyKind::InitializationResponse
            | BodyKind::CertificationResponse
            | BodyKind::KeyUpdateResponse
            | BodyKind::RevocationResponse
            | BodyKind::Confirmed
            | BodyKind::Nested
            | BodyKind::GeneralResponse
            | BodyKind::PollResponse => return Err(not_answered(kind)),
        }
        match self.operation.is_none_or(|operation| operation.takes(kind)) {
            true => Ok(kind),
            false => Err(Refusal::new(
                FailInfo::BadRequest,
                format!("a message of type {} is not for this path", kind.as_str()),
            )),
        }
    }
}

fn not_answered(kind: BodyKind) -> Refusal {
    let text = format!("messages of type {} are not answered here", kind.as_str());
    Refusal::new(FailInfo::BadRequest, text)
}

/// RFC 9483 section 3.5: what every message has to have, before its protection is looked at.
fn check_header(
    message: &Message,
    endpoint: &CmpEndpoint,
    now: Timestamp,
) -> Result<String, Refusal> {
    let header = &message.header;
    let transaction = header.transaction_id.as_deref().unwrap_or_default();
    if !(8..=64).contains(&transaction.len()) {
        let text = "a transactionID of 8 to 64 octets is needed";
        return Err(Refusal::new(FailInfo::BadDataFormat, text));
    }
    if header.sender_nonce.as_deref().unwrap_or_default().len() < 8 {
        let text = "a senderNonce of at least 8 octets is needed";
        return Err(Refusal::new(FailInfo::BadSenderNonce, text));
    }
    if let Some(time) = header.time
        && !endpoint.spec.is_timely(time, now)
    {
        let text = format!("the message was made at {time}, and here it is {now}");
        return Err(Refusal::new(FailInfo::BadTime, text));
    }
    Ok(data_encoding::HEXLOWER.encode(transaction))
}
