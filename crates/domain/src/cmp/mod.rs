//! CMP (RFC 9810) as things that are managed: endpoints, shared secrets, transactions under way.

pub mod endpoint;
pub mod secret;
pub mod transaction;

pub use endpoint::{CmpEndpoint, CmpRules};
pub use secret::CmpSecret;
pub use transaction::{CmpTransaction, RequestForm, TransactionState};
