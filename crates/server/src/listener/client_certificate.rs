//! The certificate of a client: shown in the TLS handshake, or passed on by a proxy that we believe.
//!
//! Here it is only found: that the client holds its key is what TLS shows, and what it is good for is
//! judged with each request.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use frontends::origin::ClientCertificate;
use http::{HeaderMap, HeaderName};
use percent_encoding::percent_decode_str;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, UnixTime};

/// Asks for a certificate, takes a connection without one, and checks that the client has the key of
/// the one it shows.
#[derive(Debug)]
pub(super) struct KeyHolder {
    pub(super) algorithms: WebPkiSupportedAlgorithms,
}

impl ClientCertVerifier for KeyHolder {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    /// No hints: our own CAs change while connections live, and browsers without a certificate ask
    /// nobody anything.
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// The certificate that the client of a request holds. From a trusted proxy only the header counts:
/// what a proxy shows in its own handshake is the proxy's. From anybody else only the handshake does.
pub(super) fn of_request(
    headers: &HeaderMap,
    header: Option<&HeaderName>,
    is_trusted_proxy: bool,
    shown: Option<&ClientCertificate>,
) -> Option<ClientCertificate> {
    if !is_trusted_proxy {
        return shown.cloned();
    }
    let mut values = headers.get_all(header?).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => {
            let der = read(value.to_str().ok()?)?;
            Some(ClientCertificate { der })
        }
        // Two are one too many: which of them did the proxy write?
        (Some(_), Some(_)) | (None, _) => None,
    }
}

/// The forms in which proxies write a certificate: RFC 9440 section 2 (`:base64:`), PEM with the
/// percent signs of URLs (nginx, HAProxy), bare base64 (Traefik).
fn read(text: &str) -> Option<Arc<[u8]>> {
    let text = text.trim();
    let der = if let Some(inner) = text
        .strip_prefix(':')
        .and_then(|rest| rest.strip_suffix(':'))
    {
        STANDARD.decode(inner).ok()?
    } else if text.starts_with("-----BEGIN") {
        let pem = percent_decode_str(text).decode_utf8().ok()?;
        CertificateDer::from_pem_slice(pem.as_bytes())
            .ok()?
            .to_vec()
    } else {
        STANDARD.decode(text).ok()?
    };
    (!der.is_empty()).then(|| Arc::from(der))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: HeaderName = HeaderName::from_static("x-client-cert");

    fn headers(values: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(NAME, value.parse().unwrap());
        }
        headers
    }

    fn found(values: &[&str], is_trusted_proxy: bool, shown: Option<&[u8]>) -> Option<Vec<u8>> {
        let shown = shown.map(|der| ClientCertificate {
            der: Arc::from(der),
        });
        of_request(
            &headers(values),
            Some(&NAME),
            is_trusted_proxy,
            shown.as_ref(),
        )
        .map(|certificate| certificate.der.to_vec())
    }

    #[test]
    fn a05_a_header_counts_from_a_proxy_and_a_handshake_from_everybody_else() {
        let header = &[":AQID:"][..];
        assert_eq!(found(header, true, None), Some(vec![1, 2, 3]));
        assert_eq!(found(header, false, None), None);
        assert_eq!(found(header, false, Some(&[9])), Some(vec![9]));
        // The proxy's own certificate is nobody's who sent a request through it.
        assert_eq!(found(&[], true, Some(&[9])), None);
        assert_eq!(found(&[":AQID:", ":AQID:"], true, None), None);
        let unset = of_request(&headers(header), None, true, None);
        assert!(unset.is_none());
    }

    #[test]
    fn a_certificate_is_read_in_each_form_that_proxies_write() {
        for text in [
            ":AQID:",
            "AQID",
            "-----BEGIN%20CERTIFICATE-----%0AAQID%0A-----END%20CERTIFICATE-----%0A",
        ] {
            assert_eq!(read(text).as_deref(), Some(&[1, 2, 3][..]), "{text}");
        }
        for text in ["", "::", ":AQID", "-----BEGIN CERTIFICATE-----", "%%%"] {
            assert!(read(text).is_none(), "{text}");
        }
    }
}
