//! `simpleenroll` and `simplereenroll` (RFC 7030 section 4.2).

use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use domain::enrollment::Enrollment;
use domain::event::ActorKind;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use lifecycle::enrolling::{Client, ClientAsk, Renewal};
use pki::csr::Csr;
use pki::fingerprint::Fingerprint;
use protocols::est::{PKCS10, body};

use super::answer;
use super::client::{authenticate, check_binding, holder};
use super::failure::Failure;
use super::{Label, Verbs};
use crate::origin::Origin;

/// A first certificate, or another one.
pub(super) async fn enroll(
    State(verbs): State<Verbs>,
    label: Label,
    parts: Parts,
    body: Bytes,
) -> Result<Response, Failure> {
    let csr = read(&parts.headers, &body)?;
    let client = authenticate(&verbs, &label, &parts).await?;
    respond(&verbs, &label, &parts, (csr, client, Renewal::No)).await
}

/// The successor of the certificate that the client shows.
pub(super) async fn reenroll(
    State(verbs): State<Verbs>,
    label: Label,
    parts: Parts,
    body: Bytes,
) -> Result<Response, Failure> {
    let csr = read(&parts.headers, &body)?;
    let client = holder(&verbs, &parts).await?;
    respond(&verbs, &label, &parts, (csr, client, Renewal::Yes)).await
}

async fn respond(
    verbs: &Verbs,
    label: &Label,
    parts: &Parts,
    (csr, client, renewal): (Csr, Client, Renewal),
) -> Result<Response, Failure> {
    check_binding(label, &csr, parts)?;
    let ask = ClientAsk {
        reference: reference(&client, &csr, renewal),
        client,
        csr,
        renewal,
        server_key: false,
    };
    let enrollment = submit(verbs, label, parts, ask).await?;
    let bundle = answer::bundle(verbs, &enrollment).await?;
    Ok(answer::certificates(&bundle))
}

/// Calls the one verb.
pub(super) async fn submit(
    verbs: &Verbs,
    label: &Label,
    parts: &Parts,
    ask: ClientAsk,
) -> Result<Enrollment, Failure> {
    let origin = Origin::of(&parts.extensions).caller(ActorKind::Anonymous, &label.point.name);
    Ok(verbs.ask_as_client(&label.point, ask, &origin).await?)
}

/// The CSR of a request. The media type is asked for because a page in a browser cannot send it to another
/// site unasked, and a browser would lend the page its client certificate.
pub(super) fn read(headers: &HeaderMap, octets: &[u8]) -> Result<Csr, Failure> {
    let given = headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok());
    let essence = given.and_then(|text| text.split(';').next()).map(str::trim);
    if !essence.is_some_and(|essence| essence.eq_ignore_ascii_case(PKCS10)) {
        return Err(Failure::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            format!("send the CSR as `Content-Type: {PKCS10}`"),
        ));
    }
    let der = body::decode(octets).map_err(|error| Failure::bad_request(error.to_string()))?;
    Csr::from_der(&der).map_err(|error| Failure::bad_request(error.to_string()))
}

/// The same for the same CSR of the same client in the same operation (RFC 7030 section 4.2.3: who was told
/// to wait sends the same request again).
pub(super) fn reference(client: &Client, csr: &Csr, renewal: Renewal) -> String {
    let operation = match renewal {
        Renewal::No => "enroll",
        Renewal::Yes => "reenroll",
    };
    named(operation, client, csr)
}

pub(super) fn named(operation: &str, client: &Client, csr: &Csr) -> String {
    let proof = client.proof();
    let csr = Fingerprint::of(&csr.der);
    Fingerprint::of(format!("{operation}/{}/{csr}", proof.id()).as_bytes()).to_string()
}
