//! The directory: where clients begin (RFC 8555 section 7.1.1).

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use protocols::acme::directory::{Directory, Meta};

use super::AcmeState;
use super::failure::Failure;
use super::signed::{Signed, Unsigned};
use super::urls::Urls;

pub(crate) async fn get(
    State(state): State<AcmeState>,
    request: Unsigned,
) -> Result<Json<Directory>, Failure> {
    render(&state, &request.directory, &request.urls).await
}

pub(crate) async fn post_as_get(
    State(state): State<AcmeState>,
    request: Signed,
) -> Result<Json<Directory>, Failure> {
    render(&state, &request.directory, &request.urls).await
}

async fn render(
    state: &AcmeState,
    directory: &domain::acme::directory::Directory,
    urls: &Urls,
) -> Result<Json<Directory>, Failure> {
    let spec = &directory.spec;
    let mut profiles = BTreeMap::new();
    for name in &spec.profiles {
        if let Some(profile) = state.lifecycle.profile(name).await? {
            profiles.insert(name.clone(), profile.spec.description.clone());
        }
    }
    Ok(Json(Directory {
        new_nonce: urls.at("new-nonce"),
        new_account: urls.at("new-account"),
        new_order: urls.at("new-order"),
        new_authz: spec.pre_authorization.then(|| urls.at("new-authz")),
        revoke_cert: urls.at("revoke-cert"),
        key_change: urls.at("key-change"),
        renewal_info: Some(urls.at("renewal-info")),
        meta: Meta {
            terms_of_service: spec.terms_of_service.clone(),
            website: spec.website.clone(),
            caa_identities: spec.caa_identities.clone(),
            external_account_required: spec.external_account_required,
            profiles,
            subdomain_auth_allowed: false,
            issuer_domain_names: state.lifecycle.issuer_domain_names(directory),
            account_hash_prefix: Some(state.lifecycle.settings().account_hash_prefix.clone()),
        },
    }))
}
