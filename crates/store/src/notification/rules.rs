//! Notification rules.

use domain::notification::rule::Rule;

use crate::codec::json;
use crate::{Row, StoreError, Tx, params};

impl Tx<'_> {
    /// Adds a rule, or changes the one with its name.
    pub async fn put_notification_rule(&mut self, rule: &Rule) -> Result<(), StoreError> {
        let sql = "INSERT INTO notification_rules (name, created_at, spec, updated_at) \
                   VALUES ($1, $2, $3, $4) ON CONFLICT (name) DO UPDATE SET \
                   spec = excluded.spec, updated_at = excluded.updated_at";
        let values = params![
            &rule.name,
            rule.created_at,
            json(&rule.spec)?,
            rule.updated_at
        ];
        self.execute_one(sql, values).await
    }

    /// The rule with that name.
    pub async fn find_notification_rule(&mut self, name: &str) -> Result<Option<Rule>, StoreError> {
        let sql = "SELECT name, created_at, spec, updated_at FROM notification_rules \
                   WHERE name = $1";
        let row = self.query_opt(sql, params![name]).await?;
        row.as_ref().map(read).transpose()
    }

    /// All rules by name; there are few.
    pub async fn list_notification_rules(&mut self) -> Result<Vec<Rule>, StoreError> {
        let sql = "SELECT name, created_at, spec, updated_at FROM notification_rules \
                   ORDER BY name LIMIT 10000";
        self.query(sql, params![]).await?.iter().map(read).collect()
    }

    /// Deletes a rule, and answers whether it was there.
    pub async fn delete_notification_rule(&mut self, name: &str) -> Result<bool, StoreError> {
        let sql = "DELETE FROM notification_rules WHERE name = $1";
        Ok(self.execute(sql, params![name]).await? == 1)
    }
}

fn read(row: &Row) -> Result<Rule, StoreError> {
    Ok(Rule {
        name: row.get(0)?,
        created_at: row.get(1)?,
        spec: row.json(2)?,
        updated_at: row.get(3)?,
    })
}
