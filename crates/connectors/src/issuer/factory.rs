//! From a stored issuer to the connector that talks to it.

use std::sync::Arc;

use domain::issuer::{
    ConnectError, ConnectorConfig, ConnectorFactory, EmbeddedConfig, Issuer, IssuerConnector,
    IssuerSecrets,
};
use domain::keystore::{KeyStore, Sealer};

use super::environment::Environment;
use super::{
    AcmeConnector, AdcsConnector, AwsPcaConnector, CmpConnector, CommandConnector, EjbcaConnector,
    EmbeddedConnector, EstConnector, Remote, RemoteCa, ScepConnector, VaultConnector,
};

/// Makes connectors of every kind there is.
pub struct Connectors {
    keys: Arc<dyn KeyStore>,
    /// Where CRLs, OCSP and CA certificates of our own CAs are served, without `/pki`.
    pki_url: String,
    /// Opens what an issuer proves itself with: nothing else sees it in the clear.
    sealer: Arc<dyn Sealer>,
    environment: Environment,
}

impl Connectors {
    /// Connectors whose keys are in `keys` and whose certificates point to `pki_url`.
    pub fn new(
        keys: Arc<dyn KeyStore>,
        pki_url: impl Into<String>,
        sealer: Arc<dyn Sealer>,
        environment: Environment,
    ) -> Self {
        Self {
            keys,
            pki_url: pki_url.into(),
            sealer,
            environment,
        }
    }

    fn embedded(
        &self,
        issuer: &Issuer,
        config: &EmbeddedConfig,
    ) -> Result<EmbeddedConnector, ConnectError> {
        let key = self.keys.open(&config.key)?;
        let random = Arc::clone(&self.environment.random);
        EmbeddedConnector::new(&issuer.name, config, key, &self.pki_url, random)
            .map_err(|error| ConnectError::Certificate(error.to_string()))
    }
}

impl ConnectorFactory for Connectors {
    fn connect(&self, issuer: &Issuer) -> Result<Arc<dyn IssuerConnector>, ConnectError> {
        let secrets = IssuerSecrets::open(&issuer.id, &issuer.secrets, &*self.sealer)?;
        let environment = &self.environment;
        match &issuer.connector {
            ConnectorConfig::Embedded(config) => Ok(Arc::new(self.embedded(issuer, config)?)),
            ConnectorConfig::Acme(config) => {
                AcmeConnector::new(issuer, config, &secrets, environment).map(elsewhere(issuer))
            }
            ConnectorConfig::Adcs(config) => {
                AdcsConnector::new(issuer, config, &secrets, environment).map(elsewhere(issuer))
            }
            ConnectorConfig::Vault(config) => {
                VaultConnector::new(issuer, config, &secrets, environment).map(elsewhere(issuer))
            }
            ConnectorConfig::Ejbca(config) => {
                EjbcaConnector::new(issuer, config, &secrets, environment).map(elsewhere(issuer))
            }
            ConnectorConfig::AwsPca(config) => {
                AwsPcaConnector::new(config, &secrets, environment).map(elsewhere(issuer))
            }
            ConnectorConfig::Command(config) => {
                CommandConnector::new(issuer, config, secrets, environment).map(elsewhere(issuer))
            }
            ConnectorConfig::Est(config) => {
                EstConnector::new(config, &secrets, environment).map(elsewhere(issuer))
            }
            ConnectorConfig::Cmp(config) => {
                CmpConnector::new(issuer, config, &secrets, environment).map(elsewhere(issuer))
            }
            ConnectorConfig::Scep(config) => {
                ScepConnector::new(issuer, config, &secrets, environment).map(elsewhere(issuer))
            }
        }
    }
}

fn elsewhere<C: RemoteCa + 'static>(issuer: &Issuer) -> impl FnOnce(C) -> Arc<dyn IssuerConnector> {
    |ca| Arc::new(Remote::new(issuer, ca))
}
