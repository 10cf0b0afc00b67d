//! Bringing the schema up to date, one numbered step at a time.
//!
//! A step and its record are one transaction, so an interrupted upgrade resumes where it stopped.

use crate::dialect::{self, Engine, Sql};
use crate::{StoreError, Tx, params};

/// One step of the schema's history. Released steps never change.
struct Migration {
    version: i64,
    name: &'static str,
    /// For both engines, see [`dialect::migration`].
    sql: &'static str,
    /// What comes after it on one engine alone.
    sqlite: &'static str,
    postgres: &'static str,
}

const MIGRATIONS: &[Migration] = &[
    Migration {
        version: 1,
        name: "initial",
        sql: include_str!("../migrations/0001_initial.sql"),
        sqlite: include_str!("../migrations/0001_initial.sqlite.sql"),
        postgres: include_str!("../migrations/0001_initial.postgres.sql"),
    },
    Migration {
        version: 2,
        name: "access",
        sql: include_str!("../migrations/0002_access.sql"),
        sqlite: "",
        postgres: "",
    },
    Migration {
        version: 3,
        name: "signin",
        sql: include_str!("../migrations/0003_signin.sql"),
        sqlite: "",
        postgres: "",
    },
    Migration {
        version: 4,
        name: "profiles",
        sql: include_str!("../migrations/0004_profiles.sql"),
        sqlite: "",
        postgres: "",
    },
    Migration {
        version: 5,
        name: "metadata",
        sql: include_str!("../migrations/0005_metadata.sql"),
        sqlite: "",
        postgres: "",
    },
    Migration {
        version: 6,
        name: "approvals",
        sql: include_str!("../migrations/0006_approvals.sql"),
        sqlite: "",
        postgres: "",
    },
    Migration {
        version: 7,
        name: "enroll",
        sql: include_str!("../migrations/0007_enroll.sql"),
        sqlite: "",
        postgres: "",
    },
    Migration {
        version: 8,
        name: "inventory",
        sql: include_str!("../migrations/0008_inventory.sql"),
        sqlite: "",
        postgres: "",
    },
    Migration {
        version: 9,
        name: "notify",
        sql: include_str!("../migrations/0009_notify.sql"),
        sqlite: include_str!("../migrations/0009_notify.sqlite.sql"),
        postgres: include_str!("../migrations/0009_notify.postgres.sql"),
    },
    Migration {
        version: 10,
        name: "routing",
        sql: include_str!("../migrations/0010_routing.sql"),
        sqlite: "",
        postgres: "",
    },
    Migration {
        version: 11,
        name: "upstream",
        sql: include_str!("../migrations/0011_upstream.sql"),
        sqlite: "",
        postgres: "",
    },
    Migration {
        version: 12,
        name: "enrolling",
        sql: include_str!("../migrations/0012_enrolling.sql"),
        sqlite: "",
        postgres: "",
    },
    Migration {
        version: 13,
        name: "cmp",
        sql: include_str!("../migrations/0013_cmp.sql"),
        sqlite: "",
        postgres: "",
    },
    Migration {
        version: 14,
        name: "advice",
        sql: include_str!("../migrations/0014_advice.sql"),
        sqlite: "",
        postgres: "",
    },
    Migration {
        version: 15,
        name: "watch",
        sql: include_str!("../migrations/0015_watch.sql"),
        sqlite: "",
        postgres: "",
    },
    Migration {
        version: 17,
        name: "email",
        sql: include_str!("../migrations/0017_email.sql"),
        sqlite: "",
        postgres: "",
    },
    Migration {
        version: 18,
        name: "job_claims",
        sql: include_str!("../migrations/0018_job_claims.sql"),
        sqlite: "",
        postgres: "",
    },
    Migration {
        version: 22,
        name: "dash",
        sql: include_str!("../migrations/0022_dash.sql"),
        sqlite: "",
        postgres: "",
    },
];

/// How far to go: the newest version, or an older one for a backup made there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Target(i64);

impl Target {
    /// The newest version that this program knows.
    pub(crate) fn newest() -> Self {
        Self(MIGRATIONS.last().map_or(0, |migration| migration.version))
    }

    /// An older version, if this program knows it.
    pub(crate) fn version(version: i64) -> Result<Self, StoreError> {
        match MIGRATIONS
            .iter()
            .any(|migration| migration.version == version)
        {
            true => Ok(Self(version)),
            false => Err(StoreError::Newer {
                database: version,
                program: Self::newest().0,
            }),
        }
    }

    /// The schema version's number.
    pub(crate) fn number(self) -> i64 {
        self.0
    }
}

/// Applies the next step, if there is one, and answers whether to come back.
///
/// Runs in a transaction that no other node can run at the same time.
pub(crate) async fn step(tx: &mut Tx<'_>, target: Target) -> Result<bool, StoreError> {
    step_of(MIGRATIONS, tx, target).await
}

async fn step_of(
    history: &[Migration],
    tx: &mut Tx<'_>,
    target: Target,
) -> Result<bool, StoreError> {
    let current = current_version(tx).await?;
    let newest = history.last().map_or(0, |migration| migration.version);
    if current > newest {
        return Err(StoreError::Newer {
            database: current,
            program: newest,
        });
    }
    let next = history
        .iter()
        .find(|migration| migration.version > current && migration.version <= target.0);
    let Some(migration) = next else {
        return Ok(false);
    };
    apply(tx, migration)
        .await
        .map_err(|cause| StoreError::Migration {
            version: migration.version,
            name: migration.name,
            cause: Box::new(cause),
        })?;
    tracing::info!(
        version = migration.version,
        name = migration.name,
        "the schema was migrated"
    );
    Ok(true)
}

/// The newest version recorded in the database; 0 in an empty one.
async fn current_version(tx: &mut Tx<'_>) -> Result<i64, StoreError> {
    let create = dialect::migration(
        "CREATE TABLE IF NOT EXISTS schema_migrations (version INTEGER NOT NULL PRIMARY KEY, \
         name TEXT NOT NULL, applied_at INTEGER NOT NULL)",
        tx.engine(),
    );
    tx.batch(&create).await?;
    let row = tx
        .query_one(
            "SELECT COALESCE(max(version), 0) FROM schema_migrations",
            params![],
        )
        .await?;
    row.get(0)
}

async fn apply(tx: &mut Tx<'_>, migration: &Migration) -> Result<(), StoreError> {
    let engine = tx.engine();
    let only_here = match engine {
        Engine::Sqlite => migration.sqlite,
        Engine::Postgres => migration.postgres,
    };
    for part in [migration.sql, only_here] {
        tx.batch(&dialect::migration(part, engine)).await?;
    }
    // The database's own clock: this is a note for people and decides nothing.
    let record = Sql::each(
        "INSERT INTO schema_migrations (version, name, applied_at) \
         VALUES ($1, $2, CAST(unixepoch('subsec') * 1000 AS INTEGER))",
        "INSERT INTO schema_migrations (version, name, applied_at) \
         VALUES ($1, $2, CAST(extract(epoch FROM now()) * 1000 AS BIGINT))",
    );
    tx.execute_one(record, params![migration.version, migration.name])
        .await
}

/// The tables that hold data, in an order in which every table comes after those it refers to.
pub(crate) fn tables() -> Vec<&'static str> {
    MIGRATIONS
        .iter()
        .flat_map(|migration| created_tables(migration.sql))
        .filter(|table| !PASSING.contains(table))
        .collect()
}

/// What is here for a while only. A restored backup must not bring back a private key that was handed
/// out or destroyed, nor answers with secrets that were shown once.
const PASSING: [&str; 2] = ["held_keys", "idempotency_keys"];

/// Tables of one engine alone (replay nonces) hold nothing that outlives a restart: they are left out.
fn created_tables(sql: &'static str) -> impl Iterator<Item = &'static str> {
    sql.lines()
        .filter_map(|line| line.strip_prefix("CREATE TABLE "))
        .filter_map(|rest| rest.split([' ', '(']).next())
}

#[cfg(test)]
mod populated;
#[cfg(test)]
mod tests;
