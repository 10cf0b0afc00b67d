//! What general messages ask for: certificates of CAs, CRLs, what a request has to look like.

use std::sync::Arc;

use domain::cmp::CmpEndpoint;
use domain::profile::Profile;
use pki::name::DistinguishedName;
use pki::time::Timestamp;
use store::StoreError;

use crate::Lifecycle;
use crate::issuers::ConnectedIssuer;

/// The latest CRL of an issuer.
#[derive(Clone, Debug)]
pub struct CrlOfIssuer {
    /// Its name here, which is in the URL of the CRL.
    pub issuer: String,
    pub subject: DistinguishedName,
    pub this_update: Timestamp,
    pub der: Vec<u8>,
}

/// What requests under a profile have to look like.
#[derive(Clone, Debug)]
pub struct TemplateWish {
    pub profile: Arc<Profile>,
}

impl Lifecycle {
    /// Octets for a nonce or a salt.
    pub fn cmp_nonce(&self) -> [u8; 16] {
        self.random.octets()
    }

    /// The certificates of the CAs that sign for an endpoint: those above end entities, roots last.
    pub async fn cmp_ca_certificates(
        &self,
        endpoint: &CmpEndpoint,
    ) -> Result<Vec<Vec<u8>>, StoreError> {
        let mut all: Vec<Vec<u8>> = Vec::new();
        for connected in self.issuers_of(endpoint).await? {
            for certificate in connected.connector.chain().certificates() {
                if !all.contains(certificate) {
                    all.push(certificate.clone());
                }
            }
        }
        Ok(all)
    }

    /// The latest CRLs of those CAs whose CRLs are made here.
    pub async fn cmp_crls(&self, endpoint: &CmpEndpoint) -> Result<Vec<CrlOfIssuer>, StoreError> {
        let mut all = Vec::new();
        for connected in self.issuers_of(endpoint).await? {
            let Some(ca) = connected.connector.local_ca() else {
                continue;
            };
            let Some(crl) = self.latest_crl(&connected.issuer.id).await? else {
                continue;
            };
            all.push(CrlOfIssuer {
                issuer: connected.issuer.name.clone(),
                subject: ca.certificate.subject.clone(),
                this_update: crl.this_update,
                der: crl.der.clone(),
            });
        }
        Ok(all)
    }

    /// The rules for requests under the endpoint's profile of that name, or under its first.
    pub async fn cmp_template(
        &self,
        endpoint: &CmpEndpoint,
        profile: Option<&str>,
    ) -> Result<Option<TemplateWish>, StoreError> {
        let offered = &endpoint.spec.profiles;
        let name = match profile {
            Some(name) => offered.iter().find(|offered| *offered == name),
            None => offered.first(),
        };
        let Some(name) = name else {
            return Ok(None);
        };
        let profile = self.profile(name).await?;
        Ok(profile.map(|profile| TemplateWish { profile }))
    }

    async fn issuers_of(
        &self,
        endpoint: &CmpEndpoint,
    ) -> Result<Vec<Arc<ConnectedIssuer>>, StoreError> {
        let list = self.connected_issuers().await?;
        let mut chosen: Vec<Arc<ConnectedIssuer>> = Vec::new();
        for name in &endpoint.spec.profiles {
            let Some(profile) = self.profile(name).await? else {
                continue;
            };
            for choice in &profile.spec.issuers {
                let found = list.iter().find(|one| one.issuer.name == choice.issuer);
                if let Some(found) = found
                    && !chosen.iter().any(|one| one.issuer.id == found.issuer.id)
                {
                    chosen.push(Arc::clone(found));
                }
            }
        }
        Ok(chosen)
    }
}
