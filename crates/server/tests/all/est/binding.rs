//! Channel binding over real TLS connections: RFC 7030 section 3.5 with RFC 9266.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use protocols::est::body;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use serde_json::json;
use testkit::TestServer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::support::{Est, csr_with_challenge};

/// A label that wants every CSR tied, with a password for it.
async fn tied() -> (Est, String) {
    let est = Est::over(TestServer::start_with_server("tls = \"on\"").await).await;
    est.label("tied", json!({ "channel_binding": "required" }))
        .await;
    let (password, _) = est.password("tied", json!({})).await;
    (est, password)
}

async fn connect(est: &Est, version: &'static SupportedProtocolVersion) -> TlsStream<TcpStream> {
    let pem = std::fs::read(est.server.data.path().join("root.pem")).unwrap();
    let mut roots = RootCertStore::empty();
    for der in pki::pem::decode_all(pki::pem::CERTIFICATE, &pem).unwrap() {
        roots.add(CertificateDer::from(der)).unwrap();
    }
    let config = ClientConfig::builder_with_protocol_versions(&[version])
        .with_root_certificates(roots)
        .with_no_client_auth();
    let url = est.server.url();
    let (_, port) = url.rsplit_once(':').unwrap();
    let stream = TcpStream::connect(("127.0.0.1", port.parse().unwrap()));
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(config))
        .connect(name, stream.await.unwrap())
        .await
        .unwrap()
}

/// The binding of a connection, as a client puts it into its challenge password.
fn binding(stream: &TlsStream<TcpStream>) -> String {
    let (_, tls) = stream.get_ref();
    let label = b"EXPORTER-Channel-Binding";
    let exporter = tls.export_keying_material([0; 32], label, Some(&[]));
    STANDARD.encode(exporter.unwrap())
}

/// The whole answer to an enrollment over this connection.
async fn enroll(mut stream: TlsStream<TcpStream>, password: &str, csr: &[u8]) -> String {
    let credential = STANDARD.encode(format!("printer:{password}"));
    let body = body::encode(csr);
    let head = format!(
        "POST /.well-known/est/tied/simpleenroll HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
         authorization: Basic {credential}\r\ncontent-type: application/pkcs10\r\n\
         content-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(body.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn a_csr_tied_to_its_connection_is_taken_there_and_refused_on_any_other() {
    let (est, password) = tied().await;
    let stream = connect(&est, &rustls::version::TLS13).await;
    let csr = csr_with_challenge(&binding(&stream), &["tied.example.org"]);
    let answer = enroll(stream, &password, &csr).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains("application/pkcs7-mime"), "{answer}");
    // Whoever picked up the CSR and the password has another connection.
    let other = connect(&est, &rustls::version::TLS13).await;
    let answer = enroll(other, &password, &csr).await;
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
    assert!(answer.contains("tls-exporter"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn over_tls_1_2_nothing_is_tied_and_the_refusal_says_so() {
    let (est, password) = tied().await;
    let stream = connect(&est, &rustls::version::TLS12).await;
    let csr = csr_with_challenge(&binding(&stream), &["tied.example.org"]);
    let answer = enroll(stream, &password, &csr).await;
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
    assert!(answer.contains("TLS 1.3"), "{answer}");
}
