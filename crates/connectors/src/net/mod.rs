//! Guarded access to networks: DNS whose answers are not trusted, and connections that are judged by
//! the address that is dialled.

pub mod address;
pub mod aws;
pub mod channel_bindings;
pub mod dial;
pub mod dns_message;
mod exchange;
pub mod guard;
pub mod http;
pub mod json;
pub mod kerberos;
pub mod ntlm;
pub mod post;
pub mod resolver;
pub mod service;
pub mod session;
pub mod smtp;
mod tls;
pub mod trust;

pub use dial::{DialError, Dialer};
pub(crate) use exchange::secured;
pub use guard::{Denied, NetworkPolicy};
pub use http::{Fetched, GuardedHttp, HttpError, HttpLimits};
pub use post::{GuardedPost, Posted};
pub use resolver::{CaaAnswer, DnsError, Resolver, ResolverConfig, ResolverSetupError};
pub(crate) use service::Reading;
pub use service::{ServiceError, ServiceHttp};
pub(crate) use tls::unchained_client;

/// The first characters of hostile octets, fit to stand in a message: one line, printable ASCII.
pub fn excerpt(octets: &[u8]) -> String {
    const LENGTH: usize = 100;
    let shown = octets.iter().take(LENGTH);
    let mut text: String = shown
        .map(|octet| match octet {
            b' '..=b'~' => char::from(*octet),
            _ => '?',
        })
        .collect();
    if octets.len() > LENGTH {
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::excerpt;

    #[test]
    fn an_excerpt_is_short_and_printable_whatever_it_is_of() {
        assert_eq!(excerpt(b"a\x1b[31mb\r\n\xff"), "a?[31mb???");
        assert_eq!(excerpt(&[b'x'; 300]).chars().count(), 101);
    }
}
