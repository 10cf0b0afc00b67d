//! `/enrollments/{id}/key`: the key that was made here, handed out once.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use domain::enrollment::Enrollment;
use domain::id::EnrollmentId;
use domain::permission::Permission;
use http::HeaderValue;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use pki::key::LocalKey;
use pki::pkcs12;
use protocols::rest::enroll::{FetchKey, KeyFormat};
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use super::Verbs;
use super::access::Operator;
use super::enrollments;
use super::extract::{Body, Named};
use super::failure::Failure;

/// Fetch the key that was made on the server, this once
///
/// For who asked for the certificate, within a day of its issuance. It is destroyed here as it is
/// handed out.
#[utoipa::path(post, path = "/api/v1/enrollments/{id}/key", tag = "enrollments",
    params(("id" = String, Path, description = "Id of the enrollment")),
    request_body = FetchKey,
    responses((status = 200, description = "The key, or a file with key and certificate", content(
        (String = "application/x-pem-file"),
        (Vec<u8> = "application/x-pkcs12"),
    ))))]
pub(crate) async fn fetch(
    State(verbs): State<Verbs>,
    operator: Operator,
    Named(id): Named<EnrollmentId>,
    Body(request): Body<FetchKey>,
) -> Result<Response, Failure> {
    enrollments::find(&verbs, &operator, Permission::CertificatesRequest, &id).await?;
    // What would be refused later is refused now: the key is fetched only once.
    let password = password(&request)?;
    let (key, enrollment) = verbs.fetch_key(&id, &operator.caller()).await?;
    let octets = match password {
        None => pem(&key)?,
        Some(password) => file(&verbs, key, &enrollment, password).await?,
    };
    let content_type = HeaderValue::from_static(request.format.media_type());
    // The copy in the body is the connection's; ours is wiped.
    let mut response = ([(CONTENT_TYPE, content_type)], octets.to_vec()).into_response();
    let extension = match request.format {
        KeyFormat::Pkcs8 => "key",
        KeyFormat::Pkcs12 => "p12",
    };
    let name = format!("attachment; filename=\"{id}.{extension}\"");
    if let Ok(value) = HeaderValue::from_str(&name) {
        response.headers_mut().insert(CONTENT_DISPOSITION, value);
    }
    Ok(response)
}

fn password(request: &FetchKey) -> Result<Option<SecretString>, Failure> {
    let given = request
        .password
        .as_ref()
        .filter(|password| !password.expose_secret().is_empty());
    match (request.format, given) {
        (KeyFormat::Pkcs8, None) => Ok(None),
        (KeyFormat::Pkcs8, Some(_)) => Err(Failure::invalid(
            "`password` protects a PKCS #12 file; leave it out, or ask for `pkcs12`",
        )),
        (KeyFormat::Pkcs12, Some(password)) => Ok(Some(password.clone())),
        (KeyFormat::Pkcs12, None) => Err(Failure::invalid(
            "a PKCS #12 file needs a password; send one in `password`",
        )),
    }
}

fn pem(key: &LocalKey) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let text = key.to_pem().map_err(|error| Failure::internal(&error))?;
    Ok(Zeroizing::new(text.as_bytes().to_vec()))
}

async fn file(
    verbs: &Verbs,
    key: LocalKey,
    enrollment: &Enrollment,
    password: SecretString,
) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let chain = verbs
        .issued_chain(enrollment)
        .await?
        .ok_or_else(|| Failure::broken("an issued enrollment has no certificate"))?;
    let name = enrollment.id.to_string();
    // The password's stretching takes a good part of a second.
    let made = tokio::task::spawn_blocking(move || {
        pkcs12::export_key(&name, &key, chain.certificates(), &password)
    });
    match made.await {
        Ok(Ok(octets)) => Ok(Zeroizing::new(octets)),
        Ok(Err(error)) => Err(Failure::internal(&error)),
        Err(error) => Err(Failure::internal(&error)),
    }
}
