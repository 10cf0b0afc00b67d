//! Solvers: they put what a CA elsewhere wants to see where it looks for it, and take it away again.
//!
//! A solver is one file here and one arm in [`open`]; `docs/adding-a-solver.md` walks through it.

mod acme_dns;
mod cloudflare;
mod command;
mod powerdns;
mod responder;
mod rfc2136;
mod route53;

use std::sync::Arc;

use async_trait::async_trait;
use domain::issuer::IssuerSecrets;
use domain::issuer::dns::DnsProvider;
use domain::issuer::response::ProofPlace;
use secrecy::ExposeSecret;
use url::Url;

use crate::issuer::Environment;
use crate::net::ServiceHttp;

/// Where a response goes, and what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// The token of http-01; the name of the TXT record of dns-01, without a dot at its end.
    pub name: String,
    /// The file's or the record's content.
    pub value: String,
}

/// Puts responses where a CA looks for them.
///
/// Both verbs are repeated after a crash: placing what is there already and removing what is gone
/// succeed. Several responses may stand under one name at the same time, and each is removed alone.
#[async_trait]
pub trait ChallengeSolver: Send + Sync {
    /// Where the CA has to look.
    fn place(&self) -> ProofPlace;

    /// Puts a response in its place.
    async fn put(&self, proof: &Proof) -> Result<(), SolveError>;

    /// Takes it away.
    async fn remove(&self, proof: &Proof) -> Result<(), SolveError>;

    /// Looks whether responses could be put in place, and changes nothing. Says what was found.
    async fn check(&self) -> Result<String, SolveError>;
}

/// Why a response is not where it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SolveError {
    /// Another try can help.
    #[error("{0}")]
    Unavailable(String),
    /// Somebody has to change something first.
    #[error("{0}")]
    Refused(String),
}

impl SolveError {
    /// What an HTTP status says about another try.
    fn of_status(status: http::StatusCode, text: String) -> Self {
        let passing = status.is_server_error()
            || status == http::StatusCode::TOO_MANY_REQUESTS
            || status == http::StatusCode::REQUEST_TIMEOUT;
        match passing {
            true => Self::Unavailable(text),
            false => Self::Refused(text),
        }
    }
}

/// What solvers work with.
#[derive(Clone)]
pub struct SolverPorts {
    pub environment: Environment,
    pub secrets: IssuerSecrets,
}

impl SolverPorts {
    /// A secret that the provider cannot do without.
    fn secret(&self, name: &str) -> Result<&str, String> {
        let secret = self.secrets.require(name);
        let secret = secret.map_err(|error| error.to_string())?;
        Ok(secret.expose_secret().trim())
    }

    /// A guarded client for the provider's service, and its URL.
    fn service(
        &self,
        url: &str,
        trust_anchors: Option<&str>,
    ) -> Result<(ServiceHttp, Url), String> {
        let service = self.environment.service(url, trust_anchors, None);
        service.map_err(|error| error.to_string())
    }
}

/// Makes the solver that answers http-01 here.
pub fn responder() -> Arc<dyn ChallengeSolver> {
    Arc::new(responder::Responder)
}

/// Makes the solver of a DNS provider, or says which setting is in the way. It connects to nothing yet.
pub fn open(
    provider: &DnsProvider,
    ports: &SolverPorts,
) -> Result<Arc<dyn ChallengeSolver>, String> {
    match provider {
        DnsProvider::Rfc2136 {
            server,
            zone,
            tsig_name,
            tsig_algorithm,
        } => rfc2136::open(server, zone.as_deref(), (tsig_name, *tsig_algorithm), ports),
        DnsProvider::PowerDns {
            url,
            server_id,
            trust_anchors,
        } => powerdns::open(url, server_id, trust_anchors.as_deref(), ports),
        DnsProvider::Cloudflare { url } => cloudflare::open(url.as_deref(), ports),
        DnsProvider::Route53 {
            access_key_id,
            hosted_zone_id,
            url,
        } => route53::open(
            access_key_id,
            hosted_zone_id.as_deref(),
            url.as_deref(),
            ports,
        ),
        DnsProvider::AcmeDns {
            url,
            username,
            subdomain,
            trust_anchors,
        } => acme_dns::open(url, (username, subdomain), trust_anchors.as_deref(), ports),
        DnsProvider::Command { program } => command::open(program, ports),
    }
}

/// The names a record may belong to a zone of, the longest first: `a.b.example.com`, `b.example.com`, …
fn ancestors(name: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(name.trim_end_matches('.'));
    std::iter::from_fn(move || {
        let this = rest?;
        rest = this.split_once('.').map(|(_, above)| above);
        Some(this)
    })
}

/// How long name servers may keep a response: it changes with every order.
const TTL_SECONDS: u32 = 60;
