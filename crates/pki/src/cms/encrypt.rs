//! Writing EnvelopedData, RFC 5652 section 6, for one recipient with an RSA key.

use aws_lc_rs::rsa::{Pkcs1PublicEncryptingKey, PublicEncryptingKey};
use zeroize::Zeroizing;

use super::ContentCipher;
use super::read::{content_info, issuer_and_serial};
use crate::asn1::tag;
use crate::certificate::Certificate;
use crate::key::KeyKind;
use crate::oid;
use crate::random::Random;

/// Why nothing was encrypted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EncryptError {
    /// A key that signs only.
    #[error("a message can only be encrypted for an RSA key; the recipient's is {0}")]
    Recipient(KeyKind),
    /// A cipher that is not written any more, or a key that the provider refuses.
    #[error("the message cannot be encrypted for this recipient")]
    Provider,
}

/// Encrypts `content` for the holder of the certificate's key, with key transport by RSA (PKCS #1 v1.5, as
/// RFC 8894 section 3.1 has it).
pub fn encrypt(
    content: &[u8],
    recipient: &Certificate,
    cipher: ContentCipher,
    random: &dyn Random,
) -> Result<Vec<u8>, EncryptError> {
    let mut key = Zeroizing::new([0_u8; 32]);
    let key = &mut key[..cipher.key_octets()];
    random.fill(key);
    let mut iv = [0_u8; 16];
    let iv = &mut iv[..cipher.iv_octets()];
    random.fill(iv);
    let encrypted_key = transport(key, recipient)?;
    let ciphertext = cipher
        .encrypt(key, iv, content)
        .ok_or(EncryptError::Provider)?;
    Ok(content_info(&oid::CMS_ENVELOPED_DATA, |w| {
        w.small(0);
        w.set(|w| {
            w.sequence(|w| {
                w.small(0);
                issuer_and_serial(w, recipient);
                w.sequence(|w| {
                    w.oid(&oid::RSA);
                    w.null();
                });
                w.octet_string(&encrypted_key);
            });
        });
        w.sequence(|w| {
            w.oid(&oid::CMS_DATA);
            w.sequence(|w| {
                w.oid(&cipher.oid());
                w.octet_string(iv);
            });
            w.tlv(tag::primitive(0), &ciphertext);
        });
    }))
}

fn transport(key: &[u8], recipient: &Certificate) -> Result<Vec<u8>, EncryptError> {
    let public = &recipient.public_key;
    if !matches!(public.kind(), KeyKind::Rsa { .. }) {
        return Err(EncryptError::Recipient(public.kind().clone()));
    }
    let provider = |_| EncryptError::Provider;
    let encrypting =
        PublicEncryptingKey::from_der(public.spki_der()).map_err(|_| EncryptError::Provider)?;
    let encrypting = Pkcs1PublicEncryptingKey::new(encrypting).map_err(provider)?;
    let mut buffer = vec![0; encrypting.ciphertext_size()];
    let written = encrypting.encrypt(key, &mut buffer).map_err(provider)?;
    Ok(written.to_vec())
}
