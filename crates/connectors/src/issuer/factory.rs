//! From a stored issuer to the connector that talks to it.

use std::sync::Arc;

use domain::issuer::{ConnectError, ConnectorConfig, ConnectorFactory, Issuer, IssuerConnector};
use domain::keystore::KeyStore;
use pki::random::Random;

use super::EmbeddedConnector;

/// Makes connectors of every kind there is.
pub struct Connectors {
    keys: Arc<dyn KeyStore>,
    /// Where CRLs, OCSP and CA certificates of our own CAs are served, without `/pki`.
    pki_url: String,
    random: Arc<dyn Random>,
}

impl Connectors {
    /// Connectors whose keys are in `keys` and whose certificates point to `pki_url`.
    pub fn new(
        keys: Arc<dyn KeyStore>,
        pki_url: impl Into<String>,
        random: Arc<dyn Random>,
    ) -> Self {
        Self {
            keys,
            pki_url: pki_url.into(),
            random,
        }
    }
}

impl ConnectorFactory for Connectors {
    fn connect(&self, issuer: &Issuer) -> Result<Arc<dyn IssuerConnector>, ConnectError> {
        match &issuer.connector {
            ConnectorConfig::Embedded(config) => {
                let key = self.keys.open(&config.key)?;
                let random = self.random.clone();
                EmbeddedConnector::new(&issuer.name, config, key, &self.pki_url, random)
                    .map(|connector| Arc::new(connector) as Arc<dyn IssuerConnector>)
                    .map_err(|error| ConnectError::Certificate(error.to_string()))
            }
        }
    }
}
