//! Reading a `postgres://` URL, with TLS settings as libpq names them.

use std::path::PathBuf;

use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

use super::tls::{RustlsConnector, Verification};
use crate::StoreError;

/// Where a server is and how to speak to it.
pub(super) struct Address {
    pub(super) config: Config,
    pub(super) tls: RustlsConnector,
}

impl Address {
    /// Reads the URL. `sslmode` and `sslrootcert` are ours: the driver knows fewer modes, and its
    /// default would fall back to plain text where somebody in the middle asks for it.
    pub(super) fn parse(url: &str) -> Result<Self, StoreError> {
        let (base, query) = url.split_once('?').unwrap_or((url, ""));
        let mut mode = None;
        let mut roots = None;
        let mut rest = url::form_urlencoded::Serializer::new(String::new());
        for (key, value) in url::form_urlencoded::parse(query.as_bytes()) {
            match key.as_ref() {
                "sslmode" => mode = Some(value.into_owned()),
                "sslrootcert" => roots = Some(PathBuf::from(value.into_owned())),
                _ => drop(rest.append_pair(&key, &value)),
            }
        }
        // The driver decodes `%20` but not `+`.
        let rest = rest.finish().replace('+', "%20");
        let mut config: Config = format!("{base}?{rest}")
            .parse()
            .map_err(|error| invalid(&crate::error::with_sources(&error)))?;
        let verification = verification(mode.as_deref(), &config)?;
        config.ssl_mode(match verification {
            Some(_) => SslMode::Require,
            None => SslMode::Disable,
        });
        if config.get_application_name().is_none() {
            config.application_name("certwright");
        }
        let tls =
            RustlsConnector::new(verification.unwrap_or(Verification::Full), roots.as_deref());
        Ok(Self { config, tls: tls? })
    }
}

/// `None` is plain text.
fn verification(mode: Option<&str>, config: &Config) -> Result<Option<Verification>, StoreError> {
    match mode {
        None if is_local(config) => Ok(None),
        // Checking the name as well is stricter than `verify-ca` asks for, never laxer.
        None | Some("verify-full" | "verify-ca") => Ok(Some(Verification::Full)),
        Some("require") => Ok(Some(Verification::None)),
        Some("disable") => Ok(None),
        Some("allow" | "prefer") => Err(invalid(
            "sslmode=allow and sslmode=prefer protect against nobody; use verify-full, require or disable",
        )),
        Some(_) => Err(invalid(
            "sslmode is verify-full, verify-ca, require or disable",
        )),
    }
}

/// Whether every host is a socket or this machine.
fn is_local(config: &Config) -> bool {
    let addresses = config.get_hostaddrs();
    let hosts = config.get_hosts();
    addresses.iter().all(std::net::IpAddr::is_loopback)
        && hosts.iter().all(|host| match host {
            Host::Tcp(name) => {
                let name = name.trim_start_matches('[').trim_end_matches(']');
                name == "localhost"
                    || name
                        .parse()
                        .is_ok_and(|address: std::net::IpAddr| address.is_loopback())
            }
            #[cfg(unix)]
            Host::Unix(_) => true,
        })
}

fn invalid(reason: &str) -> StoreError {
    StoreError::Configuration(format!("database.url: {reason}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verification_of(url: &str) -> Result<Option<Verification>, StoreError> {
        let mode = url.split_once("sslmode=").map(|(_, mode)| mode);
        let base = url.split_once('?').map_or(url, |(base, _)| base);
        verification(mode, &base.parse().unwrap())
    }

    #[test]
    fn a_remote_server_is_verified_unless_the_url_says_otherwise() {
        let cases = [
            ("postgres://a@db.example/x", Some(Verification::Full)),
            (
                "postgres://a@db.example/x?sslmode=verify-full",
                Some(Verification::Full),
            ),
            (
                "postgres://a@db.example/x?sslmode=verify-ca",
                Some(Verification::Full),
            ),
            (
                "postgres://a@db.example/x?sslmode=require",
                Some(Verification::None),
            ),
            ("postgres://a@db.example/x?sslmode=disable", None),
            (
                "postgres://a@localhost,db.example/x",
                Some(Verification::Full),
            ),
            ("postgres://a@localhost/x", None),
            ("postgres://a@127.0.0.1/x", None),
            (
                "postgres://a@localhost/x?sslmode=verify-full",
                Some(Verification::Full),
            ),
            ("postgres://a@%2Frun%2Fpostgresql/x", None),
        ];
        for (url, expected) in cases {
            assert_eq!(verification_of(url), Ok(expected), "{url}");
        }
    }

    #[test]
    fn modes_that_fall_back_to_plain_text_are_refused() {
        for mode in ["allow", "prefer", "on"] {
            let url = format!("postgres://a@localhost/x?sslmode={mode}");
            assert!(
                matches!(Address::parse(&url), Err(StoreError::Configuration(_))),
                "{mode}"
            );
        }
    }

    #[test]
    fn a_wrong_url_is_reported_without_its_password() {
        let Err(error) = Address::parse("postgres://a:hunter2@h:port/x") else {
            panic!("a port is a number");
        };
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
}
