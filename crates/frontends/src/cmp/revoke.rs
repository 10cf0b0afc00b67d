//! rr: revocation.

use pki::crmf::IssuerAndSerial;
use protocols::cmp::{Body, FailInfo, RevocationAnswer, RevocationWish, StatusInfo};

use super::receive::{Question, Reply};
use super::refusal::Refusal;

impl Question<'_> {
    /// Revokes what is named by issuer and serial number (RFC 9483 section 4.2).
    pub(super) async fn revoke(self, wish: &RevocationWish) -> Result<Reply, Refusal> {
        let template = &wish.template;
        let (Some(issuer), Some(serial)) = (&template.issuer, &template.serial) else {
            let text = "name the certificate by issuer and serialNumber";
            return Err(Refusal::new(FailInfo::AddInfoNotAvailable, text));
        };
        let named = IssuerAndSerial {
            issuer: issuer.clone(),
            serial: serial.clone(),
        };
        let revoked = self
            .verbs
            .cmp_revoke(self.sender, &named, wish.reason, &self.caller)
            .await;
        let status = match revoked {
            Ok(()) => StatusInfo::accepted(),
            Err(error) => Refusal::from(error).status(),
        };
        Ok(Body::RevocationAnswer(RevocationAnswer {
            status,
            certificate: Some(named),
        })
        .into())
    }
}
