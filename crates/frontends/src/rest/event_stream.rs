//! `/events/stream`: the event log as it is written, as server-sent events.
//!
//! Who watches is looked at again before each message, so a credential that opens nothing any more
//! shows nothing any more. A stream that falls far behind is told to look anew instead.

use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event as Message, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use domain::access::{Principal, Rights};
use futures::stream::{self, Stream};
use http::header::RETRY_AFTER;
use http::request::Parts;
use http::{HeaderName, HeaderValue};
use lifecycle::StoreError;
use lifecycle::event_stream::Watched;
use parking_lot::Mutex;
use protocols::rest::audit as wire;
use protocols::rest::problem::ProblemKind;

use super::Verbs;
use super::access::Operator;
use super::audit;
use super::credentials::authenticate;
use super::extract::{Parameters, header};
use super::failure::Failure;

/// Streams that one node keeps open, and of these for one principal.
const MOST: usize = 500;
const MOST_OF_ONE: usize = 24;
/// How often a silent stream shows that it is alive; proxies and listeners cut what is idle.
const HEARTBEAT: Duration = Duration::from_secs(15);
const PATIENCE: Duration = Duration::from_secs(5);

/// Events as they happen, as server-sent events
///
/// Each message is an event as `/audit` lists it, with its position in the log as `id`; a browser that
/// reconnects sends it as `Last-Event-ID` and misses nothing. Who may read the audit log sees all
/// events; others those of what they see, without addresses and details. The message `ready` begins a
/// stream; `reset` says that more happened than is told one by one, and that things are to be read anew.
#[utoipa::path(get, path = "/api/v1/events/stream", tag = "audit", params(wire::StreamQuery,
    ("Last-Event-ID" = Option<i64>, Header, description = "Position after which to begin; now, without it")),
    responses((status = 200, description = "The stream", content((String = "text/event-stream")))))]
pub(crate) async fn watch(
    State(verbs): State<Verbs>,
    operator: Operator,
    Parameters(query): Parameters<wire::StreamQuery>,
    parts: Parts,
) -> Result<Response, Failure> {
    let place = Place::take(operator.principal())?;
    let end = verbs.event_log_end().await?;
    let position = match header(&parts.headers, "last-event-id") {
        None => end,
        Some(text) => match text.parse::<i64>() {
            // A position of another log, from before a restore, say.
            Ok(position) if (0..=end).contains(&position) => position,
            Ok(_) | Err(_) => end,
        },
    };
    let ready = Message::default().event("ready").id(position.to_string());
    let watcher = Watcher {
        verbs,
        parts,
        position,
        follows: query.follow.unwrap_or(true),
        messages: VecDeque::from([ready.data("{}")]),
        _place: place,
    };
    let alive = KeepAlive::new().interval(HEARTBEAT);
    let unbuffered = (
        HeaderName::from_static("x-accel-buffering"),
        HeaderValue::from_static("no"),
    );
    Ok(([unbuffered], Sse::new(watcher.stream()).keep_alive(alive)).into_response())
}

/// Somebody at the other end of a stream.
struct Watcher {
    verbs: Verbs,
    parts: Parts,
    position: i64,
    follows: bool,
    messages: VecDeque<Message>,
    _place: Place,
}

impl Watcher {
    fn stream(self) -> impl Stream<Item = Result<Message, Infallible>> + Send {
        stream::unfold(self, |mut watcher| async move {
            loop {
                if let Some(message) = watcher.messages.pop_front() {
                    return Some((Ok(message), watcher));
                }
                match watcher.read_on().await {
                    Ok(true) => {}
                    Ok(false) => return None,
                    Err(error) => {
                        tracing::warn!(error = %error, "event stream ended");
                        return None;
                    }
                }
            }
        })
    }

    /// Gets the next messages. Says whether the stream goes on.
    async fn read_on(&mut self) -> Result<bool, StoreError> {
        let patience = match self.follows {
            true => PATIENCE,
            false => Duration::ZERO,
        };
        let watched = self.verbs.watch_events(self.position, patience).await?;
        let Some(rights) = self.rights().await else {
            return Ok(false);
        };
        match watched {
            Watched::Over => Ok(false),
            Watched::Behind { end } => {
                self.position = end;
                let reset = Message::default().event("reset").id(end.to_string());
                self.messages.push_back(reset.data("{}"));
                Ok(true)
            }
            Watched::Events(events) => {
                let goes_on = self.follows || !events.is_empty();
                for sealed in events {
                    self.position = sealed.position;
                    let told = self.verbs.told_of_event(sealed.event, &rights).await?;
                    let Some(event) = told else { continue };
                    let message = Message::default().id(sealed.position.to_string());
                    match message.json_data(audit::render(event)) {
                        Ok(message) => self.messages.push_back(message),
                        Err(error) => tracing::error!(error = %error, "event not told"),
                    }
                }
                Ok(goes_on)
            }
        }
    }

    /// What the credential of the request opens now; `None` once it opens nothing.
    async fn rights(&self) -> Option<Rights> {
        let who = authenticate(&self.verbs, &self.parts).await.ok()?;
        self.verbs.rights_of(&who.principal).await.ok()
    }
}

static OPEN: LazyLock<Arc<Mutex<HashMap<String, usize>>>> = LazyLock::new(Arc::default);

/// One of the streams that may be open at the same time.
struct Place(String);

impl Place {
    fn take(principal: &Principal) -> Result<Self, Failure> {
        let mut open = OPEN.lock();
        let all: usize = open.values().sum();
        let own = open.entry(principal.to_string()).or_default();
        if all >= MOST || *own >= MOST_OF_ONE {
            return Err(Failure::new(
                ProblemKind::Unavailable,
                "too many event streams are open; close one, or try again later",
            )
            .with_header(RETRY_AFTER, HeaderValue::from_static("30")));
        }
        *own += 1;
        Ok(Self(principal.to_string()))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = OPEN.lock();
        if let Some(own) = open.get_mut(&self.0) {
            *own -= 1;
            if *own == 0 {
                open.remove(&self.0);
            }
        }
    }
}
