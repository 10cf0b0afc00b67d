//! `/notification-channels`: ways to people and programs outside, and trial messages.

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use domain::notification::channel::Channel;
use domain::notification::notifier::NotifierKind;
use http::{HeaderMap, StatusCode};
use lifecycle::notification::channels::ChannelChange;
use lifecycle::operator::Expected;
use pki::time::Timestamp;
use protocols::rest::notification as wire;
use protocols::rest::page::Page;

use super::Verbs;
use super::access::Operator;
use super::etag;
use super::extract::{Body, Named, Parameters};
use super::failure::Failure;
use super::listing::Everything;
use super::translate::{inward, outward};

/// All notification channels, without their secrets
#[utoipa::path(get, path = "/api/v1/notification-channels", tag = "notifications",
    responses((status = 200, description = "The channels", body = Page<wire::Channel>)))]
pub(crate) async fn list(
    State(verbs): State<Verbs>,
    Parameters(Everything {}): Parameters<Everything>,
) -> Result<Json<Page<wire::Channel>>, Failure> {
    let mut items = Vec::new();
    for channel in verbs.channels().await? {
        items.push(render(&verbs, channel).await?);
    }
    Ok(Json(Page { items, next: None }))
}

/// One notification channel; its `ETag` goes into the `If-Match` of a change
#[utoipa::path(get, path = "/api/v1/notification-channels/{name}", tag = "notifications",
    params(("name" = String, Path, description = "Name of the channel")),
    responses((status = 200, description = "The channel, without its secrets", body = wire::Channel,
        headers(("ETag" = String, description = "Names this version")))))]
pub(crate) async fn show(
    State(verbs): State<Verbs>,
    Named(name): Named<String>,
) -> Result<impl IntoResponse, Failure> {
    let found = verbs.channel(&name).await?;
    let channel = found.ok_or_else(|| unknown(&name))?;
    answer(&verbs, channel).await
}

/// Make a notification channel, or change one; nothing is sent
///
/// Secrets stand among the settings and are never shown again. One that is left out stays as it is;
/// where messages would go to another place than before, the secrets have to be given again.
#[utoipa::path(put, path = "/api/v1/notification-channels/{name}", tag = "notifications",
    params(
        ("name" = String, Path, description = "Name of the channel"),
        ("If-Match" = Option<String>, Header, description = "The ETag of what is changed"),
        ("If-None-Match" = Option<String>, Header, description = "`*`: only make a new one"),
    ),
    request_body = wire::ChannelRules,
    responses((status = 200, description = "The channel as it is now", body = wire::Channel,
        headers(("ETag" = String, description = "Names this version")))))]
pub(crate) async fn put(
    State(verbs): State<Verbs>,
    operator: Operator,
    Named(name): Named<String>,
    headers: HeaderMap,
    Body(rules): Body<wire::ChannelRules>,
) -> Result<impl IntoResponse, Failure> {
    let change = ChannelChange {
        kind: rules.kind,
        enabled: rules.enabled,
        settings: rules.settings,
        template: inward(&rules.template)?,
        stream: rules.stream.map(|from| inward(&from)).transpose()?,
    };
    let channel = verbs
        .put_channel(name, change, expected(&headers)?, &operator.caller())
        .await?;
    answer(&verbs, channel).await
}

/// Delete a notification channel that no rule sends to, with what waits on it
#[utoipa::path(delete, path = "/api/v1/notification-channels/{name}", tag = "notifications",
    params(("name" = String, Path, description = "Name of the channel")),
    responses((status = 204, description = "It is gone"),
        (status = 409, description = "Rules send to it")))]
pub(crate) async fn delete(
    State(verbs): State<Verbs>,
    operator: Operator,
    Named(name): Named<String>,
) -> Result<StatusCode, Failure> {
    match verbs.delete_channel(&name, &operator.caller()).await? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(unknown(&name)),
    }
}

/// Send a trial message over a channel at once, and say what became of it
#[utoipa::path(post, path = "/api/v1/notification-channels/{name}/test", tag = "notifications",
    params(("name" = String, Path, description = "Name of the channel")),
    responses((status = 200, description = "Whether the receiver took it", body = wire::TestResult)))]
pub(crate) async fn test(
    State(verbs): State<Verbs>,
    operator: Operator,
    Named(name): Named<String>,
) -> Result<Json<wire::TestResult>, Failure> {
    let sent = verbs.test_channel(&name, &operator.caller()).await?;
    Ok(Json(wire::TestResult {
        delivered: sent.is_ok(),
        error: sent.err().map(|error| error.to_string()),
    }))
}

/// The kinds of channels, with the words they use
#[utoipa::path(get, path = "/api/v1/notification-kinds", tag = "notifications",
    responses((status = 200, description = "The kinds", body = Page<wire::ChannelKind>)))]
pub(crate) async fn kinds(
    State(verbs): State<Verbs>,
    Parameters(Everything {}): Parameters<Everything>,
) -> Result<Json<Page<wire::ChannelKind>>, Failure> {
    let items = verbs.channel_kinds().map(|kind| render_kind(&**kind));
    Ok(Json(Page {
        items: items.collect(),
        next: None,
    }))
}

/// What a template makes of an event; nothing is sent or stored
#[utoipa::path(post, path = "/api/v1/notification-templates/preview", tag = "notifications",
    request_body = wire::PreviewRequest,
    responses((status = 200, description = "The texts", body = wire::Preview)))]
pub(crate) async fn preview(
    State(verbs): State<Verbs>,
    Body(request): Body<wire::PreviewRequest>,
) -> Result<Json<wire::Preview>, Failure> {
    let event = request.event.map(|event| inward(&event)).transpose()?;
    let made = verbs.preview(&request.kind, &inward(&request.template)?, event)?;
    Ok(Json(wire::Preview {
        subject: made.subject,
        text: made.text,
        html: made.html,
    }))
}

/// The version that a change says it was made to.
pub(super) fn expected(headers: &HeaderMap) -> Result<Expected<Timestamp>, Failure> {
    Ok(match etag::expected(headers)? {
        Expected::Anything => Expected::Anything,
        Expected::Absent => Expected::Absent,
        Expected::Version(version) => Expected::Version(Timestamp::from_millis(version)),
    })
}

fn unknown(name: &str) -> Failure {
    Failure::not_found(format!("there is no notification channel `{name}`"))
}

async fn answer(verbs: &Verbs, channel: Channel) -> Result<impl IntoResponse + use<>, Failure> {
    let tag = etag::tag(channel.updated_at.millis());
    Ok((tag, Json(render(verbs, channel).await?)))
}

async fn render(verbs: &Verbs, channel: Channel) -> Result<wire::Channel, Failure> {
    let stream_status = match channel.spec.stream {
        None => None,
        Some(_) => verbs.stream_position(&channel.id).await?,
    };
    Ok(wire::Channel {
        name: channel.name,
        id: channel.id.to_string(),
        rules: wire::ChannelRules {
            kind: channel.kind,
            enabled: channel.spec.enabled,
            settings: channel.spec.settings,
            template: outward(&channel.spec.template)?,
            stream: channel.spec.stream.map(|from| outward(&from)).transpose()?,
        },
        secrets: channel.spec.secrets,
        stream_status: stream_status.map(|cursor| wire::StreamStatus {
            position: cursor.position,
            failures: cursor.attempts,
            last_error: cursor.last_error,
        }),
        created_at: channel.created_at,
        updated_at: channel.updated_at,
    })
}

fn render_kind(kind: &dyn NotifierKind) -> wire::ChannelKind {
    let words = kind.words();
    wire::ChannelKind {
        name: kind.name().to_owned(),
        summary: kind.summary().to_owned(),
        secrets: kind.secrets().iter().map(ToString::to_string).collect(),
        streams: kind.streams(),
        template: wire::Template {
            subject: words.subject.map(str::to_owned),
            text: words.text.map(str::to_owned),
            html: words.html.map(str::to_owned),
        },
    }
}
