//! Revocation, and how the world learns of it: CRL and OCSP.

pub mod blocked_keys;
pub mod crl;
pub mod elsewhere;
pub mod ocsp;
pub mod responder;

use domain::acme::account::Account;
use domain::certificate::{InventoryCertificate, Revocation};
use domain::id::CertificateId;
use domain::identifier::Identifier;
use domain::revocation::{RevocationAuthority, blocks_key, reason_is_allowed};
use pki::fingerprint::Fingerprint;
use pki::revocation::RevocationReason;
use serde_json::json;
use store::StoreError;
use store::jobs::JobRow;

use crate::Lifecycle;
use crate::actor::Caller;
use crate::jobs::Job;

/// Who asks for a revocation, as the front end authenticated it.
#[derive(Debug)]
pub enum RevocationSigner<'a> {
    Account(&'a Account),
    /// SHA-256 of the SPKI that the request was signed with.
    Key([u8; 32]),
    /// An operator with the right to revoke.
    Operator(&'a str),
}

/// Why a certificate is not revoked.
#[derive(Debug, thiserror::Error)]
pub enum RevokeError {
    #[error("no certificate that was issued here is this one")]
    Unknown,
    #[error("the certificate is revoked already")]
    AlreadyRevoked,
    #[error(
        "the request is signed neither by the account that the certificate was issued to, nor by one that holds authorizations for all its names, nor with the certificate's key"
    )]
    Unauthorized,
    #[error("the reason {0} cannot be given by this requester")]
    BadReason(RevocationReason),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Lifecycle {
    /// Revokes a certificate given as DER. Durable, and in the next CRL, when this returns.
    pub async fn revoke_der(
        &self,
        der: &[u8],
        reason: RevocationReason,
        signer: RevocationSigner<'_>,
        caller: &Caller,
    ) -> Result<(), RevokeError> {
        let fingerprint = Fingerprint::of(der);
        let found = self
            .store
            .read("certificate.by_fingerprint", |tx| {
                Box::pin(async move { tx.find_certificate_by_fingerprint(&fingerprint).await })
            })
            .await?;
        let certificate = found
            .filter(|certificate| certificate.issuer_id.is_some())
            .ok_or(RevokeError::Unknown)?;
        self.revoke(certificate, reason, signer, caller).await
    }

    /// Revokes a certificate of the inventory.
    pub async fn revoke_by_id(
        &self,
        id: &CertificateId,
        reason: RevocationReason,
        signer: RevocationSigner<'_>,
        caller: &Caller,
    ) -> Result<(), RevokeError> {
        let certificate = self
            .certificate(id)
            .await?
            .filter(|certificate| certificate.issuer_id.is_some())
            .ok_or(RevokeError::Unknown)?;
        self.revoke(certificate, reason, signer, caller).await
    }

    async fn revoke(
        &self,
        certificate: InventoryCertificate,
        reason: RevocationReason,
        signer: RevocationSigner<'_>,
        caller: &Caller,
    ) -> Result<(), RevokeError> {
        let authority = self.authority(&certificate, signer).await?;
        if certificate.revocation.is_some() {
            return Err(RevokeError::AlreadyRevoked);
        }
        if !reason_is_allowed(&authority, reason) {
            return Err(RevokeError::BadReason(reason));
        }
        let now = self.now();
        let blocks = blocks_key(&authority, reason);
        let event = self.event(
            caller,
            "certificate.revoked",
            certificate.id.as_str(),
            json!({
                "serial": certificate.serial,
                "reason": reason,
                "names": certificate.names,
                "metadata": certificate.metadata,
                "by": format!("{authority:?}"),
                "key_blocked": blocks,
            }),
        );
        let job = self.job_after_revocation(&certificate).await?;
        let serial = certificate.serial.clone();
        let issuer_id = certificate.issuer_id.clone();
        let revoked = self
            .store
            .write("certificate.revoke", move |tx| {
                Box::pin(async move {
                    let revocation = Revocation { at: now, reason };
                    if !tx.revoke_certificate(&certificate.id, &revocation).await? {
                        return Ok::<_, StoreError>(false);
                    }
                    if blocks {
                        tx.block_key(&certificate.spki_sha256, &reason.to_string(), now)
                            .await?;
                    }
                    if let Some(job) = &job {
                        tx.enqueue_or_hasten(job).await?;
                    }
                    tx.insert_event(&event).await?;
                    Ok(true)
                })
            })
            .await?;
        if !revoked {
            return Err(RevokeError::AlreadyRevoked);
        }
        if let Some(issuer) = issuer_id {
            self.ocsp.forget(&issuer, &serial);
        }
        self.jobs.notify();
        metrics::counter!("certwright_certificates_revoked_total", "reason" => reason.to_string())
            .increment(1);
        Ok(())
    }

    /// Our own CA's next CRL; a CA elsewhere is told.
    async fn job_after_revocation(
        &self,
        certificate: &InventoryCertificate,
    ) -> Result<Option<JobRow>, StoreError> {
        let Some(issuer) = certificate.issuer_id.clone() else {
            return Ok(None);
        };
        let stored = self.list_issuers().await?;
        let is_ours = stored
            .iter()
            .find(|stored| stored.id == issuer)
            .is_none_or(|stored| stored.connector.embedded().is_some());
        let job = match is_ours {
            true => Job::RefreshCrl { issuer },
            false => Job::TellRevocation {
                certificate: certificate.id.clone(),
            },
        };
        Ok(Some(self.new_job(&job, self.now())))
    }

    async fn authority(
        &self,
        certificate: &InventoryCertificate,
        signer: RevocationSigner<'_>,
    ) -> Result<RevocationAuthority, RevokeError> {
        match signer {
            RevocationSigner::Operator(name) => Ok(RevocationAuthority::Operator(name.to_owned())),
            RevocationSigner::Key(spki) if spki == certificate.spki_sha256 => {
                Ok(RevocationAuthority::KeyHolder)
            }
            RevocationSigner::Key(_) => Err(RevokeError::Unauthorized),
            RevocationSigner::Account(account)
                if certificate.account_id.as_ref() == Some(&account.id) =>
            {
                Ok(RevocationAuthority::IssuingAccount(account.id.clone()))
            }
            RevocationSigner::Account(account) => {
                match self.holds_all_names(account, certificate).await? {
                    true => Ok(RevocationAuthority::AuthorizedAccount(account.id.clone())),
                    false => Err(RevokeError::Unauthorized),
                }
            }
        }
    }

    async fn holds_all_names(
        &self,
        account: &Account,
        certificate: &InventoryCertificate,
    ) -> Result<bool, StoreError> {
        let identifiers: Option<Vec<Identifier>> =
            certificate.names.iter().map(|n| read_name(n)).collect();
        let Some(identifiers) = identifiers.filter(|list| !list.is_empty()) else {
            return Ok(false);
        };
        let now = self.now();
        let (id, directory) = (account.id.clone(), account.directory_id.clone());
        self.store
            .read("authorization.of_names", move |tx| {
                Box::pin(async move {
                    for identifier in identifiers {
                        let held = tx
                            .find_valid_authorization(
                                &id,
                                &directory,
                                &identifier.without_wildcard(),
                                identifier.is_wildcard(),
                                now,
                            )
                            .await?;
                        if held.is_none() {
                            return Ok(false);
                        }
                    }
                    Ok(true)
                })
            })
            .await
    }
}

fn read_name(name: &str) -> Option<Identifier> {
    Identifier::parse("ip", name)
        .or_else(|_| Identifier::parse("dns", name))
        .or_else(|_| Identifier::parse_any("email", name))
        .ok()
}
