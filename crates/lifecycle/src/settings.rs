//! What the operator decided, as far as the verbs need to know.

use std::sync::Arc;
use std::time::Duration;

use domain::id::NodeId;
use domain::session::SessionRules;
use pki::certificate::Certificate;

/// Settings of one process.
#[derive(Clone, Debug)]
pub struct Settings {
    pub node: NodeId,
    /// `https://host[:port]`, without a slash at the end: what clients see.
    pub public_url: String,
    /// What precedes the hash in account URIs of dns-persist-01.
    pub account_hash_prefix: String,
    pub validation: ValidationSettings,
    pub revocation: RevocationSettings,
    pub limits: LimitSettings,
    pub sign_in: SignInSettings,
    pub client_certificates: ClientCertificateSettings,
    /// Nothing is issued after the clock jumped further than this; zero issues nevertheless.
    pub max_clock_jump: Duration,
    /// How long what has expired is kept before it is deleted.
    pub retention: Duration,
    /// How long a claimed job belongs to the node that claimed it.
    pub lease: Duration,
    /// How long finalize waits for a certificate before it answers `processing`.
    pub finalize_patience: Duration,
}

/// How control of identifiers is probed.
#[derive(Clone, Copy, Debug)]
pub struct ValidationSettings {
    /// Probes under way at once.
    pub concurrency: usize,
    /// Probes of one challenge before it is invalid.
    pub attempts: usize,
    /// Between two probes of one challenge.
    pub interval: Duration,
    /// How long a response to a challenge waits for the verdict before it is `processing`.
    pub patience: Duration,
}

/// How CRLs and OCSP answers are made.
#[derive(Clone, Copy, Debug)]
pub struct RevocationSettings {
    /// From `thisUpdate` to `nextUpdate` of a CRL.
    pub crl_validity: Duration,
    /// How often a CRL is made anew where nothing was revoked.
    pub crl_refresh: Duration,
    /// From `thisUpdate` to `nextUpdate` of an OCSP answer.
    pub ocsp_validity: Duration,
}

/// How much is taken from one client in an hour; `None` is no limit.
#[derive(Clone, Copy, Debug, Default)]
pub struct LimitSettings {
    pub new_accounts_per_address: Option<u32>,
    pub new_orders_per_account: Option<u32>,
    pub failed_validations_per_account: Option<u32>,
}

/// How people sign in.
#[derive(Clone, Copy, Debug)]
pub struct SignInSettings {
    pub sessions: SessionRules,
    pub passwords: PasswordSettings,
}

/// What a password hash costs (argon2id, RFC 9106 section 3.1).
#[derive(Clone, Copy, Debug)]
pub struct PasswordSettings {
    pub memory_kib: u32,
    pub iterations: u32,
    pub lanes: u32,
    /// Hashes under way at once: what bounds the memory that sign-ins can take.
    pub concurrency: usize,
}

/// Whose client certificates may stand for a token.
#[derive(Clone, Debug, Default)]
pub struct ClientCertificateSettings {
    pub own_issuers: bool,
    /// CA certificates besides our own.
    pub authorities: Vec<Arc<Certificate>>,
}
