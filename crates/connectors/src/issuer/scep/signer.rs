//! Who signs messages: the holder of a certificate that the CA knows, or a key made here once, which signs
//! its own certificate.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::clock::Clock;
use domain::id::IssuerId;
use domain::issuer::{ConnectError, ConnectorState, IssueError, Issuer, IssuerSecrets, ScepConfig};
use pki::certificate::{Certificate, CertificateContent, IssuerFacts, KeyUsage, encode_tbs, sign};
use pki::cms::DecryptionKey;
use pki::key::{KeyAlgorithm, KeyKind, LocalKey, SigningKey};
use pki::name::{Attribute, DistinguishedName};
use pki::oid;
use pki::random::Random;
use pki::serial::Serial;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use crate::issuer::Environment;
use crate::net::trust::certificates;

/// A key with its certificate: it signs requests and reads their answers.
pub(super) struct Signer {
    pub(super) key: LocalKey,
    pub(super) certificate: Certificate,
    pub(super) decrypting: DecryptionKey,
}

/// Finds who signs, or makes one.
pub(super) struct Signers {
    issuer: IssuerId,
    name: String,
    state: Arc<dyn ConnectorState>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    /// Whether the operator gave it.
    is_given: bool,
    known: Mutex<Option<Arc<Signer>>>,
}

/// A signer made here, as it is remembered.
#[derive(Serialize, Deserialize)]
struct Remembered {
    key: String,
    certificate: String,
}

impl Signers {
    pub(super) fn new(
        issuer: &Issuer,
        config: &ScepConfig,
        secrets: &IssuerSecrets,
        environment: &Environment,
    ) -> Result<Self, ConnectError> {
        let given = match &config.client_certificate {
            Some(pem) => Some(Arc::new(given(pem, secrets)?)),
            None => None,
        };
        Ok(Self {
            issuer: issuer.id.clone(),
            name: issuer.name.clone(),
            state: Arc::clone(&environment.state),
            clock: Arc::clone(&environment.clock),
            random: Arc::clone(&environment.random),
            is_given: given.is_some(),
            known: Mutex::new(given),
        })
    }

    /// Whether the CA was told of it by the operator.
    pub(super) fn is_given(&self) -> bool {
        self.is_given
    }

    /// Who signs. The same on every node and after a restart: what waits is asked about with the same key.
    pub(super) async fn get(&self) -> Result<Arc<Signer>, IssueError> {
        let mut known = self.known.lock().await;
        if let Some(signer) = &*known
            && (self.is_given || self.is_young(signer))
        {
            return Ok(Arc::clone(signer));
        }
        let text = match self.state.get(&self.issuer, SIGNER).await? {
            Some(text) => text,
            None => self.remember(None).await?,
        };
        let mut signer = read(&text)?;
        if !self.is_young(&signer) {
            signer = read(&self.remember(Some(())).await?)?;
        }
        let signer = Arc::new(signer);
        *known = Some(Arc::clone(&signer));
        Ok(signer)
    }

    fn is_young(&self, signer: &Signer) -> bool {
        self.clock.now() + RENEW_BEFORE < signer.certificate.not_after
    }

    /// Makes a signer and writes it down, in the place of another where there is one.
    async fn remember(&self, replaced: Option<()>) -> Result<String, IssueError> {
        let made = tokio::task::spawn_blocking(|| LocalKey::generate(KeyAlgorithm::Rsa2048));
        let key = made.await.map_err(failed)?.map_err(failed)?;
        let remembered = Remembered {
            certificate: STANDARD.encode(self.certify(&key)?),
            key: key.to_pem().map_err(failed)?.to_string(),
        };
        let text = serde_json::to_string(&remembered).map_err(failed)?;
        match replaced {
            Some(()) => {
                self.state.put(&self.issuer, SIGNER, &text).await?;
                Ok(text)
            }
            None => {
                let kept = self.state.put_if_absent(&self.issuer, SIGNER, &text);
                Ok(kept.await?)
            }
        }
    }

    /// RFC 8894 section 2.3: a certificate that signs itself.
    fn certify(&self, key: &LocalKey) -> Result<Vec<u8>, IssueError> {
        let name: String = format!("SCEP client {}", self.name)
            .chars()
            .take(64)
            .collect();
        let from = (self.clock.now() - BACKDATE).floor_to_second();
        let content = CertificateContent {
            subject: DistinguishedName::from_attributes([Attribute::text(&oid::COMMON_NAME, name)]),
            key_usage: KeyUsage::DIGITAL_SIGNATURE | KeyUsage::KEY_ENCIPHERMENT,
            subject_key_identifier: true,
            ..CertificateContent::new(key.public_key().clone(), from, from + LIFETIME)
        };
        let facts = IssuerFacts::self_signed(&content, key.signature_algorithm());
        let tbs = encode_tbs(&content, &Serial::random(&*self.random), &facts).map_err(failed)?;
        sign(&tbs, key).map_err(failed)
    }
}

fn given(pem: &str, secrets: &IssuerSecrets) -> Result<Signer, ConnectError> {
    let fault = |member: &str, error: &dyn std::fmt::Display| {
        ConnectError::Settings(format!("`{member}` {error}"))
    };
    let all = certificates(pem).map_err(|error| fault("client_certificate", &error))?;
    let leaf = all.first().map(Vec::as_slice).unwrap_or_default();
    let certificate =
        Certificate::from_der(leaf).map_err(|error| fault("client_certificate", &error))?;
    if !matches!(certificate.public_key.kind(), KeyKind::Rsa { .. }) {
        let text = "has to have an RSA key: answers are encrypted for it";
        return Err(fault("client_certificate", &text));
    }
    let key = secrets.require("client_key")?.expose_secret();
    let key = LocalKey::from_pem(key).map_err(|error| fault("client_key", &error))?;
    if *key.public_key() != certificate.public_key {
        return Err(fault("client_key", &"is not the key of the certificate"));
    }
    signer(key, certificate).map_err(|error| fault("client_key", &error))
}

fn read(text: &str) -> Result<Signer, IssueError> {
    let remembered: Remembered = serde_json::from_str(text).map_err(failed)?;
    let der = STANDARD.decode(&remembered.certificate).map_err(failed)?;
    let certificate = Certificate::from_der(&der).map_err(failed)?;
    let key = LocalKey::from_pem(&remembered.key).map_err(failed)?;
    signer(key, certificate).map_err(failed)
}

fn signer(key: LocalKey, certificate: Certificate) -> Result<Signer, pki::key::KeyError> {
    let decrypting = DecryptionKey::from_pkcs8(&key.to_pkcs8()?)?;
    Ok(Signer {
        key,
        certificate,
        decrypting,
    })
}

fn failed(error: impl std::fmt::Display) -> IssueError {
    IssueError::Unavailable(format!("the key that signs SCEP messages: {error}"))
}

const SIGNER: &str = "signer";
const BACKDATE: Duration = Duration::from_secs(60 * 60);
const LIFETIME: Duration = Duration::from_secs(5 * 365 * 24 * 60 * 60);
const RENEW_BEFORE: Duration = Duration::from_secs(30 * 24 * 60 * 60);
