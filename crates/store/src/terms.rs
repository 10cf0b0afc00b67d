//! How the terms of what opens enrollments are read.

use domain::enrolling::Terms;

use crate::StoreError;
use crate::row::Row;

/// The terms in the columns allowed_names, max_uses, uses, metadata, expires_at, revoked_at, last_used_at,
/// team_id and created_at, which begin at `first`.
pub(crate) fn read_terms(row: &Row, first: usize) -> Result<Terms, StoreError> {
    Ok(Terms {
        allowed_names: row.json(first)?,
        max_uses: row.get(first + 1)?,
        uses: row.get(first + 2)?,
        metadata: row.json(first + 3)?,
        expires_at: row.get(first + 4)?,
        revoked_at: row.get(first + 5)?,
        last_used_at: row.get(first + 6)?,
        team_id: row.parse_opt(first + 7)?,
        created_at: row.get(first + 8)?,
    })
}
