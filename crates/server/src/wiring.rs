//! Wiring: from the configuration to the parts, and the parts joined.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use connectors::challenge::{DnsCaaChecker, ValidationSettings as ProbeSettings, validators};
use connectors::issuer::ca_certificate::{
    ParentUrls, Validity, issuing_certificate, root_certificate,
};
use connectors::issuer::published::GuardedPublished;
use connectors::issuer::{Connectors, Environment};
use connectors::keystore::{
    AeadSealer, FileKeyStore, KeyRing, Pkcs11Config, Pkcs11KeyStore, SealKey, TokenSelector,
};
use connectors::net::{Dialer, NetworkPolicy, Resolver, ResolverConfig};
use connectors::notify;
use connectors::sign_on::OpenIdConnect;
use domain::acme::directory::{Caa, DirectorySpec};
use domain::clock::Clock;
use domain::id::NodeId;
use domain::issuer::ConnectorFactory;
use domain::keystore::Sealer;
use domain::session::SessionRules;
use lifecycle::challenge_responses::StoredChallengeResponses;
use lifecycle::connector_state::StoredConnectorState;
use lifecycle::settings::{
    ClientCertificateSettings, LimitSettings, PasswordSettings, RevocationSettings, SignInSettings,
    ValidationSettings,
};
use lifecycle::setup::{CaCertificateMaker, CaCertificateRequest, SetupPlan};
use lifecycle::{Lifecycle, Ports, Settings};
use pki::certificate::Certificate;
use pki::name::{Attribute, DistinguishedName};
use pki::oid;
use pki::random::{Random, SystemRandom};
use secrecy::ExposeSecret;
use store::{Store, StoreConfig};

use crate::clock::HostClock;
use crate::config::{
    ClientCertificates, Config, DatabaseTarget, KeyStore, Pkcs11, Seal, SignIn, Token,
};
use crate::email;

/// The parts that tests put others in the place of.
#[derive(Clone)]
pub struct Surroundings {
    pub clock: Arc<dyn Clock>,
    pub random: Arc<dyn Random>,
    /// Stands around the connectors of issuers.
    pub connectors: Option<AroundConnectors>,
}

/// Makes connectors of which a test decides what they do.
pub type AroundConnectors =
    Arc<dyn Fn(Arc<dyn ConnectorFactory>) -> Arc<dyn ConnectorFactory> + Send + Sync>;

impl Default for Surroundings {
    fn default() -> Self {
        Self {
            clock: Arc::new(HostClock),
            random: Arc::new(SystemRandom::new()),
            connectors: None,
        }
    }
}

/// Everything joined, and what the server itself needs besides.
pub struct Wired {
    pub lifecycle: Arc<Lifecycle>,
    pub sealer: Arc<dyn Sealer>,
    pub store: Store,
}

/// Opens the store and joins the parts, for commands that work beside a server or without one.
pub async fn open(config: &Config) -> anyhow::Result<Wired> {
    wire(config, Surroundings::default()).await
}

/// Opens the store and joins the parts.
pub async fn wire(config: &Config, surroundings: Surroundings) -> anyhow::Result<Wired> {
    prepare_data_dir(config)?;
    let Surroundings {
        clock,
        random,
        connectors: around,
    } = surroundings;
    let seal_key = match &config.seal {
        Seal::File(path) => SealKey::load_or_create(path, &*random)?,
        Seal::Key(key) => {
            SealKey::from_octets(secrecy::SecretBox::new(Box::new(*key.expose_secret())))
        }
    };
    let sealer: Arc<dyn Sealer> = Arc::new(AeadSealer::new(&seal_key));
    let store = Store::open(store_config(config))
        .await
        .with_context(|| format!("database {}", config.database.target.shown()))?;
    let token = match &config.ca.key_store {
        KeyStore::File => None,
        KeyStore::Pkcs11(pkcs11) => Some(Pkcs11KeyStore::new(pkcs11_config(pkcs11)?)?),
    };
    let keys = Arc::new(KeyRing::new(FileKeyStore::new(Arc::clone(&sealer)), token));
    let resolver = Arc::new(Resolver::new(&ResolverConfig {
        servers: config.validation.resolvers.clone(),
        // On loopback nobody forges from outside, and small DNS servers compare names to the letter.
        case_randomization: !config
            .validation
            .resolvers
            .iter()
            .any(|server| server.ip().is_loopback()),
        ..ResolverConfig::default()
    })?);
    let dialer = Dialer::new(Arc::clone(&resolver), network_policy(config));
    let probes = ProbeSettings {
        http01_port: config.validation.http01_port,
        tlsalpn01_port: config.validation.tlsalpn01_port,
        timeout: config.validation.timeout,
    };
    let settings = settings(config, NodeId::mint(clock.now(), &*random))?;
    let connectors: Arc<dyn ConnectorFactory> = Arc::new(Connectors::new(
        Arc::clone(&keys) as _,
        config.server.pki_url.as_str(),
        Arc::clone(&sealer),
        Environment {
            dialer: dialer.clone(),
            resolver: Arc::clone(&resolver),
            clock: Arc::clone(&clock),
            random: Arc::clone(&random),
            state: Arc::new(StoredConnectorState::new(
                store.clone(),
                Arc::clone(&sealer),
                Arc::clone(&clock),
            )),
            responses: Arc::new(StoredChallengeResponses::new(store.clone())),
            commands: config.ca.commands.clone(),
        },
    ));
    let ports = Ports {
        store: store.clone(),
        connectors: match around {
            None => connectors,
            Some(around) => around(connectors),
        },
        clock,
        random,
        sealer: Arc::clone(&sealer),
        key_store: keys,
        validators: validators(&dialer, probes),
        caa: Arc::new(DnsCaaChecker::new(resolver)),
        notifiers: notify::kinds(&dialer),
        published: Arc::new(GuardedPublished::new(dialer.clone())),
        email: email::exchange(config.email_challenge.as_ref(), &dialer)?,
        sign_on: Arc::new(OpenIdConnect::new(dialer)),
    };
    Ok(Wired {
        lifecycle: Lifecycle::new(ports, settings),
        sealer,
        store,
    })
}

/// The directory holds the CA's sealed keys: nobody else has business in it.
pub(crate) fn prepare_data_dir(config: &Config) -> anyhow::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    let path = &config.server.data_dir;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .with_context(|| format!("data directory {}", path.display()))
}

pub(crate) fn store_config(config: &Config) -> StoreConfig {
    let url = match &config.database.target {
        DatabaseTarget::Sqlite(path) => format!("sqlite://{}", path.display()),
        DatabaseTarget::Postgres(url) => url.expose_secret().to_owned(),
    };
    StoreConfig {
        connections: config.database.pool_size,
        ..StoreConfig::new(url)
    }
}

fn pkcs11_config(pkcs11: &Pkcs11) -> anyhow::Result<Pkcs11Config> {
    Ok(Pkcs11Config {
        module: pkcs11.module.clone(),
        token: match &pkcs11.token {
            Token::Label(label) => TokenSelector::Label(label.clone()),
            Token::Slot(slot) => TokenSelector::Slot(*slot),
        },
        pin: email::first_line(&pkcs11.pin)?,
    })
}

/// Loopback may be probed while nobody but this machine can reach us: then it is a trial run.
fn network_policy(config: &Config) -> NetworkPolicy {
    let server = &config.server;
    let mut own_listeners = vec![server.listen];
    own_listeners.extend(server.http_listen);
    NetworkPolicy {
        allow: config.validation.allow_networks.clone(),
        deny: config.validation.deny_networks.clone(),
        allow_loopback: own_listeners.iter().all(|a| a.ip().is_loopback()),
        own_listeners,
    }
}

fn settings(config: &Config, node: NodeId) -> anyhow::Result<Settings> {
    let public_url = config.server.public_url.as_str().to_owned();
    let limits = &config.limits;
    Ok(Settings {
        node,
        account_hash_prefix: format!("{public_url}/acme/account-hash/"),
        public_url,
        validation: ValidationSettings {
            concurrency: config.validation.concurrency,
            attempts: config.validation.retries as usize + 1,
            interval: config.validation.retry_interval,
            patience: VALIDATION_PATIENCE,
        },
        revocation: RevocationSettings {
            crl_validity: config.ca.crl_validity,
            crl_refresh: config.ca.crl_refresh,
            ocsp_validity: config.ca.ocsp_validity,
        },
        limits: LimitSettings {
            new_accounts_per_address: limits.new_accounts_per_ip_per_hour.map(Into::into),
            new_orders_per_account: limits.new_orders_per_account_per_hour.map(Into::into),
            failed_validations_per_account: limits
                .failed_validations_per_account_per_hour
                .map(Into::into),
        },
        sign_in: sign_in_settings(&config.sign_in),
        client_certificates: client_certificate_settings(&config.server.client_certificates)?,
        max_clock_jump: config.ca.max_clock_jump,
        retention: config.retention.orders,
        lease: LEASE,
        finalize_patience: FINALIZE_PATIENCE,
    })
}

fn sign_in_settings(sign_in: &SignIn) -> SignInSettings {
    SignInSettings {
        sessions: SessionRules {
            idle: sign_in.session_idle,
            absolute: sign_in.session_absolute,
            recent: sign_in.recent,
        },
        passwords: PasswordSettings {
            memory_kib: sign_in.password_memory_kib,
            iterations: sign_in.password_iterations,
            lanes: 1,
            concurrency: sign_in.password_concurrency,
        },
    }
}

fn client_certificate_settings(
    clients: &ClientCertificates,
) -> anyhow::Result<ClientCertificateSettings> {
    if !clients.enabled {
        return Ok(ClientCertificateSettings::default());
    }
    let mut authorities = Vec::new();
    if let Some(path) = &clients.authorities {
        let context = || format!("server.client_authorities {}", path.display());
        let pem = std::fs::read(path).with_context(context)?;
        for der in pki::pem::decode_all(pki::pem::CERTIFICATE, &pem).with_context(context)? {
            let certificate = Certificate::from_der(&der).with_context(context)?;
            authorities.push(Arc::new(certificate));
        }
        anyhow::ensure!(
            !authorities.is_empty(),
            "{} holds no certificate",
            context()
        );
    }
    Ok(ClientCertificateSettings {
        own_issuers: clients.own_issuers,
        authorities,
    })
}

/// What the first start makes of an empty store.
pub fn setup_plan(config: &Config) -> SetupPlan {
    let ca = &config.ca;
    let acme = &config.acme;
    SetupPlan {
        root_name: ca.root.name.clone(),
        root_algorithm: ca.root.key_algorithm,
        root_validity: ca.root.validity,
        issuer_name: ca.issuer.name.clone(),
        issuer_algorithm: ca.issuer.key_algorithm,
        issuer_validity: ca.issuer.validity,
        directory: DirectorySpec {
            profiles: vec!["default".to_owned(), "short-lived".to_owned()],
            external_account_required: acme.external_account_required,
            terms_of_service: acme.terms_of_service.as_ref().map(ToString::to_string),
            website: acme.website.as_ref().map(ToString::to_string),
            caa: match config.validation.caa {
                true => Caa::Enforced,
                false => Caa::Ignored,
            },
            caa_identities: acme.caa_identities.clone(),
            order_lifetime_seconds: acme.order_lifetime.as_secs(),
            pending_authorization_lifetime_seconds: acme.authorization_lifetime.as_secs(),
            authorization_reuse_seconds: acme.authorization_reuse.as_secs(),
            ..DirectorySpec::default()
        },
    }
}

/// Makes CA certificates as the embedded CA wants them.
pub struct EmbeddedMaker {
    pub pki_url: String,
    pub random: Arc<dyn Random>,
}

impl CaCertificateMaker for EmbeddedMaker {
    fn make(&self, request: &CaCertificateRequest<'_>) -> Result<Vec<u8>, String> {
        let subject = DistinguishedName::from_attributes([Attribute::text(
            &oid::COMMON_NAME,
            request.subject,
        )]);
        let not_before = (request.now - CA_BACKDATE).floor_to_second();
        let end = not_before + request.validity - Duration::from_secs(1);
        let made = match request.parent {
            None => {
                let validity = Validity {
                    not_before,
                    not_after: end,
                };
                root_certificate(&subject, request.key, validity, &*self.random)
            }
            Some((parent, name)) => {
                let base = format!("{}/pki/{name}", self.pki_url);
                let urls = ParentUrls {
                    ca_issuers: vec![format!("{base}/ca.der")],
                    crl: vec![format!("{base}/crl")],
                };
                let validity = Validity {
                    not_before,
                    not_after: end.min(parent.certificate.not_after),
                };
                let key = request.key.public_key();
                issuing_certificate(&subject, key, validity, parent, urls, &*self.random)
            }
        };
        made.map_err(|error| error.to_string())
    }
}

const LEASE: Duration = Duration::from_secs(60);
/// Longer than an honest probe takes nearby, and nothing that a client would notice.
const VALIDATION_PATIENCE: Duration = Duration::from_millis(150);
const FINALIZE_PATIENCE: Duration = Duration::from_secs(5);
const CA_BACKDATE: Duration = Duration::from_secs(60 * 60);
