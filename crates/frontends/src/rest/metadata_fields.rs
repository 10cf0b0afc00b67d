//! `/metadata-fields`: the fields of custom metadata.

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use domain::metadata::Field;
use http::HeaderMap;
use lifecycle::operator::Expected;
use protocols::rest::metadata as wire;
use protocols::rest::page::Page;

use super::Verbs;
use super::access::Operator;
use super::etag;
use super::extract::{Body, Named, Parameters};
use super::failure::Failure;
use super::listing::Everything;
use super::translate::{inward, outward};

/// All fields of custom metadata by name, retired ones included
#[utoipa::path(get, path = "/api/v1/metadata-fields", tag = "metadata",
    responses((status = 200, description = "The fields", body = Page<wire::Field>)))]
pub(crate) async fn list(
    State(verbs): State<Verbs>,
    Parameters(Everything {}): Parameters<Everything>,
) -> Result<Json<Page<wire::Field>>, Failure> {
    let found = verbs.list_fields().await?;
    Ok(Json(Page {
        items: found.iter().map(render).collect::<Result<_, _>>()?,
        next: None,
    }))
}

/// One field; its `ETag` goes into the `If-Match` of a change
#[utoipa::path(get, path = "/api/v1/metadata-fields/{name}", tag = "metadata",
    params(("name" = String, Path, description = "Name of the field")),
    responses((status = 200, description = "The field", body = wire::Field,
        headers(("ETag" = String, description = "Names this version")))))]
pub(crate) async fn show(
    State(verbs): State<Verbs>,
    Named(name): Named<String>,
) -> Result<impl IntoResponse, Failure> {
    let found = verbs.list_fields().await?;
    let field = found.into_iter().find(|field| field.name == name);
    answer(
        &field.ok_or_else(|| Failure::not_found(format!("there is no metadata field `{name}`")))?,
    )
}

/// Define a field, or change the rules of one
///
/// A retired one is in force again. A definition that is broken is refused with the place of every
/// fault. The kind of a field that certificates have values of stays.
#[utoipa::path(put, path = "/api/v1/metadata-fields/{name}", tag = "metadata",
    params(
        ("name" = String, Path, description = "Name of the field: lower-case letters, digits and `_`"),
        ("If-Match" = Option<String>, Header, description = "The ETag of what is changed"),
        ("If-None-Match" = Option<String>, Header, description = "`*`: only make a new one"),
    ),
    request_body = wire::FieldRules,
    responses((status = 200, description = "The field as it is now", body = wire::Field,
        headers(("ETag" = String, description = "Names this version")))))]
pub(crate) async fn put(
    State(verbs): State<Verbs>,
    operator: Operator,
    Named(name): Named<String>,
    headers: HeaderMap,
    Body(rules): Body<wire::FieldRules>,
) -> Result<impl IntoResponse, Failure> {
    let expected = match etag::expected(&headers)? {
        Expected::Anything => Expected::Anything,
        Expected::Absent => Expected::Absent,
        // Versions begin with 1: a number that is none agrees with nothing that is stored.
        Expected::Version(version) => Expected::Version(u32::try_from(version).unwrap_or(0)),
    };
    let field = verbs
        .replace_field(name, inward(&rules)?, expected, &operator.caller())
        .await?;
    answer(&field)
}

/// Retire a field: nothing new gets a value for it, what has one keeps it
#[utoipa::path(post, path = "/api/v1/metadata-fields/{name}/retire", tag = "metadata",
    params(("name" = String, Path, description = "Name of the field")),
    responses(
        (status = 200, description = "The field as it is now", body = wire::Field,
            headers(("ETag" = String, description = "Names this version"))),
        (status = 409, description = "A computed field or a profile needs it")))]
pub(crate) async fn retire(
    State(verbs): State<Verbs>,
    operator: Operator,
    Named(name): Named<String>,
) -> Result<impl IntoResponse, Failure> {
    answer(&verbs.retire_field(&name, &operator.caller()).await?)
}

fn answer(field: &Field) -> Result<impl IntoResponse + use<>, Failure> {
    Ok((etag::tag(field.version.into()), Json(render(field)?)))
}

fn render(field: &Field) -> Result<wire::Field, Failure> {
    Ok(wire::Field {
        name: field.name.clone(),
        id: field.id.to_string(),
        status: match field.retired_at {
            None => wire::FieldStatus::Active,
            Some(_) => wire::FieldStatus::Retired,
        },
        version: field.version,
        rules: outward(&field.spec)?,
        retired_at: field.retired_at,
        created_at: field.created_at,
        updated_at: field.updated_at,
    })
}
