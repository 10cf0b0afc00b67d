//! A TLS server on loopback that answers tls-alpn-01 (RFC 8737).

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use parking_lot::Mutex;
use rcgen::{CertificateParams, CustomExtension, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// The other end of tls-alpn-01.
#[derive(Clone)]
pub struct TestTlsAlpn {
    pub address: SocketAddr,
    certificates: Certificates,
    _task: Arc<AbortOnDrop>,
}

/// By the server name that is asked for.
#[derive(Clone, Debug, Default)]
struct Certificates(Arc<Mutex<HashMap<String, Arc<CertifiedKey>>>>);

struct AbortOnDrop(JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl TestTlsAlpn {
    /// Binds a free port.
    pub async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let certificates = Certificates::default();
        let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(certificates.clone()));
        config.alpn_protocols = vec![b"acme-tls/1".to_vec()];
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    if let Ok(mut stream) = acceptor.accept(stream).await {
                        let _ = stream.read(&mut [0; 16]).await;
                    }
                });
            }
        });
        Self {
            address,
            certificates,
            _task: Arc::new(AbortOnDrop(task)),
        }
    }

    /// Presents, to whoever asks for `server_name`, the certificate for `name` with the digest of
    /// the key authorization. For a DNS name the two names are the same.
    pub fn put(&self, server_name: &str, name: &str, key_authorization: &str) {
        let digest = digest(&SHA256, key_authorization.as_bytes());
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.custom_extensions = vec![CustomExtension::new_acme_identifier(digest.as_ref())];
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let pkcs8 = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let key = default_provider().key_provider.load_private_key(pkcs8);
        let presented = CertifiedKey::new(vec![certificate.der().clone()], key.unwrap());
        let mut certificates = self.certificates.0.lock();
        certificates.insert(server_name.to_owned(), Arc::new(presented));
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.0.lock().get(hello.server_name()?).cloned()
    }
}
