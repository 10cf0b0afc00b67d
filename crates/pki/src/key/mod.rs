//! Keys: what kinds there are, public keys, signatures, and the port that signs.

mod algorithm;
mod kind;
mod local;
mod public;
mod signature;
mod signing;
pub mod weak;

pub use algorithm::{KeyAlgorithm, ParseKeyAlgorithmError};
pub use kind::{KeyKind, ParseKeyKindError};
pub use local::LocalKey;
pub use public::{PublicKey, PublicKeyError, VerifyError};
pub(crate) use signature::oid_of;
pub use signature::{SignatureAlgorithm, UnknownSignatureAlgorithm};
pub use signing::{KeyError, SigningKey};
pub use weak::WeakKey;
