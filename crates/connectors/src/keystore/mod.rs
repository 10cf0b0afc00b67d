//! Where private keys live, and what seals secrets at rest.

pub mod file;
pub mod pkcs11;
pub mod ring;
pub mod seal;

pub use file::FileKeyStore;
pub use pkcs11::{Pkcs11Config, Pkcs11KeyStore, TokenSelector};
pub use ring::KeyRing;
pub use seal::{AeadSealer, SealKey, SealKeyError};
