//! Signing what we send (RFC 6376 section 5), relaxed in fields and body.

use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::BASE64;
use pki::key::{KeyError, LocalKey, SignatureAlgorithm, SigningKey};
use pki::time::Timestamp;

use super::{Canonical, Fields};

/// Signs for a domain.
pub struct DkimSigner {
    domain: String,
    selector: String,
    key: LocalKey,
    algorithm: &'static str,
}

/// A key that cannot sign mails.
#[derive(Debug, thiserror::Error)]
pub enum SignerFault {
    #[error("a DKIM key is an RSA key (2048 bits or more) or an Ed25519 key; this one is neither")]
    Kind,
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error("the mail has no fields to sign")]
    NoFields,
}

impl DkimSigner {
    /// A signer whose public key is at `<selector>._domainkey.<domain>`.
    pub fn new(domain: String, selector: String, key: LocalKey) -> Result<Self, SignerFault> {
        let algorithm = match key.signature_algorithm() {
            SignatureAlgorithm::RsaSha256 => "rsa-sha256",
            SignatureAlgorithm::Ed25519 => "ed25519-sha256",
            _ => return Err(SignerFault::Kind),
        };
        Ok(Self {
            domain,
            selector,
            key,
            algorithm,
        })
    }

    /// The mail with a signature before it.
    pub fn signed(&self, mail: &[u8], at: Timestamp) -> Result<Vec<u8>, SignerFault> {
        let fields = Fields::read(mail).ok_or(SignerFault::NoFields)?;
        let body = Canonical::Relaxed.body(fields.body);
        let field = format!(
            "DKIM-Signature: v=1; a={}; c=relaxed/relaxed; d={}; s={};\r\n\tt={}; h={};\r\n\tbh={};\r\n\tb=",
            self.algorithm,
            self.domain,
            self.selector,
            at.millis() / 1000,
            SIGNED.join(":"),
            BASE64.encode(digest(&SHA256, &body).as_ref()),
        );
        let mut input = Vec::new();
        for name in SIGNED {
            // What is not there is signed as not being there, so that nobody adds it.
            if let Some(found) = fields.named(name.as_bytes()).next() {
                input.extend(Canonical::Relaxed.field(found));
            }
        }
        let mut own = Canonical::Relaxed.field(field.as_bytes());
        own.truncate(own.len() - 2);
        input.extend(own);
        let signature = match self.key.signature_algorithm() {
            // RFC 8463 section 3: the digest is what is signed.
            SignatureAlgorithm::Ed25519 => self.key.sign(digest(&SHA256, &input).as_ref())?,
            _ => self.key.sign(&input)?,
        };
        let mut signed = field.into_bytes();
        signed.extend(folded(&BASE64.encode(&signature)).into_bytes());
        signed.extend(b"\r\n");
        signed.extend(mail);
        Ok(signed)
    }
}

fn folded(text: &str) -> String {
    let lines: Vec<&str> = (0..text.len())
        .step_by(LINE)
        .filter_map(|at| text.get(at..(at + LINE).min(text.len())))
        .collect();
    lines.join("\r\n\t")
}

/// RFC 8823 section 3.1, item 6.
const SIGNED: &[&str] = &[
    "From",
    "Sender",
    "Reply-To",
    "To",
    "CC",
    "Subject",
    "Date",
    "In-Reply-To",
    "References",
    "Message-ID",
    "Auto-Submitted",
    "Content-Type",
    "Content-Transfer-Encoding",
];
const LINE: usize = 72;
