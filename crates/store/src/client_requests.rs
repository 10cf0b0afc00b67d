//! What clients without accounts asked for, by what they call it.

use domain::id::{EnrollmentId, EntryPointId};
use pki::time::Timestamp;

use crate::{StoreError, Tx, params};

/// A request of a client, and the enrollment that came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientRequest {
    pub entry_point: EntryPointId,
    /// The same for the same request, and for no other.
    pub reference: String,
    pub enrollment: EnrollmentId,
    /// Id of the password or certificate that was shown.
    pub client: String,
    pub created_at: Timestamp,
}

impl Tx<'_> {
    /// Notes a request, and answers whether it is the first of its reference.
    pub async fn insert_client_request(
        &mut self,
        request: &ClientRequest,
    ) -> Result<bool, StoreError> {
        let sql = "INSERT INTO client_requests \
                   (entry_point_id, reference, enrollment_id, client, created_at) \
                   VALUES ($1, $2, $3, $4, $5) ON CONFLICT (entry_point_id, reference) DO NOTHING";
        let values = params![
            request.entry_point.as_str(),
            &request.reference,
            request.enrollment.as_str(),
            &request.client,
            request.created_at,
        ];
        Ok(self.execute(sql, values).await? == 1)
    }

    /// Puts a request in the place of one that ended, and answers whether that was still there.
    pub async fn replace_client_request(
        &mut self,
        request: &ClientRequest,
        instead_of: &EnrollmentId,
    ) -> Result<bool, StoreError> {
        let sql = "UPDATE client_requests SET enrollment_id = $3, client = $4, created_at = $5 \
                   WHERE entry_point_id = $1 AND reference = $2 AND enrollment_id = $6";
        let values = params![
            request.entry_point.as_str(),
            &request.reference,
            request.enrollment.as_str(),
            &request.client,
            request.created_at,
            instead_of.as_str(),
        ];
        Ok(self.execute(sql, values).await? == 1)
    }

    /// The request that a client calls so.
    pub async fn find_client_request(
        &mut self,
        entry_point: &EntryPointId,
        reference: &str,
    ) -> Result<Option<ClientRequest>, StoreError> {
        let sql = "SELECT enrollment_id, client, created_at FROM client_requests \
                   WHERE entry_point_id = $1 AND reference = $2";
        let values = params![entry_point.as_str(), reference];
        let Some(row) = self.query_opt(sql, values).await? else {
            return Ok(None);
        };
        Ok(Some(ClientRequest {
            entry_point: entry_point.clone(),
            reference: reference.to_owned(),
            enrollment: row.parse(0)?,
            client: row.get(1)?,
            created_at: row.get(2)?,
        }))
    }

    /// Forgets requests that are older than `before`.
    pub async fn delete_old_client_requests(
        &mut self,
        before: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError> {
        let sql = "DELETE FROM client_requests WHERE (entry_point_id, reference) IN \
                   (SELECT entry_point_id, reference FROM client_requests \
                   WHERE created_at < $1 ORDER BY created_at LIMIT $2)";
        self.execute(sql, params![before, limit]).await
    }
}
