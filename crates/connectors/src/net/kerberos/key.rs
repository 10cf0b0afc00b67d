//! The encryption types that are spoken: AES-256 with SHA-1 (RFC 3962), which Active Directory has, and AES-256
//! with SHA-384 (RFC 8009). RC4 and DES are never asked for and never taken.

use std::num::NonZeroU32;

use aws_lc_rs::{constant_time, hmac, pbkdf2};
use zeroize::Zeroizing;

use super::cipher::{self, BLOCK};
use super::nfold::fold16;

/// What stands for an encryption type in messages, RFC 3961 section 8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EncryptionType {
    /// aes256-cts-hmac-sha1-96
    Sha1,
    /// aes256-cts-hmac-sha384-192
    Sha384,
}

/// The purpose that a key is used for, RFC 4120 section 7.5.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Usage {
    Timestamp = 1,
    FirstReply = 3,
    BodyChecksum = 6,
    TicketRequestAuthenticator = 7,
    TicketReply = 8,
    Authenticator = 11,
    ServiceReply = 12,
}

/// What does not fit a key: made with another one, changed on the way, or no ciphertext at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a message does not fit the key that it should be made with")]
pub struct WrongKey;

/// A key of a user, or of a session.
pub(super) struct Key {
    kind: EncryptionType,
    octets: Zeroizing<[u8; 32]>,
}

/// A peer that nobody has authenticated yet says how often a password is stretched.
const MAX_ITERATIONS: u32 = 1_000_000;
const ENCRYPTION: u8 = 0xaa;
const INTEGRITY: u8 = 0x55;
const CHECKSUM: u8 = 0x99;

impl EncryptionType {
    /// In order of preference.
    pub(super) const ALL: [Self; 2] = [Self::Sha384, Self::Sha1];

    pub(super) fn number(self) -> i64 {
        match self {
            Self::Sha1 => 18,
            Self::Sha384 => 20,
        }
    }

    pub(super) fn from_number(number: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.number() == number)
    }

    /// The keyed checksum that goes with it.
    pub(super) fn checksum_number(self) -> i64 {
        match self {
            Self::Sha1 => 16,
            Self::Sha384 => 20,
        }
    }

    /// How often a password is stretched, from what the KDC says. Less than what is usual makes guessing cheap
    /// for whoever asks for it, and very much more keeps us busy: there is neither.
    pub(super) fn iterations(self, told: Option<u32>) -> Option<NonZeroU32> {
        let usual = match self {
            Self::Sha1 => 4096,
            Self::Sha384 => 32768,
        };
        let told = told.unwrap_or(usual);
        NonZeroU32::new(told).filter(|_| (usual..=MAX_ITERATIONS).contains(&told))
    }

    fn code_length(self) -> usize {
        match self {
            Self::Sha1 => 12,
            Self::Sha384 => 24,
        }
    }

    fn hmac(self) -> hmac::Algorithm {
        match self {
            Self::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha384 => hmac::HMAC_SHA384,
        }
    }
}

impl Key {
    /// A key from the wire.
    pub(super) fn new(kind: EncryptionType, octets: &[u8]) -> Result<Self, WrongKey> {
        let octets = octets.try_into().map_err(|_| WrongKey)?;
        Ok(Self {
            kind,
            octets: Zeroizing::new(octets),
        })
    }

    /// The key that a password stands for, RFC 3962 section 4 and RFC 8009 section 4.
    pub(super) fn of_password(
        kind: EncryptionType,
        password: &[u8],
        salt: &[u8],
        iterations: NonZeroU32,
    ) -> Result<Self, WrongKey> {
        let (algorithm, salt) = match kind {
            EncryptionType::Sha1 => (pbkdf2::PBKDF2_HMAC_SHA1, salt.to_vec()),
            EncryptionType::Sha384 => (
                pbkdf2::PBKDF2_HMAC_SHA384,
                [b"aes256-cts-hmac-sha384-192\0", salt].concat(),
            ),
        };
        let mut octets = Zeroizing::new([0; 32]);
        pbkdf2::derive(algorithm, iterations, &salt, password, &mut *octets);
        let stretched = Self { kind, octets };
        let octets = stretched.derived(b"kerberos", 32)?;
        Self::new(kind, &octets)
    }

    pub(super) fn kind(&self) -> EncryptionType {
        self.kind
    }

    /// Encrypts; `confounder` has to be fresh.
    pub(super) fn encrypt(
        &self,
        usage: Usage,
        plaintext: &[u8],
        confounder: [u8; BLOCK],
    ) -> Result<Vec<u8>, WrongKey> {
        let message = Zeroizing::new([&confounder, plaintext].concat());
        let key = self.encryption_key(usage)?;
        let mut sealed = cipher::encrypt(&key, &message).map_err(|_| WrongKey)?;
        let code = match self.kind {
            EncryptionType::Sha1 => self.code(usage, INTEGRITY, &[&message])?,
            EncryptionType::Sha384 => self.code(usage, INTEGRITY, &[&[0; BLOCK], &sealed])?,
        };
        sealed.extend(code);
        Ok(sealed)
    }

    /// Decrypts what was made for this purpose with this key.
    pub(super) fn decrypt(
        &self,
        usage: Usage,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, WrongKey> {
        let end = sealed.len().checked_sub(self.kind.code_length());
        let (ciphertext, code) = end
            .and_then(|end| sealed.split_at_checked(end))
            .ok_or(WrongKey)?;
        let key = self.encryption_key(usage)?;
        let message = cipher::decrypt(&key, ciphertext).map_err(|_| WrongKey)?;
        let wanted = match self.kind {
            EncryptionType::Sha1 => self.code(usage, INTEGRITY, &[&message])?,
            EncryptionType::Sha384 => self.code(usage, INTEGRITY, &[&[0; BLOCK], ciphertext])?,
        };
        constant_time::verify_slices_are_equal(&wanted, code).map_err(|_| WrongKey)?;
        let plaintext = message.get(BLOCK..).ok_or(WrongKey)?;
        Ok(Zeroizing::new(plaintext.to_vec()))
    }

    /// The keyed checksum over a message that is not encrypted.
    pub(super) fn checksum(&self, usage: Usage, message: &[u8]) -> Result<Vec<u8>, WrongKey> {
        self.code(usage, CHECKSUM, &[message])
    }

    fn encryption_key(&self, usage: Usage) -> Result<Zeroizing<[u8; 32]>, WrongKey> {
        let octets = self.derived(&constant(usage, ENCRYPTION), 32)?;
        let key = octets.as_slice().try_into().map_err(|_| WrongKey)?;
        Ok(Zeroizing::new(key))
    }

    fn code(&self, usage: Usage, purpose: u8, parts: &[&[u8]]) -> Result<Vec<u8>, WrongKey> {
        // With SHA-1 it is as long as the encryption key, with SHA-384 as long as the code.
        let length = match self.kind {
            EncryptionType::Sha1 => 32,
            EncryptionType::Sha384 => self.kind.code_length(),
        };
        let key = self.derived(&constant(usage, purpose), length)?;
        let mut context = hmac::Context::with_key(&hmac::Key::new(self.kind.hmac(), &key));
        for part in parts {
            context.update(part);
        }
        let mut code = context.sign().as_ref().to_vec();
        code.truncate(self.kind.code_length());
        Ok(code)
    }

    /// A key for one purpose: DK of RFC 3961 section 5.1, or the KDF of RFC 8009 section 3.
    fn derived(&self, label: &[u8], length: usize) -> Result<Zeroizing<Vec<u8>>, WrongKey> {
        match self.kind {
            EncryptionType::Sha1 => {
                let mut first = fold16(label);
                cipher::encrypt_block(&self.octets, &mut first).map_err(|_| WrongKey)?;
                let mut second = first;
                cipher::encrypt_block(&self.octets, &mut second).map_err(|_| WrongKey)?;
                let mut octets = [first, second].concat();
                octets.truncate(length);
                Ok(Zeroizing::new(octets))
            }
            EncryptionType::Sha384 => {
                let bits = u32::try_from(length * 8).map_err(|_| WrongKey)?;
                let key = hmac::Key::new(self.kind.hmac(), &*self.octets);
                let input = [&[0, 0, 0, 1], label, &[0], &bits.to_be_bytes()].concat();
                let mut octets = hmac::sign(&key, &input).as_ref().to_vec();
                octets.truncate(length);
                Ok(Zeroizing::new(octets))
            }
        }
    }
}

fn constant(usage: Usage, purpose: u8) -> [u8; 5] {
    let [a, b, c, d] = (usage as u32).to_be_bytes();
    [a, b, c, d, purpose]
}

#[cfg(test)]
mod tests;
