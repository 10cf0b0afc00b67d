//! Who a client is: by a password of the entry point, or by a certificate whose key it holds.

use std::sync::Arc;

use domain::certificate::{InventoryCertificate, Origin};
use domain::client_certificate::{CaReference, Refusal, TrustedCa, judge};
use domain::enrolling::{
    ClientProof, EnrollmentPassword, EnrollmentSecret, EntryPoint, ScepRules, TermsRefusal,
};
use pki::certificate::Certificate;
use store::StoreError;

use crate::Lifecycle;
use crate::authorities;

/// A client that showed who it is.
#[derive(Clone, Debug)]
pub enum Client {
    /// It knows a password.
    Password(Arc<EnrollmentPassword>),
    /// It holds the key of a certificate that was issued here.
    Known {
        entry: Arc<InventoryCertificate>,
        certificate: Arc<Certificate>,
    },
    /// It holds the key of a certificate by a CA that the configuration trusts.
    Stranger(Arc<Certificate>),
    /// It is a registration authority that the entry point trusts.
    Authority(Arc<Certificate>),
}

impl Client {
    /// How it showed who it is, as the enrollment remembers it.
    pub fn proof(&self) -> ClientProof {
        match self {
            Self::Password(password) => ClientProof::Password {
                password: password.id.clone(),
            },
            Self::Known { entry, .. } => ClientProof::Certificate {
                certificate: entry.id.clone(),
            },
            Self::Stranger(certificate) | Self::Authority(certificate) => ClientProof::Stranger {
                fingerprint: certificate.fingerprint().to_string(),
            },
        }
    }
}

/// Why nobody is believed to be anybody.
#[derive(Debug, thiserror::Error)]
pub enum ProofError {
    /// Unknown, for another entry point, or with another user name: which of these is not told.
    #[error("user name or password is not right here")]
    WrongPassword,
    #[error("the enrollment password {0}")]
    Password(#[from] TermsRefusal),
    #[error("{0}")]
    Certificate(#[from] Refusal),
    #[error(
        "the certificate was ordered over ACME; it is renewed over ACME, where its names are proven again"
    )]
    Acme,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Lifecycle {
    /// The client that knows a password of this entry point. A password that is used up still says who
    /// comes back for an answer; whether it opens another enrollment is looked at when one is made.
    pub async fn client_by_password(
        &self,
        point: &EntryPoint,
        username: Option<&str>,
        secret: &EnrollmentSecret,
    ) -> Result<Client, ProofError> {
        // Found by its hash: comparing takes the same time however much of a guess is right.
        let hash = secret.hash();
        let found = self
            .store
            .read("enrollment_password.match", move |tx| {
                Box::pin(async move { tx.find_enrollment_password_by_hash(&hash).await })
            })
            .await?;
        let password = found
            .filter(|password| password.entry_point == point.id)
            .filter(|password| match (&password.username, username) {
                (Some(expected), Some(given)) => expected == given,
                // The challenge password of SCEP comes without a user name.
                (None, _) | (Some(_), None) => true,
            })
            .ok_or(ProofError::WrongPassword)?;
        password.terms.check_alive(self.now())?;
        Ok(Client::Password(Arc::new(password)))
    }

    /// The client that holds the key of this certificate, which whoever calls has made sure of.
    ///
    /// What was issued here is known by its octets, so that neither names nor a CA of the same name stand
    /// for it. A purpose is not asked for: a server's certificate may renew itself.
    pub async fn client_by_certificate(&self, der: &[u8]) -> Result<Client, ProofError> {
        let certificate = Certificate::from_der(der).map_err(|_| Refusal::Unreadable)?;
        let fingerprint = certificate.fingerprint();
        let entry = self
            .store
            .read("client.certificate", move |tx| {
                Box::pin(async move { tx.find_certificate_by_fingerprint(&fingerprint).await })
            })
            .await?;
        let now = self.now();
        if entry
            .as_ref()
            .is_some_and(|entry| entry.revocation.is_some())
        {
            return Err(Refusal::Revoked.into());
        }
        let Some(entry) = entry.filter(|entry| entry.origin == Origin::Issued) else {
            judge(&certificate, &self.strangers_authorities(), now)?;
            return Ok(Client::Stranger(Arc::new(certificate)));
        };
        if now < certificate.not_before {
            return Err(Refusal::NotYetValid.into());
        }
        if now > certificate.not_after {
            return Err(Refusal::Expired.into());
        }
        if certificate.is_ca {
            return Err(Refusal::IsCa.into());
        }
        if entry.account_id.is_some() {
            return Err(ProofError::Acme);
        }
        Ok(Client::Known {
            entry: Arc::new(entry),
            certificate: Arc::new(certificate),
        })
    }

    /// The registration authority that holds the key of this certificate, if it is one of a service's.
    /// That the key signed is the caller's to make sure of.
    pub fn client_by_authority(&self, rules: &ScepRules, signer: &Certificate) -> Option<Client> {
        let now = self.now();
        // What was stored was checked; one that cannot be read any more is no authority.
        let trusted = authorities::read(&rules.authorities).unwrap_or_default();
        let is_trusted = trusted.iter().any(|one| one.der == signer.der)
            && (signer.not_before..=signer.not_after).contains(&now);
        is_trusted.then(|| Client::Authority(Arc::new(signer.clone())))
    }

    /// The CAs besides our own whose certificates are looked at, from the configuration.
    fn strangers_authorities(&self) -> Vec<TrustedCa> {
        let authorities = &self.settings.client_certificates.authorities;
        let trusted = authorities.iter().map(|certificate| TrustedCa {
            reference: CaReference::Certificate(certificate.fingerprint()),
            certificate: Arc::clone(certificate),
        });
        trusted.collect()
    }
}
