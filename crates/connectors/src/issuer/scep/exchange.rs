//! One message there, one reply back: signed, encrypted, sent, checked (RFC 8894 section 3).

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::issuer::scep::ScepMessage;
use domain::issuer::{Issuance, IssueError, SigningRequest};
use http::header::CONTENT_TYPE;
use http::{Method, Request};
use pki::certificate::Certificate;
use pki::cms::{self, Accepts, SignedData};
use pki::csr::{self, Csr, CsrForm};
use pki::fingerprint::Fingerprint;
use protocols::scep::{
    self, Exchange, FailInfo, MessageType, PKI_MESSAGE, PkiMessage, PkiStatus, payload,
};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};

use super::authority::Authority;
use super::signer::Signer;
use super::{ScepConnector, malformed};
use crate::issuer::remote;
use crate::net::excerpt;

/// What is remembered of a request that waits.
#[derive(Serialize, Deserialize)]
struct Handle {
    transaction: String,
    /// The subject of the CSR in DER, base64.
    subject: String,
}

impl ScepConnector {
    pub(super) async fn ask(&self, request: &SigningRequest) -> Result<Issuance, IssueError> {
        let csr = Csr::accepted(&request.csr_der).map_err(refused)?;
        let authority = self.authority(false).await?;
        let signer = self.signers.get().await?;
        let kind = match self.config.message {
            ScepMessage::PkcsReq => MessageType::Enrollment,
            ScepMessage::RenewalReq if authority.capabilities.knows_renewal() => {
                MessageType::Renewal
            }
            ScepMessage::RenewalReq => {
                return Err(IssueError::Refused(
                    "the SCEP server does not offer Renewal; set `message` to `pkcs-req`".into(),
                ));
            }
        };
        // Asked again after a crash, it is the same transaction for a CA that knows it.
        let digest = Fingerprint::of(request.enrollment.as_str().as_bytes());
        let handle = Handle {
            transaction: digest.to_string(),
            subject: STANDARD.encode(csr.subject.to_der()),
        };
        let content = self.content(request, csr, &signer)?;
        self.exchange(&authority, &signer, kind, &content, &handle)
            .await
    }

    pub(super) async fn ask_again(&self, handle: &str) -> Result<Issuance, IssueError> {
        let handle: Handle = remote::noted(handle)?;
        let subject = STANDARD.decode(&handle.subject);
        let subject = subject.map_err(|error| remote::lost(&error))?;
        let authority = self.authority(false).await?;
        let signer = self.signers.get().await?;
        let issuer = authority.chain()?;
        let issuer = issuer.certificates().first().map(Vec::as_slice);
        let issuer = Certificate::from_der(issuer.unwrap_or_default()).map_err(malformed)?;
        let content = payload::issuer_and_subject(&issuer.subject_der, &subject);
        self.exchange(&authority, &signer, MessageType::Poll, &content, &handle)
            .await
    }

    /// The CSR as it came; with a challenge password, which belongs inside of it, one of ours for the same
    /// key: that the requester holds that key was proven here.
    fn content(
        &self,
        request: &SigningRequest,
        csr: Csr,
        signer: &Signer,
    ) -> Result<Vec<u8>, IssueError> {
        let password = self.challenge_password.as_ref();
        if password.is_none() && csr.form == CsrForm::Pkcs10 {
            return Ok(csr.der);
        }
        let extensions: Vec<_> = csr
            .extensions
            .iter()
            .filter(|one| one.oid != pki::oid::EXT_SUBJECT_ALT_NAME.to_string())
            .cloned()
            .collect();
        let draft = csr::Draft {
            subject: &request.content.subject,
            subject_alt_names: &request.content.subject_alt_names,
            extensions: &extensions,
            challenge_password: password.map(ExposeSecret::expose_secret),
        };
        csr::build_vouched(&draft, &csr.public_key, &signer.key).map_err(refused)
    }

    async fn exchange(
        &self,
        authority: &Authority,
        signer: &Signer,
        kind: MessageType,
        content: &[u8],
        handle: &Handle,
    ) -> Result<Issuance, IssueError> {
        let nonce: [u8; 16] = self.random.octets();
        let message = self.message(
            authority,
            signer,
            kind,
            content,
            (&handle.transaction, &nonce),
        );
        let octets = self.send(authority, message?).await?;
        let reply = PkiMessage::reply_from_ber(&octets, &authority.trusted, self.accepts());
        let reply = match reply {
            Ok(reply) => reply,
            Err(error) => {
                // Its registration authority may have changed since.
                self.known.lock().await.take();
                return Err(distrust(&error));
            }
        };
        if reply.transaction_id != handle.transaction {
            return Err(distrust(&"it is of another transaction"));
        }
        if reply.recipient_nonce.as_deref() != Some(&nonce) {
            return Err(distrust(&"it answers another message"));
        }
        match reply.status {
            Some(PkiStatus::Success) => self.conclude(authority, signer, &reply),
            Some(PkiStatus::Pending) => remote::pending(handle, SOON),
            Some(PkiStatus::Failure(info)) => {
                if info == Some(FailInfo::BadMessageCheck) {
                    self.known.lock().await.take();
                }
                Err(failure(info, reply.fail_text.as_deref()))
            }
            None => Err(distrust(&"it has no status")),
        }
    }

    fn accepts(&self) -> Accepts {
        match self.config.old_algorithms {
            true => Accepts::Weak,
            false => Accepts::Strong,
        }
    }

    fn message(
        &self,
        authority: &Authority,
        signer: &Signer,
        kind: MessageType,
        content: &[u8],
        (transaction, nonce): (&str, &[u8]),
    ) -> Result<Vec<u8>, IssueError> {
        let cipher = authority.capabilities.cipher(self.config.old_algorithms);
        // Nothing has been asked for yet, and what is in the way can be mended.
        let lacking = |text: &str| IssueError::NotReached(format!("the SCEP server {text}"));
        let cipher = cipher.ok_or_else(|| {
            lacking("does not offer AES; `old_algorithms` would let it have 3DES")
        })?;
        if !authority.capabilities.knows_sha256() && !self.config.old_algorithms {
            return Err(lacking(
                "does not offer SHA-256; with `old_algorithms` it is tried all the same",
            ));
        }
        let recipient = authority.recipient().ok_or_else(|| {
            malformed("none of the certificates it shows has an RSA key to encrypt for")
        })?;
        let envelope =
            cms::encrypt(content, recipient, cipher, &*self.random).map_err(malformed)?;
        let exchange = Exchange {
            transaction_id: transaction,
            sender_nonce: nonce,
            signer: &signer.certificate,
            key: &signer.key,
        };
        let request = scep::Request {
            kind,
            envelope: &envelope,
        };
        scep::request(&request, &exchange).map_err(|e| IssueError::Unavailable(e.to_string()))
    }

    async fn send(&self, authority: &Authority, message: Vec<u8>) -> Result<Vec<u8>, IssueError> {
        let operation = ("operation", "PKIOperation");
        let request = match authority.capabilities.takes_post() {
            true => Request::builder()
                .method(Method::POST)
                .uri(self.url(&[operation])?)
                .header(CONTENT_TYPE, PKI_MESSAGE)
                .body(message),
            false => Request::builder()
                .method(Method::GET)
                .uri(self.url(&[operation, ("message", &STANDARD.encode(message))])?)
                .body(Vec::new()),
        };
        let answer = self.http.send(request.map_err(malformed)?).await?;
        let status = answer.status();
        if !status.is_success() {
            let said = excerpt(answer.body());
            let text = format!("the SCEP server answers {status}: {said}");
            return Err(IssueError::Unavailable(text));
        }
        Ok(answer.into_body())
    }

    fn conclude(
        &self,
        authority: &Authority,
        signer: &Signer,
        reply: &PkiMessage,
    ) -> Result<Issuance, IssueError> {
        let opened = cms::decrypt(
            &reply.envelope,
            &signer.certificate,
            &signer.decrypting,
            self.accepts(),
            &*self.random,
        );
        let opened = opened.map_err(malformed)?;
        let bundle = SignedData::from_ber(&opened).map_err(malformed)?;
        let mut certificates = bundle.certificates;
        let Some(leaf) = certificates.first().cloned() else {
            return Err(malformed("it holds no certificate"));
        };
        let above = authority.above(&leaf);
        if self.config.old_algorithms && above.is_empty() {
            // Then the reply's own signature is not what it stands on.
            return Err(distrust(
                &"its certificate is not signed by a CA that the server shows",
            ));
        }
        certificates.extend(above);
        certificates.dedup();
        remote::chain_of(certificates).map(Issuance::Issued)
    }
}

/// What a refusal says, in words.
fn failure(info: Option<FailInfo>, text: Option<&str>) -> IssueError {
    let mut told = match info {
        Some(info) => format!("the CA says {info}: {}", info.meaning()),
        None => "the CA says no without a reason".to_owned(),
    };
    if let Some(text) = text {
        told.push_str(" (");
        told.push_str(&excerpt(text.as_bytes()));
        told.push(')');
    }
    match info {
        // Clocks can be set, and registration authorities are replaced.
        Some(FailInfo::BadTime | FailInfo::BadMessageCheck) => IssueError::Unavailable(told),
        _ => IssueError::Refused(told),
    }
}

fn refused(error: impl std::fmt::Display) -> IssueError {
    IssueError::Refused(error.to_string())
}

fn distrust(why: &dyn std::fmt::Display) -> IssueError {
    IssueError::Unavailable(format!("the SCEP server's answer is not believed: {why}"))
}

const SOON: Duration = Duration::from_secs(60);
