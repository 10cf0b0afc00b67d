//! `…/metadata`: the values of certificates, and what accounts, binding keys and issuers pass on.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use domain::id::{AccountId, CertificateId, EabKeyId};
use domain::metadata::{Change, Values};
use domain::permission::Permission;
use http::HeaderMap;
use lifecycle::metadata::version_of;
use protocols::rest::issuer::Issuer;
use protocols::rest::metadata as wire;

use super::access::Operator;
use super::extract::{Body, Named};
use super::failure::Failure;
use super::{Verbs, accounts, certificates, eab_keys, etag, issuers};

/// The custom metadata of a certificate; its `ETag` goes into the `If-Match` of a change
#[utoipa::path(get, path = "/api/v1/certificates/{id}/metadata", tag = "certificates",
    params(("id" = String, Path, description = "Id of the certificate")),
    responses((status = 200, description = "Its values", body = wire::Metadata,
        headers(("ETag" = String, description = "Names these values")))))]
pub(crate) async fn of_certificate(
    State(verbs): State<Verbs>,
    operator: Operator,
    Named(id): Named<CertificateId>,
) -> Result<impl IntoResponse, Failure> {
    let found = certificates::find(&verbs, &operator, Permission::CertificatesRead, &id).await?;
    Ok(answer(found.metadata))
}

/// Change custom metadata of a certificate
///
/// What is not named stays as it is; computed values follow. The certificate itself is as it was:
/// metadata is not in it.
#[utoipa::path(patch, path = "/api/v1/certificates/{id}/metadata", tag = "certificates",
    params(
        ("id" = String, Path, description = "Id of the certificate"),
        ("If-Match" = Option<String>, Header, description = "The ETag of what is changed"),
    ),
    request_body = wire::MetadataChange,
    responses((status = 200, description = "Its values as they are now", body = wire::Metadata,
        headers(("ETag" = String, description = "Names these values")))))]
pub(crate) async fn change_certificate(
    State(verbs): State<Verbs>,
    operator: Operator,
    Named(id): Named<CertificateId>,
    headers: HeaderMap,
    Body(request): Body<wire::MetadataChange>,
) -> Result<impl IntoResponse, Failure> {
    certificates::find(&verbs, &operator, Permission::CertificatesEdit, &id).await?;
    let expected = etag::expected(&headers)?;
    let values = verbs
        .change_certificate_metadata(&id, change(request)?, expected, &operator.caller())
        .await?;
    Ok(answer(values))
}

/// The custom metadata that orders of an ACME account inherit
#[utoipa::path(get, path = "/api/v1/acme/accounts/{id}/metadata", tag = "acme",
    params(("id" = String, Path, description = "Id of the account")),
    responses((status = 200, description = "Its values", body = wire::Metadata,
        headers(("ETag" = String, description = "Names these values")))))]
pub(crate) async fn of_account(
    State(verbs): State<Verbs>,
    operator: Operator,
    Named(id): Named<AccountId>,
) -> Result<impl IntoResponse, Failure> {
    let account = accounts::find(&verbs, &operator, Permission::AcmeRead, &id).await?;
    Ok(answer(account.metadata.clone()))
}

/// Change the custom metadata that orders of an ACME account inherit
///
/// Certificates that there are stay as they are, and renewals keep what their predecessors had.
#[utoipa::path(patch, path = "/api/v1/acme/accounts/{id}/metadata", tag = "acme",
    params(
        ("id" = String, Path, description = "Id of the account"),
        ("If-Match" = Option<String>, Header, description = "The ETag of what is changed"),
    ),
    request_body = wire::MetadataChange,
    responses((status = 200, description = "Its values as they are now", body = wire::Metadata,
        headers(("ETag" = String, description = "Names these values")))))]
pub(crate) async fn change_account(
    State(verbs): State<Verbs>,
    operator: Operator,
    Named(id): Named<AccountId>,
    headers: HeaderMap,
    Body(request): Body<wire::MetadataChange>,
) -> Result<impl IntoResponse, Failure> {
    accounts::find(&verbs, &operator, Permission::AcmeWrite, &id).await?;
    let expected = etag::expected(&headers)?;
    let account = verbs
        .change_account_metadata(&id, change(request)?, expected, &operator.caller())
        .await?;
    Ok(answer(account.metadata.clone()))
}

/// The custom metadata that orders under an external account binding key inherit
#[utoipa::path(get, path = "/api/v1/acme/eab-keys/{id}/metadata", tag = "acme",
    params(("id" = String, Path, description = "Id of the key")),
    responses((status = 200, description = "Its values", body = wire::Metadata,
        headers(("ETag" = String, description = "Names these values")))))]
pub(crate) async fn of_eab_key(
    State(verbs): State<Verbs>,
    operator: Operator,
    Named(id): Named<EabKeyId>,
) -> Result<impl IntoResponse, Failure> {
    eab_keys::require(&verbs, &operator, Permission::AcmeRead, &id).await?;
    let key = verbs.eab_key(&id).await?;
    Ok(answer(key.ok_or_else(|| eab_keys::unknown(&id))?.metadata))
}

/// Change the custom metadata that orders under an external account binding key inherit
///
/// Certificates that there are stay as they are, and renewals keep what their predecessors had.
#[utoipa::path(patch, path = "/api/v1/acme/eab-keys/{id}/metadata", tag = "acme",
    params(
        ("id" = String, Path, description = "Id of the key"),
        ("If-Match" = Option<String>, Header, description = "The ETag of what is changed"),
    ),
    request_body = wire::MetadataChange,
    responses((status = 200, description = "Its values as they are now", body = wire::Metadata,
        headers(("ETag" = String, description = "Names these values")))))]
pub(crate) async fn change_eab_key(
    State(verbs): State<Verbs>,
    operator: Operator,
    Named(id): Named<EabKeyId>,
    headers: HeaderMap,
    Body(request): Body<wire::MetadataChange>,
) -> Result<impl IntoResponse, Failure> {
    eab_keys::require(&verbs, &operator, Permission::AcmeWrite, &id).await?;
    let expected = etag::expected(&headers)?;
    let values = verbs
        .change_eab_key_metadata(&id, change(request)?, expected, &operator.caller())
        .await?;
    Ok(answer(values))
}

/// Say which fields of custom metadata a CA is told, and under which names
///
/// For CAs with custom fields of their own; all others pass it over.
#[utoipa::path(put, path = "/api/v1/issuers/{name}/metadata-fields", tag = "issuers",
    params(("name" = String, Path, description = "Name of the issuer")),
    request_body = wire::IssuerMetadataFields,
    responses((status = 200, description = "The issuer as it is now", body = Issuer)))]
pub(crate) async fn tell_issuer(
    State(verbs): State<Verbs>,
    operator: Operator,
    Named(name): Named<String>,
    Body(request): Body<wire::IssuerMetadataFields>,
) -> Result<Json<Issuer>, Failure> {
    let issuer = verbs
        .set_issuer_metadata_fields(&name, request.metadata_fields, &operator.caller())
        .await?;
    Ok(Json(issuers::shown(&verbs, &issuer).await?))
}

fn change(request: wire::MetadataChange) -> Result<Change, Failure> {
    if request.metadata.is_empty() {
        return Err(Failure::invalid(
            "`metadata` names no field; name those that are to change",
        ));
    }
    Ok(wishes(request.metadata))
}

/// A change as the rules know it.
pub(super) fn wishes(written: BTreeMap<String, Option<wire::Scalar>>) -> Change {
    let text = |value: Option<wire::Scalar>| value.map(wire::Scalar::into_text);
    let wishes = written.into_iter();
    wishes.map(|(name, value)| (name, text(value))).collect()
}

fn answer(values: Values) -> impl IntoResponse {
    let tag = etag::tag(version_of(&values));
    (tag, Json(wire::Metadata { metadata: values }))
}
