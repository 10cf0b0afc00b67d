//! The event log in the words of systems that collect security events: a line for each event.

use std::sync::Arc;

use bytes::Bytes;
use domain::event::{Checkpoint, SealedEvent};
use domain::notification::severity::Severity;
use futures::stream::{self, Stream};
use lifecycle::{Lifecycle, StoreError};
use protocols::siem::{self, Level};

use super::audit::render;

const PAGE: u32 = 500;

/// The lines of the log up to `end`, read page by page as the client takes them.
pub(crate) fn lines(
    lifecycle: Arc<Lifecycle>,
    end: Option<Checkpoint>,
    line: fn(SealedEvent) -> String,
) -> impl Stream<Item = Result<Bytes, StoreError>> + Send {
    let end = end.map_or(0, |checkpoint| checkpoint.position);
    stream::try_unfold(0, move |after| {
        let lifecycle = Arc::clone(&lifecycle);
        async move {
            if after >= end {
                return Ok(None);
            }
            let mut page = lifecycle.sealed_events(after, PAGE).await?;
            page.retain(|sealed| sealed.position <= end);
            let Some(last) = page.last().map(|last| last.position) else {
                return Ok(None);
            };
            let text: String = page.into_iter().map(|sealed| line(sealed) + "\n").collect();
            Ok(Some((Bytes::from(text), last)))
        }
    })
}

/// The event in the Common Event Format.
pub(crate) fn cef(sealed: SealedEvent) -> String {
    let level = level(&sealed);
    siem::cef::line(&render(sealed.event), level)
}

/// The event in the Open Cybersecurity Schema Framework.
pub(crate) fn ocsf(sealed: SealedEvent) -> String {
    let level = level(&sealed);
    siem::ocsf::object(&render(sealed.event), level).to_string()
}

fn level(sealed: &SealedEvent) -> Level {
    match Severity::of(&sealed.event) {
        Severity::Info => Level::Info,
        Severity::Notice => Level::Notice,
        Severity::Warning => Level::Warning,
        Severity::Critical => Level::Critical,
    }
}
