//! DNS zones in which challenges of other CAs are solved.

use serde::{Deserialize, Serialize};

use super::SecretRule;
use super::settings::Faults;

/// Who writes TXT records.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case", deny_unknown_fields)]
pub enum DnsProvider {
    /// Dynamic updates (RFC 2136) with TSIG (RFC 8945); its secret is `tsig_secret`.
    Rfc2136 {
        /// Address and port of the primary server.
        server: String,
        /// The zone; without it, the one that the server says a name is in.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        zone: Option<String>,
        tsig_name: String,
        #[serde(default)]
        tsig_algorithm: TsigAlgorithm,
    },
    /// The HTTP interface of a PowerDNS server; its secret is `api_key`.
    PowerDns {
        url: String,
        #[serde(default = "localhost")]
        server_id: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        trust_anchors: Option<String>,
    },
    /// Cloudflare with a token that may edit DNS; its secret is `api_key`.
    Cloudflare {
        /// Where its interface is, if not where everybody's is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        url: Option<String>,
    },
    /// Amazon Route 53; its secret is `secret_access_key`.
    Route53 {
        access_key_id: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        hosted_zone_id: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        url: Option<String>,
    },
    /// A delegated zone behind an interface like that of acme-dns; its secret is `password`.
    AcmeDns {
        url: String,
        username: String,
        subdomain: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        trust_anchors: Option<String>,
    },
    /// A program in the server's directory of commands.
    Command { program: String },
}

/// How updates are authenticated (RFC 8945 section 6).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TsigAlgorithm {
    #[default]
    HmacSha256,
    HmacSha384,
    HmacSha512,
}

pub(super) const TSIG_SECRET: SecretRule = SecretRule {
    name: "tsig_secret",
    required: false,
    summary: "the key that dynamic updates are signed with, base64",
};
pub(super) const API_KEY: SecretRule = SecretRule {
    name: "api_key",
    required: false,
    summary: "the key or token of the DNS provider's interface",
};
pub(super) const SECRET_ACCESS_KEY: SecretRule = SecretRule {
    name: "secret_access_key",
    required: false,
    summary: "what belongs to `access_key_id` at AWS",
};
pub(super) const PASSWORD: SecretRule = SecretRule {
    name: "password",
    required: false,
    summary: "what belongs to the user name",
};

impl DnsProvider {
    pub(super) fn faults(&self, faults: &mut Faults) {
        match self {
            Self::Rfc2136 {
                server, tsig_name, ..
            } => {
                if server.parse::<std::net::SocketAddr>().is_err() {
                    faults.note(
                        "solver.provider.server",
                        "must be an address with a port, like 192.0.2.53:53",
                    );
                }
                faults.text("solver.provider.tsig_name", tsig_name);
            }
            Self::PowerDns {
                url,
                server_id,
                trust_anchors,
            } => {
                faults.https("solver.provider.url", url);
                faults.path("solver.provider.server_id", server_id);
                faults.certificates("solver.provider.trust_anchors", trust_anchors.as_deref());
            }
            Self::Cloudflare { url } => {
                if let Some(url) = url {
                    faults.https("solver.provider.url", url);
                }
            }
            Self::Route53 {
                access_key_id, url, ..
            } => {
                faults.text("solver.provider.access_key_id", access_key_id);
                if let Some(url) = url {
                    faults.https("solver.provider.url", url);
                }
            }
            Self::AcmeDns {
                url,
                username,
                subdomain,
                trust_anchors,
            } => {
                faults.https("solver.provider.url", url);
                faults.text("solver.provider.username", username);
                faults.path("solver.provider.subdomain", subdomain);
                faults.certificates("solver.provider.trust_anchors", trust_anchors.as_deref());
            }
            Self::Command { program } => {
                faults.path("solver.provider.program", program);
            }
        }
    }

    pub(super) fn destination(&self) -> Vec<&str> {
        match self {
            Self::Rfc2136 { server, .. } => vec![server],
            Self::PowerDns {
                url, trust_anchors, ..
            }
            | Self::AcmeDns {
                url, trust_anchors, ..
            } => vec![url, trust_anchors.as_deref().unwrap_or_default()],
            Self::Cloudflare { url } | Self::Route53 { url, .. } => {
                vec![url.as_deref().unwrap_or_default()]
            }
            Self::Command { program } => vec![program],
        }
    }
}

fn localhost() -> String {
    "localhost".to_owned()
}
