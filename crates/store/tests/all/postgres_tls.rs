//! TLS to PostgreSQL, through a proxy that speaks it in front of the private cluster.

use std::path::Path;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use store::testing::PostgresCluster;
use store::{Store, StoreConfig, StoreError};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio_rustls::TlsAcceptor;

use crate::fixture::{add, ids};

/// A server with TLS: its port, and the root that certified it.
struct TlsServer {
    port: u16,
    directory: TempDir,
    database: String,
}

impl TlsServer {
    async fn start(name: &str) -> Self {
        let cluster = PostgresCluster::shared().unwrap();
        let url = cluster.database().await.unwrap();
        let directory = tempfile::tempdir().unwrap();
        let (root, config) = certify(name);
        std::fs::write(directory.path().join("root.pem"), root).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let socket = cluster.socket();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, acceptor.clone(), socket.clone()));
            }
        });
        let database = url.rsplit('/').next().unwrap().to_owned();
        Self {
            port,
            directory,
            database,
        }
    }

    async fn open(&self, parameters: &str) -> Result<Store, StoreError> {
        let parameters = parameters.replace("ROOT", &self.root().to_string_lossy());
        let (port, database) = (self.port, &self.database);
        let url = format!("postgres://certwright@localhost:{port}/{database}?{parameters}");
        Store::open(StoreConfig {
            connections: 2,
            ..StoreConfig::new(url)
        })
        .await
    }

    fn root(&self) -> std::path::PathBuf {
        self.directory.path().join("root.pem")
    }
}

/// Answers the request for TLS (PostgreSQL manual, section "SSL Session Encryption"), then relays.
async fn serve(mut stream: TcpStream, acceptor: TlsAcceptor, socket: impl AsRef<Path>) {
    let mut request = [0; 8];
    if stream.read_exact(&mut request).await.is_err()
        || request[4..] != 80_877_103_u32.to_be_bytes()
    {
        return;
    }
    stream.write_all(b"S").await.unwrap();
    if let Ok(mut tls) = acceptor.accept(stream).await {
        let mut server = UnixStream::connect(socket).await.unwrap();
        drop(copy_bidirectional(&mut tls, &mut server).await);
    }
}

/// A root as PEM, and a server certified by it for `name`.
fn certify(name: &str) -> (String, ServerConfig) {
    let root_key = KeyPair::generate().unwrap();
    let mut root = CertificateParams::default();
    root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root_certificate = root.self_signed(&root_key).unwrap();
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new([name.to_owned()]).unwrap();
    let leaf = leaf.signed_by(&key, &Issuer::new(root, root_key)).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![leaf.der().clone()],
            PrivateKeyDer::Pkcs8(key.serialize_der().into()),
        )
        .unwrap();
    (root_certificate.pem(), config)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_with_the_right_name_and_root_is_used() {
    let server = TlsServer::start("localhost").await;
    let store = server
        .open("sslmode=verify-full&sslrootcert=ROOT")
        .await
        .unwrap();
    add(&store, "a").await.unwrap();
    assert_eq!(ids(&store).await, ["a"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_with_another_name_is_refused() {
    let server = TlsServer::start("db.example.org").await;
    refused(server.open("sslmode=verify-full&sslrootcert=ROOT").await);
    refused(server.open("sslmode=verify-ca&sslrootcert=ROOT").await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_with_an_unknown_root_is_refused_unless_nothing_is_to_be_verified() {
    let server = TlsServer::start("localhost").await;
    refused(server.open("sslmode=verify-full").await);
    let store = server.open("sslmode=require").await.unwrap();
    add(&store, "a").await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_root_file_that_is_missing_or_empty_is_named() {
    let server = TlsServer::start("localhost").await;
    let empty = server.directory.path().join("empty.pem");
    std::fs::write(&empty, "").unwrap();
    for path in [empty.to_string_lossy(), "/missing/root.pem".into()] {
        let parameters = format!("sslmode=verify-full&sslrootcert={path}");
        let Err(error) = server.open(&parameters).await else {
            panic!("connected without roots");
        };
        assert!(error.to_string().contains(&*path), "{error}");
    }
}

fn refused(result: Result<Store, StoreError>) {
    match result {
        Ok(_) => panic!("the server was not verified"),
        Err(error) => assert!(matches!(error, StoreError::Unavailable { .. }), "{error}"),
    }
}
