//! What must not come twice, after the database went back in time.

use pki::time::Timestamp;

use crate::{StoreError, Tx, params};

impl Tx<'_> {
    /// Raises what only ever grows beyond anything that was published after the backup was made. To be
    /// called once after each restore.
    ///
    /// CRL numbers (RFC 5280 section 5.2.3) never repeat or fall: the floor is the time in seconds,
    /// which rises from restore to restore, even of the same backup, faster than CRLs are published.
    /// Serial numbers need no floor: they are 159 random bits, and nothing else counts upwards.
    pub async fn raise_floors_after_restore(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let sql = "SELECT COALESCE(max(number), 0) FROM crls";
        let published: i64 = self.query_one(sql, params![]).await?.get(0)?;
        let floor = self
            .crl_number_floor()
            .await?
            .max(published)
            .saturating_add(JUMP);
        self.set_crl_number_floor(floor.max(now.seconds()), now)
            .await
    }
}

/// For clocks that were set back.
const JUMP: i64 = 1000;
