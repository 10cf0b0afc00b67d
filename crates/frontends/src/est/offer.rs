//! What is told to everybody: CA certificates and what a CSR should have in it (RFC 7030 sections 4.1, 4.5).

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use domain::enrolling::ChannelBinding;
use domain::profile::Profile;
use http::header::CONTENT_TYPE;
use pki::cms::CertsOnly;
use protocols::est::csr_attributes::CsrAttributes;
use protocols::est::{CSR_ATTRIBUTES, body};

use super::failure::Failure;
use super::{Label, Verbs, answer};

/// `cacerts`: the chains of all issuers of the label's profile, so that a change of the issuer surprises
/// nobody.
pub(super) async fn ca_certificates(
    State(verbs): State<Verbs>,
    label: Label,
) -> Result<Response, Failure> {
    let profile = profile(&verbs, &label).await?;
    let chain = verbs.ca_certificates(&profile).await?;
    let certificates: Vec<&[u8]> = chain.certificates().iter().map(Vec::as_slice).collect();
    if certificates.is_empty() {
        return Err(Failure::not_found(
            "no issuer of this label has a certificate yet",
        ));
    }
    let bundle = CertsOnly {
        certificates: &certificates,
        crls: &[],
    };
    Ok(answer::certificates(&bundle.to_der()))
}

/// `csrattrs`: the kind of key that the profile likes best, and the purposes that it certifies; once as
/// attributes and once as a template.
pub(super) async fn csr_attributes(
    State(verbs): State<Verbs>,
    label: Label,
) -> Result<Response, Failure> {
    let profile = profile(&verbs, &label).await?;
    let attributes = CsrAttributes {
        key: profile.spec.key_algorithms.first().copied(),
        challenge_password: label.rules.channel_binding == ChannelBinding::Required,
        purposes: profile.spec.extended_key_usage.clone(),
        names: profile.spec.names.min > 0,
    };
    let headers = [(CONTENT_TYPE, CSR_ATTRIBUTES)];
    Ok((headers, body::encode(&attributes.to_der())).into_response())
}

async fn profile(verbs: &Verbs, label: &Label) -> Result<Arc<Profile>, Failure> {
    let found = verbs.profile(&label.rules.profile).await?;
    found.ok_or_else(|| Failure::not_found("the profile of this label is gone"))
}
