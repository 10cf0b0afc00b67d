//! An issuer that does what the test says: waits, fails, lies, or dies with its process.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use domain::certificate::Chain;
use domain::issuer::{
    Abilities, ConnectError, ConnectorFactory, Issuance, IssueError, Issuer, IssuerConnector,
    LocalCa, Prepared, RevocationError, RevocationRequest, SigningRequest,
};
use parking_lot::Mutex;
use pki::key::{KeyError, PublicKey, SignatureAlgorithm, SigningKey};
use pki::serial::Serial;
use pki::time::Timestamp;
use tokio::sync::watch;

/// What the issuer does when it is asked for a certificate.
#[derive(Clone, Default)]
pub enum Behaviour {
    /// What the real one does.
    #[default]
    Honest,
    /// Nothing, until it does something else.
    Hang,
    /// The task that asked is gone, as if its process had been killed.
    Die,
    /// It cannot be reached.
    Unavailable,
    /// It answers something else, made from the request and the real answer.
    Lie(Lie),
}

/// Makes a false answer of a true one.
pub type Lie = Arc<dyn Fn(&SigningRequest, Chain) -> Chain + Send + Sync>;

/// Stands around the connectors of a server; clones are one.
#[derive(Clone)]
pub struct IssuerDouble {
    behaviour: Arc<watch::Sender<Behaviour>>,
    /// What it was asked to sign, in order.
    asked: Arc<Mutex<Vec<Option<Prepared>>>>,
    /// What it was told to revoke, in order.
    revoked: Arc<Mutex<Vec<Serial>>>,
    /// Whether the CA is somewhere else, so that its key is not at hand.
    is_remote: bool,
    signer_is_down: Arc<AtomicBool>,
}

impl Default for IssuerDouble {
    fn default() -> Self {
        Self {
            behaviour: Arc::new(watch::Sender::new(Behaviour::Honest)),
            asked: Arc::default(),
            revoked: Arc::default(),
            is_remote: false,
            signer_is_down: Arc::default(),
        }
    }
}

impl IssuerDouble {
    /// One that seems to be a CA somewhere else.
    pub fn remote() -> Self {
        Self {
            is_remote: true,
            ..Self::default()
        }
    }

    /// From now on, and for those who wait, this happens.
    pub fn does(&self, behaviour: Behaviour) {
        self.behaviour.send_replace(behaviour);
    }

    /// From now on the CA's key signs no CRL, as if its token were gone, or does so again.
    pub fn signer_is_down(&self, down: bool) {
        self.signer_is_down.store(down, Ordering::SeqCst);
    }

    /// How often it was asked for a certificate.
    pub fn times_asked(&self) -> usize {
        self.asked.lock().len()
    }

    /// What it was asked to sign, in order.
    pub fn asked(&self) -> Vec<Option<Prepared>> {
        self.asked.lock().clone()
    }

    /// What it was told to revoke, in order, as often as it was told.
    pub fn revoked(&self) -> Vec<Serial> {
        self.revoked.lock().clone()
    }

    /// Waits until it was asked so often.
    pub async fn until_asked(&self, times: usize) {
        let asked = async {
            while self.times_asked() < times {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let in_time = tokio::time::timeout(Duration::from_secs(30), asked).await;
        in_time.expect("the issuer is asked within half a minute");
    }

    /// Puts itself around what makes the real connectors.
    pub fn around(&self, factory: Arc<dyn ConnectorFactory>) -> Arc<dyn ConnectorFactory> {
        Arc::new(Factory {
            double: self.clone(),
            factory,
        })
    }
}

struct Factory {
    double: IssuerDouble,
    factory: Arc<dyn ConnectorFactory>,
}

impl ConnectorFactory for Factory {
    fn connect(&self, issuer: &Issuer) -> Result<Arc<dyn IssuerConnector>, ConnectError> {
        let real = self.factory.connect(issuer)?;
        let local_ca = real.local_ca().filter(|_| !self.double.is_remote);
        let local_ca = local_ca.map(|ca| LocalCa {
            certificate: Arc::clone(&ca.certificate),
            key: Arc::new(Signer {
                key: Arc::clone(&ca.key),
                is_down: Arc::clone(&self.double.signer_is_down),
            }),
        });
        Ok(Arc::new(Connector {
            double: self.double.clone(),
            local_ca,
            real,
        }))
    }
}

struct Connector {
    double: IssuerDouble,
    local_ca: Option<LocalCa>,
    real: Arc<dyn IssuerConnector>,
}

struct Signer {
    key: Arc<dyn SigningKey>,
    is_down: Arc<AtomicBool>,
}

impl SigningKey for Signer {
    fn public_key(&self) -> &PublicKey {
        self.key.public_key()
    }

    fn signature_algorithm(&self) -> SignatureAlgorithm {
        self.key.signature_algorithm()
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        match self.is_down.load(Ordering::SeqCst) {
            true => Err(KeyError::Device("the signer is down".into())),
            false => self.key.sign(message),
        }
    }
}

#[async_trait]
impl IssuerConnector for Connector {
    fn prepare(
        &self,
        request: &SigningRequest,
        now: Timestamp,
    ) -> Result<Option<Prepared>, IssueError> {
        self.real.prepare(request, now)
    }

    async fn issue(
        &self,
        request: &SigningRequest,
        prepared: Option<&Prepared>,
    ) -> Result<Issuance, IssueError> {
        self.double.asked.lock().push(prepared.cloned());
        let mut told = self.double.behaviour.subscribe();
        loop {
            let behaviour = told.borrow_and_update().clone();
            match behaviour {
                Behaviour::Honest => return self.real.issue(request, prepared).await,
                Behaviour::Hang => told.changed().await.unwrap(),
                Behaviour::Die => panic!("this process was killed while the issuer was asked"),
                Behaviour::Unavailable => {
                    return Err(IssueError::Unavailable("nobody answers".to_owned()));
                }
                Behaviour::Lie(lie) => {
                    return match self.real.issue(request, prepared).await? {
                        Issuance::Issued(chain) => Ok(Issuance::Issued(lie(request, chain))),
                        pending @ Issuance::Pending { .. } => Ok(pending),
                    };
                }
            }
        }
    }

    async fn poll(&self, handle: &str) -> Result<Issuance, IssueError> {
        self.real.poll(handle).await
    }

    async fn revoke(&self, request: &RevocationRequest) -> Result<(), RevocationError> {
        self.double.revoked.lock().push(request.serial.clone());
        let behaviour = self.double.behaviour.borrow().clone();
        match behaviour {
            Behaviour::Unavailable => {
                Err(RevocationError::Unavailable("nobody answers".to_owned()))
            }
            _ => self.real.revoke(request).await,
        }
    }

    fn chain(&self) -> &Chain {
        self.real.chain()
    }

    fn not_after(&self) -> Timestamp {
        self.real.not_after()
    }

    fn local_ca(&self) -> Option<&LocalCa> {
        self.local_ca.as_ref()
    }

    fn abilities(&self) -> Abilities<'_> {
        self.real.abilities()
    }
}
