//! Notification: which of what happens is told to whom, over which channel, and when a certificate's
//! end is near enough to be spoken of.

pub mod channel;
pub mod delivery;
pub mod incident;
pub mod ladder;
pub mod notifier;
pub mod rule;
pub mod severity;
