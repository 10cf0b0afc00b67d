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
    /// A person with a role in the team: seen by all who see people, and changed by those only who
    /// may do there whatever the person may.
    Under(Object),
    /// What waits for an approver: others who see it are told that it is not their turn.
    Turn(Object),
    /// What somebody who signed in does about themselves: not a token's.
    Session,
    /// What is open to those who are yet to sign in.
    SignIn,
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

fn search(with: &Bodies<'_>) -> Value {
    let name = format!("search {}", with.number);
    json!({ "name": name, "team": with.team, "search": {} })
}

fn empty(_: &Bodies<'_>) -> Value {
    json!({})
}

use About::{Credential, Everywhere, List, New, One, Session, Shared, SignIn, Turn, Under};
use Object::{
    Account, Alert, Approval, Certificate, CmpEndpoint, CmpSecret, Directory, EabKey, Enrollment,
    EnrollmentPassword, EstLabel, Grant, HeldKey, Order, Pending, Profile, SavedSearch,
    ScepService, Team, Token, User,
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
    row("GET /api/v1/certificates/summary", Shared, 200),
    row("GET /api/v1/certificates/count", Shared, 200),
    row("GET /api/v1/certificates/export", Shared, 200),
    // It takes files, not JSON.
    with("POST /api/v1/certificates/import", Shared, 415, empty),
    row("GET /api/v1/saved-searches", List(SavedSearch), 200),
    row("GET /api/v1/saved-searches/{id}", One(SavedSearch), 200),
    with("POST /api/v1/saved-searches", New, 201, search),
    // Changed by its owner alone.
    with(
        "PUT /api/v1/saved-searches/{id}",
        One(SavedSearch),
        404,
        |_| json!({ "name": "mine", "search": {} }),
    ),
    row("DELETE /api/v1/saved-searches/{id}", One(SavedSearch), 404),
    row("GET /api/v1/alerts", List(Alert), 200),
    row("GET /api/v1/alerts/{id}", One(Alert), 200),
    with(
        "POST /api/v1/alerts/{id}/acknowledge",
        One(Alert),
        200,
        empty,
    ),
    row("GET /api/v1/approvals", List(Approval), 200),
    row("GET /api/v1/approvals/{id}", One(Approval), 200),
    with(
        "POST /api/v1/approvals/{id}/approve",
        Turn(Approval),
        200,
        empty,
    ),
    with(
        "POST /api/v1/approvals/{id}/deny",
        Turn(Approval),
        200,
        |_| json!({ "reason": "no" }),
    ),
    with(
        "POST /api/v1/approvals/{id}/link",
        Turn(Approval),
        201,
        empty,
    ),
    // Each is decided on by itself, and what became of it is in the answer.
    with(
        "POST /api/v1/approvals/decide",
        Shared,
        200,
        |_| json!({ "approvals": ["apr_none"], "verdict": "approve" }),
    ),
    row("GET /api/v1/approval-delegations", Shared, 200),
    with("POST /api/v1/approval-delegations", Shared, 400, empty),
    row("DELETE /api/v1/approval-delegations/{id}", Shared, 404),
    row("GET /api/v1/issuers", Shared, 200),
    row("GET /api/v1/issuers/{name}", Shared, 200),
    row("GET /api/v1/issuer-kinds", Shared, 200),
    with("POST /api/v1/issuers", Everywhere, 400, empty),
    with("PUT /api/v1/issuers/{name}", Everywhere, 400, empty),
    row("POST /api/v1/issuers/{name}/test", Everywhere, 200),
    row("POST /api/v1/issuers/{name}/sync", Everywhere, 409),
    with(
        "POST /api/v1/issuer-migrations/plan",
        Everywhere,
        400,
        empty,
    ),
    with("POST /api/v1/issuer-migrations", Everywhere, 400, empty),
    row("GET /api/v1/issuer-migrations", Everywhere, 200),
    row("GET /api/v1/issuer-migrations/{id}", Everywhere, 404),
    row("GET /api/v1/issuer-migrations/{id}/items", Everywhere, 404),
    row("POST /api/v1/issuer-migrations/{id}/pause", Everywhere, 404),
    row(
        "POST /api/v1/issuer-migrations/{id}/resume",
        Everywhere,
        404,
    ),
    row(
        "POST /api/v1/issuer-migrations/{id}/rollback",
        Everywhere,
        404,
    ),
    with("PUT /api/v1/issuers/{name}/limits", Everywhere, 200, empty),
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
    row("GET /api/v1/cmp/endpoints", List(CmpEndpoint), 200),
    row("GET /api/v1/cmp/endpoints/{name}", One(CmpEndpoint), 200),
    with(
        "PUT /api/v1/cmp/endpoints/{name}",
        One(CmpEndpoint),
        200,
        empty,
    ),
    row("DELETE /api/v1/cmp/endpoints/{name}", One(CmpEndpoint), 204),
    row("GET /api/v1/cmp/secrets", List(CmpSecret), 200),
    row("GET /api/v1/cmp/secrets/{id}", One(CmpSecret), 200),
    with(
        "POST /api/v1/cmp/secrets",
        New,
        400,
        |with| json!({ "name": "line", "endpoint": "nowhere", "team": with.team }),
    ),
    row("POST /api/v1/cmp/secrets/{id}/revoke", One(CmpSecret), 200),
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
    row("GET /api/v1/blocked-keys", Everywhere, 200),
    row("GET /api/v1/blocked-keys/{spki_sha256}", Everywhere, 404),
    with("POST /api/v1/blocked-keys", Everywhere, 400, empty),
    row("DELETE /api/v1/blocked-keys/{spki_sha256}", Everywhere, 404),
    row("GET /api/v1/audit", Everywhere, 200),
    row("GET /api/v1/audit/export", Everywhere, 200),
    row("GET /api/v1/audit/key", Everywhere, 200),
    row("GET /api/v1/me", Credential, 200),
    row("GET /api/v1/est/labels", List(EstLabel), 200),
    row("GET /api/v1/est/labels/{name}", One(EstLabel), 200),
    with("PUT /api/v1/est/labels/{name}", One(EstLabel), 200, empty),
    row("DELETE /api/v1/est/labels/{name}", One(EstLabel), 204),
    row("GET /api/v1/scep/services", List(ScepService), 200),
    row("GET /api/v1/scep/services/{name}", One(ScepService), 200),
    with(
        "PUT /api/v1/scep/services/{name}",
        One(ScepService),
        200,
        empty,
    ),
    row("DELETE /api/v1/scep/services/{name}", One(ScepService), 204),
    row(
        "GET /api/v1/enrollment-passwords",
        List(EnrollmentPassword),
        200,
    ),
    row(
        "GET /api/v1/enrollment-passwords/{id}",
        One(EnrollmentPassword),
        200,
    ),
    // The label is everybody's, the password the team's.
    with(
        "POST /api/v1/enrollment-passwords",
        New,
        201,
        |with| json!({ "name": "printer", "est_label": "default", "team": with.team }),
    ),
    row(
        "POST /api/v1/enrollment-passwords/{id}/revoke",
        One(EnrollmentPassword),
        200,
    ),
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
    row("GET /api/v1/users", Shared, 200),
    row("GET /api/v1/users/{id}", Shared, 404),
    with("POST /api/v1/users", New, 201, |with| {
        let name = format!("new-{}", with.number);
        json!({ "name": name, "grants": [{ "role": "auditor", "team": with.team }] })
    }),
    row("POST /api/v1/users/{id}/disable", Under(User), 200),
    row("POST /api/v1/users/{id}/enable", Under(User), 200),
    row("POST /api/v1/users/{id}/reset", Under(User), 200),
    row("DELETE /api/v1/users/{id}", Under(User), 204),
    row("GET /api/v1/sign-in-locks", Everywhere, 200),
    row("DELETE /api/v1/sign-in-locks", Everywhere, 400),
    row("GET /api/v1/client-certificates", Everywhere, 200),
    row("GET /api/v1/client-certificates/{id}", Everywhere, 404),
    with("POST /api/v1/client-certificates", Everywhere, 400, empty),
    row("DELETE /api/v1/client-certificates/{id}", Everywhere, 404),
    row("GET /api/v1/sign-on/providers", Everywhere, 200),
    row("GET /api/v1/sign-on/providers/{name}", Everywhere, 404),
    with(
        "PUT /api/v1/sign-on/providers/{name}",
        Everywhere,
        400,
        empty,
    ),
    row("DELETE /api/v1/sign-on/providers/{name}", Everywhere, 404),
    row("GET /api/v1/notification-channels", Everywhere, 200),
    row("GET /api/v1/notification-channels/{name}", Everywhere, 404),
    with(
        "PUT /api/v1/notification-channels/{name}",
        Everywhere,
        400,
        empty,
    ),
    row(
        "DELETE /api/v1/notification-channels/{name}",
        Everywhere,
        404,
    ),
    row(
        "POST /api/v1/notification-channels/{name}/test",
        Everywhere,
        404,
    ),
    row(
        "POST /api/v1/notification-channels/{name}/resend",
        Everywhere,
        404,
    ),
    row("GET /api/v1/notification-kinds", Everywhere, 200),
    with(
        "POST /api/v1/notification-templates/preview",
        Everywhere,
        400,
        empty,
    ),
    row("GET /api/v1/notification-rules", Everywhere, 200),
    row("GET /api/v1/notification-rules/{name}", Everywhere, 404),
    with(
        "PUT /api/v1/notification-rules/{name}",
        Everywhere,
        400,
        empty,
    ),
    row("DELETE /api/v1/notification-rules/{name}", Everywhere, 404),
    row("GET /api/v1/notification-deliveries", Everywhere, 200),
    row("GET /api/v1/notification-deliveries/{id}", Everywhere, 404),
    row(
        "POST /api/v1/notification-deliveries/{id}/resend",
        Everywhere,
        404,
    ),
    row("GET /api/v1/events/stream", Credential, 200),
    row("GET /api/v1/certificates/trends", Shared, 200),
    row("GET /api/v1/session", Session, 403),
    row("DELETE /api/v1/session", Session, 403),
    row("GET /api/v1/sessions", Session, 403),
    row("DELETE /api/v1/sessions/{id}", Session, 403),
    row("DELETE /api/v1/sessions", Session, 403),
    with("POST /api/v1/session/reauthenticate", Session, 403, empty),
    with("POST /api/v1/session/password", Session, 403, empty),
    row("POST /api/v1/session/totp", Session, 403),
    with("POST /api/v1/session/totp/confirm", Session, 403, empty),
    row("DELETE /api/v1/session/totp", Session, 403),
    row("POST /api/v1/session/recovery-codes", Session, 403),
    row("GET /api/v1/session/passkeys", Session, 403),
    row("POST /api/v1/session/passkeys/challenge", Session, 403),
    with("POST /api/v1/session/passkeys", Session, 403, empty),
    row("DELETE /api/v1/session/passkeys/{id}", Session, 403),
    with("POST /api/v1/session", SignIn, 400, empty),
    with("POST /api/v1/session/setup", SignIn, 400, empty),
    row("POST /api/v1/session/passkey/challenge", SignIn, 200),
    with("POST /api/v1/session/passkey", SignIn, 400, empty),
    row("GET /api/v1/session/sign-on", SignIn, 200),
    row("GET /api/v1/session/sign-on/{name}", SignIn, 404),
    row("GET /api/v1/session/sign-on/callback", SignIn, 400),
];
