//! What people and programs are called.

use crate::list::placeholders;
use crate::{StoreError, Tx, Value};

impl Tx<'_> {
    /// Ids and names of those of these people and tokens that there are.
    pub async fn principal_names(
        &mut self,
        ids: &[String],
    ) -> Result<Vec<(String, String)>, StoreError> {
        let mut found = Vec::with_capacity(ids.len());
        for some in ids.chunks(AT_ONCE) {
            let places = placeholders(some.len());
            let sql = format!(
                "SELECT id, COALESCE(NULLIF(display_name, ''), name) FROM users \
                 WHERE id IN ({places}) UNION ALL SELECT id, name FROM api_tokens WHERE id IN ({places})"
            );
            let values: Vec<Value<'_>> = some.iter().map(|id| id.as_str().into()).collect();
            for row in self.query(&sql, &values).await? {
                found.push((row.get(0)?, row.get(1)?));
            }
        }
        Ok(found)
    }
}

/// Parameters of one statement.
const AT_ONCE: usize = 500;
