//! The CSR as it is expected, with gaps for what the client knows: CertificationRequestInfoTemplate of
//! RFC 9908 section 3.4.

use pki::asn1::{Writer, tag};
use pki::certificate::ExtendedKeyUsage;
use pki::key::KeyAlgorithm;
use pki::oid;

use super::csr_attributes::{CsrAttributes, curve};

/// Writes the attribute with the template as its value.
pub(super) fn write(w: &mut Writer, wanted: &CsrAttributes) {
    w.sequence(|w| {
        w.oid(&oid::CSR_TEMPLATE);
        w.set(|w| {
            w.sequence(|w| {
                w.small(0);
                // No subject: none is asked for, the rules judge what comes.
                if let Some(key) = wanted.key {
                    w.constructed(0, |w| public_key(w, key));
                }
                w.constructed(1, |w| attributes(w, wanted));
            });
        });
    });
}

/// The algorithm; for RSA also a key of the right length in the place of the client's.
fn public_key(w: &mut Writer, key: KeyAlgorithm) {
    let rsa = |w: &mut Writer, bits: usize| {
        w.sequence(|w| {
            w.oid(&oid::RSA);
            w.null();
        });
        let placeholder = Writer::encode(|w| {
            w.sequence(|w| {
                w.unsigned(&vec![0xff; bits / 8]);
                w.small(65_537);
            });
        });
        w.bit_string(&placeholder);
    };
    match key {
        KeyAlgorithm::Rsa2048 => rsa(w, 2048),
        KeyAlgorithm::Rsa3072 => rsa(w, 3072),
        KeyAlgorithm::Rsa4096 => rsa(w, 4096),
        KeyAlgorithm::EcP256 | KeyAlgorithm::EcP384 => w.sequence(|w| {
            w.oid(&oid::EC_PUBLIC_KEY);
            curve(w, key);
        }),
        KeyAlgorithm::Ed25519 => w.sequence(|w| w.oid(&oid::ED25519)),
    }
}

/// Extensions with their values, or without one where it is the client's to fill in.
fn attributes(w: &mut Writer, wanted: &CsrAttributes) {
    let purposes = wanted.purposes.iter();
    let purposes: Vec<Vec<u8>> = purposes.filter_map(ExtendedKeyUsage::oid_content).collect();
    if purposes.is_empty() && !wanted.names {
        return;
    }
    w.sequence(|w| {
        w.oid(&oid::EXTENSION_REQUEST_TEMPLATE);
        w.set(|w| {
            w.sequence(|w| {
                if wanted.names {
                    w.sequence(|w| w.oid(&oid::EXT_SUBJECT_ALT_NAME));
                }
                if !purposes.is_empty() {
                    w.sequence(|w| {
                        w.oid(&oid::EXT_EXTENDED_KEY_USAGE);
                        w.octet_string_of(|w| {
                            w.sequence(|w| purposes.iter().for_each(|one| w.tlv(tag::OID, one)));
                        });
                    });
                }
            });
        });
    });
}
