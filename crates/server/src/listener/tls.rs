//! TLS whose certificate can be changed while connections live.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::RwLock;
use rustls::ServerConfig;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

use super::client_certificate::KeyHolder;

/// A server certificate cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// No certificate in the PEM text.
    #[error("no PEM certificate in {0}")]
    Certificate(String),
    /// No private key in the PEM text.
    #[error("no PEM private key in {0}")]
    Key(String),
    /// The key does not fit the certificate, or its kind is not supported.
    #[error("certificate and key cannot be used: {0}")]
    Pair(#[from] rustls::Error),
}

/// TLS 1.2 and 1.3 with the current certificate. Clones share the certificate.
#[derive(Clone)]
pub struct ReloadableTls {
    current: Arc<Current>,
    config: Arc<ServerConfig>,
}

#[derive(Debug)]
struct Current(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for Current {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read()))
    }
}

impl ReloadableTls {
    /// TLS that shows `certificate` until it is replaced.
    pub fn new(certificate: CertifiedKey) -> Result<Self, TlsError> {
        Self::with_clients(certificate, false)
    }

    /// The same, which also asks clients for a certificate where `asks_clients`; those that have none
    /// come in without.
    pub fn with_clients(certificate: CertifiedKey, asks_clients: bool) -> Result<Self, TlsError> {
        let current = Arc::new(Current(RwLock::new(Arc::new(certificate))));
        let resolver: Arc<dyn ResolvesServerCert> = Arc::clone(&current) as _;
        let provider = provider();
        let algorithms = provider.signature_verification_algorithms;
        let builder = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&TLS13, &TLS12])?;
        let builder = match asks_clients {
            true => builder.with_client_cert_verifier(Arc::new(KeyHolder { algorithms })),
            false => builder.with_no_client_auth(),
        };
        let mut config = builder.with_cert_resolver(resolver);
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        config.ticketer = aws_lc_rs::Ticketer::new()?;
        // One is what a client that comes back uses; each costs a write at the handshake.
        config.send_tls13_tickets = 1;
        Ok(Self {
            current,
            config: Arc::new(config),
        })
    }

    /// Shows another certificate from the next handshake on.
    pub fn replace(&self, certificate: CertifiedKey) {
        *self.current.0.write() = Arc::new(certificate);
    }

    /// The certificate chain that is shown now, the server's own certificate first.
    pub fn chain(&self) -> Vec<CertificateDer<'static>> {
        self.current.0.read().cert.clone()
    }

    pub(super) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.config))
    }
}

impl fmt::Debug for ReloadableTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReloadableTls").finish_non_exhaustive()
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

/// A certificate chain with its key, checked to belong together.
pub fn certificate_from_der(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<CertifiedKey, TlsError> {
    Ok(CertifiedKey::from_der(chain, key, &provider())?)
}

/// The same from PEM texts.
pub fn certificate_from_pem(chain: &[u8], key: &[u8]) -> Result<CertifiedKey, TlsError> {
    named_pem(("the chain", chain), ("the key", key))
}

/// The same from PEM files.
pub fn certificate_from_files(chain: &Path, key: &Path) -> Result<CertifiedKey, TlsError> {
    let read = |path: &Path| {
        std::fs::read(path).map_err(|source| TlsError::Read {
            path: path.to_owned(),
            source,
        })
    };
    let chain_pem = read(chain)?;
    let key_pem = zeroize::Zeroizing::new(read(key)?);
    named_pem(
        (&chain.to_string_lossy(), &chain_pem),
        (&key.to_string_lossy(), &key_pem),
    )
}

fn named_pem(chain: (&str, &[u8]), key: (&str, &[u8])) -> Result<CertifiedKey, TlsError> {
    let certificates = CertificateDer::pem_slice_iter(chain.1)
        .collect::<Result<Vec<_>, _>>()
        .ok()
        .filter(|certificates| !certificates.is_empty())
        .ok_or_else(|| TlsError::Certificate(chain.0.to_owned()))?;
    let key = PrivateKeyDer::from_pem_slice(key.1).map_err(|_| TlsError::Key(key.0.to_owned()))?;
    certificate_from_der(certificates, key)
}
