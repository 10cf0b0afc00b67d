//! Opening a database: the pool, what each connection is set to, migrations.

use std::time::Duration;

use deadpool_postgres::{
    Client, Hook, HookError, Manager, ManagerConfig, Pool, PoolError, RecyclingMethod, Runtime,
};

use super::address::Address;
use super::transaction::{Started, Transaction};
use crate::config::StoreConfig;
use crate::migrate::{self, Target};
use crate::tx::Access;
use crate::{StoreError, Tx};

/// How long a caller waits for a connection before it is told to come back later.
const PATIENCE: Duration = Duration::from_secs(10);

/// The key of the advisory lock that lets one node at a time migrate: "certwrgt" in ASCII.
const MIGRATION_LOCK: i64 = 0x6365_7274_7772_6774;

/// Acknowledged means durable, whatever the server's default; and nobody may sit on locks for ever.
const SESSION: &str = "SELECT set_config('synchronous_commit', 'on', false) \
                       WHERE current_setting('synchronous_commit') IN ('off', 'local'); \
                       SET lock_timeout = '10s'; \
                       SET idle_in_transaction_session_timeout = '60s'; \
                       SET client_min_messages = 'warning'";

/// An open database.
pub(crate) struct Postgres {
    pool: Pool,
}

impl Postgres {
    /// Connects and brings the schema up to `target`.
    pub(crate) async fn open(config: &StoreConfig, target: Target) -> Result<Self, StoreError> {
        let address = Address::parse(&config.url)?;
        let manager_config = ManagerConfig {
            recycling_method: RecyclingMethod::Fast,
        };
        let manager = Manager::from_config(address.config, address.tls, manager_config);
        let pool = Pool::builder(manager)
            .max_size(config.connections.max(1))
            .wait_timeout(Some(PATIENCE))
            .create_timeout(Some(PATIENCE))
            .runtime(Runtime::Tokio1)
            .post_create(Hook::async_fn(|client, _| {
                Box::pin(async move {
                    client
                        .batch_execute(SESSION)
                        .await
                        .map_err(HookError::Backend)
                })
            }))
            .build()
            .map_err(|error| StoreError::Configuration(error.to_string()))?;
        let database = Self { pool };
        database.warn_of_a_careless_server().await?;
        database.migrate(target).await?;
        Ok(database)
    }

    /// A connection from the pool.
    pub(super) async fn client(&self) -> Result<Client, StoreError> {
        self.pool.get().await.map_err(|error| match error {
            PoolError::Timeout(_) => StoreError::Busy {
                cause: "no connection became free; see database.connections".to_owned(),
            },
            PoolError::Backend(error) | PoolError::PostCreateHook(HookError::Backend(error)) => {
                match StoreError::from(error) {
                    StoreError::Statement(cause) => StoreError::Unavailable { cause },
                    other => other,
                }
            }
            other => StoreError::Unavailable {
                cause: other.to_string(),
            },
        })
    }

    pub(crate) fn close(&self) {
        self.pool.close();
    }

    async fn migrate(&self, target: Target) -> Result<(), StoreError> {
        let client = self.client().await?;
        // Held by the session, not the transaction: several nodes that start at once take turns.
        // A long migration elsewhere is worth waiting for.
        client.batch_execute("SET lock_timeout = 0").await?;
        client
            .execute("SELECT pg_advisory_lock($1)", &[&MIGRATION_LOCK])
            .await?;
        let result = Self::migrate_all(&client, target).await;
        // The connection leaves the pool with its lock and its settings.
        drop(deadpool_postgres::Object::take(client));
        result
    }

    async fn migrate_all(client: &Client, target: Target) -> Result<(), StoreError> {
        loop {
            let (transaction, pending) = Transaction::begin(client, Started::Write);
            let mut tx = Tx::on_postgres(client, &client.statement_cache, Access::Write, pending);
            let more = migrate::step(&mut tx, target).await?;
            tx.settle().await?;
            transaction.commit().await?;
            if !more {
                return Ok(());
            }
        }
    }

    async fn warn_of_a_careless_server(&self) -> Result<(), StoreError> {
        let client = self.client().await?;
        let row = client
            .query_one("SELECT current_setting('fsync')", &[])
            .await?;
        if row.get::<_, &str>(0) != "on" {
            tracing::warn!("PostgreSQL runs with fsync off: a power cut loses certificates");
        }
        Ok(())
    }
}
