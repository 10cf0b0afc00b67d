//! The outbound rim: one file per counterpart we dial, sign with or store keys in.
//!
//! [`challenge`] looks at clients from outside, [`issuer`] talks to CAs, [`keystore`] keeps keys and
//! seals secrets, [`notify`] carries messages. Everything that dials an address somebody else chose goes through [`net`].

pub mod challenge;
pub mod email;
pub mod issuer;
pub mod keystore;
pub mod net;
pub mod notify;
pub mod sign_on;
pub mod solver;

#[cfg(test)]
mod testing;
