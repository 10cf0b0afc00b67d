//! `…/owner`: ownership goes from one team to another.

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use domain::id::{CertificateId, EabKeyId};
use lifecycle::access::AccessError;
use lifecycle::access::owners::Ownable;
use protocols::rest::team::SetOwner;
use protocols::rest::{certificate, directory, eab_key, profile};

use super::access::Operator;
use super::extract::{Body, Named};
use super::failure::Failure;
use super::{Verbs, certificates, directories, eab_keys, profiles};

/// Give a certificate to another team
#[utoipa::path(put, path = "/api/v1/certificates/{id}/owner", tag = "certificates",
    params(("id" = String, Path, description = "Id of the certificate")),
    request_body = SetOwner,
    responses((status = 200, description = "The certificate", body = certificate::Certificate)))]
pub(crate) async fn certificate(
    State(verbs): State<Verbs>,
    operator: Operator,
    Named(id): Named<CertificateId>,
    Body(request): Body<SetOwner>,
) -> Result<Json<certificate::Certificate>, Failure> {
    let object = Ownable::Certificate(id.clone());
    transfer(&verbs, &operator, object, request, || {
        certificates::unknown(&id)
    })
    .await?;
    Ok(Json(certificates::shown(&verbs, &id).await?))
}

/// Give a profile with all its versions to another team, or to everybody
#[utoipa::path(put, path = "/api/v1/profiles/{name}/owner", tag = "profiles",
    params(("name" = String, Path, description = "Name of the profile")),
    request_body = SetOwner,
    responses((status = 200, description = "The profile", body = profile::Profile)))]
pub(crate) async fn profile(
    State(verbs): State<Verbs>,
    operator: Operator,
    Named(name): Named<String>,
    Body(request): Body<SetOwner>,
) -> Result<impl IntoResponse, Failure> {
    let object = Ownable::Profile(name.clone());
    transfer(&verbs, &operator, object, request, || {
        profiles::unknown(&name)
    })
    .await?;
    profiles::shown(&verbs, &name).await
}

/// Give an ACME directory to another team, or to everybody, with the accounts that no key binds
/// to a team
#[utoipa::path(put, path = "/api/v1/acme/directories/{name}/owner", tag = "acme",
    params(("name" = String, Path, description = "Name of the directory")),
    request_body = SetOwner,
    responses((status = 200, description = "The directory", body = directory::Directory)))]
pub(crate) async fn directory(
    State(verbs): State<Verbs>,
    operator: Operator,
    Named(name): Named<String>,
    Body(request): Body<SetOwner>,
) -> Result<impl IntoResponse, Failure> {
    let object = Ownable::Directory(name.clone());
    transfer(&verbs, &operator, object, request, || {
        directories::unknown(&name)
    })
    .await?;
    directories::shown(&verbs, &name).await
}

/// Give an external account binding key to another team, with the accounts it bound
#[utoipa::path(put, path = "/api/v1/acme/eab-keys/{id}/owner", tag = "acme",
    params(("id" = String, Path, description = "Id of the key")),
    request_body = SetOwner,
    responses((status = 200, description = "The key", body = eab_key::EabKey)))]
pub(crate) async fn eab_key(
    State(verbs): State<Verbs>,
    operator: Operator,
    Named(id): Named<EabKeyId>,
    Body(request): Body<SetOwner>,
) -> Result<Json<eab_key::EabKey>, Failure> {
    let object = Ownable::EabKey(id.clone());
    transfer(&verbs, &operator, object, request, || {
        eab_keys::unknown(&id)
    })
    .await?;
    Ok(Json(eab_keys::shown(&verbs, &id).await?))
}

async fn transfer(
    verbs: &Verbs,
    operator: &Operator,
    object: Ownable,
    request: SetOwner,
    unknown: impl FnOnce() -> Failure,
) -> Result<(), Failure> {
    let caller = operator.caller();
    let moved = verbs.transfer(object, request.team, &caller).await;
    moved.map_err(|error| match error {
        AccessError::Unknown => unknown(),
        error => error.into(),
    })
}
