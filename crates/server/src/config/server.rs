//! Section `[server]`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;

use super::reader::{Reader, Refusal};
use super::sign_in::ClientCertificates;
use super::url::BaseUrl;

/// Where the server listens and what its clients see.
#[derive(Clone, Debug)]
pub struct Server {
    /// The main listener.
    pub listen: SocketAddr,
    /// The URL under which clients reach the main listener.
    pub public_url: BaseUrl,
    /// Keys, the SQLite file and `root.pem`.
    pub data_dir: PathBuf,
    /// How the main listener speaks TLS.
    pub tls: Tls,
    /// A plain HTTP listener for CRL, OCSP and CA certificates.
    pub http_listen: Option<SocketAddr>,
    /// What stands before `/pki/…` in certificates.
    pub pki_url: BaseUrl,
    /// How long requests in flight may take to finish at shutdown.
    pub shutdown_grace: Duration,
    /// Whose `X-Forwarded-For` and `X-Request-Id` are believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Which client certificates are looked at.
    pub client_certificates: ClientCertificates,
    pub(super) public_url_derived: bool,
    pub(super) pki_url_from: PkiUrl,
}

/// How the main listener speaks TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tls {
    /// Not at all: a proxy in front of us does.
    Off,
    /// With a certificate from our own issuing CA.
    SelfIssued,
    /// With a certificate of the operator's.
    Files {
        /// PEM: the server's certificate, then its intermediates.
        certificate: PathBuf,
        /// PEM: its private key.
        key: PathBuf,
    },
}

/// What `pki_url` was made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PkiUrl {
    Given,
    PublicUrl,
    HttpListen,
}

impl Server {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let address = "ADDRESS:PORT, for example 127.0.0.1:8443 or [::]:443";
        let listen: SocketAddr = reader.parsed_or_default("server.listen", address);
        let tls = tls(reader);
        let url = "https://ca.example";
        let given: Option<BaseUrl> = reader.parsed("server.public_url", url);
        let public_url_derived = given.is_none();
        let public_url = given.unwrap_or_else(|| local_url(&tls, listen));
        let http_listen = reader.parsed("server.http_listen", address);
        let (pki_url, pki_url_from) = pki_url(
            reader.parsed("server.pki_url", "http://ca.example"),
            &public_url,
            http_listen,
        );
        Self {
            listen,
            public_url,
            data_dir: PathBuf::from(reader.text("server.data_dir")),
            tls,
            http_listen,
            pki_url,
            shutdown_grace: reader.duration("server.shutdown_grace_seconds", 1, 0..=3600),
            trusted_proxies: reader.networks("server.trusted_proxies"),
            client_certificates: ClientCertificates::read(reader),
            public_url_derived,
            pki_url_from,
        }
    }

    /// The trust anchor for clients, written at the first start.
    pub fn root_pem(&self) -> PathBuf {
        self.data_dir.join("root.pem")
    }

    /// Takes over the ports that the listeners were really given: `--listen 127.0.0.1:0` asks for any
    /// free one, and the URLs that nobody set must name it.
    pub fn listening_on(&mut self, main: SocketAddr, http: Option<SocketAddr>) {
        self.listen = main;
        if self.public_url_derived {
            self.public_url = self.public_url.at_port_of(main);
        }
        if let Some(http) = http {
            self.http_listen = Some(http);
        }
        self.pki_url = match (self.pki_url_from, http) {
            (PkiUrl::PublicUrl, _) => self.public_url.clone(),
            (PkiUrl::HttpListen, Some(http)) => self.pki_url.at_port_of(http),
            (PkiUrl::HttpListen, None) | (PkiUrl::Given, _) => self.pki_url.clone(),
        };
    }
}

fn tls(reader: &mut Reader<'_>) -> Tls {
    let on = reader.choice("server.tls", &[("on", true), ("off", false)]);
    let certificate = reader.path("server.tls_certificate");
    let key = reader.path("server.tls_key");
    match (on, certificate, key) {
        (true, None, None) => Tls::SelfIssued,
        (true, Some(certificate), Some(key)) => Tls::Files { certificate, key },
        (true, Some(_), None) => {
            let remedy = "set server.tls_key to the file with its private key";
            let refusal = Refusal::new("a certificate without its key", remedy);
            reader.refuse("server.tls_certificate", refusal);
            Tls::SelfIssued
        }
        (true, None, Some(_)) => {
            let remedy = "set server.tls_certificate to the file with the certificate";
            let refusal = Refusal::new("a key without its certificate", remedy);
            reader.refuse("server.tls_key", refusal);
            Tls::SelfIssued
        }
        (false, None, None) => Tls::Off,
        (false, _, _) => {
            let remedy = "remove server.tls_certificate and server.tls_key, or turn TLS on";
            let refusal = Refusal::new("TLS is off, but a certificate or key is set", remedy);
            reader.refuse("server.tls", refusal);
            Tls::Off
        }
    }
}

/// The URL for somebody on this machine.
fn local_url(tls: &Tls, listen: SocketAddr) -> BaseUrl {
    let scheme = if *tls == Tls::Off { "http" } else { "https" };
    // Unwrap safety: a fixed scheme and host and any port make a URL.
    BaseUrl::from_parts(scheme, "localhost", listen.port()).expect("a localhost URL is a URL")
}

/// Clients fetch CRLs while they judge a TLS connection, so plain HTTP is what certificates should
/// name where it is served (RFC 5280 section 8 warns of the circle).
fn pki_url(
    given: Option<BaseUrl>,
    public_url: &BaseUrl,
    http_listen: Option<SocketAddr>,
) -> (BaseUrl, PkiUrl) {
    if let Some(given) = given {
        return (given, PkiUrl::Given);
    }
    let http = http_listen
        .and_then(|http| BaseUrl::from_parts("http", public_url.host(), http.port()).ok());
    match http {
        Some(url) => (url, PkiUrl::HttpListen),
        None => (public_url.clone(), PkiUrl::PublicUrl),
    }
}
