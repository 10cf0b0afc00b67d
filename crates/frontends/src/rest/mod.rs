//! The operator's REST API under `/api/v1`.
//!
//! A request passes [`access`], which checks the credential and the permission its route asks for,
//! then one handler, which looks at whose the object is, calls one verb, and renders what it gives. The list of routes
//! in [`routes`] is the only way in: what is not in it with a permission does not exist.

mod access;
mod accounts;
mod alerts;
mod approvals;
mod audit;
mod blocked_keys;
mod bulk;
mod certificate_import;
mod certificates;
mod channels;
mod client_certificates;
mod cmp_endpoints;
mod cmp_secrets;
mod collectors;
mod complete;
mod cookies;
mod credentials;
mod delegations;
mod deliveries;
mod directories;
mod dossier;
mod download;
mod eab_keys;
mod enroll;
mod enrollment_passwords;
mod enrollments;
mod entry_points;
mod etag;
mod event_stream;
mod explain;
pub mod export;
mod extract;
mod failure;
mod forgery;
mod grants;
mod held_keys;
mod idempotency;
mod inventory;
mod issuer_migrations;
mod issuer_setup;
mod issuers;
mod key_evidence;
mod listing;
mod me;
mod metadata;
mod metadata_fields;
mod names;
mod needs;
mod notification_rules;
mod openapi;
mod orders;
mod owners;
mod passkeys;
mod people;
mod profile_explain;
mod profile_presets;
mod profile_versions;
mod profiles;
mod proofs;
mod remote_issuers;
mod roles;
mod routes;
mod saved_searches;
mod search;
mod sessions;
mod shared;
mod sign_in_failure;
mod sign_on;
mod sign_on_providers;
mod table;
mod teams;
mod terms;
mod tokens;
mod translate;
mod trends;
mod users;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn;
use axum::routing::{any, get};
use lifecycle::Lifecycle;

use access::Gate;

pub(crate) use sessions::with_cookie as signed_in;

/// What the handlers share.
pub(crate) type Verbs = Arc<Lifecycle>;

/// Every route of the REST API, and its description at `/api/openapi.json`.
pub fn router(lifecycle: Arc<Lifecycle>) -> Router {
    let description = openapi::json();
    let mut router: Router<Verbs> = Router::new().route(
        "/api/openapi.json",
        get(move || async move { openapi::answer(description) }),
    );
    for route in routes::all() {
        let gate = Gate::new(Arc::clone(&lifecycle), route.needs);
        let handler = match idempotency::is_creation(&route.item) {
            true => idempotency::once(Arc::clone(&lifecycle), route.handler),
            false => route.handler,
        };
        router = router.route(&route.path, gate.before(handler));
    }
    router
        .route("/api/{*path}", any(failure::not_found))
        .method_not_allowed_fallback(failure::method_not_allowed)
        .layer(from_fn(complete::complete))
        .with_state(lifecycle)
}
