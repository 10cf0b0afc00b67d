//! A TLS server that presents what it is told to.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use rcgen::{CertificateParams, CertifiedKey, CustomExtension, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// A certificate with these names and extensions.
pub(crate) fn self_signed(names: &[&str], extensions: &[CustomExtension]) -> CertifiedKey<KeyPair> {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params.custom_extensions = extensions.to_vec();
    let signing_key = KeyPair::generate().unwrap();
    let cert = params.self_signed(&signing_key).unwrap();
    CertifiedKey { cert, signing_key }
}

/// Presents the certificate as it is: the library's own check would not let it through.
pub(crate) fn acceptor(certified: &CertifiedKey<KeyPair>, alpn: &[&[u8]]) -> TlsAcceptor {
    recording_acceptor(certified, alpn, Asked::default())
}

/// Server names as they were asked for.
pub(crate) type Asked = Arc<Mutex<Vec<String>>>;

pub(crate) fn recording_acceptor(
    certified: &CertifiedKey<KeyPair>,
    alpn: &[&[u8]],
    asked: Asked,
) -> TlsAcceptor {
    let provider = aws_lc_rs::default_provider();
    let key = PrivatePkcs8KeyDer::from(certified.signing_key.serialize_der());
    let key = provider
        .key_provider
        .load_private_key(PrivateKeyDer::Pkcs8(key))
        .unwrap();
    let presented = rustls::sign::CertifiedKey::new(vec![certified.cert.der().clone()], key);
    let resolver = Recorder {
        presented: Arc::new(presented),
        asked,
    };
    let mut config = ServerConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(resolver));
    config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
    TlsAcceptor::from(Arc::new(config))
}

#[derive(Debug)]
struct Recorder {
    presented: Arc<rustls::sign::CertifiedKey>,
    asked: Asked,
}

impl ResolvesServerCert for Recorder {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<rustls::sign::CertifiedKey>> {
        let name = hello.server_name().unwrap_or_default().to_owned();
        self.asked.lock().unwrap().push(name);
        Some(self.presented.clone())
    }
}

/// Starts a server that does its handshake and waits for the end.
pub(crate) async fn serve(acceptor: TlsAcceptor) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else {
                continue;
            };
            let _ = stream.read(&mut [0; 16]).await;
        }
    });
    address
}

/// Starts a server that answers every hello with these octets, and then with `filler` without end.
pub(crate) async fn serve_octets(octets: Vec<u8>, filler: Option<Vec<u8>>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 4096]).await;
            let _ = stream.write_all(&octets).await;
            while let Some(filler) = &filler
                && stream.write_all(filler).await.is_ok()
            {}
            let _ = stream.read(&mut [0; 16]).await;
        }
    });
    address
}
