//! Who a client is (RFC 7030 section 3.2.3), and whether its CSR was made for this connection (section 3.5).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::enrolling::{CertificateUse, ChannelBinding, EnrollmentSecret};
use http::header::AUTHORIZATION;
use http::request::Parts;
use lifecycle::Lifecycle;
use lifecycle::enrolling::Client;
use pki::csr::Csr;
use zeroize::Zeroizing;

use super::Label;
use super::failure::Failure;
use crate::origin::{ClientCertificate, TlsExporter};

/// The client of `simpleenroll` and `serverkeygen`: a password counts where one is sent, else the
/// certificate of the TLS handshake.
pub(super) async fn authenticate(
    verbs: &Lifecycle,
    label: &Label,
    parts: &Parts,
) -> Result<Client, Failure> {
    if let Some((username, secret)) = basic(parts)? {
        if !label.rules.passwords {
            return Err(Failure::forbidden(
                "passwords open nothing at this label; show a client certificate",
            ));
        }
        let found = verbs.client_by_password(&label.point, Some(&username), &secret);
        return Ok(found.await?);
    }
    let shown = parts.extensions.get::<ClientCertificate>();
    match shown.filter(|_| label.rules.certificates != CertificateUse::Off) {
        Some(certificate) => Ok(verbs.client_by_certificate(&certificate.der).await?),
        None if label.rules.passwords => Err(Failure::unauthorized(
            "show an enrollment password (HTTP Basic) or a client certificate",
        )),
        None => Err(Failure::forbidden("show a client certificate")),
    }
}

/// The client of `simplereenroll`: who holds the certificate that is renewed.
pub(super) async fn holder(verbs: &Lifecycle, parts: &Parts) -> Result<Client, Failure> {
    let shown = parts.extensions.get::<ClientCertificate>();
    let shown = shown.ok_or_else(|| {
        Failure::forbidden(
            "show the certificate that is to be renewed in the TLS handshake (an operator may have to \
             turn on `server.client_certificates`)",
        )
    })?;
    Ok(verbs.client_by_certificate(&shown.der).await?)
}

/// User name and password, RFC 7617.
fn basic(parts: &Parts) -> Result<Option<(String, EnrollmentSecret)>, Failure> {
    let Some(header) = parts.headers.get(AUTHORIZATION) else {
        return Ok(None);
    };
    let malformed = || Failure::unauthorized("the header Authorization is not HTTP Basic");
    let text = header.to_str().map_err(|_| malformed())?;
    let (scheme, credentials) = text.split_once(' ').ok_or_else(malformed)?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(malformed());
    }
    let decoded = STANDARD
        .decode(credentials.trim())
        .map_err(|_| malformed())?;
    let decoded = Zeroizing::new(decoded);
    let decoded = std::str::from_utf8(&decoded).map_err(|_| malformed())?;
    let (username, password) = decoded.split_once(':').ok_or_else(malformed)?;
    let secret = EnrollmentSecret::from_presented(password);
    Ok(Some((username.to_owned(), secret)))
}

/// Whether the challenge password of a CSR is the exporter of this TLS connection (RFC 9266, base64), so that
/// who sends it is who made it. `tls-unique` of TLS 1.2 cannot be checked here.
pub(super) fn check_binding(label: &Label, csr: &Csr, parts: &Parts) -> Result<(), Failure> {
    let rule = label.rules.channel_binding;
    let stated = match (rule, &csr.challenge_password) {
        (ChannelBinding::Off, _) | (ChannelBinding::WhenPresent, None) => return Ok(()),
        (ChannelBinding::Required, None) => {
            return Err(Failure::forbidden(
                "the CSR is not tied to this connection: put the base64 of `tls-exporter` (RFC 9266) into \
                 its challenge password",
            ));
        }
        (ChannelBinding::WhenPresent | ChannelBinding::Required, Some(stated)) => stated,
    };
    let exporter = parts.extensions.get::<TlsExporter>();
    match exporter.is_some_and(|exporter| STANDARD.encode(exporter.0) == *stated) {
        true => Ok(()),
        false => Err(Failure::forbidden(
            "the challenge password of the CSR is not the base64 of this connection's `tls-exporter` \
             (RFC 9266), which takes TLS 1.3; `tls-unique` is not supported, and a proxy that ends TLS hides \
             both: leave it out, or have `channel_binding` of this label turned off",
        )),
    }
}
