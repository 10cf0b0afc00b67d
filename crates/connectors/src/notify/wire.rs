//! The event as receivers see it: the form that the REST API has for it.

use domain::notification::notifier::{Message, NotifyError};
use domain::notification::severity::Severity;
use http::StatusCode;
use protocols::rest::audit::Event;
use protocols::siem::Level;

use crate::net::{Posted, ServiceError};

/// The event on the wire. Both types are written the same in JSON, and so it is translated.
pub(super) fn event(message: &Message) -> Result<Event, NotifyError> {
    serde_json::to_value(&message.event)
        .and_then(serde_json::from_value)
        .map_err(|error| NotifyError::Refused(format!("the event cannot be written: {error}")))
}

/// The event's weight in the words of collectors.
pub(super) fn level(message: &Message) -> Level {
    match message.severity {
        Severity::Info => Level::Info,
        Severity::Notice => Level::Notice,
        Severity::Warning => Level::Warning,
        Severity::Critical => Level::Critical,
    }
}

/// What the receiver's status means. Only what can never become right is not tried again.
pub(super) fn judge(host: &str, posted: &Posted) -> Result<(), NotifyError> {
    let status = posted.status;
    if status.is_success() {
        return Ok(());
    }
    let code = status.as_u16();
    if status.is_redirection() {
        return Err(NotifyError::unavailable(format!(
            "{host} answered {code}: it redirects, and redirects are not followed; give the URL \
             that it leads to"
        )));
    }
    match status {
        StatusCode::GONE => Err(NotifyError::Refused(format!(
            "{host} answered 410: this receiver is gone for good"
        ))),
        StatusCode::PAYLOAD_TOO_LARGE => Err(NotifyError::Refused(format!(
            "{host} answered 413: the message is too large for it"
        ))),
        _ => Err(NotifyError::Unavailable {
            reason: format!("{host} answered {code}"),
            retry_after: posted.retry_after,
        }),
    }
}

/// Whatever stood in the way may be gone the next time.
pub(super) fn unreachable(error: &ServiceError) -> NotifyError {
    NotifyError::unavailable(error.to_string())
}
