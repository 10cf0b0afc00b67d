//! The answer as a message: header, protection, certificates.

use std::sync::Arc;

use domain::cmp::CmpEndpoint;
use lifecycle::cmp::CmpSigner;
use pki::asn1::Writer;
use pki::name::DistinguishedName;
use protocols::cmp::{Header, Message, Protector};

use super::Verbs;
use super::authenticate::AnswerProtection;
use super::receive::Reply;

/// Makes the answer to one message.
pub(super) struct Answerer<'a> {
    verbs: &'a Verbs,
    endpoint: &'a CmpEndpoint,
    header: Header,
    nonce: [u8; 16],
    protection: AnswerProtection,
}

impl<'a> Answerer<'a> {
    pub(super) fn new(verbs: &'a Verbs, endpoint: &'a CmpEndpoint) -> Self {
        let nonce = verbs.cmp_nonce();
        Self {
            verbs,
            endpoint,
            header: Header {
                version: 2,
                sender_nonce: Some(nonce.to_vec()),
                ..Header::default()
            },
            nonce,
            protection: AnswerProtection::Signature,
        }
    }

    /// The nonce of the answer.
    pub(super) fn nonce(&self) -> [u8; 16] {
        self.nonce
    }

    /// RFC 9483 section 3.1: what the answer's header takes from the question's.
    pub(super) fn answers(&mut self, asked: &Header) {
        self.header.version = asked.version;
        self.header.recipient = asked.sender.clone();
        self.header.sender = asked.recipient.clone();
        self.header.transaction_id = asked.transaction_id.clone();
        self.header.recipient_nonce = asked.sender_nonce.clone();
    }

    /// From here on the answer is protected like that.
    pub(super) fn protect_as(&mut self, protection: AnswerProtection) {
        self.protection = protection;
    }

    /// The message in DER; `None` where nothing can protect it.
    pub(super) async fn message(mut self, reply: Reply) -> Option<Vec<u8>> {
        self.header.time = Some(self.verbs.now());
        self.header.general_info = reply.general_info;
        match self.protection {
            AnswerProtection::Mac {
                parameters,
                reference,
                secret,
            } => {
                self.header.sender_key_id = Some(reference);
                let parameters = parameters.with_salt(self.verbs.cmp_nonce());
                let (header, body, certificates) = (self.header, reply.body, reply.certificates);
                let built = tokio::task::spawn_blocking(move || {
                    let protector = Protector::Mac {
                        parameters: &parameters,
                        secret: &secret,
                    };
                    Message::build(header, &body, &protector, &certificates).ok()
                });
                built.await.ok().flatten()
            }
            AnswerProtection::Signature => {
                let signer = match self.verbs.cmp_signer(self.endpoint).await {
                    Ok(signer) => Some(signer),
                    Err(error) => {
                        tracing::error!(error = %error, "CMP answer cannot be signed");
                        None
                    }
                };
                let certificates = match &signer {
                    Some(signer) => extra_certs(signer, reply.certificates),
                    None => reply.certificates,
                };
                let protector = match &signer {
                    Some(signer) => {
                        self.header.sender = directory_name(&signer.certificate.subject);
                        let own = &signer.certificate.subject_key_identifier;
                        self.header.sender_key_id = own.clone();
                        Protector::Key(&signer.key)
                    }
                    None => Protector::None,
                };
                Message::build(self.header, &reply.body, &protector, &certificates).ok()
            }
        }
    }
}

/// The signer's certificate first, then what is above it, then the rest.
fn extra_certs(signer: &Arc<CmpSigner>, more: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    let own = std::iter::once(signer.certificate.der.clone());
    let mut all: Vec<Vec<u8>> = Vec::new();
    for certificate in own.chain(signer.chain.iter().cloned()).chain(more) {
        if !all.contains(&certificate) {
            all.push(certificate);
        }
    }
    all
}

fn directory_name(name: &DistinguishedName) -> Vec<u8> {
    Writer::encode(|w| w.constructed(4, |w| w.raw(&name.to_der())))
}
