//! Runs the server: first start, listeners, worker, and an orderly end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use lifecycle::Lifecycle;
use pki::random::Random;
use store::Store;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::config::{Config, Tls};
use crate::control::serve_control;
use crate::first_start;
use crate::health::{self, Health};
use crate::listener::tls::{ReloadableTls, certificate_from_files};
use crate::listener::{ConnectionLimits, Listener, Serving};
use crate::observability;
use crate::observability::metrics::Page;
use crate::own_certificate::{OwnCertificate, replace_file};
use crate::wiring::{self, EmbeddedMaker, Surroundings, Wired};

/// Serves until the process is asked to end.
pub async fn run(config: Config) -> anyhow::Result<()> {
    observability::init_log(&config.log)?;
    observability::log_panics();
    let page = observability::metrics::install();
    let server = Server::start(config, Surroundings::default(), page).await?;
    server.announce().await?;
    wait_for_signal().await?;
    tracing::info!("shutting down");
    server.stop().await;
    Ok(())
}

/// A server at work.
pub struct Server {
    pub config: Config,
    pub lifecycle: Arc<Lifecycle>,
    pub store: Store,
    pub address: SocketAddr,
    pub http_address: Option<SocketAddr>,
    /// Whether this start made the CA.
    pub is_new: bool,
    health: Health,
    shutdown: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
}

impl Server {
    /// Binds, sets up an empty store, and serves.
    pub async fn start(
        mut config: Config,
        surroundings: Surroundings,
        page: Page,
    ) -> anyhow::Result<Self> {
        let listener = Listener::bind(config.server.listen)?;
        let http = config.server.http_listen.map(Listener::bind).transpose()?;
        let address = listener.local_addr();
        let http_address = http.as_ref().map(Listener::local_addr);
        config.server.listening_on(address, http_address);
        let random = Arc::clone(&surroundings.random);
        let Wired {
            lifecycle,
            sealer,
            store,
        } = wiring::wire(&config, surroundings).await?;
        let is_new = set_up(&lifecycle, &config, random).await?;
        let own = OwnCertificate::new(
            Arc::clone(&lifecycle),
            sealer,
            &config.server.data_dir,
            config.server.public_url.host(),
        );
        let shutdown = CancellationToken::new();
        let health = Health::new(Arc::clone(&lifecycle));
        let mut tasks = Vec::new();
        let clients = &config.server.client_certificates;
        let tls = match &config.server.tls {
            Tls::Off => None,
            Tls::Files { certificate, key } => Some(ReloadableTls::with_clients(
                certificate_from_files(certificate, key)?,
                clients.enabled,
            )?),
            Tls::SelfIssued => {
                let certificate = own.load_or_issue().await?;
                let tls = ReloadableTls::with_clients(certificate, clients.enabled)?;
                tasks.push(tokio::spawn(own.keep_fresh(tls.clone(), shutdown.clone())));
                Some(tls)
            }
        };
        let serving = |router: Router, tls| Serving {
            router: observability::instrumented(router, &config.limits),
            tls,
            limits: ConnectionLimits::from(&config),
            trusted_proxies: config.server.trusted_proxies.clone().into(),
            certificate_header: clients.header.clone().filter(|_| clients.enabled),
            shutdown: shutdown.clone(),
        };
        let router = router(&lifecycle, &config, health.clone(), page);
        tasks.push(tokio::spawn(listener.serve(serving(router, tls))));
        if let Some(http) = http {
            // What is signed or protects itself is served without TLS, too.
            let public = frontends::pki::router(Arc::clone(&lifecycle))
                .merge(frontends::challenge_response::router(Arc::clone(
                    &lifecycle,
                )))
                .merge(frontends::scep::router(Arc::clone(&lifecycle)))
                .merge(frontends::cmp::router(Arc::clone(&lifecycle)));
            tasks.push(tokio::spawn(http.serve(serving(public, None))));
        }
        tasks.push(tokio::spawn(Arc::clone(&lifecycle).work(shutdown.clone())));
        tasks.push(tokio::spawn(serve_control(
            Arc::clone(&lifecycle),
            store.clone(),
            config.server.data_dir.clone(),
            shutdown.clone(),
        )));
        Ok(Self {
            config,
            lifecycle,
            store,
            address,
            http_address,
            is_new,
            health,
            shutdown,
            tasks,
        })
    }

    /// Tells the operator where things are.
    #[expect(clippy::print_stdout, reason = "for the person who started it")]
    async fn announce(&self) -> anyhow::Result<()> {
        let url = self.config.server.public_url.as_str();
        tracing::info!(address = %self.address, url, "serving");
        println!("Certwright is ready.");
        for directory in self.lifecycle.list_directories().await? {
            println!(
                "  ACME directory    {url}/acme/{}/directory",
                directory.name
            );
        }
        println!("  Dashboard         {url}/");
        println!(
            "  Root certificate  {}",
            self.config.server.root_pem().display()
        );
        // The secret itself is not stored, so a link that nobody used is replaced by a new one.
        if self.is_new || self.lifecycle.awaits_setup().await? {
            let secret = self.lifecycle.create_setup_link().await?;
            println!("  First login       {url}/setup/{}", secret.expose());
        }
        Ok(())
    }

    /// Stops taking requests, finishes those under way, ends.
    pub async fn stop(self) {
        self.health.begin_shutdown();
        self.shutdown.cancel();
        let grace = self.config.server.shutdown_grace + Duration::from_secs(1);
        let drained = async {
            for task in self.tasks {
                // A task that panicked was logged by the hook.
                let _ = task.await;
            }
            self.lifecycle.drain().await;
        };
        if tokio::time::timeout(grace, drained).await.is_err() {
            tracing::warn!(
                "not everything finished in time; what was begun goes on at the next start"
            );
        }
    }

    /// Ends at once, as if the process had died: for tests of what survives.
    pub fn abandon(self) {
        for task in self.tasks {
            task.abort();
        }
    }
}

/// Every route of the main listener.
fn router(lifecycle: &Arc<Lifecycle>, config: &Config, health: Health, page: Page) -> Router {
    Router::new()
        .merge(frontends::acme::router(Arc::clone(lifecycle)))
        .merge(frontends::challenge_response::router(Arc::clone(lifecycle)))
        .merge(frontends::est::router(Arc::clone(lifecycle)))
        .merge(frontends::pki::router(Arc::clone(lifecycle)))
        .merge(frontends::cmp::router(Arc::clone(lifecycle)))
        .merge(frontends::rest::router(Arc::clone(lifecycle)))
        .merge(frontends::scep::router(Arc::clone(lifecycle)))
        .merge(frontends::dashboard::router(Arc::clone(lifecycle)))
        .merge(health::router(health, &config.metrics, page))
}

async fn set_up(
    lifecycle: &Arc<Lifecycle>,
    config: &Config,
    random: Arc<dyn Random>,
) -> anyhow::Result<bool> {
    let maker = EmbeddedMaker {
        pki_url: config.server.pki_url.as_str().to_owned(),
        random,
    };
    let is_new = lifecycle
        .set_up(&wiring::setup_plan(config), &maker)
        .await
        .context("first start")?;
    if !is_new {
        first_start::warn_of_ignored(lifecycle, config).await?;
    }
    lifecycle.schedule_periodic_jobs().await?;
    if is_new {
        // CRLs are there before the first certificate points to them.
        lifecycle.work_once().await?;
    }
    let anchors = lifecycle.trust_anchors().await?;
    replace_file(&config.server.root_pem(), anchors.to_pem().as_bytes())?;
    Ok(is_new)
}

async fn wait_for_signal() -> anyhow::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = terminate.recv() => Ok(()),
        interrupted = tokio::signal::ctrl_c() => Ok(interrupted?),
    }
}
