//! `/audit`: what happened, and how to prove that nobody changed the record of it.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use domain::event::{ActorKind, Event};
use domain::id::EventId;
use http::HeaderValue;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use lifecycle::EventFilter;
use lifecycle::events::key_id;
use pki::key::SigningKey;
use protocols::rest::audit as wire;
use protocols::rest::page::{Page, PageQuery};

use super::Verbs;
use super::collectors;
use super::export;
use super::extract::Parameters;
use super::failure::Failure;
use super::listing::Listing;

/// Events, newest first
#[utoipa::path(get, path = "/api/v1/audit", tag = "audit",
    params(PageQuery, wire::EventQuery),
    responses((status = 200, description = "A page of events", body = Page<wire::Event>)))]
pub(crate) async fn list(
    State(verbs): State<Verbs>,
    mut listing: Listing<wire::EventQuery, EventId>,
) -> Result<Json<Page<wire::Event>>, Failure> {
    let query = std::mem::take(&mut listing.filter);
    let filter = EventFilter {
        name: query.name,
        object: query.object,
        actor: query.actor,
        request_id: query.request_id,
        since: query.since,
        until: query.until,
    };
    let found = verbs
        .list_events(filter, listing.after.clone(), listing.rows())
        .await?;
    Ok(Json(listing.page(
        found,
        |event| event.id.to_string(),
        render,
    )))
}

/// The whole event log: with its hash chain and signed checkpoints, or in the words of collectors
///
/// `certwright audit verify` checks the format `jsonl` without the server.
#[utoipa::path(get, path = "/api/v1/audit/export", tag = "audit", params(wire::ExportQuery),
    responses((status = 200, description = "The log", content(
        (String = "application/jsonl"), (String = "text/plain")))))]
pub(crate) async fn export(
    State(verbs): State<Verbs>,
    Parameters(query): Parameters<wire::ExportQuery>,
) -> Result<Response, Failure> {
    let end = verbs.close_audit().await?;
    let (body, content_type, name) = match query.format {
        wire::ExportFormat::Jsonl => {
            let lines = Body::from_stream(export::lines(verbs, end));
            (lines, wire::EXPORT_MEDIA_TYPE, "certwright-audit.jsonl")
        }
        wire::ExportFormat::Ocsf => {
            let lines = Body::from_stream(collectors::lines(verbs, end, collectors::ocsf));
            (
                lines,
                wire::EXPORT_MEDIA_TYPE,
                "certwright-audit.ocsf.jsonl",
            )
        }
        wire::ExportFormat::Cef => {
            let lines = Body::from_stream(collectors::lines(verbs, end, collectors::cef));
            (lines, "text/plain; charset=utf-8", "certwright-audit.cef")
        }
    };
    let disposition = format!("attachment; filename=\"{name}\"");
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static(content_type)),
        (
            CONTENT_DISPOSITION,
            HeaderValue::from_str(&disposition)
                .map_err(|_| Failure::broken("a file name is no header value"))?,
        ),
    ];
    Ok((headers, body).into_response())
}

/// The public key that checks the signatures of checkpoints
///
/// Fetch it once and keep it apart: a verifier that gets it along with the log trusts the log.
#[utoipa::path(get, path = "/api/v1/audit/key", tag = "audit",
    responses((status = 200, description = "The key", body = wire::AuditKey)))]
pub(crate) async fn key(State(verbs): State<Verbs>) -> Result<Json<wire::AuditKey>, Failure> {
    let key = verbs.checkpoint_key().await?;
    let public = key.public_key();
    Ok(Json(wire::AuditKey {
        key_id: key_id(public),
        public_key: pki::pem::encode("PUBLIC KEY", public.spki_der()),
    }))
}

/// The event on the wire.
pub(super) fn render(event: Event) -> wire::Event {
    wire::Event {
        id: event.id.to_string(),
        at: event.at,
        name: event.name,
        actor: wire::Actor {
            kind: match event.actor.kind {
                ActorKind::AcmeAccount => wire::ActorKind::AcmeAccount,
                ActorKind::Client => wire::ActorKind::Client,
                ActorKind::Anonymous => wire::ActorKind::Anonymous,
                ActorKind::Console => wire::ActorKind::Console,
                ActorKind::System => wire::ActorKind::System,
                ActorKind::Token => wire::ActorKind::Token,
                ActorKind::User => wire::ActorKind::User,
            },
            id: event.actor.id,
            address: event.actor.address,
        },
        object: event.object,
        data: event.data,
        request_id: event.request_id,
    }
}
