//! What is told to everybody: abilities and CA certificates (RFC 8894 sections 3.5, 4.2, 4.7).

use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use pki::cms::{self, CertsOnly, Draft};
use pki::oid;
use protocols::scep::{CA_RA_CERTIFICATES, NEXT_CA_CERTIFICATES};

use super::{Failure, Service, Verbs};

/// `GetCACaps`. What is weak is not offered, also where it is still read.
pub(super) async fn capabilities(verbs: &Verbs, service: &Service) -> Result<Response, Failure> {
    let mut lines = vec![
        "AES",
        "POSTPKIOperation",
        "SCEPStandard",
        "SHA-256",
        // Clients that misread the list go by this one (strongSwan 5.9.8).
        "SHA-384",
        "SHA-512",
    ];
    if service.rules.renewal {
        lines.push("Renewal");
    }
    let next = verbs.next_ca_certificates(&service.point, &service.ra);
    if !next.await?.is_empty() {
        lines.push("GetNextCACert");
    }
    let headers = [(CONTENT_TYPE, "text/plain"), (CACHE_CONTROL, "no-cache")];
    Ok((headers, lines.join("\n") + "\n").into_response())
}

/// `GetCACert`: the registration authority, whose key messages are encrypted for, and the chain above it.
pub(super) fn ca_certificates(service: &Service) -> Response {
    let mut certificates = vec![service.ra.certificate.der.as_slice()];
    certificates.extend(service.ra.chain.iter().map(Vec::as_slice));
    let bundle = CertsOnly {
        certificates: &certificates,
        crls: &[],
    };
    ([(CONTENT_TYPE, CA_RA_CERTIFICATES)], bundle.to_der()).into_response()
}

/// `GetNextCACert`: the chains of the profile's other issuers, signed by the registration authority.
pub(super) async fn next_ca_certificates(
    verbs: &Verbs,
    service: &Service,
) -> Result<Response, Failure> {
    let next = verbs.next_ca_certificates(&service.point, &service.ra);
    let next = next.await?;
    if next.is_empty() {
        return Err(Failure::NotFound("there is no CA to come\n"));
    }
    let certificates: Vec<&[u8]> = next.iter().map(Vec::as_slice).collect();
    let bundle = CertsOnly {
        certificates: &certificates,
        crls: &[],
    };
    let draft = Draft {
        content_type: &oid::CMS_DATA,
        content: &bundle.to_der(),
        attributes: &[],
        signer: &service.ra.certificate,
        chain: &[],
    };
    let signed = cms::sign(&draft, &service.ra.signing).map_err(|error| {
        tracing::error!(error = %error, "SCEP request not answered");
        Failure::Unavailable("the answer cannot be signed; the cause is in the log\n")
    })?;
    Ok(([(CONTENT_TYPE, NEXT_CA_CERTIFICATES)], signed).into_response())
}
