//! The ACME server (RFC 8555): routes, and what all answers have in common.

mod account;
mod authorization;
mod certificate;
mod challenge;
mod directory;
mod envelope;
mod failure;
mod finalize;
mod key_change;
mod nonce;
mod order;
mod render;
mod renewal_info;
mod revocation;
mod signed;
mod urls;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use lifecycle::Lifecycle;
use moka::sync::Cache;
use protocols::acme::jws::VerifyingKey;

/// What the handlers share.
#[derive(Clone)]
pub(crate) struct AcmeState(Arc<Shared>);

pub(crate) struct Shared {
    pub(crate) lifecycle: Arc<Lifecycle>,
    /// Parsed keys by thumbprint, which names a key for ever: parsing costs as much as verifying.
    pub(crate) keys: Cache<String, VerifyingKey>,
}

impl std::ops::Deref for AcmeState {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

/// Every ACME route.
pub fn router(lifecycle: Arc<Lifecycle>) -> Router {
    let state = AcmeState(Arc::new(Shared {
        lifecycle,
        keys: Cache::builder().max_capacity(20_000).build(),
    }));
    let resources = Router::new()
        .route(
            "/{directory}/directory",
            get(directory::get).post(directory::post_as_get),
        )
        .route(
            "/{directory}/new-nonce",
            get(nonce::get).head(nonce::head).post(nonce::post_as_get),
        )
        .route("/{directory}/new-account", post(account::create))
        .route("/{directory}/account/{id}", post(account::update))
        .route("/{directory}/account/{id}/orders", post(order::list))
        .route("/{directory}/key-change", post(key_change::change))
        .route("/{directory}/new-order", post(order::create))
        .route("/{directory}/order/{id}", post(order::show))
        .route("/{directory}/order/{id}/finalize", post(finalize::finalize))
        .route("/{directory}/new-authz", post(authorization::create))
        .route("/{directory}/authz/{id}", post(authorization::update))
        .route(
            "/{directory}/challenge/{id}/{kind}",
            post(challenge::respond),
        )
        .route("/{directory}/certificate/{id}", post(certificate::download))
        .route(
            "/{directory}/certificate/{id}/alternate/{number}",
            post(certificate::alternate),
        )
        .route("/{directory}/revoke-cert", post(revocation::revoke))
        .route("/{directory}/renewal-info/{id}", get(renewal_info::show))
        .fallback(failure::not_found)
        .method_not_allowed_fallback(failure::method_not_allowed)
        .layer(axum::middleware::from_fn_with_state(
            state.clone(),
            envelope::complete,
        ))
        .with_state(state);
    Router::new().nest("/acme", resources)
}
