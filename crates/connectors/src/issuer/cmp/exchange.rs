//! One message there, one message back: protected, sent, checked.

use domain::issuer::IssueError;
use http::header::CONTENT_TYPE;
use http::{Method, Request};
use protocols::cmp::{Body, Header, Info, MEDIA_TYPE, MacParameters, Message, Protector};
use secrecy::ExposeSecret;

use super::credentials::Credentials;
use super::{CmpConnector, malformed};

/// An answer that is believed.
pub(super) struct Answer {
    pub(super) header: Header,
    pub(super) body: Body,
    pub(super) certificates: Vec<Vec<u8>>,
}

impl CmpConnector {
    /// Random octets for a transaction of its own.
    pub(super) fn fresh(&self) -> Vec<u8> {
        let octets: [u8; 16] = self.random.octets();
        octets.to_vec()
    }

    /// The header of the first message of a transaction.
    pub(super) fn header(&self, transaction: Vec<u8>) -> Header {
        let mut header = Header {
            version: 2,
            recipient: self.recipient.clone(),
            transaction_id: Some(transaction),
            ..Header::default()
        };
        if self.config.implicit_confirmation {
            header.general_info.push(Info::implicit_confirm());
        }
        if let Some(profile) = &self.config.profile {
            header.general_info.push(Info::cert_profile(profile));
        }
        header
    }

    /// The header of the message that follows an answer with that nonce.
    pub(super) fn following(&self, transaction: Vec<u8>, nonce: Option<Vec<u8>>) -> Header {
        Header {
            version: 2,
            recipient: self.recipient.clone(),
            transaction_id: Some(transaction),
            recipient_nonce: nonce,
            ..Header::default()
        }
    }

    /// Sends a message, and gives the answer if it is one and can be believed.
    pub(super) async fn exchange(&self, header: Header, body: &Body) -> Result<Answer, IssueError> {
        let (asked, answer) = self.send_protected(header, body).await?;
        self.believe(&asked, answer)
    }

    /// Sends a message, and gives its header with the answer, whoever may have made it.
    pub(super) async fn send_protected(
        &self,
        mut header: Header,
        body: &Body,
    ) -> Result<(Header, Message), IssueError> {
        header.time = Some(self.clock.now());
        header.sender_nonce = Some(self.fresh());
        self.credentials.sign_header(&mut header);
        let message = self.protect(header.clone(), body)?;
        Ok((header, self.send(message).await?))
    }

    /// The answer to a message with that header, if it can be believed.
    pub(super) fn believe(&self, asked: &Header, answer: Message) -> Result<Answer, IssueError> {
        let now = self.clock.now();
        let distrust = |why: String| {
            IssueError::Unavailable(format!(
                "the CMP server's answer is not believed: {why}{}",
                claim(&answer)
            ))
        };
        self.trusted
            .check(&answer, &self.credentials, now)
            .map_err(distrust)?;
        if answer.header.transaction_id != asked.transaction_id {
            return Err(distrust("it is of another transaction".to_owned()));
        }
        if answer.header.recipient_nonce != asked.sender_nonce {
            return Err(distrust("it answers another message".to_owned()));
        }
        Ok(Answer {
            body: answer.body().map_err(malformed)?,
            header: answer.header,
            certificates: answer.extra_certs,
        })
    }

    fn protect(&self, header: Header, body: &Body) -> Result<Vec<u8>, IssueError> {
        let built = match &self.credentials {
            Credentials::Secret { secret, .. } => {
                let parameters = MacParameters::password_based(self.random.octets());
                let protector = Protector::Mac {
                    parameters: &parameters,
                    secret: secret.expose_secret().as_bytes(),
                };
                Message::build(header, body, &protector, &[])
            }
            Credentials::Key { key, chain, .. } => {
                Message::build(header, body, &Protector::Key(&**key), chain)
            }
        };
        built.map_err(|error| IssueError::Unavailable(error.to_string()))
    }

    async fn send(&self, message: Vec<u8>) -> Result<Message, IssueError> {
        let request = Request::builder()
            .method(Method::POST)
            .uri(&self.config.url)
            .header(CONTENT_TYPE, MEDIA_TYPE)
            .body(message)
            .map_err(|error| IssueError::Unavailable(format!("the URL cannot be used: {error}")))?;
        let response = self.http.send(request).await?;
        let status = response.status();
        // RFC 9811 section 3.1: errors come as messages, too.
        Message::from_der(response.body()).map_err(|error| match status.is_success() {
            true => malformed(error),
            false => IssueError::Unavailable(format!("the CMP server answers {status}")),
        })
    }
}

/// What an answer that is not believed claims, for who looks for the reason.
fn claim(answer: &Message) -> String {
    match answer.body() {
        Ok(Body::Error(status)) => format!("; it claims: {}", status.describe()),
        _ => String::new(),
    }
}
