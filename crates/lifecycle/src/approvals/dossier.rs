//! Everything that somebody needs to decide: who, what, what is different from the last time, and
//! what the rules say now.

use std::sync::Arc;

use domain::access::Principal;
use domain::approval::{Approval, Entitlement, NotEntitled};
use domain::certificate::InventoryCertificate;
use domain::enrollment::Enrollment;
use domain::id::ApprovalId;
use domain::policy::Violation;
use domain::profile::Profile;
use pki::csr::Csr;
use pki::time::Timestamp;
use store::StoreError;

use crate::Lifecycle;
use crate::issuance::EnrollmentRequest;
use crate::issuance::consider::{ConsiderError, Look};

/// An approval with all that it is about.
#[derive(Debug)]
pub struct Dossier {
    pub approval: Approval,
    pub enrollment: Enrollment,
    /// The profile under which was asked, by name.
    pub profile: String,
    /// `p-256`, `rsa-2048`, …
    pub key_kind: Option<String>,
    /// SHA-256 of the public key.
    pub spki_sha256: Option<[u8; 32]>,
    pub policy: PolicyOutcome,
    /// The last certificate of the same names, and what is different.
    pub last: Option<(InventoryCertificate, Vec<Difference>)>,
    /// Whether whoever looks may decide now.
    pub turn: Option<Result<Entitlement, NotEntitled>>,
}

/// What the rules would decide now.
#[derive(Debug)]
pub enum PolicyOutcome {
    Allowed {
        not_before: Timestamp,
        not_after: Timestamp,
        issuer: String,
    },
    Violations(Vec<Violation>),
    /// They cannot be asked now.
    Unknown(String),
}

/// Something that is not as it was in the last certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    pub what: &'static str,
    pub before: String,
    pub now: String,
}

impl Lifecycle {
    /// Everything about an approval, as `viewer` sees it.
    pub async fn dossier(
        &self,
        id: &ApprovalId,
        viewer: Option<&Principal>,
    ) -> Result<Option<Dossier>, StoreError> {
        let wanted = id.clone();
        let found = self
            .store
            .read("approval.dossier", |tx| {
                Box::pin(async move {
                    let Some(approval) = tx.find_approval(&wanted).await? else {
                        return Ok(None);
                    };
                    let enrollment = tx.find_enrollment(&approval.enrollment_id).await?;
                    let profile = tx
                        .find_profile_version(&approval.profile_id, approval.profile_version)
                        .await?;
                    Ok::<_, StoreError>(
                        enrollment.map(|enrollment| (approval, enrollment, profile)),
                    )
                })
            })
            .await?;
        let Some((approval, enrollment, profile)) = found else {
            return Ok(None);
        };
        let csr = Csr::accepted(&enrollment.csr_der).ok();
        let turn = match viewer {
            Some(viewer) => Some(self.decider(viewer).await?.entitlement(&approval)),
            None => None,
        };
        let last = self.last_of_same_names(&enrollment.identifiers).await?;
        // What came of this very request is not what came before it.
        let last = last.filter(|last| last.enrollment_id.as_ref() != Some(&enrollment.id));
        Ok(Some(Dossier {
            policy: match &profile {
                Some(profile) => self.policy_now(&enrollment, profile).await?,
                None => PolicyOutcome::Unknown("the profile is gone".to_owned()),
            },
            key_kind: csr.as_ref().map(|csr| csr.public_key.kind().to_string()),
            spki_sha256: csr.as_ref().map(|csr| csr.public_key.spki_sha256()),
            last: last.map(|last| {
                let differences = differences(&last, &enrollment, csr.as_ref());
                (last, differences)
            }),
            profile: profile.map_or_else(|| approval.profile_id.to_string(), |p| p.name),
            turn,
            approval,
            enrollment,
        }))
    }

    async fn policy_now(
        &self,
        enrollment: &Enrollment,
        profile: &Profile,
    ) -> Result<PolicyOutcome, StoreError> {
        let now = self.now();
        let Ok(request) = EnrollmentRequest::of_enrollment(enrollment, Arc::new(profile.clone()))
        else {
            return Ok(PolicyOutcome::Unknown("the CSR cannot be read".to_owned()));
        };
        let issuer = match self.route(&request, now).await {
            Ok(issuer) => issuer,
            Err(error) => return Ok(PolicyOutcome::Unknown(error.to_string())),
        };
        let considered = self
            .consider(&request, Some(&issuer), now, Look::Brief)
            .await;
        Ok(match considered {
            Err(ConsiderError::Store(error)) => return Err(error),
            Err(ConsiderError::Prepare(error)) => PolicyOutcome::Unknown(error.to_string()),
            Ok(considered) => match considered.ready {
                Some(ready) => PolicyOutcome::Allowed {
                    not_before: ready.request.content.not_before,
                    not_after: ready.request.content.not_after,
                    issuer: issuer.issuer.name.clone(),
                },
                None => PolicyOutcome::Violations(considered.violations),
            },
        })
    }
}

/// What is not as it was, in the order in which people look at it.
fn differences(
    last: &InventoryCertificate,
    enrollment: &Enrollment,
    csr: Option<&Csr>,
) -> Vec<Difference> {
    let mut found = Vec::new();
    let mut compare = |what, before: String, now: String| {
        if before != now {
            found.push(Difference { what, before, now });
        }
    };
    if let Some(csr) = csr {
        let hex = |octets: &[u8; 32]| data_encoding::HEXLOWER.encode(octets);
        compare(
            "key",
            hex(&last.spki_sha256),
            hex(&csr.public_key.spki_sha256()),
        );
        let kind = csr.public_key.kind().to_string();
        compare("key kind", last.key_kind.clone(), kind);
    }
    let version = last.profile_version.unwrap_or(0);
    match last.profile_id.as_ref() == Some(&enrollment.profile_id) {
        true => compare(
            "profile version",
            version.to_string(),
            enrollment.profile_version.to_string(),
        ),
        false => compare(
            "profile",
            last.profile_id
                .as_ref()
                .map_or_else(|| "none".to_owned(), ToString::to_string),
            enrollment.profile_id.to_string(),
        ),
    }
    let account = match &enrollment.requester {
        domain::enrollment::Requester::AcmeAccount { account, .. } => Some(account),
        domain::enrollment::Requester::User { .. }
        | domain::enrollment::Requester::Token { .. }
        | domain::enrollment::Requester::Client { .. }
        | domain::enrollment::Requester::System => None,
    };
    let shown = |account: Option<&domain::id::AccountId>| {
        account.map_or_else(|| "none".to_owned(), ToString::to_string)
    };
    compare(
        "ACME account",
        shown(last.account_id.as_ref()),
        shown(account),
    );
    let json = |value: serde_json::Result<String>| value.unwrap_or_default();
    compare(
        "metadata",
        json(serde_json::to_string(&last.metadata)),
        json(serde_json::to_string(&enrollment.metadata)),
    );
    found
}
