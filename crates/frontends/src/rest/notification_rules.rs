//! `/notification-rules`: which events go to which channels.

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use domain::notification::rule::Rule;
use http::{HeaderMap, StatusCode};
use protocols::rest::notification as wire;
use protocols::rest::page::Page;

use super::Verbs;
use super::access::Operator;
use super::channels::expected;
use super::etag;
use super::extract::{Body, Named, Parameters};
use super::failure::Failure;
use super::listing::Everything;
use super::translate::{inward, outward};

/// All notification rules
#[utoipa::path(get, path = "/api/v1/notification-rules", tag = "notifications",
    responses((status = 200, description = "The rules", body = Page<wire::NotificationRule>)))]
pub(crate) async fn list(
    State(verbs): State<Verbs>,
    Parameters(Everything {}): Parameters<Everything>,
) -> Result<Json<Page<wire::NotificationRule>>, Failure> {
    let found = verbs.notification_rules().await?;
    let items = found.into_iter().map(render);
    Ok(Json(Page {
        items: items.collect::<Result<_, _>>()?,
        next: None,
    }))
}

/// One notification rule; its `ETag` goes into the `If-Match` of a change
#[utoipa::path(get, path = "/api/v1/notification-rules/{name}", tag = "notifications",
    params(("name" = String, Path, description = "Name of the rule")),
    responses((status = 200, description = "The rule", body = wire::NotificationRule,
        headers(("ETag" = String, description = "Names this version")))))]
pub(crate) async fn show(
    State(verbs): State<Verbs>,
    Named(name): Named<String>,
) -> Result<impl IntoResponse, Failure> {
    let found = verbs.notification_rule(&name).await?;
    answer(found.ok_or_else(|| unknown(&name))?)
}

/// Make a notification rule, or change one
#[utoipa::path(put, path = "/api/v1/notification-rules/{name}", tag = "notifications",
    params(
        ("name" = String, Path, description = "Name of the rule"),
        ("If-Match" = Option<String>, Header, description = "The ETag of what is changed"),
        ("If-None-Match" = Option<String>, Header, description = "`*`: only make a new one"),
    ),
    request_body = wire::NotificationRules,
    responses((status = 200, description = "The rule as it is now", body = wire::NotificationRule,
        headers(("ETag" = String, description = "Names this version")))))]
pub(crate) async fn put(
    State(verbs): State<Verbs>,
    operator: Operator,
    Named(name): Named<String>,
    headers: HeaderMap,
    Body(rules): Body<wire::NotificationRules>,
) -> Result<impl IntoResponse, Failure> {
    let expected = expected(&headers)?;
    let rule = verbs
        .put_notification_rule(name, inward(&rules)?, expected, &operator.caller())
        .await?;
    answer(rule)
}

/// Delete a notification rule; what it sent off goes on
#[utoipa::path(delete, path = "/api/v1/notification-rules/{name}", tag = "notifications",
    params(("name" = String, Path, description = "Name of the rule")),
    responses((status = 204, description = "It is gone")))]
pub(crate) async fn delete(
    State(verbs): State<Verbs>,
    operator: Operator,
    Named(name): Named<String>,
) -> Result<StatusCode, Failure> {
    let deleted = verbs
        .delete_notification_rule(&name, &operator.caller())
        .await?;
    match deleted {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(unknown(&name)),
    }
}

fn unknown(name: &str) -> Failure {
    Failure::not_found(format!("there is no notification rule `{name}`"))
}

fn answer(rule: Rule) -> Result<impl IntoResponse + use<>, Failure> {
    let tag = etag::tag(rule.updated_at.millis());
    Ok((tag, Json(render(rule)?)))
}

fn render(rule: Rule) -> Result<wire::NotificationRule, Failure> {
    Ok(wire::NotificationRule {
        rules: outward(&rule.spec)?,
        name: rule.name,
        created_at: rule.created_at,
        updated_at: rule.updated_at,
    })
}
