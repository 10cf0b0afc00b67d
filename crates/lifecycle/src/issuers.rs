//! The issuers and the connectors behind them.

use std::sync::Arc;

use domain::id::IssuerId;
use domain::issuer::{
    ConnectError, ConnectorFactory, Issuer, IssuerConnector, IssuerState, NoRoute,
};
use moka::sync::Cache;
use pki::time::Timestamp;
use store::StoreError;

use crate::Lifecycle;
use crate::remembered::Remembered;

/// An issuer, connected.
pub struct ConnectedIssuer {
    pub issuer: Issuer,
    pub connector: Arc<dyn IssuerConnector>,
}

/// Connected issuers by name. Opening a key is dear, looking whether the issuer changed is not:
/// the list of issuers lives a second, a connector as long as its issuer stays as it is.
pub(crate) struct IssuerRegistry {
    factory: Arc<dyn ConnectorFactory>,
    list: Remembered<(), Arc<Vec<Arc<ConnectedIssuer>>>>,
    connected: Cache<IssuerId, Arc<ConnectedIssuer>>,
}

impl IssuerRegistry {
    pub(crate) fn new(factory: Arc<dyn ConnectorFactory>) -> Self {
        Self {
            factory,
            list: Remembered::for_a_second(1),
            connected: Cache::builder().max_capacity(1_000).build(),
        }
    }

    pub(crate) fn invalidate(&self) {
        self.list.forget(&());
    }

    /// A connector of its own, whatever is stored.
    pub(crate) fn try_connect(
        &self,
        issuer: &Issuer,
    ) -> Result<Arc<dyn IssuerConnector>, ConnectError> {
        self.factory.connect(issuer)
    }

    fn connect(&self, issuer: Issuer) -> Result<Arc<ConnectedIssuer>, ConnectError> {
        if let Some(known) = self.connected.get(&issuer.id)
            && known.issuer == issuer
        {
            return Ok(known);
        }
        let connector = self.factory.connect(&issuer)?;
        let connected = Arc::new(ConnectedIssuer { issuer, connector });
        self.connected
            .insert(connected.issuer.id.clone(), Arc::clone(&connected));
        Ok(connected)
    }
}

/// Why no issuer signs.
#[derive(Debug, thiserror::Error)]
pub enum RouteError {
    #[error(transparent)]
    NoRoute(#[from] NoRoute),
    #[error("the issuer that was chosen is gone; try again")]
    Gone,
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl RouteError {
    /// When the first of the issuers has room again, where that is what is missing.
    pub(crate) fn frees_at(&self) -> Option<Timestamp> {
        match self {
            Self::NoRoute(unfit) => unfit.frees_first().map(|(_, until)| until),
            Self::Gone | Self::Connect(_) | Self::Store(_) => None,
        }
    }
}

impl Lifecycle {
    /// Every issuer that can be connected; one that cannot is logged and left out, so that a
    /// token that is gone stops its own issuer only.
    pub async fn connected_issuers(&self) -> Result<Arc<Vec<Arc<ConnectedIssuer>>>, StoreError> {
        if let Some(list) = self.issuers.list.get(&()) {
            return Ok(list);
        }
        let before = self.issuers.list.before();
        let stored = self.list_issuers().await?;
        let mut list = Vec::with_capacity(stored.len());
        for issuer in stored {
            if issuer.state == IssuerState::AwaitingCertificate {
                continue;
            }
            let name = issuer.name.clone();
            match self.issuers.connect(issuer) {
                Ok(connected) => list.push(connected),
                Err(error) => {
                    metrics::counter!("certwright_issuer_connect_failures_total", "issuer" => name.clone()).increment(1);
                    tracing::error!(issuer.name = name, error = %error, "issuer cannot be connected");
                }
            }
        }
        let list = Arc::new(list);
        self.issuers.list.keep(before, (), Arc::clone(&list));
        Ok(list)
    }

    /// The issuers as they are stored.
    pub async fn list_issuers(&self) -> Result<Vec<Issuer>, StoreError> {
        self.store
            .read("issuer.list", |tx| {
                Box::pin(async move { tx.list_issuers().await })
            })
            .await
    }

    /// The connected issuer of that name.
    pub async fn issuer_by_name(
        &self,
        name: &str,
    ) -> Result<Option<Arc<ConnectedIssuer>>, StoreError> {
        let list = self.connected_issuers().await?;
        Ok(list.iter().find(|c| c.issuer.name == name).cloned())
    }

    /// The connected issuer with that id.
    pub async fn issuer_by_id(
        &self,
        id: &IssuerId,
    ) -> Result<Option<Arc<ConnectedIssuer>>, StoreError> {
        let list = self.connected_issuers().await?;
        Ok(list.iter().find(|c| c.issuer.id == *id).cloned())
    }

    /// Uniform in 0..1.
    pub(crate) fn draw(&self) -> f64 {
        let octets: [u8; 4] = self.random.octets();
        f64::from(u32::from_be_bytes(octets)) / (f64::from(u32::MAX) + 1.0)
    }
}

impl Lifecycle {
    /// The self-signed certificates at the ends of the issuers' chains.
    pub async fn trust_anchors(&self) -> Result<domain::certificate::Chain, StoreError> {
        let mut anchors: Vec<Vec<u8>> = Vec::new();
        for connected in self.connected_issuers().await?.iter() {
            // What CAs elsewhere are trusted for is not ours to say.
            if connected.issuer.connector.embedded().is_some()
                && let Some(top) = connected.connector.chain().certificates().last()
                && !anchors.contains(top)
            {
                anchors.push(top.clone());
            }
        }
        Ok(domain::certificate::Chain::new(anchors))
    }
}
