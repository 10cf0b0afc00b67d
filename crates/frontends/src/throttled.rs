//! A request that came too early: marked at the door, refused by the front end it is for.

use std::time::Duration;

/// An extension of a request from an address that sends too many. ACME refuses it in its own form,
/// with a nonce and its links (RFC 8555 section 6.7).
#[derive(Clone, Copy, Debug)]
pub struct Throttled {
    pub retry_after: Duration,
}

impl Throttled {
    /// What is told to whoever is refused.
    pub const DETAIL: &str = "this address sends more requests per second than this server allows; \
                              try again after the time in Retry-After";

    /// Whether the front end of this path refuses it in a form of its own.
    pub fn is_rendered_behind(path: &str) -> bool {
        path.starts_with("/acme/")
    }
}
