//! TLS towards servers that have to prove who they are: by the system's roots, or by the ones that
//! an operator names, and then by no others.

use std::sync::{Arc, OnceLock};

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ClientConfig, RootCertStore};
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use super::tls::builder;

/// Why there is no trust to begin with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TrustError {
    #[error("`ca` holds no certificate; give it as PEM")]
    NoCertificate,
    #[error("`ca` cannot be read: {0}")]
    Unreadable(String),
    #[error(
        "this machine has no trusted roots; install its ca-certificates or name a root as `ca`"
    )]
    NoSystemRoots,
    #[error("the client certificate does not fit its key: {0}")]
    Identity(String),
}

/// A client certificate with its key.
pub struct Identity {
    /// PEM, leaf first.
    pub certificates: String,
    /// PKCS#8, PEM.
    pub key: Zeroizing<String>,
}

impl Identity {
    /// The certificates of settings, with the key that is kept apart from them.
    pub fn new(certificates: &str, key: &SecretString) -> Self {
        Self {
            certificates: certificates.to_owned(),
            key: Zeroizing::new(key.expose_secret().to_owned()),
        }
    }
}

/// A client that trusts the roots in `ca` (PEM), or where there is none those of the system.
pub fn verifying_client(
    ca: Option<&str>,
    identity: Option<&Identity>,
    alpn: &[&[u8]],
) -> Result<ClientConfig, TrustError> {
    let roots = match ca {
        Some(pem) => Arc::new(roots_of(pem)?),
        None => system_roots()?,
    };
    let config = builder(aws_lc_rs::default_provider()).with_root_certificates(roots);
    let mut config = match identity {
        None => config.with_no_client_auth(),
        Some(identity) => {
            let (chain, key) = parts(identity)?;
            config
                .with_client_auth_cert(chain, key)
                .map_err(|error| TrustError::Identity(error.to_string()))?
        }
    };
    config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
    Ok(config)
}

/// The certificates of a PEM text.
pub fn certificates(pem: &str) -> Result<Vec<Vec<u8>>, TrustError> {
    let found = pki::pem::decode_all(pki::pem::CERTIFICATE, pem.as_bytes())
        .map_err(|error| TrustError::Unreadable(error.to_string()))?;
    if found.is_empty() {
        return Err(TrustError::NoCertificate);
    }
    Ok(found)
}

fn roots_of(pem: &str) -> Result<RootCertStore, TrustError> {
    let mut roots = RootCertStore::empty();
    for der in certificates(pem)? {
        roots
            .add(CertificateDer::from(der))
            .map_err(|error| TrustError::Unreadable(error.to_string()))?;
    }
    Ok(roots)
}

/// The system's roots, read once: they are many.
fn system_roots() -> Result<Arc<RootCertStore>, TrustError> {
    static ROOTS: OnceLock<Arc<RootCertStore>> = OnceLock::new();
    let roots = ROOTS.get_or_init(|| {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        Arc::new(roots)
    });
    match roots.is_empty() {
        true => Err(TrustError::NoSystemRoots),
        false => Ok(Arc::clone(roots)),
    }
}

type Parts = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

fn parts(identity: &Identity) -> Result<Parts, TrustError> {
    let chain = certificates(&identity.certificates)?;
    let chain = chain.into_iter().map(CertificateDer::from).collect();
    let fault = |reason: String| TrustError::Identity(reason);
    let keys = pki::pem::decode_all("PRIVATE KEY", identity.key.as_bytes())
        .map_err(|error| fault(error.to_string()))?;
    let key = keys
        .into_iter()
        .next()
        .ok_or_else(|| fault("there is no key; give it as PKCS#8 in PEM".to_owned()))?;
    Ok((chain, PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key))))
}
