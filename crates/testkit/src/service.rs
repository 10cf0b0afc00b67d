//! A web service, over TLS or without, that answers as a function says, for what stands in for CAs.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use http::{HeaderMap, Method, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// A request.
#[derive(Clone, Debug)]
pub struct Asked {
    pub method: Method,
    /// With the query.
    pub path: String,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
    /// The same for all requests of one connection.
    pub connection: u64,
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Told {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
    fate: Fate,
}

/// What becomes of an answer on its way.
#[derive(Clone, Debug)]
enum Fate {
    Arrives,
    /// The connection ends instead.
    Lost,
    /// It comes when this turns true.
    Held(watch::Receiver<bool>),
}

impl Told {
    /// An answer with a media type.
    pub fn new(status: u16, kind: &str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            headers: vec![("content-type", kind.to_owned())],
            body: body.into(),
            fate: Fate::Arrives,
        }
    }

    /// Nothing: the connection ends.
    pub fn lost() -> Self {
        Self {
            fate: Fate::Lost,
            ..Self::new(500, "text/plain", "")
        }
    }

    /// Nothing until this turns true, and then nothing of use.
    pub fn held(until: watch::Receiver<bool>) -> Self {
        Self {
            fate: Fate::Held(until),
            ..Self::new(504, "text/plain", "")
        }
    }

    /// The same as soon as this turns true.
    #[must_use]
    pub fn late(mut self, until: watch::Receiver<bool>) -> Self {
        self.fate = Fate::Held(until);
        self
    }

    /// JSON.
    pub fn json(status: u16, body: &serde_json::Value) -> Self {
        Self::new(status, "application/json", body.to_string())
    }

    /// With one more header.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// What answers.
pub type Handler = Arc<dyn Fn(Asked) -> Told + Send + Sync>;

/// The running service.
pub struct TestService {
    pub address: SocketAddr,
    /// Its own certificate, which is also the root to trust, PEM; empty without TLS.
    pub certificate: String,
    task: JoinHandle<()>,
}

impl Drop for TestService {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A self-signed certificate for 127.0.0.1 with its key, both PEM.
pub fn self_signed() -> (String, String) {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    (made.cert.pem(), made.signing_key.serialize_pem())
}

impl TestService {
    /// Binds a free port. With `client_root`, only clients whose certificate it signed get in.
    pub async fn start(client_root: Option<&str>, handler: Handler) -> Self {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let (certificate, key) = self_signed();
        let tls = TlsAcceptor::from(Arc::new(config(&certificate, &key, client_root)));
        Self::listen(Some(tls), certificate, handler).await
    }

    /// Binds a free port, without TLS.
    pub async fn start_plain(handler: Handler) -> Self {
        Self::listen(None, String::new(), handler).await
    }

    async fn listen(tls: Option<TlsAcceptor>, certificate: String, handler: Handler) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let task = tokio::spawn(async move {
            let connections = AtomicU64::new(0);
            while let Ok((stream, _)) = listener.accept().await {
                let connection = connections.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(serve(tls.clone(), stream, connection, Arc::clone(&handler)));
            }
        });
        Self {
            address,
            certificate,
            task,
        }
    }

    /// `https://127.0.0.1:PORT`
    pub fn url(&self) -> String {
        match self.certificate.is_empty() {
            true => format!("http://{}", self.address),
            false => format!("https://{}", self.address),
        }
    }
}

fn config(certificate: &str, key: &str, client_root: Option<&str>) -> ServerConfig {
    let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
    let builder = ServerConfig::builder();
    let builder = match client_root {
        None => builder.with_no_client_auth(),
        Some(root) => {
            let mut roots = RootCertStore::empty();
            let root = CertificateDer::from_pem_slice(root.as_bytes()).unwrap();
            roots.add(root).unwrap();
            let verifier = WebPkiClientVerifier::builder(Arc::new(roots));
            builder.with_client_cert_verifier(verifier.build().unwrap())
        }
    };
    builder.with_single_cert(chain, key).unwrap()
}

async fn serve(
    tls: Option<TlsAcceptor>,
    stream: TcpStream,
    connection: u64,
    handler: Handler,
) -> Option<()> {
    match tls {
        None => answer(stream, connection, handler).await,
        Some(tls) => answer(tls.accept(stream).await.ok()?, connection, handler).await,
    }
}

async fn answer(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    connection: u64,
    handler: Handler,
) -> Option<()> {
    let service = service_fn(move |request: http::Request<Incoming>| {
        let handler = Arc::clone(&handler);
        async move {
            let (parts, body) = request.into_parts();
            let told = handler(Asked {
                method: parts.method,
                path: parts.uri.to_string(),
                headers: parts.headers,
                body: body
                    .collect()
                    .await
                    .map_err(std::io::Error::other)?
                    .to_bytes()
                    .to_vec(),
                connection,
            });
            match told.fate {
                Fate::Arrives => {}
                Fate::Lost => return Err(std::io::Error::other("the connection ends here")),
                Fate::Held(mut until) => drop(until.wait_for(|is_over| *is_over).await),
            }
            let mut response = Response::builder().status(told.status);
            for (name, value) in told.headers {
                response = response.header(name, value);
            }
            let response = response.body(Full::new(Bytes::from(told.body))).unwrap();
            Ok(response)
        }
    });
    hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await
        .ok()
}
