//! The API's description (OpenAPI 3.1), made from the same list as the routes.

use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::HeaderValue;
use http::header::CONTENT_TYPE;
use protocols::rest::problem::{MEDIA_TYPE, Problem};
use utoipa::openapi::path::{Operation, PathItem, Paths};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{Components, Content, Info, OpenApi, Ref, RefOr, ResponseBuilder};
use utoipa::{PartialSchema, ToSchema};

use super::needs::Needs;
use super::{cookies, idempotency, routes};

/// The description as JSON.
pub(crate) fn json() -> Bytes {
    // Unwrap safety: a description of texts and lists is JSON; a test makes it at each build.
    Bytes::from(serde_json::to_vec(&describe()).expect("a description is JSON"))
}

/// The answer to whoever asks for it.
pub(crate) fn answer(description: Bytes) -> Response {
    let content_type = HeaderValue::from_static("application/json");
    ([(CONTENT_TYPE, content_type)], description).into_response()
}

/// The description.
pub(crate) fn describe() -> OpenApi {
    let mut info = Info::new("Certwright", env!("CARGO_PKG_VERSION"));
    info.description = Some(
        "The operator's API. Lists are paged by cursor: pass `next` of a page as `after`. \
         Changes of profiles, directories, fields and metadata take `If-Match` with the `ETag` of what was read. \
         Errors are problem documents whose `detail` says what to change."
            .to_owned(),
    );
    let mut api = OpenApi::new(info, Paths::new());
    let mut components = Components::new();
    components
        .schemas
        .insert(Problem::name().into(), Problem::schema());
    components.add_security_scheme(
        TOKEN,
        SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)),
    );
    components.add_security_scheme(
        SESSION,
        SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::with_description(
            cookies::SESSION,
            "Set by signing in. Changes carry the session's `csrf_token` as the header `X-CSRF-Token`.",
        ))),
    );
    for mut route in routes::all() {
        complete(&mut route.item, &route.path, route.needs);
        match api.paths.paths.get_mut(&route.path) {
            Some(item) => item.merge_operations(route.item),
            None => {
                api.paths.paths.insert(route.path, route.item);
            }
        }
        components.schemas.extend(route.schemas);
    }
    api.components = Some(components);
    api.security = Some(vec![requirement(TOKEN), requirement(SESSION)]);
    api
}

fn requirement(scheme: &str) -> SecurityRequirement {
    SecurityRequirement::new(scheme, Vec::<String>::new())
}

/// Adds to a route's operation what all of its kind have in common.
fn complete(item: &mut PathItem, path: &str, needs: Needs) {
    let is_change = item.get.is_none();
    let operations = [
        &mut item.get,
        &mut item.put,
        &mut item.post,
        &mut item.patch,
        &mut item.delete,
    ];
    for operation in operations.into_iter().flatten() {
        let has_body = operation.request_body.is_some();
        let is_conditional = takes_header(operation, "If-Match");
        let is_creation = idempotency::is_creation_of(operation);
        if is_creation {
            operation
                .parameters
                .get_or_insert_default()
                .push(idempotency::parameter().into());
        }
        let has_name = path.contains('{');
        let applicable = [
            (400, "The request is invalid", true),
            (401, "A valid API token is needed", true),
            (403, "The token may not do this", true),
            (404, "There is nothing of that name", has_name),
            (409, "The state of things forbids it", has_body || is_change),
            (412, "It was changed meanwhile", is_conditional),
            (413, "The body is too large", has_body),
            (415, "The body is not JSON", has_body),
            (
                422,
                "The profile's rules forbid it, or the Idempotency-Key belongs to another request",
                is_creation,
            ),
            (422, "The rules forbid it", takes_metadata(path) && has_body),
            (500, "Something broke on the server", true),
            (503, "The database does not answer; try again", true),
        ];
        for (status, text, _) in applicable.into_iter().filter(|(_, _, applies)| *applies) {
            add_problem(operation, status, text);
        }
        let wait = "Too many attempts failed; `Retry-After` says when to try again";
        match needs {
            Needs::Everywhere(_) | Needs::SomeTeam(_) | Needs::Credential => {}
            Needs::Session => {
                operation.security = Some(vec![requirement(SESSION)]);
                add_problem(operation, 429, wait);
            }
            Needs::Nobody => {
                operation.security = Some(Vec::new());
                add_problem(operation, 429, wait);
            }
        }
        operation.operation_id = Some(operation_id(path, operation.operation_id.as_deref()));
        let needs = match needs {
            Needs::Everywhere(permission) => {
                format!("Needs the permission `{permission}`, held everywhere.")
            }
            Needs::SomeTeam(permission) => format!("Needs the permission `{permission}`."),
            Needs::Credential => "Needs a credential, and nothing else: `any`.".to_owned(),
            Needs::Session => "For who is signed in, about themselves: `session`.".to_owned(),
            Needs::Nobody => "For those who are yet to sign in: `none`.".to_owned(),
        };
        operation.description = Some(match operation.description.take() {
            Some(text) if !text.is_empty() => format!("{text}\n\n{needs}"),
            Some(_) | None => needs,
        });
    }
}

/// Whether values of custom metadata come in the body, and may break the rules of their fields.
fn takes_metadata(path: &str) -> bool {
    const PASSED_ON: [&str; 4] = [
        "/api/v1/acme/directories/{name}",
        "/api/v1/est/labels/{name}",
        "/api/v1/scep/services/{name}",
        "/api/v1/cmp/endpoints/{name}",
    ];
    path.ends_with("/metadata") || PASSED_ON.contains(&path)
}

fn takes_header(operation: &Operation, name: &str) -> bool {
    operation
        .parameters
        .iter()
        .flatten()
        .any(|parameter| match parameter {
            RefOr::T(parameter) => parameter.name == name,
            RefOr::Ref(_) => false,
        })
}

/// A name for generated clients: the nouns of the path and the verb, `acme_orders_show`.
fn operation_id(path: &str, verb: Option<&str>) -> String {
    let verb = verb.unwrap_or_default();
    let nouns = path
        .split('/')
        .skip(3)
        .filter(|segment| !segment.starts_with('{') && *segment != verb);
    let words: Vec<String> = nouns
        .chain([verb])
        .map(|word| word.replace('-', "_"))
        .collect();
    words.join("_")
}

fn add_problem(operation: &mut Operation, status: u16, text: &str) {
    let schema = Ref::from_schema_name(Problem::name());
    let response = ResponseBuilder::new()
        .description(text)
        .content(MEDIA_TYPE, Content::new(Some(schema)))
        .build();
    operation
        .responses
        .responses
        .insert(status.to_string(), response.into());
}

const TOKEN: &str = "token";
const SESSION: &str = "session";
