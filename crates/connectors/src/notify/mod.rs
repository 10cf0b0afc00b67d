//! Notifiers: one file for each kind of channel, one line each in [`kinds`].
//!
//! All of them dial through the guard, are bounded in time and memory, and tell of a receiver
//! nothing but its status: what it writes goes nowhere.

mod chat;
mod settings;
pub mod slack;
pub mod smtp;
pub mod syslog;
pub mod teams;
pub mod webhook;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use domain::notification::notifier::NotifierKind;

use crate::net::Dialer;

/// Every kind of channel there is.
pub fn kinds(dialer: &Dialer) -> Vec<Arc<dyn NotifierKind>> {
    vec![
        Arc::new(smtp::Smtp::new(dialer.clone())),
        Arc::new(webhook::Webhook::new(dialer.clone())),
        Arc::new(slack::Slack::new(dialer.clone())),
        Arc::new(teams::Teams::new(dialer.clone())),
        Arc::new(syslog::Syslog::new(dialer.clone())),
    ]
}

/// Of one message, connecting included. Shorter than the lease of a delivery, so that no other node
/// sends it meanwhile.
const DEADLINE: Duration = Duration::from_secs(20);

#[cfg(test)]
mod tests;
