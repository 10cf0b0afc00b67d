//! Whose the object of an event is: what decides who else than an auditor is told of it.

use domain::id::{
    AccountId, ApprovalId, CertificateId, EabKeyId, EnrollmentId, IncidentId, OrderId, TeamId,
};

use crate::{StoreError, Tx, params};

impl Tx<'_> {
    /// The team that owns what has this id. `None`: it is no object that teams own, or is gone.
    pub async fn find_owner_of_object(
        &mut self,
        object: &str,
    ) -> Result<Option<Option<TeamId>>, StoreError> {
        let prefix = object.find('_').map(|end| &object[..=end]);
        let sql = match prefix {
            Some(CertificateId::PREFIX) => "SELECT team_id FROM certificates WHERE id = $1",
            Some(EnrollmentId::PREFIX) => "SELECT team_id FROM enrollments WHERE id = $1",
            Some(ApprovalId::PREFIX) => "SELECT team_id FROM approvals WHERE id = $1",
            Some(OrderId::PREFIX) => "SELECT team_id FROM acme_orders WHERE id = $1",
            Some(AccountId::PREFIX) => "SELECT team_id FROM acme_accounts WHERE id = $1",
            Some(EabKeyId::PREFIX) => "SELECT team_id FROM eab_keys WHERE id = $1",
            Some(IncidentId::PREFIX) => {
                "SELECT certificates.team_id FROM incidents \
                 JOIN certificates ON certificates.id = incidents.certificate_id \
                 WHERE incidents.id = $1"
            }
            _ => return Ok(None),
        };
        let row = self.query_opt(sql, params![object]).await?;
        let owner = row.map(|row| row.parse_opt::<TeamId>(0)).transpose()?;
        Ok(owner)
    }
}
