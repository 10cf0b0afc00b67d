//! A server in process: real sockets, a real database, a clock that the test turns.

use std::sync::Arc;
use std::time::Duration;

use certwright::config::Config;
use certwright::observability::metrics;
use certwright::serve::Server;
use certwright::wiring::{AroundConnectors, Surroundings};
use lifecycle::Lifecycle;
use pki::random::SystemRandom;
use tempfile::TempDir;

use crate::acme::Client;
use crate::clock::MockClock;
use crate::dns::TestDns;
use crate::http01::TestWeb;
use crate::issuer::IssuerDouble;

/// Where the suite's databases are.
#[derive(Clone, Debug)]
enum Database {
    Sqlite,
    Postgres { url: String },
}

/// A server with the other ends that validation talks to.
pub struct TestServer {
    pub clock: MockClock,
    pub dns: TestDns,
    pub web: TestWeb,
    pub data: TempDir,
    server: Option<Server>,
    database: Database,
    extra: String,
    /// Lines for the table `server`.
    server_lines: String,
    listen: String,
    issuers: Option<IssuerDouble>,
}

impl TestServer {
    /// A server with an empty database.
    pub async fn start() -> Self {
        Self::start_with("").await
    }

    /// A server with these TOML tables in its configuration, none of which may be `server` or
    /// `database`.
    pub async fn start_with(extra: &str) -> Self {
        let clock = MockClock::at_present();
        Self::start_at(clock, extra).await
    }

    /// The same with a clock that the test made.
    pub async fn start_at(clock: MockClock, extra: &str) -> Self {
        Self::start_as(clock, extra, None).await
    }

    /// The same with issuers that do what the test says.
    pub async fn start_with_issuers(issuers: &IssuerDouble) -> Self {
        Self::start_as(MockClock::at_present(), "", Some(issuers.clone())).await
    }

    /// The same with these lines in the table `server`.
    pub async fn start_with_server(lines: &str) -> Self {
        let database = Database::of_environment().await;
        let data = tempfile::tempdir().unwrap();
        let clock = MockClock::at_present();
        Self::start_on_with(clock, "", lines, None, database, data).await
    }

    /// A server on PostgreSQL, also where the suite runs on SQLite.
    pub async fn start_on_postgres() -> Self {
        let database = Database::postgres().await;
        let data = tempfile::tempdir().unwrap();
        Self::start_on(MockClock::at_present(), "", None, database, data).await
    }

    /// A server on the data directory that another one left, with its SQLite file.
    pub async fn take_over(data: TempDir, clock: MockClock) -> Self {
        Self::start_on(clock, "", None, Database::Sqlite, data).await
    }

    async fn start_as(clock: MockClock, extra: &str, issuers: Option<IssuerDouble>) -> Self {
        let database = Database::of_environment().await;
        let data = tempfile::tempdir().unwrap();
        Self::start_on(clock, extra, issuers, database, data).await
    }

    async fn start_on(
        clock: MockClock,
        extra: &str,
        issuers: Option<IssuerDouble>,
        database: Database,
        data: TempDir,
    ) -> Self {
        Self::start_on_with(clock, extra, "", issuers, database, data).await
    }

    async fn start_on_with(
        clock: MockClock,
        extra: &str,
        server_lines: &str,
        issuers: Option<IssuerDouble>,
        database: Database,
        data: TempDir,
    ) -> Self {
        // Tests run in processes of their own; who is first installs the provider.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let mut server = Self {
            clock,
            dns: TestDns::start().await,
            web: TestWeb::start().await,
            data,
            server: None,
            database,
            extra: extra.to_owned(),
            server_lines: server_lines.to_owned(),
            listen: "127.0.0.1:0".to_owned(),
            issuers,
        };
        server.run().await;
        server
    }

    /// Ends the process's work at once and starts again on the same data and address.
    pub async fn crash_and_restart(&mut self) {
        if let Some(server) = self.server.take() {
            self.listen = server.address.to_string();
            server.abandon();
        }
        // The writer holds the database's lock until its last clone is gone.
        tokio::time::sleep(Duration::from_millis(50)).await;
        self.run().await;
    }

    /// A second node beside this one on the same (shared) database; `None` on SQLite.
    pub async fn second_node(&self) -> Option<Server> {
        match &self.database {
            Database::Sqlite => None,
            Database::Postgres { .. } => {
                let public = self.url();
                let config = self.config("127.0.0.1:0", Some(&public));
                Some(self.serve(config).await.unwrap())
            }
        }
    }

    async fn run(&mut self) {
        let mut last = None;
        for _ in 0..100 {
            let config = self.config(&self.listen, None);
            match self.serve(config).await {
                Ok(server) => {
                    self.server = Some(server);
                    return;
                }
                Err(error) => last = Some(error),
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the server does not start: {:#}", last.unwrap());
    }

    async fn serve(&self, config: Config) -> anyhow::Result<Server> {
        let surroundings = Surroundings {
            clock: Arc::new(self.clock.clone()),
            random: Arc::new(SystemRandom::new()),
            connectors: self.issuers.clone().map(|double| {
                let around = move |factory| double.around(factory);
                Arc::new(around) as AroundConnectors
            }),
        };
        Server::start(config, surroundings, metrics::install()).await
    }

    fn config(&self, listen: &str, public_url: Option<&str>) -> Config {
        let data = self.data.path().display();
        let public = public_url.map_or_else(String::new, |url| format!("public_url = \"{url}\""));
        let (dns, web) = (self.dns.address, self.web.address.port());
        let database = match &self.database {
            Database::Sqlite => String::new(),
            Database::Postgres { url } => format!("[database]\nurl = \"{url}\""),
        };
        let validation = match self.extra.contains("[validation]") {
            true => String::new(),
            false => "[validation]".to_owned(),
        };
        let common = format!(
            "http01_port = {web}\nresolvers = [\"{dns}\"]\nretry_interval_seconds = 1\nretries = 1\n"
        );
        let extra = match validation.is_empty() {
            true => self
                .extra
                .replace("[validation]", &format!("[validation]\n{common}")),
            false => format!("{validation}\n{common}\n{}", self.extra),
        };
        let tls = match self.server_lines.contains("tls = ") {
            true => "",
            false => "tls = \"off\"",
        };
        let lines = &self.server_lines;
        // What a password costs is looked at where it is hashed; here it may be cheap.
        let sign_in = match extra.contains("[sign_in]") {
            true => "",
            false => "[sign_in]\npassword_memory_kib = 64\npassword_iterations = 1",
        };
        let text = format!(
            "[server]\nlisten = \"{listen}\"\ndata_dir = \"{data}\"\n{tls}\n{lines}\n{public}\n{database}\n\
             {sign_in}\n{extra}"
        );
        Config::from_toml(&text).unwrap_or_else(|error| panic!("{error}\n{text}"))
    }

    fn running(&self) -> &Server {
        self.server.as_ref().unwrap()
    }

    /// The URL that clients see, without a slash at the end.
    pub fn url(&self) -> String {
        self.running().config.server.public_url.as_str().to_owned()
    }

    /// The URL of an ACME directory.
    pub fn directory_url(&self, name: &str) -> String {
        format!("{}/acme/{name}/directory", self.url())
    }

    /// The verbs, for what has no front end in the test.
    pub fn lifecycle(&self) -> &Arc<Lifecycle> {
        &self.running().lifecycle
    }

    /// The store, to look at what is written.
    pub fn store(&self) -> &store::Store {
        &self.running().store
    }

    /// An ACME client of the directory `default` with a fresh P-256 key, not registered.
    pub async fn client(&self) -> Client {
        Client::new(&self.directory_url("default")).await
    }

    /// The same with an account.
    pub async fn registered_client(&self) -> Client {
        let mut client = self.client().await;
        client.register().await;
        client
    }

    /// Runs what is due now, as often as there is something.
    pub async fn run_jobs(&self) {
        for _ in 0..100 {
            if !self.lifecycle().work_once().await.unwrap() {
                return;
            }
        }
    }

    /// What `/metrics` says.
    pub async fn metrics(&self) -> String {
        let page = reqwest::get(format!("{}/metrics", self.url())).await;
        page.unwrap().text().await.unwrap()
    }

    /// Runs what is due until `done`, since the server's own worker may be at it at the same time.
    #[track_caller]
    pub fn run_jobs_until(&self, mut done: impl AsyncFnMut() -> bool) -> impl Future<Output = ()> {
        let caller = std::panic::Location::caller();
        async move {
            for _ in 0..400 {
                self.run_jobs().await;
                if done().await {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(25)).await;
            }
            panic!("not done after four hundred rounds: {caller}");
        }
    }

    /// Stops in an orderly way, and gives the data directory for whoever takes it over.
    pub async fn stop(mut self) -> TempDir {
        if let Some(server) = self.server.take() {
            server.stop().await;
        }
        std::mem::replace(&mut self.data, tempfile::tempdir().unwrap())
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        if let Some(server) = self.server.take() {
            server.abandon();
        }
    }
}

impl Database {
    /// The suite runs once on each engine: `CERTWRIGHT_TEST_DATABASE` says which.
    #[expect(clippy::disallowed_methods, reason = "how the suite is told")]
    async fn of_environment() -> Self {
        match std::env::var("CERTWRIGHT_TEST_DATABASE").as_deref() {
            Ok("postgres") => Self::postgres().await,
            _ => Self::Sqlite,
        }
    }

    async fn postgres() -> Self {
        let cluster = store::testing::PostgresCluster::shared().unwrap();
        let url = cluster.database().await.unwrap();
        Self::Postgres { url }
    }
}
