//! What an approval rule looks at: the request, and what was issued before.

use domain::approval::{Facts, Renewal};
use domain::certificate::{CertificateStatus, InventoryCertificate, Origin};
use domain::enrollment::{Enrollment, Requester};
use domain::identifier::Identifier;
use domain::issuer::Issuer;
use domain::profile::{Profile, ProfileSpec};
use pki::certificate::CertificateContent;
use pki::time::Timestamp;
use store::StoreError;
use store::certificates::{CertificateFilter, NameQuery};

use crate::Lifecycle;

/// A request as the rules have decided on it.
pub(super) struct Request<'a> {
    pub(super) enrollment: &'a Enrollment,
    pub(super) profile: &'a Profile,
    pub(super) content: &'a CertificateContent,
    pub(super) issuer: &'a Issuer,
}

impl Lifecycle {
    /// What the rule of the request's profile looks at.
    pub(super) async fn approval_facts(
        &self,
        request: &Request<'_>,
        now: Timestamp,
    ) -> Result<Facts, StoreError> {
        let last = self
            .last_of_same_names(&request.enrollment.identifiers)
            .await?;
        let renewal = match last {
            Some(last) => self.renewal(request, &last, now).await?,
            None => Renewal::None,
        };
        let earlier = self.earlier(&request.enrollment.identifiers).await?;
        Ok(Facts {
            wildcard: request
                .enrollment
                .identifiers
                .iter()
                .any(Identifier::is_wildcard),
            new_name: earlier.iter().any(Option::is_none),
            foreign_team: is_foreign(request.enrollment, &earlier),
            public_ca: request.issuer.connector.is_public() || promises_to_the_public(request),
            validity: request.content.not_after.since(request.content.not_before),
            renewal,
        })
    }

    /// The newest certificate that we issued for exactly these names.
    pub(super) async fn last_of_same_names(
        &self,
        identifiers: &[Identifier],
    ) -> Result<Option<InventoryCertificate>, StoreError> {
        let mut wanted: Vec<String> = identifiers.iter().map(Identifier::value).collect();
        wanted.sort_unstable();
        let Some(first) = wanted.first().cloned() else {
            return Ok(None);
        };
        let found = self
            .store
            .read("approval.last", |tx| {
                Box::pin(async move {
                    tx.list_certificates(&issued_for(first), None, LOOKED_AT)
                        .await
                })
            })
            .await?;
        Ok(found.into_iter().find(|certificate| {
            let mut names = certificate.names.clone();
            names.sort_unstable();
            names == wanted
        }))
    }

    /// Of each name, the newest certificate that we issued for it.
    async fn earlier(
        &self,
        identifiers: &[Identifier],
    ) -> Result<Vec<Option<InventoryCertificate>>, StoreError> {
        let names: Vec<String> = identifiers.iter().map(Identifier::value).collect();
        self.store
            .read("approval.earlier", |tx| {
                Box::pin(async move {
                    let mut earlier = Vec::with_capacity(names.len());
                    for name in names {
                        let found = tx.list_certificates(&issued_for(name), None, 1).await?;
                        earlier.push(found.into_iter().next());
                    }
                    Ok(earlier)
                })
            })
            .await
    }

    /// Whether the request renews `last` and changes nothing.
    async fn renewal(
        &self,
        request: &Request<'_>,
        last: &InventoryCertificate,
        now: Timestamp,
    ) -> Result<Renewal, StoreError> {
        if last.status(now) != CertificateStatus::Valid {
            return Ok(Renewal::None);
        }
        let (last_id, profile) = (last.enrollment_id.clone(), request.profile.clone());
        let version = last.profile_version.unwrap_or(0);
        let of_last = last.profile_id.clone();
        let (before, rules) = self
            .store
            .read("approval.renewal", |tx| {
                Box::pin(async move {
                    let before = match last_id {
                        Some(id) => tx.find_enrollment(&id).await?,
                        None => None,
                    };
                    let rules = match of_last == Some(profile.id.clone()) {
                        true => tx.find_profile_version(&profile.id, version).await?,
                        false => None,
                    };
                    Ok::<_, StoreError>((before, rules))
                })
            })
            .await?;
        let same_rules = rules.is_some_and(|rules| same(&rules.spec, &request.profile.spec));
        let same_people =
            before.is_some_and(|before| is_same_requester(&before, request.enrollment));
        if !same_rules || !same_people {
            return Ok(Renewal::None);
        }
        let same_key = last.spki_sha256 == request.content.public_key.spki_sha256();
        Ok(match same_key {
            true => Renewal::SameKey,
            false => Renewal::NewKey,
        })
    }
}

/// The same rules; what people read is none of them.
fn same(one: &ProfileSpec, other: &ProfileSpec) -> bool {
    let plain = |spec: &ProfileSpec| ProfileSpec {
        description: String::new(),
        ..spec.clone()
    };
    plain(one) == plain(other)
}

/// The same account, user, token; or others of the same team.
fn is_same_requester(before: &Enrollment, now: &Enrollment) -> bool {
    let same = match (&before.requester, &now.requester) {
        (
            Requester::AcmeAccount { account: one, .. },
            Requester::AcmeAccount { account: other, .. },
        ) => one == other,
        (Requester::User { user: one }, Requester::User { user: other }) => one == other,
        (Requester::Token { token: one }, Requester::Token { token: other }) => one == other,
        (Requester::Client { proof: one, .. }, Requester::Client { proof: other, .. }) => {
            one == other
        }
        (Requester::System, Requester::System) => true,
        (
            Requester::AcmeAccount { .. }
            | Requester::User { .. }
            | Requester::Token { .. }
            | Requester::Client { .. }
            | Requester::System,
            _,
        ) => false,
    };
    same || (before.team_id.is_some() && before.team_id == now.team_id)
}

/// Whether another team has a certificate for one of the names.
fn is_foreign(enrollment: &Enrollment, earlier: &[Option<InventoryCertificate>]) -> bool {
    earlier.iter().flatten().any(|certificate| {
        certificate.team_id.is_some() && certificate.team_id != enrollment.team_id
    })
}

/// The CA/Browser Forum's policies (2.23.140.1): certificates with one claim to be publicly trusted.
fn promises_to_the_public(request: &Request<'_>) -> bool {
    let policies = &request.content.certificate_policies;
    policies.iter().any(|oid| oid.starts_with("2.23.140.1."))
}

fn issued_for(name: String) -> CertificateFilter {
    CertificateFilter {
        names: vec![NameQuery::Exact(name)],
        origin: Some(Origin::Issued),
        ..CertificateFilter::default()
    }
}

/// Of one name, so many certificates are gone through for those of the same names.
const LOOKED_AT: u32 = 200;
