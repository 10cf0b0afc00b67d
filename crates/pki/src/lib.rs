//! X.509 and its relatives, pure: certificates, CSRs, CRLs, OCSP, keys, names, serials, lint.
//!
//! Nothing here does IO. Time and randomness come in as parameters ([`time::Timestamp`],
//! [`random::Random`]); private keys sit behind the [`key::SigningKey`] port.

pub mod acme_identifier;
pub mod ari;
pub mod asn1;
pub mod attestation;
pub mod certificate;
pub mod chain;
pub mod cms;
pub mod crl;
pub mod crmf;
pub mod csr;
pub mod fingerprint;
mod hex;
pub mod key;
pub mod lint;
pub mod name;
pub mod ocsp;
pub mod oid;
pub mod pem;
pub mod pkcs12;
pub mod pkcs7;
pub mod random;
pub mod revocation;
pub mod serial;
pub mod time;
