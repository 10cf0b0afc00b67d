//! The ciphers of encrypted messages: AES to write and to read, 3DES to read where somebody allows it.

use aws_lc_rs::cipher::{
    AES_128, AES_192, AES_256, Algorithm, DecryptionContext, EncryptionContext,
    PaddedBlockDecryptingKey, PaddedBlockEncryptingKey, UnboundCipherKey,
};
use aws_lc_rs::iv::FixedLength;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeDecrypt, KeyIvInit};
use const_oid::ObjectIdentifier;

use crate::oid;

/// A cipher for the content of a message, RFC 3565 and RFC 8894 section 3.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContentCipher {
    /// AES-128 in CBC mode
    Aes128Cbc,
    /// AES-192 in CBC mode
    Aes192Cbc,
    /// AES-256 in CBC mode
    Aes256Cbc,
    /// Triple DES in CBC mode: read only
    TripleDesCbc,
}

impl ContentCipher {
    const ALL: [Self; 4] = [
        Self::Aes128Cbc,
        Self::Aes192Cbc,
        Self::Aes256Cbc,
        Self::TripleDesCbc,
    ];

    pub(super) fn oid(self) -> ObjectIdentifier {
        match self {
            Self::Aes128Cbc => oid::AES128_CBC,
            Self::Aes192Cbc => oid::AES192_CBC,
            Self::Aes256Cbc => oid::AES256_CBC,
            Self::TripleDesCbc => oid::TRIPLE_DES_CBC,
        }
    }

    pub(super) fn from_oid(content: &[u8]) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|cipher| cipher.oid().as_bytes() == content)
    }

    pub(super) fn key_octets(self) -> usize {
        match self {
            Self::Aes128Cbc => 16,
            Self::Aes192Cbc | Self::TripleDesCbc => 24,
            Self::Aes256Cbc => 32,
        }
    }

    /// The provider's cipher; it has none for what is only read.
    fn aes(self) -> Option<&'static Algorithm> {
        match self {
            Self::Aes128Cbc => Some(&AES_128),
            Self::Aes192Cbc => Some(&AES_192),
            Self::Aes256Cbc => Some(&AES_256),
            Self::TripleDesCbc => None,
        }
    }

    /// The ciphertext; `None` for a cipher that is only read.
    pub(super) fn encrypt(self, key: &[u8], iv: [u8; 16], content: &[u8]) -> Option<Vec<u8>> {
        let key = UnboundCipherKey::new(self.aes()?, key).ok()?;
        let key = PaddedBlockEncryptingKey::cbc_pkcs7(key).ok()?;
        let mut in_out = content.to_vec();
        let context = EncryptionContext::Iv128(FixedLength::from(iv));
        key.less_safe_encrypt(&mut in_out, context).ok()?;
        Some(in_out)
    }

    /// The content in place; `None` where key, length or padding are not right, which are not told apart.
    pub(super) fn decrypt<'a>(
        self,
        key: &[u8],
        iv: &[u8],
        in_out: &'a mut [u8],
    ) -> Option<&'a [u8]> {
        let Some(algorithm) = self.aes() else {
            let cipher = cbc::Decryptor::<des::TdesEde3>::new_from_slices(key, iv).ok()?;
            return cipher.decrypt_padded::<Pkcs7>(in_out).ok();
        };
        let key = UnboundCipherKey::new(algorithm, key).ok()?;
        let key = PaddedBlockDecryptingKey::cbc_pkcs7(key).ok()?;
        let iv: [u8; 16] = iv.try_into().ok()?;
        let context = DecryptionContext::Iv128(FixedLength::from(iv));
        key.decrypt(in_out, context).ok().map(|content| &*content)
    }
}
