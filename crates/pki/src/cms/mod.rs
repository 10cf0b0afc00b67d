//! Signed and encrypted messages, RFC 5652, as far as EST and SCEP send them.
//!
//! What comes in may be BER; what goes out is DER. Nothing here decides whom to trust: a signature says
//! which certificate's key made it, and whose certificate that is is for the caller to judge.

mod cipher;
mod decrypt;
mod encrypt;
mod read;
mod sign;
mod signed;

pub use cipher::{Accepts, ContentCipher};
pub use decrypt::{DecryptError, DecryptionKey, decrypt};
pub use encrypt::{EncryptError, encrypt};
pub use read::{CmsError, SignerId};
pub use sign::{CertsOnly, Draft, sign};
pub use signed::{Attributes, SignedData, Signer, SignerInfo};
