//! Reading EnvelopedData with an RSA key.

use std::fmt;

use aws_lc_rs::rsa::{Pkcs1PrivateDecryptingKey, PrivateDecryptingKey};
use zeroize::Zeroizing;

use super::read::{CmsError, SignerId, content_of, normalized};
use super::{Accepts, ContentCipher};
use crate::asn1::{Reader, ber, tag};
use crate::certificate::Certificate;
use crate::key::KeyError;
use crate::oid;
use crate::random::Random;

/// An RSA key that decrypts.
pub struct DecryptionKey(Pkcs1PrivateDecryptingKey);

impl DecryptionKey {
    /// From an unencrypted PKCS #8 PrivateKeyInfo.
    pub fn from_pkcs8(der: &[u8]) -> Result<Self, KeyError> {
        let key = PrivateDecryptingKey::from_pkcs8(der).map_err(|_| KeyError::Malformed)?;
        let key = Pkcs1PrivateDecryptingKey::new(key).map_err(|_| KeyError::Malformed)?;
        Ok(Self(key))
    }
}

impl fmt::Debug for DecryptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DecryptionKey")
    }
}

/// Why a message stays closed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecryptError {
    /// Not a message of this kind.
    #[error(transparent)]
    Message(#[from] CmsError),
    /// A message for somebody else.
    #[error("the message is not encrypted for this certificate")]
    NotForUs,
    /// A key transport other than RSA (PKCS #1 v1.5).
    #[error("the message's key is transported by {0}; only RSA (PKCS #1 v1.5) is read")]
    KeyTransport(String),
    /// A cipher that is not accepted.
    #[error("the message is encrypted with {0}; use AES-128 or AES-256 in CBC mode")]
    Cipher(String),
    /// Key, length or padding are not right. Which of them is not told, or it could be asked for one by one.
    #[error("the message cannot be decrypted")]
    Unreadable,
}

/// Decrypts a message for the holder of this certificate.
///
/// A transported key that does not come out of its padding is replaced by a random one (RFC 3218 section
/// 2.3.2), so that the two failures look alike.
pub fn decrypt(
    message: &[u8],
    recipient: &Certificate,
    key: &DecryptionKey,
    accepts: Accepts,
    random: &dyn Random,
) -> Result<Zeroizing<Vec<u8>>, DecryptError> {
    let der = normalized(message)?;
    let mut fields = content_of(&der, &oid::CMS_ENVELOPED_DATA, "enveloped-data")?;
    let (encrypted_key, sealed) = parts(&mut fields, recipient)?;
    let cipher = ContentCipher::from_oid(sealed.cipher, accepts)
        .ok_or_else(|| DecryptError::Cipher(name_of(sealed.cipher)))?;
    let content_key = transported(key, encrypted_key, cipher, random);
    let mut in_out = Zeroizing::new(sealed.ciphertext);
    let content = cipher
        .decrypt(&content_key, sealed.iv, &mut in_out)
        .ok_or(DecryptError::Unreadable)?;
    Ok(Zeroizing::new(content.to_vec()))
}

struct Sealed<'a> {
    cipher: &'a [u8],
    iv: &'a [u8],
    ciphertext: Vec<u8>,
}

fn parts<'a>(
    fields: &mut Reader<'a>,
    recipient: &Certificate,
) -> Result<(&'a [u8], Sealed<'a>), DecryptError> {
    let malformed = |error| DecryptError::Message(CmsError::Der(error));
    fields.small().map_err(malformed)?;
    fields.optional(tag::constructed(0)).map_err(malformed)?;
    let recipients = fields.expect(tag::SET).map_err(malformed)?;
    let mut content = fields.sequence().map_err(malformed)?;
    let sealed = sealed(&mut content).map_err(malformed)?;
    let mut recipients = Reader::new(recipients.content);
    while !recipients.is_empty() {
        let one = recipients.read().map_err(malformed)?;
        // The other choices have tags of their own: key agreement, passwords.
        let Ok(mut info) = one.open(tag::SEQUENCE) else {
            continue;
        };
        info.small().map_err(malformed)?;
        let id = SignerId::read(&info.read().map_err(malformed)?)?;
        if !id.names(recipient) {
            continue;
        }
        let algorithm = info
            .sequence()
            .and_then(|mut a| a.oid())
            .map_err(malformed)?;
        if algorithm != oid::RSA.as_bytes() {
            return Err(DecryptError::KeyTransport(name_of(algorithm)));
        }
        return Ok((info.octet_string().map_err(malformed)?, sealed));
    }
    Err(DecryptError::NotForUs)
}

fn sealed<'a>(content: &mut Reader<'a>) -> Result<Sealed<'a>, crate::asn1::DerError> {
    content.oid()?;
    let mut algorithm = content.sequence()?;
    let cipher = algorithm.oid()?;
    // A cipher that is not read may have other parameters; it is refused by its name, later.
    let iv = algorithm.octet_string().unwrap_or_default();
    let element = content.read()?;
    let ciphertext = match element.tag {
        tag if tag == tag::primitive(0) => element.content.to_vec(),
        // BER: in pieces.
        _ => ber::joined(element.open(tag::constructed(0)).map(|_| element.content)?)?,
    };
    Ok(Sealed {
        cipher,
        iv,
        ciphertext,
    })
}

fn transported(
    key: &DecryptionKey,
    encrypted: &[u8],
    cipher: ContentCipher,
    random: &dyn Random,
) -> Zeroizing<Vec<u8>> {
    let mut instead = Zeroizing::new(vec![0; cipher.key_octets()]);
    random.fill(&mut instead);
    let mut buffer = Zeroizing::new(vec![0; key.0.min_output_size()]);
    match key.0.decrypt(encrypted, &mut buffer) {
        Ok(found) if found.len() == cipher.key_octets() => Zeroizing::new(found.to_vec()),
        Ok(_) | Err(_) => instead,
    }
}

fn name_of(content: &[u8]) -> String {
    oid::to_text(content).unwrap_or_else(|| "an unnamed algorithm".to_owned())
}
