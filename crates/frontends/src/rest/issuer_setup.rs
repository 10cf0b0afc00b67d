//! `/issuers`: CAs taken over with their key, or certified by a CA elsewhere.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use lifecycle::operator::ca_certificate::{ImportedIssuer, RequestedIssuer};
use pki::key::LocalKey;
use pki::name::DistinguishedName;
use protocols::rest::issuer as wire;
use secrecy::ExposeSecret;

use super::Verbs;
use super::access::Operator;
use super::extract::{Body, Named, created};
use super::failure::Failure;
use super::issuers::{find, shown};

/// Take over a CA that was made elsewhere, with its key
#[utoipa::path(post, path = "/api/v1/issuers/import", tag = "issuers",
    request_body = wire::ImportIssuer,
    responses((status = 201, description = "The issuer; it signs from now on", body = wire::Issuer)))]
pub(crate) async fn import(
    State(verbs): State<Verbs>,
    operator: Operator,
    Body(request): Body<wire::ImportIssuer>,
) -> Result<Response, Failure> {
    let key = LocalKey::from_pem(request.key.expose_secret())
        .map_err(|error| Failure::invalid(format!("`key`: {error}")))?;
    let imported = ImportedIssuer {
        name: request.name,
        certificates: certificates(&request.certificates)?,
        key,
    };
    let issuer = verbs.import_issuer(imported, &operator.caller()).await?;
    let body = shown(&verbs, &issuer).await?;
    Ok(created(format!("/api/v1/issuers/{}", issuer.name), &body))
}

/// Make a key for a CA, and the request that a CA elsewhere is to certify
#[utoipa::path(post, path = "/api/v1/issuers/csr", tag = "issuers",
    request_body = wire::RequestIssuer,
    responses((status = 201, description = "The request; the issuer waits for its certificate",
        body = wire::IssuerRequest)))]
pub(crate) async fn request(
    State(verbs): State<Verbs>,
    operator: Operator,
    Body(request): Body<wire::RequestIssuer>,
) -> Result<Response, Failure> {
    let subject = DistinguishedName::parse(&request.subject)
        .map_err(|error| Failure::invalid(format!("`subject`: {error}")))?;
    let requested = RequestedIssuer {
        name: request.name,
        subject,
        algorithm: request.key_algorithm,
    };
    let (issuer, csr) = verbs.request_issuer(requested, &operator.caller()).await?;
    let name = issuer.name;
    let path = format!("/api/v1/issuers/{name}/csr");
    Ok(created(path, &wire::IssuerRequest { name, csr }))
}

/// The request of an issuer that waits for its certificate
#[utoipa::path(get, path = "/api/v1/issuers/{name}/csr", tag = "issuers",
    params(("name" = String, Path, description = "Name of the issuer")),
    responses((status = 200, description = "The request", body = wire::IssuerRequest)))]
pub(crate) async fn show_request(
    State(verbs): State<Verbs>,
    Named(name): Named<String>,
) -> Result<Json<wire::IssuerRequest>, Failure> {
    let issuer = find(&verbs, &name).await?;
    let csr = verbs.issuer_request(&issuer).await?.ok_or_else(|| {
        Failure::not_found(format!(
            "the issuer `{name}` does not wait for a certificate"
        ))
    })?;
    Ok(Json(wire::IssuerRequest { name, csr }))
}

/// Give an issuer the certificate that was made for its key
///
/// An issuer that waited for it signs from now on; one that has a certificate gets a newer one.
#[utoipa::path(post, path = "/api/v1/issuers/{name}/certificate", tag = "issuers",
    params(("name" = String, Path, description = "Name of the issuer")),
    request_body = wire::InstallCertificate,
    responses((status = 200, description = "The issuer", body = wire::Issuer)))]
pub(crate) async fn install(
    State(verbs): State<Verbs>,
    operator: Operator,
    Named(name): Named<String>,
    Body(request): Body<wire::InstallCertificate>,
) -> Result<Json<wire::Issuer>, Failure> {
    let certificates = certificates(&request.certificates)?;
    let issuer = verbs
        .install_issuer_certificate(&name, &certificates, &operator.caller())
        .await?;
    Ok(Json(shown(&verbs, &issuer).await?))
}

fn certificates(pem: &str) -> Result<Vec<Vec<u8>>, Failure> {
    pki::pem::decode_all(pki::pem::CERTIFICATE, pem.as_bytes())
        .map_err(|error| Failure::invalid(format!("`certificates`: {error}")))
}
