//! `/client-certificates`: machines that show a certificate in place of a token's secret.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use domain::client_certificate::{CaReference, CertificateMatch, ClientCertificate};
use domain::id::ClientCertificateId;
use http::StatusCode;
use lifecycle::client_certificates::NewClientCertificate;
use protocols::rest::client_certificate as wire;
use protocols::rest::page::{Page, PageQuery};

use super::Verbs;
use super::access::{Fresh, Operator};
use super::extract::{Body, Named, created};
use super::failure::Failure;
use super::listing::{Everything, Listing};
use super::names::Names;

/// Rules for client certificates, newest first
#[utoipa::path(get, path = "/api/v1/client-certificates", tag = "client-certificates",
    params(PageQuery),
    responses((status = 200, description = "A page of rules", body = Page<wire::ClientCertificate>)))]
pub(crate) async fn list(
    State(verbs): State<Verbs>,
    listing: Listing<Everything, ClientCertificateId>,
) -> Result<Json<Page<wire::ClientCertificate>>, Failure> {
    let names = Names::load(&verbs).await?;
    let found = verbs
        .list_client_certificates(listing.after.clone(), listing.rows())
        .await?;
    Ok(Json(listing.page(
        found,
        |rule| rule.id.to_string(),
        |rule| render(&rule, &names),
    )))
}

/// One rule
#[utoipa::path(get, path = "/api/v1/client-certificates/{id}", tag = "client-certificates",
    params(("id" = String, Path, description = "Id of the rule")),
    responses((status = 200, description = "The rule", body = wire::ClientCertificate)))]
pub(crate) async fn show(
    State(verbs): State<Verbs>,
    Named(id): Named<ClientCertificateId>,
) -> Result<Json<wire::ClientCertificate>, Failure> {
    let found = verbs.client_certificate(&id).await?;
    let rule = found.ok_or_else(|| Failure::not_found(format!("there is no rule {id}")))?;
    Ok(Json(render(&rule, &Names::load(&verbs).await?)))
}

/// Let certificates stand for a token
///
/// Takes every permission of the token, in the same place.
#[utoipa::path(post, path = "/api/v1/client-certificates", tag = "client-certificates",
    request_body = wire::CreateClientCertificate,
    responses((status = 201, description = "The rule; it is in force at once", body = wire::ClientCertificate)))]
pub(crate) async fn create(
    State(verbs): State<Verbs>,
    operator: Operator,
    _fresh: Fresh,
    Body(request): Body<wire::CreateClientCertificate>,
) -> Result<Response, Failure> {
    let wanted = NewClientCertificate {
        name: request.name,
        token: request
            .token
            .parse()
            .map_err(|error| Failure::invalid(format!("`token`: {error}")))?,
        ca: request.ca,
        subject: read_match(request.subject)?,
    };
    let rule = verbs
        .create_client_certificate(wanted, &operator.caller())
        .await?;
    let body = render(&rule, &Names::load(&verbs).await?);
    Ok(created(
        format!("/api/v1/client-certificates/{}", body.id),
        &body,
    ))
}

/// Remove a rule: its certificates open nothing any more
#[utoipa::path(delete, path = "/api/v1/client-certificates/{id}", tag = "client-certificates",
    params(("id" = String, Path, description = "Id of the rule")),
    responses((status = 204, description = "It is gone")))]
pub(crate) async fn delete(
    State(verbs): State<Verbs>,
    operator: Operator,
    Named(id): Named<ClientCertificateId>,
) -> Result<StatusCode, Failure> {
    verbs
        .delete_client_certificate(&id, &operator.caller())
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

fn read_match(wanted: wire::CertificateMatch) -> Result<CertificateMatch, Failure> {
    Ok(match wanted {
        wire::CertificateMatch::Serial(text) => CertificateMatch::Serial(
            text.parse()
                .map_err(|error| Failure::invalid(format!("`subject`: {error}")))?,
        ),
        wire::CertificateMatch::Subject(text) => CertificateMatch::Subject(text),
        wire::CertificateMatch::Dns(text) => CertificateMatch::Dns(text),
        wire::CertificateMatch::Email(text) => CertificateMatch::Email(text),
        wire::CertificateMatch::Uri(text) => CertificateMatch::Uri(text),
    })
}

fn render(rule: &ClientCertificate, names: &Names) -> wire::ClientCertificate {
    wire::ClientCertificate {
        id: rule.id.to_string(),
        name: rule.name.clone(),
        token: rule.token.to_string(),
        ca: match &rule.ca {
            CaReference::Issuer(id) => names.issuer(id),
            CaReference::Certificate(fingerprint) => fingerprint.to_string(),
        },
        subject: match &rule.subject {
            CertificateMatch::Serial(serial) => wire::CertificateMatch::Serial(serial.to_string()),
            CertificateMatch::Subject(text) => wire::CertificateMatch::Subject(text.clone()),
            CertificateMatch::Dns(text) => wire::CertificateMatch::Dns(text.clone()),
            CertificateMatch::Email(text) => wire::CertificateMatch::Email(text.clone()),
            CertificateMatch::Uri(text) => wire::CertificateMatch::Uri(text.clone()),
        },
        created_at: rule.created_at,
        last_used_at: rule.last_used_at,
    }
}
