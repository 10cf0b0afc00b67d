//! Where requests go: one resolved address, and how its certificate is trusted.

use std::net::{SocketAddr, ToSocketAddrs as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail, ensure};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::TlsConnector;
use url::Url;

/// The options that every subcommand with a server shares.
#[derive(Clone, Debug, clap::Args)]
pub struct TargetOptions {
    /// PEM file with the root certificates the server's TLS certificate is checked against
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Do not check the server's TLS certificate
    #[arg(long, conflicts_with = "ca")]
    insecure: bool,
    /// Allow a target that is not on this machine. Only load what is yours
    #[arg(long)]
    allow_remote: bool,
}

/// A server, resolved once.
pub struct Target {
    /// Scheme, host and port as they begin every URL of this server.
    pub origin: String,
    /// What the `Host` header says.
    pub host: String,
    /// The one address all connections go to.
    pub address: SocketAddr,
    /// `None` for plain HTTP.
    pub tls: Option<(TlsConnector, ServerName<'static>)>,
}

impl Target {
    /// Resolves the server of `url`, and refuses one on another machine unless that is asked for.
    pub fn resolve(url: &Url, options: &TargetOptions) -> anyhow::Result<Arc<Self>> {
        let host = url.host_str().context("the URL has no host")?;
        let port = url
            .port_or_known_default()
            .context("the URL must begin with https:// or http://")?;
        let addresses: Vec<SocketAddr> = (host.trim_matches(['[', ']']), port)
            .to_socket_addrs()
            .with_context(|| format!("{host} cannot be resolved"))?
            .collect();
        let address = choose(&addresses, options.allow_remote)
            .with_context(|| format!("{host} is no target"))?;
        let tls = match url.scheme() {
            "https" => Some(tls(host, options)?),
            "http" => None,
            other => bail!("{other} is neither https nor http"),
        };
        let authority = match url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        };
        Ok(Arc::new(Self {
            origin: url.origin().ascii_serialization(),
            host: authority,
            address,
            tls,
        }))
    }
}

/// IPv4 first: that is where a server that listens on only one loopback address listens.
fn choose(addresses: &[SocketAddr], allow_remote: bool) -> anyhow::Result<SocketAddr> {
    ensure!(
        allow_remote || addresses.iter().all(|address| address.ip().is_loopback()),
        "it is on another machine; a load test there needs --allow-remote (and its owner's consent)"
    );
    addresses
        .iter()
        .find(|address| address.is_ipv4())
        .or(addresses.first())
        .copied()
        .context("its name has no address")
}

fn tls(host: &str, options: &TargetOptions) -> anyhow::Result<(TlsConnector, ServerName<'static>)> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()?;
    let mut config = match &options.ca {
        Some(file) => builder
            .with_root_certificates(roots(file)?)
            .with_no_client_auth(),
        None if options.insecure => builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AnyCertificate(provider)))
            .with_no_client_auth(),
        None => bail!("name the server's root certificate with --ca FILE, or say --insecure"),
    };
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let name = ServerName::try_from(host.trim_matches(['[', ']']).to_owned())?;
    Ok((TlsConnector::from(Arc::new(config)), name))
}

fn roots(file: &Path) -> anyhow::Result<RootCertStore> {
    let unreadable = || format!("{} holds no PEM certificates", file.display());
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(file).with_context(unreadable)? {
        roots.add(certificate.with_context(unreadable)?)?;
    }
    ensure!(!roots.is_empty(), unreadable());
    Ok(roots)
}

/// `--insecure`: whoever answers is right, but the handshake's signature is still checked.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_any_remote_address_is_refused_unless_remote_targets_are_allowed() {
        let local: SocketAddr = "127.0.0.1:443".parse().unwrap();
        let remote: SocketAddr = "192.0.2.1:443".parse().unwrap();
        assert_eq!(choose(&[local], false).unwrap(), local);
        let refusal = choose(&[local, remote], false).unwrap_err().to_string();
        assert!(refusal.contains("--allow-remote"), "{refusal}");
        assert_eq!(choose(&[remote], true).unwrap(), remote);
        assert!(choose(&[], true).is_err());
    }
}
