//! Incidents: one open at most for each certificate.

use domain::access::Visibility;
use domain::id::{CertificateId, IncidentId};
use domain::notification::incident::{Closing, Incident, IncidentState};
use pki::time::Timestamp;

use crate::codec::{json, word};
use crate::list::List;
use crate::{Row, StoreError, Tx, params};

/// Which incidents to list; what is not set does not matter.
#[derive(Clone, Debug, Default)]
pub struct IncidentFilter {
    /// Whose certificates' incidents.
    pub visible: Visibility,
    pub state: Option<IncidentState>,
    pub certificate: Option<CertificateId>,
}

macro_rules! columns {
    () => {
        "id, certificate_id, opened_at, threshold, acknowledgement, updated_at, closed_at, closing"
    };
}

impl Tx<'_> {
    /// Opens an incident, and answers `false` if the certificate has an open one, whose threshold
    /// then goes down with this one's.
    pub async fn open_incident(&mut self, incident: &Incident) -> Result<bool, StoreError> {
        let sql = "UPDATE incidents SET threshold = $2, updated_at = $3 \
                   WHERE certificate_id = $1 AND closed_at IS NULL";
        let values = params![
            incident.certificate_id.as_str(),
            u32::from(incident.threshold),
            incident.updated_at,
        ];
        if self.execute(sql, values).await? > 0 {
            return Ok(false);
        }
        let sql = "INSERT INTO incidents (id, certificate_id, opened_at, threshold, updated_at) \
                   VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING";
        let values = params![
            incident.id.as_str(),
            incident.certificate_id.as_str(),
            incident.opened_at,
            u32::from(incident.threshold),
            incident.updated_at,
        ];
        Ok(self.execute(sql, values).await? == 1)
    }

    /// Closes an incident, and answers whether it was open.
    pub async fn close_incident(
        &mut self,
        id: &IncidentId,
        closing: &Closing,
    ) -> Result<bool, StoreError> {
        let sql = "UPDATE incidents SET closed_at = $2, closing = $3, updated_at = $2 \
                   WHERE id = $1 AND closed_at IS NULL";
        let values = params![id.as_str(), closing.at, word(&closing.reason)?];
        Ok(self.execute(sql, values).await? == 1)
    }

    /// Writes who looks after an incident, and answers whether it is open.
    pub async fn acknowledge_incident(&mut self, incident: &Incident) -> Result<bool, StoreError> {
        let sql = "UPDATE incidents SET acknowledgement = $2, updated_at = $3 \
                   WHERE id = $1 AND closed_at IS NULL";
        let acknowledgement = incident.acknowledgement.as_ref().map(json).transpose()?;
        let values = params![incident.id.as_str(), acknowledgement, incident.updated_at];
        Ok(self.execute(sql, values).await? == 1)
    }

    /// The incident with that id.
    pub async fn find_incident(&mut self, id: &IncidentId) -> Result<Option<Incident>, StoreError> {
        let sql = concat!("SELECT ", columns!(), " FROM incidents WHERE id = $1");
        let row = self.query_opt(sql, params![id.as_str()]).await?;
        row.as_ref().map(read).transpose()
    }

    /// Incidents that fit the filter, newest first.
    pub async fn list_incidents(
        &mut self,
        filter: &IncidentFilter,
        after: Option<&IncidentId>,
        limit: u32,
    ) -> Result<Vec<Incident>, StoreError> {
        let list = List::new(concat!("SELECT ", columns!(), " FROM incidents"))
            .and_if(
                "certificate_id = ?",
                filter.certificate.as_ref().map(CertificateId::as_str),
            )
            .and_if("id < ?", after.map(IncidentId::as_str))
            .visible_by(
                "EXISTS (SELECT 1 FROM certificates AS c WHERE c.id = incidents.certificate_id \
                 AND c.team_id IN (?))",
                &filter.visible,
            );
        let list = match filter.state {
            None => list,
            Some(IncidentState::Closed) => list.and("closed_at IS NOT NULL"),
            Some(IncidentState::Open) => {
                list.and("closed_at IS NULL").and("acknowledgement IS NULL")
            }
            Some(IncidentState::Acknowledged) => list
                .and("closed_at IS NULL")
                .and("acknowledgement IS NOT NULL"),
        };
        let (sql, values) = list.limit("ORDER BY id DESC", limit);
        self.query(&sql, &values).await?.iter().map(read).collect()
    }

    /// Open incidents behind a cursor, oldest first: what is looked through for those that are over.
    pub async fn list_open_incidents(
        &mut self,
        after: Option<&IncidentId>,
        limit: u32,
    ) -> Result<Vec<Incident>, StoreError> {
        let (sql, values) = List::new(concat!("SELECT ", columns!(), " FROM incidents"))
            .and("closed_at IS NULL")
            .and_if("id > ?", after.map(IncidentId::as_str))
            .limit("ORDER BY id", limit);
        self.query(&sql, &values).await?.iter().map(read).collect()
    }
}

fn read(row: &Row) -> Result<Incident, StoreError> {
    let threshold: u32 = row.get(3)?;
    let closed_at: Option<Timestamp> = row.get(6)?;
    Ok(Incident {
        id: row.parse(0)?,
        certificate_id: row.parse(1)?,
        opened_at: row.get(2)?,
        threshold: u8::try_from(threshold)
            .map_err(|_| row.unreadable(3, &format!("threshold {threshold}")))?,
        acknowledgement: match row.get::<Option<&str>>(4)? {
            Some(_) => Some(row.json(4)?),
            None => None,
        },
        updated_at: row.get(5)?,
        closed: match closed_at {
            Some(at) => Some(Closing {
                at,
                reason: row.word(7)?,
            }),
            None => None,
        },
    })
}
