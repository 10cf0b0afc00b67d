//! The registration authority of a SCEP service: an RSA key that reads and signs its messages, with a
//! certificate by the issuer of the service's profile.

use std::sync::Arc;
use std::time::Duration;

use domain::enrolling::EntryPoint;
use domain::id::{EntryPointId, IssuerId};
use domain::keystore::KeyStoreError;
use domain::profile::Profile;
use pki::certificate::{Certificate, CertificateError, KeyUsage};
use pki::cms::DecryptionKey;
use pki::key::{KeyAlgorithm, KeyError, LocalKey};
use pki::lint::CertificateKind;
use pki::time::Timestamp;
use store::StoreError;
use store::delegates::StoredDelegate;

use crate::Lifecycle;
use crate::delegate::{DelegateError, Duty};
use crate::issuers::ConnectedIssuer;

/// A registration authority at work.
pub struct RegistrationAuthority {
    pub certificate: Certificate,
    pub signing: LocalKey,
    pub decrypting: DecryptionKey,
    /// The chain of the issuer that it belongs to, its certificate first, in DER.
    pub chain: Vec<Vec<u8>>,
    pub issuer: IssuerId,
}

/// Why there is no registration authority.
#[derive(Debug, thiserror::Error)]
pub enum RaError {
    #[error("the profile `{0}` of this service is gone; an operator has to name another")]
    NoProfile(String),
    #[error("no issuer of this service's profile is there")]
    NoIssuer,
    #[error("the registration authority: {0}")]
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
    /// The registration authority of a service: the stored one while it is young enough, else a new one.
    pub async fn registration_authority(
        &self,
        point: &EntryPoint,
    ) -> Result<RegistrationAuthority, RaError> {
        let profile = self.service_profile(point).await?;
        let connected = self.connected_issuers().await?;
        let issuer = profile
            .spec
            .issuers
            .iter()
            .find_map(|choice| connected.iter().find(|c| c.issuer.name == choice.issuer))
            .ok_or(RaError::NoIssuer)?;
        let (point_id, issuer_id) = (point.id.clone(), issuer.issuer.id.clone());
        let stored = self
            .store
            .read("ra.find", move |tx| {
                Box::pin(async move { tx.find_ra_certificate(&point_id, &issuer_id).await })
            })
            .await?;
        let now = self.now();
        let young = stored.filter(|stored| now + RENEW_BEFORE < stored.not_after);
        let stored = match young {
            Some(stored) => stored,
            None => self.make_ra(point, issuer, now).await?,
        };
        self.open_ra(point, issuer, &stored)
    }

    async fn service_profile(&self, point: &EntryPoint) -> Result<Arc<Profile>, RaError> {
        let name = point.spec.profile();
        let profile = self.profile(name).await?;
        profile.ok_or_else(|| RaError::NoProfile(name.to_owned()))
    }

    /// The chains of the profile's other issuers: what clients will meet when the issuer changes.
    pub async fn next_ca_certificates(
        &self,
        point: &EntryPoint,
        ra: &RegistrationAuthority,
    ) -> Result<Vec<Vec<u8>>, RaError> {
        let profile = self.service_profile(point).await?;
        let all = self.ca_certificates(&profile).await?;
        let mut others = all.certificates().to_vec();
        others.retain(|der| !ra.chain.contains(der));
        Ok(others)
    }

    fn open_ra(
        &self,
        point: &EntryPoint,
        issuer: &ConnectedIssuer,
        stored: &StoredDelegate,
    ) -> Result<RegistrationAuthority, RaError> {
        let context = context(&point.id, &issuer.issuer.id);
        let pkcs8 = self.sealer.open(&context, &stored.sealed_key)?;
        Ok(RegistrationAuthority {
            certificate: Certificate::from_der(&stored.certificate)?,
            signing: LocalKey::from_pkcs8(&pkcs8)?,
            decrypting: DecryptionKey::from_pkcs8(&pkcs8)?,
            chain: issuer.connector.chain().certificates().to_vec(),
            issuer: issuer.issuer.id.clone(),
        })
    }

    /// Where the CA's key is here it signs the certificate; a CA elsewhere is not asked, and the
    /// certificate signs itself.
    async fn make_ra(
        &self,
        point: &EntryPoint,
        issuer: &ConnectedIssuer,
        now: Timestamp,
    ) -> Result<StoredDelegate, RaError> {
        let made = tokio::task::spawn_blocking(|| LocalKey::generate(KeyAlgorithm::Rsa2048));
        let key = made
            .await
            .map_err(|_| KeyError::Provider("generate a key"))??;
        // ub-common-name is 64; a name in a URL has up to 63 characters.
        let name = format!("SCEP RA {}", point.name).chars().take(64).collect();
        let duty = Duty {
            name,
            key_usage: KeyUsage::DIGITAL_SIGNATURE | KeyUsage::KEY_ENCIPHERMENT,
            extended_key_usage: Vec::new(),
            ocsp_no_check: false,
            kind: CertificateKind::Other,
            lifetime: LIFETIME,
        };
        let context = context(&point.id, &issuer.issuer.id);
        let ca = issuer.connector.local_ca();
        let stored = self.certify_delegate(&context, duty, &key, ca)?;
        let (point, issuer, row) = (point.id.clone(), issuer.issuer.id.clone(), stored.clone());
        let times = (now, now + RENEW_BEFORE);
        let kept = self
            .store
            .write("ra.put", move |tx| {
                Box::pin(async move {
                    tx.put_ra_certificate(&point, &issuer, &row, times).await?;
                    tx.find_ra_certificate(&point, &issuer).await
                })
            })
            .await?;
        Ok(kept.unwrap_or(stored))
    }
}

fn context(point: &EntryPointId, issuer: &IssuerId) -> String {
    format!("ra_certificates/{point}/{issuer}")
}

const LIFETIME: Duration = Duration::from_secs(365 * 24 * 60 * 60);
const RENEW_BEFORE: Duration = Duration::from_secs(30 * 24 * 60 * 60);
