//! An entry point: where clients of EST or SCEP come in, bound to a profile.

use std::fmt;

use pki::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::id::{EntryPointId, TeamId};
use crate::metadata::{Values, map_of_scalars};

/// A label of EST (`/.well-known/est/<name>`) or a service of SCEP (`/scep/<name>`).
#[derive(Clone, Debug, PartialEq)]
pub struct EntryPoint {
    pub id: EntryPointId,
    /// In its URL: lower-case letters, digits and hyphens. Of each protocol there is one of a name.
    pub name: String,
    pub spec: EntryPointSpec,
    /// The team that owns it, and what is enrolled there; without one everybody shares it.
    pub team_id: Option<TeamId>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// The protocols that enroll without accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    /// RFC 7030
    Est,
    /// RFC 8894
    Scep,
}

impl Protocol {
    /// The word in the store, in paths and in metadata.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Est => "est",
            Self::Scep => "scep",
        }
    }

    /// What people call an entry point of it.
    pub fn noun(self) -> &'static str {
        match self {
            Self::Est => "EST label",
            Self::Scep => "SCEP service",
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The rules of an entry point, by protocol.
#[derive(Clone, Debug, PartialEq)]
pub enum EntryPointSpec {
    Est(EstRules),
    Scep(ScepRules),
}

impl EntryPointSpec {
    /// Whose rules these are.
    pub fn protocol(&self) -> Protocol {
        match self {
            Self::Est(_) => Protocol::Est,
            Self::Scep(_) => Protocol::Scep,
        }
    }

    /// The name of the profile.
    pub fn profile(&self) -> &str {
        match self {
            Self::Est(rules) => &rules.profile,
            Self::Scep(rules) => &rules.profile,
        }
    }

    /// Values of custom metadata that enrollments inherit.
    pub fn metadata(&self) -> &Values {
        match self {
            Self::Est(rules) => &rules.metadata,
            Self::Scep(rules) => &rules.metadata,
        }
    }

    /// The same, to be brought into its normal form.
    pub fn metadata_mut(&mut self) -> &mut Values {
        match self {
            Self::Est(rules) => &mut rules.metadata,
            Self::Scep(rules) => &mut rules.metadata,
        }
    }
}

/// The rules of an EST label.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EstRules {
    pub profile: String,
    /// Whether enrollment passwords open `simpleenroll` and `serverkeygen` (HTTP Basic).
    pub passwords: bool,
    /// What a TLS client certificate opens beside `simplereenroll`.
    pub certificates: CertificateUse,
    pub channel_binding: ChannelBinding,
    /// Whether keys are made here for clients that ask for it.
    pub server_keys: bool,
    /// Values of custom metadata for enrollments that get them from nowhere nearer.
    #[serde(deserialize_with = "map_of_scalars")]
    pub metadata: Values,
}

impl Default for EstRules {
    fn default() -> Self {
        Self {
            profile: "default".to_owned(),
            passwords: true,
            certificates: CertificateUse::SameNames,
            channel_binding: ChannelBinding::WhenPresent,
            server_keys: false,
            metadata: Values::new(),
        }
    }
}

/// What the certificate that a client holds already opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CertificateUse {
    /// Nothing.
    Off,
    /// Another certificate for the names that it has.
    SameNames,
    /// Every name that the profile allows: for devices that come with their maker's certificate.
    AnyNames,
}

/// Whether the CSR has to be tied to the TLS connection it comes in (RFC 7030 section 3.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChannelBinding {
    /// A challenge password in a CSR is not looked at.
    Off,
    /// What is there has to be right.
    WhenPresent,
    /// And it has to be there.
    Required,
}

/// The rules of a SCEP service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ScepRules {
    pub profile: String,
    /// Whether a certificate of this server may renew itself (RenewalReq).
    pub renewal: bool,
    /// Whether messages encrypted with 3DES are read; nothing is ever written with it.
    pub old_ciphers: bool,
    /// Certificates of registration authorities, in PEM: who holds the key of one may ask for any name
    /// that the profile allows, for keys of others.
    pub authorities: Vec<String>,
    /// Values of custom metadata for enrollments that get them from nowhere nearer.
    #[serde(deserialize_with = "map_of_scalars")]
    pub metadata: Values,
}

impl Default for ScepRules {
    fn default() -> Self {
        Self {
            profile: "default".to_owned(),
            renewal: true,
            old_ciphers: false,
            authorities: Vec::new(),
            metadata: Values::new(),
        }
    }
}
