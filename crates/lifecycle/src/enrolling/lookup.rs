//! Certificates and revocation lists that clients of SCEP ask for by issuer and serial number.

use std::sync::Arc;

use domain::certificate::InventoryCertificate;
use domain::enrolling::EntryPoint;
use pki::certificate::Certificate;
use pki::serial::Serial;
use store::StoreError;

use crate::Lifecycle;
use crate::issuers::ConnectedIssuer;

impl Lifecycle {
    /// The certificate of that issuer and serial number, if it was issued under the profile of this entry
    /// point: its clients see no more of the inventory.
    pub async fn certificate_at(
        &self,
        point: &EntryPoint,
        issuer: &[u8],
        serial: &Serial,
    ) -> Result<Option<InventoryCertificate>, StoreError> {
        let (Some((_, ca)), Some(profile)) = (
            self.issuer_named(issuer).await?,
            self.profile(point.spec.profile()).await?,
        ) else {
            return Ok(None);
        };
        let key_identifier = ca.subject_key_identifier.clone().unwrap_or_default();
        let serial = serial.clone();
        let found = self
            .store
            .read("certificate.by_serial", move |tx| {
                Box::pin(async move {
                    tx.find_certificate_by_serial(&key_identifier, &serial)
                        .await
                })
            })
            .await?;
        Ok(found.filter(|entry| entry.profile_id.as_ref() == Some(&profile.id)))
    }

    /// The newest revocation list of the issuer of that name, in DER.
    pub async fn crl_of(&self, issuer: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let Some((connected, _)) = self.issuer_named(issuer).await? else {
            return Ok(None);
        };
        let crl = self.latest_crl(&connected.issuer.id).await?;
        Ok(crl.map(|crl| crl.der.clone()))
    }

    async fn issuer_named(
        &self,
        name: &[u8],
    ) -> Result<Option<(Arc<ConnectedIssuer>, Certificate)>, StoreError> {
        let connected = self.connected_issuers().await?;
        let found = connected.iter().find_map(|issuer| {
            let certificate = issuer.connector.chain().leaf()?.ok()?;
            (certificate.subject_der == name).then(|| (Arc::clone(issuer), certificate))
        });
        Ok(found)
    }
}
