//! From an event to the message of a channel.

use domain::event::Event;
use domain::notification::channel::{Channel, Template};
use domain::notification::notifier::{Message, NotifierKind, Words};
use domain::notification::severity::Severity;

use super::template::{Place, Subject, TemplateFault, render};
use crate::Lifecycle;

/// What a message is besides its event.
pub(super) struct Envelope {
    /// The same for all attempts.
    pub(super) id: String,
    pub(super) position: Option<i64>,
    pub(super) recipients: Vec<String>,
    pub(super) private: bool,
    pub(super) link: Option<String>,
}

impl Envelope {
    /// For everybody that the channel names.
    pub(super) fn open(id: String, position: Option<i64>) -> Self {
        Self {
            id,
            position,
            recipients: Vec::new(),
            private: false,
            link: None,
        }
    }
}

/// The texts of a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rendered {
    pub subject: Option<String>,
    pub text: Option<String>,
    pub html: Option<String>,
}

/// The texts that a channel of that kind makes of an event.
pub(super) fn texts(
    kind: &dyn NotifierKind,
    template: &Template,
    subject: &Subject<'_>,
) -> Result<Rendered, TemplateFault> {
    let Words {
        subject: heading,
        text,
        html,
    } = kind.words();
    let format = kind.format();
    let make = |place: Place, own: &Option<String>, default: Option<&str>| {
        let source = own.as_deref().or(default);
        source
            .map(|source| render(place, source, subject))
            .transpose()
    };
    Ok(Rendered {
        subject: make(Place::Subject(format), &template.subject, heading)?,
        text: make(Place::Text(format), &template.text, text)?,
        // Whoever changed the text alone does not want the other words beside it.
        html: match (&template.html, &template.text) {
            (None, Some(_)) => None,
            (own, _) => make(Place::Html, own, html)?,
        },
    })
}

impl Lifecycle {
    /// The message that a channel carries of an event.
    pub(super) fn message(
        &self,
        kind: &dyn NotifierKind,
        channel: &Channel,
        event: Event,
        envelope: Envelope,
    ) -> Result<Message, TemplateFault> {
        let severity = Severity::of(&event);
        let subject = Subject {
            event: &event,
            severity,
            server: &self.settings.public_url,
            link: envelope.link.as_deref(),
        };
        let Rendered {
            subject,
            text,
            html,
        } = texts(kind, &channel.spec.template, &subject)?;
        Ok(Message {
            id: envelope.id,
            severity,
            position: envelope.position,
            subject,
            text,
            html,
            recipients: envelope.recipients,
            private: envelope.private,
            now: self.now(),
            event,
        })
    }
}
