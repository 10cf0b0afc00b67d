//! A certificate that was found before the request it answers had ended becomes that request's own.

use domain::certificate::InventoryCertificate;
use domain::id::{
    AccountId, CertificateId, DirectoryId, EnrollmentId, IssuerId, ProfileId, TeamId,
};

use crate::codec::word;
use crate::{StoreError, Tx, params};

impl Tx<'_> {
    /// Writes to the row with the id of `certificate` where it comes from and to whom it belongs. Answers
    /// whether it was there and belonged to no enrollment yet; what the certificate says of itself, and
    /// its revocation, stay as they are.
    pub async fn adopt_certificate(
        &mut self,
        certificate: &InventoryCertificate,
    ) -> Result<bool, StoreError> {
        let id = certificate.id.as_str();
        self.uncount_certificate(id).await?;
        let sql = "UPDATE certificates SET issuer_id = $2, chain_id = $3, origin = $4, \
                   enrollment_id = $5, profile_id = $6, profile_version = $7, account_id = $8, \
                   directory_id = $9, replaces = $10, team_id = $11 \
                   WHERE id = $1 AND enrollment_id IS NULL";
        let values = params![
            id,
            certificate.issuer_id.as_ref().map(IssuerId::as_str),
            certificate.chain_id.map(|chain| chain.0.to_string()),
            word(&certificate.origin)?,
            certificate.enrollment_id.as_ref().map(EnrollmentId::as_str),
            certificate.profile_id.as_ref().map(ProfileId::as_str),
            certificate.profile_version,
            certificate.account_id.as_ref().map(AccountId::as_str),
            certificate.directory_id.as_ref().map(DirectoryId::as_str),
            certificate.replaces.as_ref().map(CertificateId::as_str),
            certificate.team_id.as_ref().map(TeamId::as_str),
        ];
        let is_adopted = self.execute(sql, values).await? == 1;
        self.recount_certificate(id).await?;
        if is_adopted {
            self.set_certificate_metadata(&certificate.id, &certificate.metadata)
                .await?;
        }
        Ok(is_adopted)
    }
}
