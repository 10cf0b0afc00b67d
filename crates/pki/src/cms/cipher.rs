//! The ciphers of encrypted messages: AES, and where somebody allows them those that old systems know.

use aws_lc_rs::cipher::{
    AES_128, AES_192, AES_256, Algorithm, DecryptionContext, EncryptionContext,
    PaddedBlockDecryptingKey, PaddedBlockEncryptingKey, UnboundCipherKey,
};
use aws_lc_rs::iv::FixedLength;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};
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
    /// Triple DES in CBC mode: for those who know nothing better
    TripleDesCbc,
    /// Single DES in CBC mode: read only
    DesCbc,
}

/// Which algorithms of a message that came in are put up with (RFC 8894 section 2.9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accepts {
    /// AES, and SHA-256 or better
    Strong,
    /// Besides, 3DES
    TripleDes,
    /// Besides, single DES and SHA-1: for what is public anyway and proves itself otherwise
    Weak,
}

impl Accepts {
    fn allows(self, cipher: ContentCipher) -> bool {
        match cipher {
            ContentCipher::Aes128Cbc | ContentCipher::Aes192Cbc | ContentCipher::Aes256Cbc => true,
            ContentCipher::TripleDesCbc => self != Self::Strong,
            ContentCipher::DesCbc => self == Self::Weak,
        }
    }
}

impl ContentCipher {
    const ALL: [Self; 5] = [
        Self::Aes128Cbc,
        Self::Aes192Cbc,
        Self::Aes256Cbc,
        Self::TripleDesCbc,
        Self::DesCbc,
    ];

    pub(super) fn oid(self) -> ObjectIdentifier {
        match self {
            Self::Aes128Cbc => oid::AES128_CBC,
            Self::Aes192Cbc => oid::AES192_CBC,
            Self::Aes256Cbc => oid::AES256_CBC,
            Self::TripleDesCbc => oid::TRIPLE_DES_CBC,
            Self::DesCbc => oid::DES_CBC,
        }
    }

    /// The cipher of that name, if it is put up with.
    pub(super) fn from_oid(content: &[u8], accepts: Accepts) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|cipher| cipher.oid().as_bytes() == content && accepts.allows(*cipher))
    }

    pub(super) fn key_octets(self) -> usize {
        match self {
            Self::Aes128Cbc => 16,
            Self::Aes192Cbc | Self::TripleDesCbc => 24,
            Self::Aes256Cbc => 32,
            Self::DesCbc => 8,
        }
    }

    pub(super) fn iv_octets(self) -> usize {
        match self {
            Self::Aes128Cbc | Self::Aes192Cbc | Self::Aes256Cbc => 16,
            Self::TripleDesCbc | Self::DesCbc => 8,
        }
    }

    /// The provider's cipher; it has none that is older than AES.
    fn aes(self) -> Option<&'static Algorithm> {
        match self {
            Self::Aes128Cbc => Some(&AES_128),
            Self::Aes192Cbc => Some(&AES_192),
            Self::Aes256Cbc => Some(&AES_256),
            Self::TripleDesCbc | Self::DesCbc => None,
        }
    }

    /// The ciphertext; `None` for a cipher that is only read.
    pub(super) fn encrypt(self, key: &[u8], iv: &[u8], content: &[u8]) -> Option<Vec<u8>> {
        if self == Self::TripleDesCbc {
            let cipher = cbc::Encryptor::<des::TdesEde3>::new_from_slices(key, iv).ok()?;
            let mut in_out = content.to_vec();
            in_out.resize(content.len() + iv.len(), 0);
            let written = cipher.encrypt_padded::<Pkcs7>(&mut in_out, content.len());
            return Some(written.ok()?.to_vec());
        }
        let iv: [u8; 16] = iv.try_into().ok()?;
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
            if self == Self::DesCbc {
                let cipher = cbc::Decryptor::<des::Des>::new_from_slices(key, iv).ok()?;
                return cipher.decrypt_padded::<Pkcs7>(in_out).ok();
            }
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
