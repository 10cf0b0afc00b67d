//! A private key in a token that signs through the token's sessions.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, SHA384, digest};
use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, AttributeType, ObjectClass, ObjectHandle};
use cryptoki::session::Session;
use data_encoding::HEXLOWER;
use parking_lot::Mutex;
use pki::asn1::{Reader, Writer, tag};
use pki::key::{KeyError, KeyKind, PublicKey, SignatureAlgorithm, SigningKey};
use pki::oid;

use super::TokenError;
use super::token::{Lease, Token};

/// Signs in the token. Messages are hashed here: every token signs digests, not every token hashes.
pub(super) struct TokenKey {
    token: Arc<Token>,
    id: Vec<u8>,
    label: String,
    public: PublicKey,
    scheme: Scheme,
    /// The login for which the object was looked up, and its handle.
    handle: Mutex<Option<(u64, ObjectHandle)>>,
}

#[derive(Clone, Copy)]
enum Scheme {
    RsaSha256,
    EcdsaSha256,
    EcdsaSha384,
}

impl TokenKey {
    pub(super) fn open(token: Arc<Token>, id: Vec<u8>, label: &str) -> Result<Self, TokenError> {
        let (handle, public) = token.with_session(|lease| {
            let handle = find_private(&lease.session, &id, label)?;
            let public = read_public(&lease.session, &id, handle, label)?;
            Ok(((lease.login, handle), public))
        })?;
        let scheme = match public.kind() {
            KeyKind::Rsa { .. } => Scheme::RsaSha256,
            KeyKind::EcP256 => Scheme::EcdsaSha256,
            KeyKind::EcP384 => Scheme::EcdsaSha384,
            KeyKind::EcP521 | KeyKind::Ed25519 | KeyKind::Other(_) => {
                return Err(TokenError::NoPublicKey {
                    label: label.to_owned(),
                });
            }
        };
        Ok(Self {
            token,
            id,
            label: label.to_owned(),
            public,
            scheme,
            handle: Mutex::new(Some(handle)),
        })
    }

    fn handle(&self, lease: &Lease) -> Result<ObjectHandle, TokenError> {
        let known = *self.handle.lock();
        match known {
            Some((login, handle)) if login == lease.login => Ok(handle),
            _ => {
                let handle = find_private(&lease.session, &self.id, &self.label)?;
                *self.handle.lock() = Some((lease.login, handle));
                Ok(handle)
            }
        }
    }

    fn sign_in_token(&self, mechanism: &Mechanism<'_>, data: &[u8]) -> Result<Vec<u8>, TokenError> {
        self.token.with_session(|lease| {
            let handle = self.handle(lease)?;
            Ok(lease.session.sign(mechanism, handle, data)?)
        })
    }
}

impl SigningKey for TokenKey {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn signature_algorithm(&self) -> SignatureAlgorithm {
        match self.scheme {
            Scheme::RsaSha256 => SignatureAlgorithm::RsaSha256,
            Scheme::EcdsaSha256 => SignatureAlgorithm::EcdsaSha256,
            Scheme::EcdsaSha384 => SignatureAlgorithm::EcdsaSha384,
        }
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        let signature = match self.scheme {
            Scheme::RsaSha256 => {
                let info = digest_info(digest(&SHA256, message).as_ref());
                self.sign_in_token(&Mechanism::RsaPkcs, &info)?
            }
            Scheme::EcdsaSha256 => {
                let hash = digest(&SHA256, message);
                ecdsa_der(&self.sign_in_token(&Mechanism::Ecdsa, hash.as_ref())?)
            }
            Scheme::EcdsaSha384 => {
                let hash = digest(&SHA384, message);
                ecdsa_der(&self.sign_in_token(&Mechanism::Ecdsa, hash.as_ref())?)
            }
        };
        Ok(signature)
    }
}

/// The id of the one private key with this label.
pub(super) fn id_of_label(token: &Token, label: &str) -> Result<Vec<u8>, TokenError> {
    token.with_session(|lease| {
        let found = lease.session.find_objects(&[
            Attribute::Class(ObjectClass::PRIVATE_KEY),
            Attribute::Label(label.as_bytes().to_vec()),
        ])?;
        let [handle] = found.as_slice() else {
            return Err(TokenError::Ambiguous {
                label: label.to_owned(),
                count: found.len(),
            });
        };
        let attributes = lease
            .session
            .get_attributes(*handle, &[AttributeType::Id])?;
        let id = attributes
            .into_iter()
            .find_map(|attribute| match attribute {
                Attribute::Id(id) => Some(id),
                _ => None,
            });
        Ok(id.unwrap_or_default())
    })
}

fn find_private(session: &Session, id: &[u8], label: &str) -> Result<ObjectHandle, TokenError> {
    let template = [
        Attribute::Class(ObjectClass::PRIVATE_KEY),
        Attribute::Id(id.to_vec()),
    ];
    let found = session.find_objects(&template)?;
    found.first().copied().ok_or_else(|| TokenError::NoKey {
        label: label.to_owned(),
        id: HEXLOWER.encode(id),
    })
}

/// From the public object, or where a token keeps none, from what the private one tells.
fn read_public(
    session: &Session,
    id: &[u8],
    private: ObjectHandle,
    label: &str,
) -> Result<PublicKey, TokenError> {
    let template = [
        Attribute::Class(ObjectClass::PUBLIC_KEY),
        Attribute::Id(id.to_vec()),
    ];
    let objects = session
        .find_objects(&template)?
        .into_iter()
        .chain([private]);
    for object in objects {
        if let Some(public) = public_of(session, object)? {
            return Ok(public);
        }
    }
    Err(TokenError::NoPublicKey {
        label: label.to_owned(),
    })
}

fn public_of(session: &Session, object: ObjectHandle) -> Result<Option<PublicKey>, TokenError> {
    let wanted = [
        AttributeType::EcParams,
        AttributeType::EcPoint,
        AttributeType::Modulus,
        AttributeType::PublicExponent,
    ];
    let (mut curve, mut point, mut modulus, mut exponent) = (None, None, None, None);
    for attribute in session.get_attributes(object, &wanted)? {
        match attribute {
            Attribute::EcParams(octets) => curve = Some(octets),
            Attribute::EcPoint(octets) => point = Some(octets),
            Attribute::Modulus(octets) => modulus = Some(octets),
            Attribute::PublicExponent(octets) => exponent = Some(octets),
            _ => (),
        }
    }
    Ok(match (curve, point, modulus, exponent) {
        (Some(curve), Some(point), _, _) => ec_public(&curve, &point),
        (_, _, Some(modulus), Some(exponent)) => {
            PublicKey::from_rsa_components(&modulus, &exponent).ok()
        }
        _ => None,
    })
}

fn ec_public(curve: &[u8], point: &[u8]) -> Option<PublicKey> {
    let named = |oid| Writer::encode(|w| w.oid(oid));
    let kind = if curve == named(&oid::P256) {
        KeyKind::EcP256
    } else if curve == named(&oid::P384) {
        KeyKind::EcP384
    } else {
        return None;
    };
    // CKA_EC_POINT is the point in an OCTET STRING; some tokens leave the wrapping out.
    let unwrapped = Reader::single(point)
        .ok()
        .filter(|element| element.tag == tag::OCTET_STRING)
        .map_or(point, |element| element.content);
    PublicKey::from_ec_point(&kind, unwrapped).ok()
}

/// The DigestInfo of RFC 8017 section 9.2 for SHA-256.
fn digest_info(hash: &[u8]) -> Vec<u8> {
    const PREFIX: [u8; 19] = [
        0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01,
        0x05, 0x00, 0x04, 0x20,
    ];
    [&PREFIX, hash].concat()
}

/// PKCS#11 gives r and s side by side; X.509 wants a SEQUENCE of two INTEGERs (RFC 5480 appendix A).
fn ecdsa_der(raw: &[u8]) -> Vec<u8> {
    let (r, s) = raw.split_at(raw.len() / 2);
    Writer::encode(|w| {
        w.sequence(|w| {
            w.unsigned(r);
            w.unsigned(s);
        });
    })
}
