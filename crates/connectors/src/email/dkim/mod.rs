//! DKIM (RFC 6376, RFC 8463): a domain's signature over a mail, made and verified.

mod canonical;
mod sign;
mod tags;
mod verify;

pub use canonical::Fields;
pub use sign::{DkimSigner, SignerFault};
pub use verify::verify;

use canonical::Canonical;
