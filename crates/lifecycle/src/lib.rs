//! The verbs of certificate lifecycle management: what is done with the nouns of `domain`.
//!
//! Front ends call these functions and render what they give; nothing here knows a wire format.
//! Every function that acknowledges something returns after it is durable. No transaction is
//! open while something outside (a CA, a validated host) is waited for.

pub mod access;
pub mod acme;
pub mod actor;
pub mod approvals;
mod authorities;
mod bounds;
pub mod bulk;
pub mod challenge_responses;
pub mod client_certificates;
mod clock_watch;
pub mod cmp;
pub mod connector_state;
mod delegate;
pub mod enrolling;
pub mod event_stream;
pub mod events;
pub mod held_keys;
pub mod idempotency;
pub mod inventory;
pub mod issuance;
pub mod issuer_health;
pub mod issuer_migration;
pub mod issuers;
pub mod jobs;
pub mod limits;
pub mod metadata;
pub mod notification;
pub mod operator;
pub mod profiles;
mod remembered;
pub mod renewal;
pub mod renewal_advice;
pub mod revocation;
pub mod routing;
pub mod settings;
pub mod setup;
pub mod sign_in;
pub mod sign_on;
pub mod users;

use std::collections::HashMap;
use std::sync::Arc;

use domain::acme::challenge::ChallengeKind;
use domain::acme::email::EmailExchange;
use domain::acme::validation::{CaaChecker, ChallengeValidator};
use domain::clock::Clock;
use domain::issuer::ConnectorFactory;
use domain::issuer::published::PublishedFetcher;
use domain::keystore::{KeyStore, Sealer};
use domain::notification::notifier::NotifierKind;
use domain::sign_on::SignOnClient;
use pki::random::Random;
use pki::time::Timestamp;
use store::Store;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

pub use clock_watch::ClockJumped;
pub use settings::Settings;
pub use store::StoreError;
pub use store::accounts::AccountFilter;
pub use store::approvals::{ApprovalCursor, ApprovalFilter, ApprovalSort};
pub use store::blocked_keys::BlockedKey;
pub use store::certificates::{
    CertificateCursor, CertificateFilter, CertificateSort, Listed, NameQuery, SortKey,
};
pub use store::crls::StoredCrl;
pub use store::delegations::DelegationFilter;
pub use store::enrollments::EnrollmentFilter;
pub use store::events::EventFilter;
pub use store::grants::GrantFilter;
pub use store::notification::deliveries::DeliveryFilter;
pub use store::notification::incidents::IncidentFilter;
pub use store::orders::OrderFilter;

/// What the outside provides.
pub struct Ports {
    pub store: Store,
    pub clock: Arc<dyn Clock>,
    pub random: Arc<dyn Random>,
    pub sealer: Arc<dyn Sealer>,
    pub key_store: Arc<dyn KeyStore>,
    pub connectors: Arc<dyn ConnectorFactory>,
    pub published: Arc<dyn PublishedFetcher>,
    pub validators: Vec<Arc<dyn ChallengeValidator>>,
    pub caa: Arc<dyn CaaChecker>,
    pub notifiers: Vec<Arc<dyn NotifierKind>>,
    pub sign_on: Arc<dyn SignOnClient>,
    /// Who carries mails of challenges, where that is set up.
    pub email: Option<Arc<dyn EmailExchange>>,
}

/// The verbs, with what they need. One per process, shared by all front ends.
pub struct Lifecycle {
    pub(crate) store: Store,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) clock_watch: clock_watch::ClockWatch,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) sealer: Arc<dyn Sealer>,
    pub(crate) key_store: Arc<dyn KeyStore>,
    pub(crate) validators: HashMap<ChallengeKind, Arc<dyn ChallengeValidator>>,
    pub(crate) caa: Arc<dyn CaaChecker>,
    pub(crate) published: Arc<dyn PublishedFetcher>,
    pub(crate) sign_on: Arc<dyn SignOnClient>,
    pub(crate) email: Option<Arc<dyn EmailExchange>>,
    pub(crate) passwords: sign_in::Passwords,
    /// `None` where the public URL names no domain.
    pub(crate) webauthn: Option<webauthn_rs::Webauthn>,
    pub(crate) settings: Settings,
    pub(crate) issuers: issuers::IssuerRegistry,
    pub(crate) figures: routing::Figures,
    pub(crate) draws: routing::Draws,
    pub(crate) profiles: profiles::ProfileCache,
    pub(crate) fields: metadata::FieldCache,
    pub(crate) directories: acme::directories::DirectoryCache,
    pub(crate) accounts: acme::accounts::AccountCache,
    pub(crate) cmp_endpoints: cmp::endpoints::EndpointCache,
    pub(crate) cmp_signers: cmp::SignerCache,
    pub(crate) rights: access::rights::RightsCache,
    pub(crate) nonces: acme::nonces::Nonces,
    pub(crate) ocsp: revocation::ocsp::OcspCache,
    pub(crate) crls: revocation::crl::CrlCache,
    pub(crate) jobs: jobs::JobSignal,
    pub(crate) places: jobs::Places,
    pub(crate) event_ids: actor::EventIds,
    pub(crate) event_watch: event_stream::EventWatch,
    pub(crate) notifiers: Arc<notification::Notifiers>,
    pub(crate) probes: acme::validation::Probes,
    /// Work that outlives the request that began it; shutdown waits for it.
    pub(crate) tasks: TaskTracker,
}

impl Lifecycle {
    /// Joins the parts. Nothing is read or written yet.
    pub fn new(ports: Ports, settings: Settings) -> Arc<Self> {
        let nonces = acme::nonces::Nonces::new(&ports.store, &*ports.random);
        let passwords = sign_in::Passwords::new(&settings.sign_in.passwords, &*ports.random);
        Arc::new(Self {
            issuers: issuers::IssuerRegistry::new(ports.connectors),
            figures: routing::Figures::default(),
            draws: routing::Draws::default(),
            profiles: profiles::ProfileCache::new(),
            fields: metadata::FieldCache::for_a_second(1),
            directories: acme::directories::DirectoryCache::for_a_second(1_000),
            accounts: acme::accounts::AccountCache::for_a_second(10_000),
            cmp_endpoints: cmp::endpoints::EndpointCache::for_a_second(1_000),
            cmp_signers: cmp::SignerCache::new(),
            rights: access::rights::RightsCache::for_a_second(10_000),
            nonces,
            ocsp: revocation::ocsp::OcspCache::new(),
            crls: revocation::crl::CrlCache::for_a_second(1_000),
            jobs: jobs::JobSignal::default(),
            places: jobs::Places::default(),
            event_ids: actor::EventIds::default(),
            event_watch: event_stream::EventWatch::default(),
            notifiers: Arc::new(notification::Notifiers::new(ports.notifiers)),
            probes: acme::validation::Probes::new(settings.validation.concurrency),
            tasks: TaskTracker::new(),
            clock_watch: clock_watch::ClockWatch::new(&*ports.clock, settings.max_clock_jump),
            store: ports.store,
            clock: ports.clock,
            random: ports.random,
            sealer: ports.sealer,
            key_store: ports.key_store,
            validators: ports
                .validators
                .into_iter()
                .map(|validator| (validator.kind(), validator))
                .collect(),
            caa: ports.caa,
            published: ports.published,
            sign_on: ports.sign_on,
            email: ports.email,
            passwords,
            webauthn: sign_in::passkeys::relying_party(&settings.public_url),
            settings,
        })
    }

    /// Now.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Where randomness comes from.
    pub fn random(&self) -> &dyn pki::random::Random {
        &*self.random
    }

    /// What this process was told.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Whether the store answers: what readiness asks.
    pub async fn check_store(&self) -> Result<(), store::StoreError> {
        self.store
            .read("ready", |tx| {
                Box::pin(async move { tx.find_setting("installation").await.map(drop) })
            })
            .await
    }

    /// Waits for the work that outlives its requests, after the last request is done.
    pub async fn drain(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Runs work that is not to end with the request that began it; shutdown waits for it. What it logs
    /// carries the request's id nevertheless.
    pub fn detach<F>(&self, work: F) -> tokio::task::JoinHandle<F::Output>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        self.tasks.spawn(work.in_current_span())
    }

    /// A random text that nobody can guess: what a page's own style sheets are known by.
    pub fn page_nonce(&self) -> String {
        data_encoding::BASE64URL_NOPAD.encode(&self.random.octets::<18>())
    }

    /// True in `percent` of the calls.
    pub fn chance(&self, percent: u8) -> bool {
        self.draw() * 100.0 < f64::from(percent)
    }

    /// Whether other processes may work on the same store.
    pub(crate) fn is_shared(&self) -> bool {
        self.store.is_shared()
    }
}
