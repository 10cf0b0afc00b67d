//! Sections `[acme]`, `[limits]`, `[log]`, `[metrics]` and `[retention]`: how the service behaves from
//! day to day.

use std::num::NonZeroU32;
use std::time::Duration;

use secrecy::SecretString;
use tracing_subscriber::EnvFilter;
use url::Url;

use super::reader::{Reader, Refusal};

const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;

/// The ACME front end.
#[derive(Clone, Debug)]
pub struct Acme {
    /// Whether new accounts need an external account binding (RFC 8555 section 7.3.4).
    pub external_account_required: bool,
    /// Terms that a new account must agree to.
    pub terms_of_service: Option<Url>,
    /// A page about this service.
    pub website: Option<Url>,
    /// Names by which CAA records permit this CA.
    pub caa_identities: Vec<String>,
    /// After this an order that is not finalized becomes invalid.
    pub order_lifetime: Duration,
    /// After this an authorization expires.
    pub authorization_lifetime: Duration,
    /// For this long new orders reuse a valid authorization; zero means never.
    pub authorization_reuse: Duration,
}

impl Acme {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let url = "https://ca.example/terms";
        Self {
            external_account_required: reader.switch("acme.external_account_required"),
            terms_of_service: reader.parsed("acme.terms_of_service", url),
            website: reader.parsed("acme.website", url),
            caa_identities: reader.list("acme.caa_identities", domain),
            order_lifetime: reader.duration("acme.order_lifetime_hours", HOUR, 1..=8760),
            authorization_lifetime: reader.duration(
                "acme.authorization_lifetime_hours",
                HOUR,
                1..=8760,
            ),
            authorization_reuse: reader.duration("acme.authorization_reuse_hours", HOUR, 0..=8760),
        }
    }
}

fn domain(text: &str) -> Result<String, Refusal> {
    let letters = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    if text.is_empty() || !text.chars().all(letters) {
        return Err(Refusal::new(
            format!("`{text}` is not a domain name"),
            "write a name like ca.example",
        ));
    }
    Ok(text.to_ascii_lowercase())
}

/// Protection against overload. `None` is a limit that is off.
#[derive(Clone, Debug)]
pub struct Limits {
    /// ACME accounts created from one address.
    pub new_accounts_per_ip_per_hour: Option<NonZeroU32>,
    /// ACME orders created by one account.
    pub new_orders_per_account_per_hour: Option<NonZeroU32>,
    /// Failed validations of one account.
    pub failed_validations_per_account_per_hour: Option<NonZeroU32>,
    /// Requests of any kind from one address.
    pub requests_per_second_per_ip: Option<NonZeroU32>,
    /// Connections open at the same time.
    pub max_connections: usize,
    /// Limit of a TLS handshake.
    pub handshake_timeout: Duration,
    /// Limit of a request's header.
    pub header_timeout: Duration,
    /// Limit of a request's body.
    pub body_timeout: Duration,
    /// A connection on which nothing moves for this long is closed.
    pub idle_timeout: Duration,
    /// Largest request body, where a route does not say otherwise.
    pub max_body: usize,
}

impl Limits {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        Self {
            new_accounts_per_ip_per_hour: reader.limit("limits.new_accounts_per_ip_per_hour"),
            new_orders_per_account_per_hour: reader.limit("limits.new_orders_per_account_per_hour"),
            failed_validations_per_account_per_hour: reader
                .limit("limits.failed_validations_per_account_per_hour"),
            requests_per_second_per_ip: reader.limit("limits.requests_per_second_per_ip"),
            max_connections: reader.number("limits.max_connections", 1..=1_000_000),
            handshake_timeout: reader.duration("limits.handshake_timeout_seconds", 1, 1..=600),
            header_timeout: reader.duration("limits.header_timeout_seconds", 1, 1..=600),
            body_timeout: reader.duration("limits.body_timeout_seconds", 1, 1..=3600),
            idle_timeout: reader.duration("limits.idle_timeout_seconds", 1, 1..=3600),
            max_body: reader.number("limits.max_body_bytes", 1024..=16_777_216),
        }
    }
}

/// What is written to standard error.
#[derive(Clone, Debug)]
pub struct Log {
    /// For people or for machines.
    pub format: LogFormat,
    /// Filter directives of `tracing_subscriber`, checked.
    pub level: String,
}

/// The form of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// One line of text for people.
    Text,
    /// One JSON object per line.
    Json,
}

impl Log {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let formats = [("text", LogFormat::Text), ("json", LogFormat::Json)];
        Self {
            format: reader.choice("log.format", &formats),
            level: level(reader),
        }
    }
}

fn level(reader: &mut Reader<'_>) -> String {
    let text = reader.text("log.level");
    match EnvFilter::try_new(&text) {
        Ok(_) => text,
        Err(error) => {
            let remedy = "write error, warn, info, debug or trace, or a list like info,hyper=warn";
            let refusal = Refusal::new(format!("`{text}` is not a log level: {error}"), remedy);
            reader.refuse("log.level", refusal);
            "info".to_owned()
        }
    }
}

/// The Prometheus page.
#[derive(Clone, Debug)]
pub struct Metrics {
    /// Whether there is one.
    pub enabled: bool,
    /// Bearer token that it asks for.
    pub token: Option<SecretString>,
}

impl Metrics {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        Self {
            enabled: reader.switch("metrics.enabled"),
            token: reader.secret("metrics.token"),
        }
    }
}

/// How long what came to its end is kept.
#[derive(Clone, Debug)]
pub struct Retention {
    /// ACME orders and authorizations that expired, and the like of other protocols.
    pub orders: Duration,
}

impl Retention {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        Self {
            orders: reader.duration("retention.orders_days", DAY, 1..=36_500),
        }
    }
}
