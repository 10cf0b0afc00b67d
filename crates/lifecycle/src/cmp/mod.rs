//! CMP: endpoints and secrets as managed things, and the verbs behind its messages. Every request
//! goes through the one pipeline; what is kept beside it is the transaction that it was made in.

mod confirm;
pub mod endpoints;
mod information;
mod progress;
mod request;
mod revoke;
pub mod secrets;
mod sender;
mod signer;

pub use confirm::ConfirmError;
pub use information::{CrlOfIssuer, TemplateWish};
pub use progress::{CmpProgress, Confirmation};
pub use request::{CmpRequest, CmpRequestError};
pub use revoke::CmpRevokeError;
pub use sender::{CmpSender, Holder, SenderError};
pub use signer::{CmpSigner, SignerError};

pub(crate) use request::Begun;
pub(crate) use signer::SignerCache;
