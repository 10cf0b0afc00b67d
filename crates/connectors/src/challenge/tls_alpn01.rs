//! tls-alpn-01: a certificate with the digest of the key authorization (RFC 8737, RFC 8738 section 6).

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::acme::challenge::ChallengeKind;
use domain::acme::validation::{
    ChallengeValidator, FailureKind, ValidationFailure, ValidationRequest, Verdict,
};
use domain::identifier::Identifier;
use pki::acme_identifier::{self, AcmeIdentifierError};
use pki::name::GeneralName;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::{ValidationSettings, dial_failure, key_authorization_digest};
use crate::net::dial::Host;
use crate::net::{Dialer, excerpt, unchained_client};

const PROTOCOL: &[u8] = b"acme-tls/1";

/// Looks at the certificate a server presents for the protocol `acme-tls/1`.
pub struct TlsAlpn01Validator {
    dialer: Dialer,
    tls: TlsConnector,
    port: u16,
    timeout: Duration,
}

impl TlsAlpn01Validator {
    /// A validator that dials through `dialer`.
    pub fn new(dialer: Dialer, settings: ValidationSettings) -> Self {
        Self {
            dialer,
            tls: TlsConnector::from(Arc::new(unchained_client(&[PROTOCOL]))),
            port: settings.tlsalpn01_port,
            timeout: settings.timeout,
        }
    }

    async fn probe(&self, request: &ValidationRequest) -> Result<(), ValidationFailure> {
        let what = format!("TLS to {} port {}", request.identifier, self.port);
        let handshake = self.handshake(&request.identifier, &what);
        let stream = tokio::time::timeout(self.timeout, handshake)
            .await
            .unwrap_or_else(|_| {
                let seconds = self.timeout.as_secs().max(1);
                let detail = format!(
                    "{what}: the handshake did not end within {seconds} s; see whether a firewall or \
                     a slow server is in the way"
                );
                Err(ValidationFailure::passing(FailureKind::Connection, detail))
            })?;
        let (_, session) = stream.get_ref();
        let digest = key_authorization_digest(&request.key_authorization);
        judge_protocol(session.alpn_protocol())
            .and_then(|()| judge_chain(session.peer_certificates(), &request.identifier, &digest))
            .map_err(|fault| {
                let detail = format!("{what}: {fault}");
                ValidationFailure::passing(FailureKind::Unauthorized, detail)
            })
    }

    async fn handshake(
        &self,
        identifier: &Identifier,
        what: &str,
    ) -> Result<TlsStream<TcpStream>, ValidationFailure> {
        let name = server_name(identifier);
        let host = match identifier {
            Identifier::Dns(name) => Host::Name(name.as_str()),
            Identifier::Ip(address) => Host::Address(*address),
            // The domain offers this challenge for hosts and addresses only.
            Identifier::Email(_)
            | Identifier::Uri(_)
            | Identifier::Permanent(_)
            | Identifier::Hardware(_) => {
                let detail = format!("{identifier} is neither a host nor an address");
                return Err(ValidationFailure::lasting(FailureKind::Malformed, detail));
            }
        };
        let connected = self.dialer.connect(host, self.port).await;
        let stream = connected.map_err(|error| dial_failure(&error, what))?;
        let sni = ServerName::try_from(name.clone()).map_err(|_| {
            let detail = format!("{name} cannot be sent as a server name (SNI)");
            ValidationFailure::lasting(FailureKind::Malformed, detail)
        })?;
        self.tls.connect(sni, stream).await.map_err(|error| {
            let detail = format!(
                "{what}: the handshake failed: {}; the server must speak TLS 1.2 or later and select \
                 the protocol acme-tls/1 for the server name {name}",
                excerpt(error.to_string().as_bytes())
            );
            ValidationFailure::passing(FailureKind::Tls, detail)
        })
    }
}

#[async_trait]
impl ChallengeValidator for TlsAlpn01Validator {
    fn kind(&self) -> ChallengeKind {
        ChallengeKind::TlsAlpn01
    }

    async fn validate(&self, request: &ValidationRequest) -> Verdict {
        match self.probe(request).await {
            Ok(()) => Verdict::Valid { until: None },
            Err(failure) => Verdict::Invalid(failure),
        }
    }
}

/// What is wrong with the certificate or the protocol.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
enum Fault {
    #[error(
        "the server did not select the protocol acme-tls/1 (ALPN); is it the ACME client that answers there?"
    )]
    Protocol,
    #[error("the server presented no certificate")]
    NoCertificate,
    #[error("{0}; is it the ACME client that answers there?")]
    Certificate(#[from] AcmeIdentifierError),
    #[error("the server's certificate is for `{seen}` instead of `{wanted}`")]
    Name { seen: String, wanted: String },
    #[error(
        "the acmeIdentifier extension of the server's certificate is not the SHA-256 digest of this challenge's key authorization; it is that of another challenge or account"
    )]
    Digest,
}

fn judge_protocol(selected: Option<&[u8]>) -> Result<(), Fault> {
    if selected == Some(PROTOCOL) {
        Ok(())
    } else {
        Err(Fault::Protocol)
    }
}

fn judge_chain(
    chain: Option<&[CertificateDer<'_>]>,
    identifier: &Identifier,
    digest: &[u8; 32],
) -> Result<(), Fault> {
    let der = chain.and_then(<[_]>::first).ok_or(Fault::NoCertificate)?;
    let presented = acme_identifier::read(der)?;
    let matches = match (&presented.name, identifier) {
        (GeneralName::Dns(name), Identifier::Dns(wanted)) => {
            name.eq_ignore_ascii_case(wanted.as_str())
        }
        (GeneralName::Ip(address), Identifier::Ip(wanted)) => address == wanted,
        _ => false,
    };
    if !matches {
        return Err(Fault::Name {
            seen: excerpt(presented.name.to_string().as_bytes()),
            wanted: identifier.to_string(),
        });
    }
    if presented.digest != *digest {
        return Err(Fault::Digest);
    }
    Ok(())
}

/// What is sent as SNI: for an address its name in the reverse zone (RFC 8738 section 6).
fn server_name(identifier: &Identifier) -> String {
    match identifier {
        Identifier::Dns(_)
        | Identifier::Email(_)
        | Identifier::Uri(_)
        | Identifier::Permanent(_)
        | Identifier::Hardware(_) => identifier.value(),
        Identifier::Ip(IpAddr::V4(address)) => {
            let [a, b, c, d] = address.octets();
            format!("{d}.{c}.{b}.{a}.in-addr.arpa")
        }
        Identifier::Ip(IpAddr::V6(address)) => {
            let nibbles = address.octets().into_iter().rev();
            let labels: String = nibbles
                .map(|octet| format!("{:x}.{:x}.", octet & 0xf, octet >> 4))
                .collect();
            format!("{labels}ip6.arpa")
        }
    }
}

#[cfg(test)]
mod tests;
