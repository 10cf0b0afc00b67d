//! Channels, rules, deliveries on their way, and the watch over certificates' ends.

mod channels;
pub mod cursors;
pub mod deliveries;
pub mod expiry;
pub mod incidents;
mod rules;
