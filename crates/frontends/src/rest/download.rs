//! `/certificates/{id}/download`: a certificate in the form that somebody needs.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use domain::certificate::Chain;
use domain::id::CertificateId;
use domain::permission::Permission;
use http::header::{ACCEPT, CONTENT_DISPOSITION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue};
use pki::pkcs12;
use protocols::rest::certificate::{DownloadFormat, DownloadQuery, PASSWORD_HEADER};
use secrecy::SecretString;

use super::Verbs;
use super::access::Operator;
use super::certificates::find;
use super::extract::{Named, Parameters, header};
use super::failure::Failure;

/// A certificate as a file
///
/// `Accept` may name the form in place of `format`. Private keys are never in it.
#[utoipa::path(get, path = "/api/v1/certificates/{id}/download", tag = "certificates",
    params(
        ("id" = String, Path, description = "Id of the certificate"),
        ("certwright-password" = Option<String>, Header, description = "Password of a PKCS #12 file"),
        DownloadQuery,
    ),
    responses((status = 200, description = "The certificate", content(
        (String = "application/pem-certificate-chain"),
        (String = "application/x-pem-file"),
        (Vec<u8> = "application/pkix-cert"),
        (Vec<u8> = "application/x-pkcs12"),
    ))))]
pub(crate) async fn download(
    State(verbs): State<Verbs>,
    operator: Operator,
    Named(id): Named<CertificateId>,
    Parameters(query): Parameters<DownloadQuery>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let format = query
        .format
        .or_else(|| accepted(&headers))
        .unwrap_or(DownloadFormat::Chain);
    let certificate = find(&verbs, &operator, Permission::CertificatesRead, &id).await?;
    let chain = verbs.certificate_chain(&certificate).await?;
    let body = encode(format, &chain, header(&headers, PASSWORD_HEADER)).await?;
    let file = format!("attachment; filename=\"{id}.{}\"", format.extension());
    let content_type = HeaderValue::from_static(format.media_type());
    let mut response = ([(CONTENT_TYPE, content_type)], body).into_response();
    // The id was parsed: letters, digits and an underscore.
    if let Ok(value) = HeaderValue::from_str(&file) {
        response.headers_mut().insert(CONTENT_DISPOSITION, value);
    }
    Ok(response)
}

/// The first form that the client accepts by name; weights are not looked at.
fn accepted(headers: &HeaderMap) -> Option<DownloadFormat> {
    let text = headers.get(ACCEPT)?.to_str().ok()?;
    text.split(',').find_map(|range| {
        let essence = range.split(';').next()?.trim();
        DownloadFormat::ALL
            .into_iter()
            .find(|format| format.media_type().eq_ignore_ascii_case(essence))
    })
}

async fn encode(
    format: DownloadFormat,
    chain: &Chain,
    password: Option<&str>,
) -> Result<Vec<u8>, Failure> {
    let leaf = chain.certificates().first().cloned().unwrap_or_default();
    match format {
        DownloadFormat::Pem => Ok(pki::pem::encode(pki::pem::CERTIFICATE, &leaf).into_bytes()),
        DownloadFormat::Der => Ok(leaf),
        DownloadFormat::Chain => Ok(chain.to_pem().into_bytes()),
        DownloadFormat::P12 => pkcs12_of(chain, password).await,
    }
}

async fn pkcs12_of(chain: &Chain, password: Option<&str>) -> Result<Vec<u8>, Failure> {
    let password = password
        .filter(|password| !password.is_empty())
        .ok_or_else(|| {
            Failure::invalid(
                "a PKCS #12 file needs a password; send it in the header `Certwright-Password`",
            )
        })?;
    let password = SecretString::from(password);
    let certificates = chain.certificates().to_vec();
    // The password's stretching takes a good part of a second.
    let made =
        tokio::task::spawn_blocking(move || pkcs12::export_certificates(&certificates, &password));
    match made.await {
        Ok(Ok(octets)) => Ok(octets),
        Ok(Err(error)) => Err(Failure::internal(&error)),
        Err(error) => Err(Failure::internal(&error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_accept_header_names_the_form() {
        for (accept, format) in [
            ("*/*", None),
            ("application/json", None),
            ("application/pkix-cert", Some(DownloadFormat::Der)),
            (
                "text/html, Application/X-PEM-File;q=0.9, */*;q=0.1",
                Some(DownloadFormat::Pem),
            ),
            ("application/x-pkcs12", Some(DownloadFormat::P12)),
        ] {
            let headers = [(ACCEPT, HeaderValue::from_static(accept))];
            assert_eq!(accepted(&headers.into_iter().collect()), format, "{accept}");
        }
    }
}
