//! Certificate download (RFC 8555 section 7.4.2).

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use domain::certificate::InventoryCertificate;
use domain::id::CertificateId;
use http::header::{CONTENT_TYPE, LINK};

use super::AcmeState;
use super::failure::Failure;
use super::signed::ByAccount;

/// The default chain: up to, and without, the root.
pub(crate) async fn download(
    State(state): State<AcmeState>,
    request: ByAccount,
) -> Result<Response, Failure> {
    let certificate = find(&state, &request).await?;
    let chain = state.lifecycle.certificate_chain(&certificate).await?;
    let alternates = state.lifecycle.alternate_chains(&certificate).await?;
    let mut response = pem(chain.to_pem());
    for number in 1..=alternates.len() {
        let url = request.urls.alternate(&certificate.id, number);
        if let Ok(link) = format!("<{url}>;rel=\"alternate\"").parse() {
            response.headers_mut().append(LINK, link);
        }
    }
    Ok(response)
}

/// Another chain of the same certificate.
pub(crate) async fn alternate(
    State(state): State<AcmeState>,
    request: ByAccount,
) -> Result<Response, Failure> {
    let certificate = find(&state, &request).await?;
    let number: usize = request.param("number")?;
    let chains = state.lifecycle.alternate_chains(&certificate).await?;
    let chain = number
        .checked_sub(1)
        .and_then(|index| chains.get(index))
        .ok_or_else(|| Failure::not_found("chain"))?;
    let mut response = pem(chain.to_pem());
    let main = request.urls.certificate(&certificate.id);
    if let Ok(link) = format!("<{main}>;rel=\"alternate\"").parse() {
        response.headers_mut().append(LINK, link);
    }
    Ok(response)
}

async fn find(state: &AcmeState, request: &ByAccount) -> Result<InventoryCertificate, Failure> {
    request.require_post_as_get()?;
    let id: CertificateId = request.param("id")?;
    state
        .lifecycle
        .certificate(&id)
        .await?
        .filter(|certificate| certificate.account_id.as_ref() == Some(&request.account.id))
        .ok_or_else(|| Failure::not_found("certificate"))
}

fn pem(chain: String) -> Response {
    ([(CONTENT_TYPE, "application/pem-certificate-chain")], chain).into_response()
}
