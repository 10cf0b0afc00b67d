//! Certificate request messages, CRMF (RFC 4211): what CMP asks with. Read, proven, built.

mod build;
mod parse;
mod template;

pub use build::{Possession, Wish, build};
pub use parse::{CertReqMsg, CrmfError, ProofOfPossession};
pub use template::{CertTemplate, IssuerAndSerial};
