//! `POST /enrollments`, `/certificates/{id}/renew` and `/rekey`: asking for certificates.

use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::enrollment::{Enrollment, EnrollmentState};
use domain::id::CertificateId;
use domain::identifier::Identifier;
use domain::permission::Permission;
use http::header::{LOCATION, RETRY_AFTER};
use http::{HeaderValue, StatusCode};
use lifecycle::issuance::{KeySource, Submission, ValidityWish};
use lifecycle::renewal::{Renewal, RenewalKey};
use pki::name::DistinguishedName;
use pki::time::Timestamp;
use protocols::rest::authorization as authz;
use protocols::rest::enroll as wire;

use super::Verbs;
use super::access::Operator;
use super::certificates::find;
use super::enrollments;
use super::extract::{Body, Named};
use super::failure::Failure;
use super::key_evidence;

/// Ask for a certificate
///
/// Answers 201 where it is issued at once, and 202 where it waits for an issuer or for people: then
/// ask at `Location` again after `Retry-After` seconds. What the rules refuse is answered with every
/// violation.
#[utoipa::path(post, path = "/api/v1/enrollments", tag = "enrollments",
    request_body = wire::Enroll,
    responses(
        (status = 201, description = "Issued", body = protocols::rest::enrollment::Enrollment,
            headers(("Location" = String, description = "The enrollment"))),
        (status = 202, description = "Taken, and not issued yet",
            body = protocols::rest::enrollment::Enrollment, headers(
                ("Location" = String, description = "The enrollment"),
                ("Retry-After" = u64, description = "Seconds until it is worth while to ask"))),
    ))]
pub(crate) async fn enroll(
    State(verbs): State<Verbs>,
    operator: Operator,
    Body(request): Body<wire::Enroll>,
) -> Result<Response, Failure> {
    let (rights, wanted) = (operator.rights(), request.team.as_deref());
    let needed = Permission::CertificatesRequest;
    let team = verbs.choose_team(rights, needed, wanted).await?;
    let submission = Submission {
        team,
        ..read_enroll(request)?
    };
    let enrolled = verbs.submit(submission, &operator.caller()).await?;
    answer(&verbs, &enrolled, &operator).await
}

/// Renew a certificate: same names, the profile as it is now, metadata inherited
///
/// Without `csr` and `key` the new certificate has the same key.
#[utoipa::path(post, path = "/api/v1/certificates/{id}/renew", tag = "certificates",
    params(("id" = String, Path, description = "Id of the certificate")),
    request_body = wire::Renew,
    responses(
        (status = 201, description = "Issued", body = protocols::rest::enrollment::Enrollment,
            headers(("Location" = String, description = "The enrollment"))),
        (status = 202, description = "Taken, and not issued yet",
            body = protocols::rest::enrollment::Enrollment, headers(
                ("Location" = String, description = "The enrollment"),
                ("Retry-After" = u64, description = "Seconds until it is worth while to ask"))),
    ))]
pub(crate) async fn renew(
    State(verbs): State<Verbs>,
    operator: Operator,
    Named(id): Named<CertificateId>,
    Body(request): Body<wire::Renew>,
) -> Result<Response, Failure> {
    find(&verbs, &operator, Permission::CertificatesRequest, &id).await?;
    let key = match (&request.csr, request.key) {
        (None, None) => RenewalKey::Same,
        (Some(csr), None) => RenewalKey::Csr(read_csr(csr)?),
        (None, Some(key)) => RenewalKey::Server(key.algorithm),
        (Some(_), Some(_)) => return Err(both()),
    };
    replace(&verbs, &operator, id, key, request).await
}

/// Renew a certificate with another key
#[utoipa::path(post, path = "/api/v1/certificates/{id}/rekey", tag = "certificates",
    params(("id" = String, Path, description = "Id of the certificate")),
    request_body = wire::Renew,
    responses(
        (status = 201, description = "Issued", body = protocols::rest::enrollment::Enrollment,
            headers(("Location" = String, description = "The enrollment"))),
        (status = 202, description = "Taken, and not issued yet",
            body = protocols::rest::enrollment::Enrollment, headers(
                ("Location" = String, description = "The enrollment"),
                ("Retry-After" = u64, description = "Seconds until it is worth while to ask"))),
    ))]
pub(crate) async fn rekey(
    State(verbs): State<Verbs>,
    operator: Operator,
    Named(id): Named<CertificateId>,
    Body(request): Body<wire::Renew>,
) -> Result<Response, Failure> {
    find(&verbs, &operator, Permission::CertificatesRequest, &id).await?;
    let key = match (&request.csr, request.key) {
        (Some(csr), None) => RenewalKey::NewCsr(read_csr(csr)?),
        (None, Some(key)) => RenewalKey::Server(key.algorithm),
        (None, None) => {
            return Err(Failure::invalid(
                "re-keying needs another key; send `csr`, or `key` for one that is made here",
            ));
        }
        (Some(_), Some(_)) => return Err(both()),
    };
    replace(&verbs, &operator, id, key, request).await
}

fn read_enroll(request: wire::Enroll) -> Result<Submission, Failure> {
    let validity = validity(
        request.not_before,
        request.not_after,
        request.validity_seconds,
    );
    let subject = request
        .subject
        .as_deref()
        .map(DistinguishedName::parse)
        .transpose()
        .map_err(|error| Failure::invalid(format!("`subject`: {error}")))?;
    let key = match (request.csr, request.key) {
        (Some(_), Some(_)) => return Err(both()),
        (None, None) => {
            return Err(Failure::invalid(
                "there is neither `csr` nor `key`; send a CSR, or `key` for one that is made here",
            ));
        }
        (Some(csr), None) => KeySource::Csr(read_csr(&csr)?),
        (None, Some(key)) => KeySource::Server {
            algorithm: key.algorithm,
            subject: subject.clone().unwrap_or_default(),
        },
    };
    let identifiers = request
        .identifiers
        .iter()
        .map(read_identifier)
        .collect::<Result<Vec<_>, _>>()?;
    let replaces = request.replaces.as_deref().map(str::parse).transpose();
    Ok(Submission {
        subject,
        key_evidence: request
            .key_evidence
            .as_ref()
            .map(key_evidence::read)
            .transpose()?,
        attestation: attestation(request.attestation.as_deref())?,
        validity,
        metadata: request.metadata,
        replaces: replaces.map_err(|error: domain::id::ParseIdError| {
            Failure::invalid(format!("`replaces`: {error}"))
        })?,
        ..Submission::new(request.profile, key, identifiers)
    })
}

fn read_renewal(
    certificate: CertificateId,
    key: RenewalKey,
    request: wire::Renew,
) -> Result<Renewal, Failure> {
    Ok(Renewal {
        key_evidence: request
            .key_evidence
            .as_ref()
            .map(key_evidence::read)
            .transpose()?,
        attestation: attestation(request.attestation.as_deref())?,
        certificate,
        key,
        validity: validity(
            request.not_before,
            request.not_after,
            request.validity_seconds,
        ),
        metadata: request.metadata,
    })
}

fn attestation(text: Option<&str>) -> Result<Option<Vec<u8>>, Failure> {
    text.map(key_evidence::read_attestation).transpose()
}

fn validity(
    not_before: Option<Timestamp>,
    not_after: Option<Timestamp>,
    seconds: Option<u64>,
) -> ValidityWish {
    ValidityWish {
        not_before,
        not_after,
        lifetime: seconds.map(Duration::from_secs),
    }
}

async fn replace(
    verbs: &Verbs,
    operator: &Operator,
    id: CertificateId,
    key: RenewalKey,
    request: wire::Renew,
) -> Result<Response, Failure> {
    let renewal = read_renewal(id, key, request)?;
    let enrolled = verbs.renew(renewal, &operator.caller()).await?;
    answer(verbs, &enrolled, operator).await
}

fn both() -> Failure {
    Failure::invalid("`csr` and `key` exclude each other: the CSR's key is its sender's; send one")
}

/// Names are taken in any case, as people write them, and kept in one.
fn read_identifier(identifier: &authz::Identifier) -> Result<Identifier, Failure> {
    let value = match identifier.kind.as_str() {
        "dns" => identifier.value.trim_end_matches('.').to_ascii_lowercase(),
        "ip" => match identifier.value.parse::<std::net::IpAddr>() {
            Ok(address) => address.to_string(),
            Err(_) => identifier.value.clone(),
        },
        _ => identifier.value.clone(),
    };
    Identifier::parse_any(&identifier.kind, &value)
        .map_err(|error| Failure::invalid(format!("`identifiers`: {error}")))
}

/// PEM, or base64 of DER.
fn read_csr(text: &str) -> Result<Vec<u8>, Failure> {
    let refuse = |error: String| Failure::invalid(format!("`csr`: {error}"));
    if text.contains("-----BEGIN") {
        let blocks =
            pki::pem::decode(text.as_bytes()).map_err(|error| refuse(error.to_string()))?;
        let is_request = |label: &str| label.ends_with("CERTIFICATE REQUEST");
        return blocks
            .into_iter()
            .find(|block| is_request(&block.label))
            .map(|block| block.der)
            .ok_or_else(|| refuse("the PEM text holds no certificate request".to_owned()));
    }
    let octets: Vec<u8> = text.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
    STANDARD.decode(octets).map_err(|_| {
        refuse("it is neither PEM nor base64; send the PEM text, or the DER in base64".to_owned())
    })
}

/// 201 with the certificate, or 202 with where and when to ask again.
async fn answer(
    verbs: &Verbs,
    enrolled: &Enrollment,
    operator: &Operator,
) -> Result<Response, Failure> {
    let body = enrollments::detailed(verbs, enrolled, operator).await?;
    let place = format!("/api/v1/enrollments/{}", enrolled.id);
    let status = match enrolled.state {
        EnrollmentState::Issued { .. } => StatusCode::CREATED,
        _ => StatusCode::ACCEPTED,
    };
    let mut response = (status, [(LOCATION, place)], axum::Json(body)).into_response();
    if status == StatusCode::ACCEPTED {
        let wait = retry_after(enrolled, verbs.now());
        response.headers_mut().insert(RETRY_AFTER, wait);
    }
    Ok(response)
}

/// When there may be news: soon from a signer, when it was told to be asked from a CA elsewhere.
pub(super) fn retry_after(enrolled: &Enrollment, now: Timestamp) -> HeaderValue {
    HeaderValue::from(enrolled.state.retry_after(now).as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_csr_is_taken_as_pem_or_as_base64() {
        let der = [0x30, 3, 2, 1, 0];
        let pem = pki::pem::encode(pki::pem::CERTIFICATE_REQUEST, &der);
        let old = pki::pem::encode("NEW CERTIFICATE REQUEST", &der);
        for text in [pem.as_str(), &old, "MAMCAQA=", " MAMC\nAQA=\n"] {
            assert_eq!(read_csr(text).unwrap(), der, "{text}");
        }
        for text in ["", "%", "-----BEGIN", "-----BEGIN X-----\n-----END X-----"] {
            assert!(read_csr(text).is_err() || text.is_empty(), "{text}");
        }
    }

    #[test]
    fn names_are_taken_as_people_write_them() {
        for (kind, typed, kept) in [
            ("dns", "WWW.Example.org.", "www.example.org"),
            ("ip", "2001:DB8:0:0::1", "2001:db8::1"),
        ] {
            let identifier = authz::Identifier {
                kind: kind.to_owned(),
                value: typed.to_owned(),
            };
            assert_eq!(read_identifier(&identifier).unwrap().value(), kept);
        }
    }
}
