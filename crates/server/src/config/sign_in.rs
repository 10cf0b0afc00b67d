//! Section `[sign_in]`, and who is known by a client certificate (in `[server]`).

use std::path::PathBuf;
use std::time::Duration;

use http::HeaderName;

use super::reader::Reader;

/// How people prove who they are, and for how long that counts.
#[derive(Clone, Debug)]
pub struct SignIn {
    /// A session that is not used ends after this.
    pub session_idle: Duration,
    /// A session ends after this, used or not.
    pub session_absolute: Duration,
    /// What is delicate asks for a proof of identity that is no older.
    pub recent: Duration,
    /// Memory that one password hash takes.
    pub password_memory_kib: u32,
    /// Passes over that memory.
    pub password_iterations: u32,
    /// Hashes that are computed at the same time on this node.
    pub password_concurrency: usize,
}

impl SignIn {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        Self {
            session_idle: reader.duration("sign_in.session_idle_minutes", 60, 1..=10_080),
            session_absolute: reader.duration("sign_in.session_hours", 3600, 1..=720),
            recent: reader.duration("sign_in.recent_minutes", 60, 1..=1440),
            // RFC 9106 section 4 gives far more; this is what a sign-in may cost a small server.
            password_memory_kib: reader.number("sign_in.password_memory_kib", 64..=1_048_576),
            password_iterations: reader.number("sign_in.password_iterations", 1..=100),
            password_concurrency: reader.number("sign_in.password_concurrency", 1..=64),
        }
    }
}

/// Which client certificates are looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientCertificates {
    /// Whether the listener asks for one, and proxies are believed to have.
    pub enabled: bool,
    /// Whether certificates of this server's own issuers count.
    pub own_issuers: bool,
    /// PEM: further CA certificates.
    pub authorities: Option<PathBuf>,
    /// The header in which a trusted proxy passes the certificate on.
    pub header: Option<HeaderName>,
}

impl ClientCertificates {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        Self {
            enabled: reader.choice(
                "server.client_certificates",
                &[("on", true), ("off", false)],
            ),
            own_issuers: reader.switch("server.client_own_issuers"),
            authorities: reader.path("server.client_authorities"),
            header: reader.parsed(
                "server.client_certificate_header",
                "X-Client-Cert or Client-Cert",
            ),
        }
    }
}
