//! An issuer is a configured CA; the connector behind it is code that talks to it.
//!
//! A kind of CA is one file here with its settings, and one variant of [`ConnectorConfig`].

mod ability;
pub mod acme;
pub mod adcs;
pub mod aws_pca;
mod backlog;
mod breaker;
pub mod cmp;
pub mod command;
mod config;
mod connector;
pub mod dns;
pub mod ejbca;
mod embedded;
pub mod est;
pub mod published;
mod quota;
pub mod response;
mod routing;
pub mod scep;
mod secrets;
mod settings;
mod state;
pub mod vault;

use std::collections::BTreeMap;

use pki::time::Timestamp;

use crate::certificate::Chain;
use crate::id::IssuerId;
use crate::metadata::Values;

pub use ability::{
    Abilities, AdviseRenewal, Advised, Aspect, CheckReport, FetchChain, Finding, HealthCheck,
    ListIssued, ListedCertificate, ListedPage, Outcome, Tidy,
};
pub use acme::AcmeConfig;
pub use adcs::AdcsConfig;
pub use aws_pca::AwsPcaConfig;
pub use backlog::Backlog;
pub use breaker::{Breaker, BreakerState};
pub use cmp::CmpConfig;
pub use command::CommandConfig;
pub use config::{ConnectorConfig, ConnectorKind};
pub use connector::{
    ConnectError, ConnectorFactory, Issuance, IssueError, IssuerConnector, LocalCa, Objection,
    Prepared, RevocationError, RevocationRequest, SigningRequest,
};
pub use ejbca::EjbcaConfig;
pub use embedded::EmbeddedConfig;
pub use est::EstConfig;
pub use quota::{IssuerLimits, Period, Usage};
pub use routing::{NoRoute, OutReason, RouteCondition, RouteFacts, Standing, choose, route};
pub use scep::ScepConfig;
pub use secrets::{IssuerSecrets, SealedSecret, SecretRule, SecretsFault, seal_context};
pub use settings::{KindSettings, SettingFault, SettingForm, SettingRule, is_on_loopback};
pub use state::{ConnectorState, StateError};
pub use vault::VaultConfig;

/// A configured CA.
#[derive(Clone, Debug, PartialEq)]
pub struct Issuer {
    pub id: IssuerId,
    /// What profiles, URLs and people call it: lower-case letters, digits and hyphens.
    pub name: String,
    pub state: IssuerState,
    pub connector: ConnectorConfig,
    /// What the connector proves itself with, each value sealed.
    pub secrets: BTreeMap<String, SealedSecret>,
    /// For a CA elsewhere its own certificate first, then those above it; empty while not known.
    /// What an embedded CA has stands in its settings.
    pub remote_chain: Chain,
    /// The fields of custom metadata that the CA is told, and what it calls each of them.
    pub metadata_fields: BTreeMap<String, String>,
    /// How much it may sign.
    pub limits: IssuerLimits,
    pub created_at: Timestamp,
    /// Also the version that changes are made to.
    pub updated_at: Timestamp,
}

/// Whether an issuer signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IssuerState {
    /// Has a key but waits for its certificate from a CA elsewhere.
    AwaitingCertificate,
    /// Signs what profiles route to it.
    Active,
    /// Signs no certificates any more, but still answers for those it signed.
    Retired,
}

impl Issuer {
    /// What of a request's metadata the CA is told, under the CA's own names.
    pub fn told(&self, metadata: &Values) -> Values {
        self.metadata_fields
            .iter()
            .filter_map(|(field, theirs)| Some((theirs.clone(), metadata.get(field)?.clone())))
            .collect()
    }

    /// The CA's certificate and those above it, as far as they are known.
    pub fn chain(&self) -> &Chain {
        match &self.connector {
            ConnectorConfig::Embedded(config) => &config.chain,
            _ => &self.remote_chain,
        }
    }

    /// Whether it is a root whose key we hold, which signs CA certificates and CRLs only.
    pub fn is_root(&self) -> bool {
        self.connector
            .embedded()
            .is_some_and(|config| config.is_root)
    }
}
