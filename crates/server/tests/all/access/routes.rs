//! What each route is about. A route that is not in this list fails the test of the matrix.

use serde_json::{Value, json};

use super::objects::Object;

/// Whom a route answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum About {
    /// One object of a team: its own, or it is not there.
    One(Object),
    /// A list of such objects: always answered, with those of the own team.
    List(Object),
    /// Something new, for the team that the body names.
    New,
    /// What everybody shares: whoever holds the permission for any team.
    Shared,
    /// What belongs to no team: whoever holds the permission everywhere.
    Everywhere,
    /// Whoever has a credential.
    Credential,
}

/// A route, and how it answers those who may.
pub(super) struct Row {
    pub(super) route: &'static str,
    pub(super) about: About,
    pub(super) answer: u16,
    /// The body, made with the name of the team and a number of its own.
    pub(super) body: Option<fn(&Bodies<'_>) -> Value>,
}

/// What bodies are made with.
pub(super) struct Bodies<'a> {
    pub(super) team: &'a str,
    pub(super) number: usize,
    pub(super) csr: &'a str,
    pub(super) other_csr: &'a str,
    pub(super) profile: &'a Value,
    /// A token that holds nothing.
    pub(super) token: &'a str,
}

const fn row(route: &'static str, about: About, answer: u16) -> Row {
    Row {
        route,
        about,
        answer,
        body: None,
    }
}

const fn with(
    route: &'static str,
    about: About,
    answer: u16,
    body: fn(&Bodies<'_>) -> Value,
) -> Row {
    Row {
        route,
        about,
        answer,
        body: Some(body),
    }
}

fn owner(with: &Bodies<'_>) -> Value {
    json!({ "team": with.team })
}

fn no_metadata(_: &Bodies<'_>) -> Value {
    json!({ "metadata": {} })
}

fn empty(_: &Bodies<'_>) -> Value {
    json!({})
}

use About::{Credential, Everywhere, List, New, One, Shared};
use Object::{
    Account, Certificate, Directory, EabKey, Enrollment, Grant, HeldKey, Order, Pending, Profile,
    Team, Token,
};

/// Every route there is. Where a body would take a CA or a file of its own, it is left invalid on
/// purpose, and 400 says that the caller was let in.
pub(super) const ROWS: &[Row] = &[
    row("GET /api/v1/certificates", List(Certificate), 200),
    row("GET /api/v1/certificates/{id}", One(Certificate), 200),
    row(
        "GET /api/v1/certificates/{id}/download",
        One(Certificate),
        200,
    ),
    with(
        "POST /api/v1/certificates/{id}/revoke",
        One(Certificate),
        200,
        |_| json!({ "reason": "superseded" }),
    ),
    with(
        "POST /api/v1/certificates/{id}/renew",
        One(Certificate),
        201,
        empty,
    ),
    with(
        "POST /api/v1/certificates/{id}/rekey",
        One(Certificate),
        201,
        |with| json!({ "csr": with.other_csr }),
    ),
    with(
        "PUT /api/v1/certificates/{id}/owner",
        One(Certificate),
        200,
        owner,
    ),
    row(
        "GET /api/v1/certificates/{id}/metadata",
        One(Certificate),
        200,
    ),
    with(
        "PATCH /api/v1/certificates/{id}/metadata",
        One(Certificate),
        400,
        no_metadata,
    ),
    with("POST /api/v1/certificates/bulk", Shared, 400, empty),
    row("GET /api/v1/certificates/bulk", Shared, 200),
    row("GET /api/v1/certificates/bulk/{id}", Shared, 404),
    row("GET /api/v1/certificates/bulk/{id}/items", Shared, 404),
    row("POST /api/v1/certificates/bulk/{id}/run", Shared, 404),
    row("POST /api/v1/certificates/bulk/{id}/pause", Shared, 404),
    row("POST /api/v1/certificates/bulk/{id}/resume", Shared, 404),
    row("POST /api/v1/certificates/bulk/{id}/cancel", Shared, 404),
    with(
        "POST /api/v1/enrollments",
        New,
        201,
        |with| json!({ "profile": "default", "csr": with.csr, "team": with.team }),
    ),
    row("GET /api/v1/enrollments", List(Enrollment), 200),
    row("GET /api/v1/enrollments/{id}", One(Enrollment), 200),
    with(
        "POST /api/v1/enrollments/{id}/cancel",
        One(Pending),
        200,
        empty,
    ),
    // The key is for who asked, and nobody else of the team either.
    with(
        "POST /api/v1/enrollments/{id}/key",
        One(HeldKey),
        403,
        |_| json!({ "format": "pkcs8" }),
    ),
    row("GET /api/v1/issuers", Shared, 200),
    row("GET /api/v1/issuers/{name}", Shared, 200),
    row("GET /api/v1/issuers/{name}/csr", Everywhere, 404),
    with("POST /api/v1/issuers/import", Everywhere, 400, empty),
    with("POST /api/v1/issuers/csr", Everywhere, 201, |with| {
        let name = format!("ca-{}", with.number);
        json!({ "name": name, "subject": "CN=CA", "key_algorithm": "p-256" })
    }),
    with(
        "POST /api/v1/issuers/{name}/certificate",
        Everywhere,
        400,
        empty,
    ),
    with(
        "POST /api/v1/issuers/{name}/state",
        Everywhere,
        200,
        |_| json!({ "state": "active" }),
    ),
    row("POST /api/v1/issuers/{name}/crl", Everywhere, 200),
    with(
        "PUT /api/v1/issuers/{name}/metadata-fields",
        Everywhere,
        200,
        |_| json!({ "metadata_fields": {} }),
    ),
    row("GET /api/v1/metadata-fields", Shared, 200),
    row("GET /api/v1/metadata-fields/{name}", Shared, 404),
    with(
        "PUT /api/v1/metadata-fields/{name}",
        Everywhere,
        400,
        |_| json!({ "kind": 5 }),
    ),
    row(
        "POST /api/v1/metadata-fields/{name}/retire",
        Everywhere,
        404,
    ),
    row("GET /api/v1/profiles", List(Profile), 200),
    row("GET /api/v1/profiles/{name}", One(Profile), 200),
    with("PUT /api/v1/profiles/{name}", One(Profile), 200, |with| {
        with.profile.clone()
    }),
    with(
        "PUT /api/v1/profiles/{name}/owner",
        One(Profile),
        200,
        owner,
    ),
    row("GET /api/v1/profile-presets", Shared, 200),
    row("GET /api/v1/profiles/{name}/versions", One(Profile), 200),
    row(
        "GET /api/v1/profiles/{name}/versions/{version}",
        One(Profile),
        200,
    ),
    row(
        "GET /api/v1/profiles/{name}/versions/{version}/changes",
        One(Profile),
        200,
    ),
    with(
        "POST /api/v1/profiles/{name}/explain",
        One(Profile),
        200,
        |with| json!({ "csr": with.csr }),
    ),
    row("GET /api/v1/acme/directories", List(Directory), 200),
    row("GET /api/v1/acme/directories/{name}", One(Directory), 200),
    with(
        "PUT /api/v1/acme/directories/{name}",
        One(Directory),
        200,
        empty,
    ),
    with(
        "PUT /api/v1/acme/directories/{name}/owner",
        One(Directory),
        200,
        owner,
    ),
    row("GET /api/v1/acme/accounts", List(Account), 200),
    row("GET /api/v1/acme/accounts/{id}", One(Account), 200),
    row("POST /api/v1/acme/accounts/{id}/revoke", One(Account), 200),
    row("GET /api/v1/acme/accounts/{id}/metadata", One(Account), 200),
    with(
        "PATCH /api/v1/acme/accounts/{id}/metadata",
        One(Account),
        400,
        no_metadata,
    ),
    row("GET /api/v1/acme/orders", List(Order), 200),
    row("GET /api/v1/acme/orders/{id}", One(Order), 200),
    row("GET /api/v1/acme/eab-keys", List(EabKey), 200),
    row("GET /api/v1/acme/eab-keys/{id}", One(EabKey), 200),
    with(
        "POST /api/v1/acme/eab-keys",
        New,
        201,
        |with| json!({ "name": "farm", "team": with.team }),
    ),
    row("POST /api/v1/acme/eab-keys/{id}/revoke", One(EabKey), 200),
    with(
        "PUT /api/v1/acme/eab-keys/{id}/owner",
        One(EabKey),
        200,
        owner,
    ),
    row("GET /api/v1/acme/eab-keys/{id}/metadata", One(EabKey), 200),
    with(
        "PATCH /api/v1/acme/eab-keys/{id}/metadata",
        One(EabKey),
        400,
        no_metadata,
    ),
    row("GET /api/v1/audit", Everywhere, 200),
    row("GET /api/v1/audit/export", Everywhere, 200),
    row("GET /api/v1/audit/key", Everywhere, 200),
    row("GET /api/v1/me", Credential, 200),
    row("GET /api/v1/teams", List(Team), 200),
    row("GET /api/v1/teams/{name}", One(Team), 200),
    with(
        "PUT /api/v1/teams/{name}",
        One(Team),
        200,
        |_| json!({ "description": "we" }),
    ),
    row("DELETE /api/v1/teams/{name}", Everywhere, 404),
    row("GET /api/v1/permissions", Shared, 200),
    row("GET /api/v1/roles", Shared, 200),
    row("GET /api/v1/roles/{name}", Shared, 404),
    with(
        "PUT /api/v1/roles/{name}",
        Everywhere,
        200,
        |_| json!({ "permissions": ["audit:read"] }),
    ),
    row("DELETE /api/v1/roles/{name}", Everywhere, 404),
    row("GET /api/v1/grants", List(Grant), 200),
    with(
        "POST /api/v1/grants",
        New,
        201,
        |with| json!({ "principal": with.token, "role": "auditor", "team": with.team }),
    ),
    row("DELETE /api/v1/grants/{id}", One(Grant), 204),
    row("GET /api/v1/tokens", List(Token), 200),
    with(
        "POST /api/v1/tokens",
        New,
        201,
        |with| json!({ "name": "new", "role": "auditor", "team": with.team }),
    ),
    row("DELETE /api/v1/tokens/{id}", One(Token), 204),
];
