//! The key that signs our messages: its own short-lived certificate below the issuing CA, with the
//! purpose that RFC 9483 section 3.2 and RFC 6402 have for it.

use std::sync::Arc;
use std::time::Duration;

use domain::cmp::CmpEndpoint;
use domain::id::IssuerId;
use domain::issuer::LocalCa;
use domain::keystore::KeyStoreError;
use moka::sync::Cache;
use pki::certificate::{Certificate, CertificateError, ExtendedKeyUsage, KeyUsage};
use pki::key::{KeyAlgorithm, KeyError, LocalKey};
use pki::lint::CertificateKind;
use pki::oid;
use pki::time::Timestamp;
use store::StoreError;
use store::delegates::StoredDelegate;

use crate::Lifecycle;
use crate::delegate::{DelegateError, Duty, named_after};
use crate::issuers::ConnectedIssuer;

/// A signer ready to sign, with what others need to believe it.
pub struct CmpSigner {
    pub certificate: Certificate,
    pub key: LocalKey,
    /// The certificates above it.
    pub chain: Vec<Vec<u8>>,
    renew_at: Timestamp,
}

/// Signers by issuer; opening a sealed key for every message would be dear.
pub(crate) struct SignerCache(Cache<IssuerId, Arc<CmpSigner>>);

impl SignerCache {
    pub(crate) fn new() -> Self {
        Self(
            Cache::builder()
                .max_capacity(1_000)
                .time_to_live(Duration::from_secs(60))
                .build(),
        )
    }
}

/// Why there is no signer.
#[derive(Debug, thiserror::Error)]
pub enum SignerError {
    #[error("no CA whose key is here can certify a key for CMP messages")]
    NoCa,
    #[error("the signer of CMP messages: {0}")]
    Delegate(#[from] DelegateError),
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error(transparent)]
    Seal(#[from] KeyStoreError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Lifecycle {
    /// The signer of an endpoint: below the first issuer of its profiles whose key is here, else
    /// below any.
    pub async fn cmp_signer(&self, endpoint: &CmpEndpoint) -> Result<Arc<CmpSigner>, SignerError> {
        let connected = self.certifier(endpoint).await?.ok_or(SignerError::NoCa)?;
        let issuer = &connected.issuer.id;
        let now = self.now();
        let cached = self.cmp_signers.0.get(issuer);
        if let Some(signer) = cached.filter(|signer| now < signer.renew_at) {
            return Ok(signer);
        }
        let ca = connected.connector.local_ca().ok_or(SignerError::NoCa)?;
        let chain = connected.connector.chain().certificates().to_vec();
        let id = issuer.clone();
        let stored = self
            .store
            .read("cmp.signer", |tx| {
                Box::pin(async move { tx.find_cmp_signer(&id).await })
            })
            .await?;
        let stored = stored
            .filter(|stored| now < stored.not_after - RENEW_BEFORE)
            .and_then(|stored| self.open_signer(issuer, &stored, chain.clone()).ok())
            .filter(|signer| signer.certificate.is_signed_by(&ca.certificate));
        let signer = Arc::new(match stored {
            Some(signer) => signer,
            None => self.make_signer(issuer, ca, chain, now).await?,
        });
        let kept = Arc::clone(&signer);
        self.cmp_signers.0.insert(issuer.clone(), kept);
        Ok(signer)
    }

    async fn certifier(
        &self,
        endpoint: &CmpEndpoint,
    ) -> Result<Option<Arc<ConnectedIssuer>>, StoreError> {
        let list = self.connected_issuers().await?;
        let is_here = |one: &&Arc<ConnectedIssuer>| one.connector.local_ca().is_some();
        for name in &endpoint.spec.profiles {
            let Some(profile) = self.profile(name).await? else {
                continue;
            };
            for choice in &profile.spec.issuers {
                let mut here = list.iter().filter(is_here);
                let found = here.find(|one| one.issuer.name == choice.issuer);
                if let Some(found) = found {
                    return Ok(Some(Arc::clone(found)));
                }
            }
        }
        Ok(list.iter().find(is_here).cloned())
    }

    fn open_signer(
        &self,
        issuer: &IssuerId,
        stored: &StoredDelegate,
        chain: Vec<Vec<u8>>,
    ) -> Result<CmpSigner, SignerError> {
        let pkcs8 = self.sealer.open(&context(issuer), &stored.sealed_key)?;
        Ok(CmpSigner {
            certificate: Certificate::from_der(&stored.certificate)?,
            key: LocalKey::from_pkcs8(&pkcs8)?,
            chain,
            renew_at: stored.not_after - RENEW_BEFORE,
        })
    }

    async fn make_signer(
        &self,
        issuer: &IssuerId,
        ca: &LocalCa,
        chain: Vec<Vec<u8>>,
        now: Timestamp,
    ) -> Result<CmpSigner, SignerError> {
        let key = LocalKey::generate(KeyAlgorithm::EcP256)?;
        let duty = Duty {
            name: named_after(&ca.certificate, "CMP authority"),
            key_usage: KeyUsage::DIGITAL_SIGNATURE,
            extended_key_usage: vec![ExtendedKeyUsage::Other(oid::CMC_RA.to_string())],
            ocsp_no_check: false,
            kind: CertificateKind::Other,
            lifetime: LIFETIME,
        };
        let made = self.certify_delegate(&context(issuer), duty, &key, Some(ca))?;
        let (id, stored) = (issuer.clone(), made.clone());
        self.store
            .write("cmp.signer", move |tx| {
                Box::pin(async move { tx.put_cmp_signer(&id, &stored, now).await })
            })
            .await?;
        self.open_signer(issuer, &made, chain)
    }
}

fn context(issuer: &IssuerId) -> String {
    format!("cmp_signers/{issuer}")
}

const LIFETIME: Duration = Duration::from_secs(90 * 24 * 60 * 60);
const RENEW_BEFORE: Duration = Duration::from_secs(30 * 24 * 60 * 60);
