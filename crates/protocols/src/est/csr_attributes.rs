//! What a CSR should have in it: CsrAttrs of RFC 7030 section 4.5.2, with values as RFC 9908 section 3 has them.

use pki::asn1::{DerError, Reader, Writer, tag};
use pki::certificate::ExtendedKeyUsage;
use pki::key::KeyAlgorithm;
use pki::oid;

use super::csr_template;

/// What clients are told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CsrAttributes {
    /// The kind of key.
    pub key: Option<KeyAlgorithm>,
    /// Whether the CSR has to be tied to its TLS connection by a challenge password.
    pub challenge_password: bool,
    /// The purposes that the certificate will have.
    pub purposes: Vec<ExtendedKeyUsage>,
    /// Whether the CSR has to bring names.
    pub names: bool,
}

impl CsrAttributes {
    /// The DER.
    pub fn to_der(&self) -> Vec<u8> {
        Writer::encode(|w| {
            w.sequence(|w| {
                if self.challenge_password {
                    w.oid(&oid::CHALLENGE_PASSWORD);
                }
                if let Some(key) = self.key {
                    key_attribute(w, key);
                }
                self.extensions(w);
                // Who knows the template takes nothing else from here (RFC 9908 section 3.4); the rest is
                // for those who do not.
                csr_template::write(w, self);
            });
        })
    }

    /// RFC 9908 section 3.2: one extensionRequest with the values that belong into the CSR.
    fn extensions(&self, w: &mut Writer) {
        let purposes: Vec<Vec<u8>> = self
            .purposes
            .iter()
            .filter_map(ExtendedKeyUsage::oid_content)
            .collect();
        if purposes.is_empty() {
            return;
        }
        w.sequence(|w| {
            w.oid(&oid::EXTENSION_REQUEST);
            w.set(|w| {
                w.sequence(|w| {
                    w.sequence(|w| {
                        w.oid(&oid::EXT_EXTENDED_KEY_USAGE);
                        w.octet_string_of(|w| {
                            w.sequence(|w| {
                                for purpose in &purposes {
                                    w.tlv(tag::OID, purpose);
                                }
                            });
                        });
                    });
                });
            });
        });
    }

    /// How many attributes and identifiers a server asks for, if it is CsrAttrs at all.
    pub fn count(der: &[u8]) -> Result<usize, DerError> {
        let mut list = Reader::single(der)?.open(tag::SEQUENCE)?;
        let mut count = 0;
        while !list.is_empty() {
            match list.peek() {
                Some(tag::OID) => drop(list.oid()?),
                _ => drop(list.sequence()?),
            }
            count += 1;
        }
        Ok(count)
    }
}

/// RFC 7030 section 4.5.2: an attribute of the key's algorithm, whose value is the curve or the length.
fn key_attribute(w: &mut Writer, key: KeyAlgorithm) {
    let bits = |bits| {
        move |w: &mut Writer| {
            w.oid(&oid::RSA);
            w.set(|w| w.small(bits));
        }
    };
    w.sequence(|w| match key {
        KeyAlgorithm::Rsa2048 => bits(2048)(w),
        KeyAlgorithm::Rsa3072 => bits(3072)(w),
        KeyAlgorithm::Rsa4096 => bits(4096)(w),
        KeyAlgorithm::EcP256 | KeyAlgorithm::EcP384 => {
            w.oid(&oid::EC_PUBLIC_KEY);
            w.set(|w| curve(w, key));
        }
        KeyAlgorithm::Ed25519 => {
            w.oid(&oid::ED25519);
            w.nested(tag::SET, |_| ());
        }
    });
}

/// The curve of a key on one; nothing for others.
pub(super) fn curve(w: &mut Writer, key: KeyAlgorithm) {
    match key {
        KeyAlgorithm::EcP256 => w.oid(&oid::P256),
        KeyAlgorithm::EcP384 => w.oid(&oid::P384),
        KeyAlgorithm::Rsa2048
        | KeyAlgorithm::Rsa3072
        | KeyAlgorithm::Rsa4096
        | KeyAlgorithm::Ed25519 => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_and_purposes_are_attributes_with_values() {
        let attributes = CsrAttributes {
            key: Some(KeyAlgorithm::EcP384),
            challenge_password: true,
            purposes: vec![ExtendedKeyUsage::ClientAuth],
            names: true,
        };
        let der = attributes.to_der();
        assert_eq!(CsrAttributes::count(&der), Ok(4));
        let hex = data_encoding::HEXLOWER.encode(&der);
        // challengePassword, ecPublicKey with secp384r1, extensionRequest with clientAuth
        assert!(hex.contains("06092a864886f70d010907"));
        assert!(hex.contains("301206072a8648ce3d0201310706052b81040022"));
        assert!(hex.contains("06082b06010505070302"));
        // The template: version, [0] with the curve, [1] with subjectAltName to fill in.
        assert!(hex.contains("060b2a864886f70d010910023d31"));
        assert!(hex.contains("020100a012301006072a8648ce3d020106052b81040022a1"));
        assert!(hex.contains("060b2a864886f70d010910023e31"));
        assert!(hex.contains("30050603551d11"));
    }
}
