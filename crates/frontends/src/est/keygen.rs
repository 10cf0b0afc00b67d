//! `serverkeygen` (RFC 7030 section 4.4): a key that is made here, for devices that cannot.

use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use data_encoding::HEXLOWER;
use domain::event::ActorKind;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::request::Parts;
use lifecycle::enrolling::{ClientAsk, Renewal};
use pki::fingerprint::Fingerprint;
use pki::oid;
use protocols::est::PKCS8;
use protocols::est::key_answer::{KeyAnswer, content_type};

use super::client::{authenticate, check_binding};
use super::enroll::{named, read, submit};
use super::failure::Failure;
use super::{Label, Verbs, answer};
use crate::origin::Origin;

/// A certificate and its key. The key leaves once.
pub(super) async fn generate(
    State(verbs): State<Verbs>,
    label: Label,
    parts: Parts,
    body: Bytes,
) -> Result<Response, Failure> {
    if !label.rules.server_keys {
        return Err(Failure::not_found("this label makes no keys"));
    }
    let csr = read(&parts.headers, &body)?;
    // RFC 7030 section 4.4.1: who asks for this and gets a bare key was not served.
    let encrypted = [oid::DECRYPT_KEY_ID, oid::ASYMMETRIC_DECRYPT_KEY_ID];
    if encrypted.iter().any(|kind| csr.has_attribute(kind)) {
        return Err(Failure::bad_request(
            "keys are protected by TLS alone here: leave DecryptKeyIdentifier and \
             AsymmetricDecryptKeyIdentifier out, or make the key yourself and use simpleenroll",
        ));
    }
    let client = authenticate(&verbs, &label, &parts).await?;
    check_binding(&label, &csr, &parts)?;
    let origin = Origin::of(&parts.extensions).caller(ActorKind::Anonymous, &label.point.name);
    let caller = verbs.client_caller(&client, &origin);
    let ask = ClientAsk {
        reference: named("serverkeygen", &client, &csr),
        client,
        csr,
        renewal: Renewal::No,
        server_key: true,
    };
    let enrollment = submit(&verbs, &label, &parts, ask).await?;
    let certificates = answer::bundle(&verbs, &enrollment).await?;
    let (key, _) = verbs.fetch_key(&enrollment.id, &caller).await?;
    let pkcs8 = key.to_pkcs8().map_err(|error| Failure::internal(&error))?;
    let answer = KeyAnswer {
        key_type: PKCS8,
        key: &pkcs8,
        certificates: &certificates,
    };
    let boundary = boundary(&certificates);
    let headers = [
        (CONTENT_TYPE, content_type(&boundary)),
        (CACHE_CONTROL, "no-store".to_owned()),
    ];
    Ok((headers, answer.to_body(&boundary)).into_response())
}

/// Stands in no base64, since it has hyphens.
fn boundary(certificates: &[u8]) -> String {
    let digest = Fingerprint::of(certificates).0;
    format!("est-{}-part", HEXLOWER.encode(&digest[..8]))
}
