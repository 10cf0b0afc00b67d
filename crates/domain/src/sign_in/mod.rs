//! The rules of proving who one is: what a password must be, and how long to wait after failures.

mod backoff;
mod password;
mod recovery;

pub use backoff::{Attempts, Backoff};
pub use password::{PasswordFault, check_password};
pub use recovery::RecoveryCode;
