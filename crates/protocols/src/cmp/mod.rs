//! Certificate Management Protocol: messages of RFC 9810 as the lightweight profile (RFC 9483) uses
//! them, their protection (RFC 9481), and where they are sent over HTTP (RFC 9811).
//!
//! A [`Message`] that arrives is taken apart in steps: header and tags first, protection next, and
//! its body only then, so that nobody without a credential reaches the readers of requests.

mod body;
mod certification;
mod confirmation;
mod error;
mod header;
mod http;
mod info;
mod mac;
mod message;
mod polling;
mod protection;
mod revocation;
mod status;

pub use body::{Body, BodyKind, RequestKind};
pub use certification::{CertRepMessage, CertResponse};
pub use confirmation::{CertStatus, certificate_digest};
pub use error::CmpError;
pub use header::Header;
pub use http::{MEDIA_TYPE, Operation};
pub use info::{Info, known as info_type};
pub use mac::{MacHash, MacParameters};
pub use message::{Message, Protector};
pub use polling::PollRep;
pub use protection::{Protection, ProtectionError};
pub use revocation::{RevocationAnswer, RevocationWish};
pub use status::{FailInfo, PkiStatus, StatusInfo};

/// The most octets of a message that are read.
pub const MAX_OCTETS: usize = 256 * 1024;
