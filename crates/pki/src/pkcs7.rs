//! Bundles of certificates in PKCS #7 (`.p7b`, `.p7c`): the certs-only SignedData of RFC 5652 section 5.1
//! and RFC 8551 section 3.8, which signs nothing.

use crate::asn1::{DerError, Reader, tag};

/// Octets that are no bundle of certificates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Pkcs7Error {
    /// Not DER, or not of the structure.
    #[error("the PKCS #7 bundle is malformed: {0}")]
    Der(#[from] DerError),
    /// Another kind of message, such as an encrypted one.
    #[error("the PKCS #7 message is not of the type signed-data")]
    NotSignedData,
    /// A message that carries and signs something.
    #[error("the PKCS #7 message signs something; only bundles of certificates are read")]
    Signed,
    /// A bundle of nothing.
    #[error("the PKCS #7 bundle holds no certificate")]
    Empty,
    /// More certificates than a bundle can sensibly have.
    #[error("the PKCS #7 bundle holds more than {MAX_CERTIFICATES} certificates")]
    TooMany,
}

const MAX_CERTIFICATES: usize = 10_000;

/// id-signedData, 1.2.840.113549.1.7.2
const SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];
/// id-data, 1.2.840.113549.1.7.1
const DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01];

/// The DER of every certificate of a bundle, in its order. None of them is looked into.
pub fn certificates(der: &[u8]) -> Result<Vec<&[u8]>, Pkcs7Error> {
    let mut info = Reader::single(der)?.open(tag::SEQUENCE)?;
    if info.oid()? != SIGNED_DATA {
        return Err(Pkcs7Error::NotSignedData);
    }
    let explicit = info.expect(tag::constructed(0))?.content;
    info.finish()?;
    let mut signed = Reader::single(explicit)?.open(tag::SEQUENCE)?;
    signed.small()?;
    signed.expect(tag::SET)?;
    check_carries_nothing(signed.sequence()?)?;
    let set = signed.optional(tag::constructed(0))?;
    // Revocation lists may come along; nobody asked for them.
    signed.optional(tag::constructed(1))?;
    let signers = signed.expect(tag::SET)?;
    signed.finish()?;
    if !signers.content.is_empty() {
        return Err(Pkcs7Error::Signed);
    }
    read_set(set.map_or(&[], |set| set.content))
}

/// EncapsulatedContentInfo without content, or with content of length nothing.
fn check_carries_nothing(mut info: Reader<'_>) -> Result<(), Pkcs7Error> {
    if info.oid()? != DATA {
        return Err(Pkcs7Error::Signed);
    }
    let content = info.optional(tag::constructed(0))?;
    info.finish()?;
    match content.map(|explicit| Reader::single(explicit.content)) {
        None => Ok(()),
        Some(octets) if octets?.content.is_empty() => Ok(()),
        Some(_) => Err(Pkcs7Error::Signed),
    }
}

fn read_set(content: &[u8]) -> Result<Vec<&[u8]>, Pkcs7Error> {
    let mut set = Reader::new(content);
    let mut certificates = Vec::new();
    while !set.is_empty() {
        if certificates.len() == MAX_CERTIFICATES {
            return Err(Pkcs7Error::TooMany);
        }
        // The other choices (attribute certificates, the extended ones of PKCS #6) are none of X.509.
        certificates.push(set.expect(tag::SEQUENCE)?.der);
    }
    match certificates.is_empty() {
        true => Err(Pkcs7Error::Empty),
        false => Ok(certificates),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
        let content = parts.concat();
        let length = u16::try_from(content.len()).unwrap();
        let mut der = vec![tag];
        match length {
            0..0x80 => der.push(length as u8),
            _ => {
                let octets = length.to_be_bytes();
                der.extend(if octets[0] == 0 {
                    vec![0x81, octets[1]]
                } else {
                    vec![0x82, octets[0], octets[1]]
                });
            }
        }
        der.extend(content);
        der
    }

    fn bundle(content: &[u8], certificates: &[&[u8]], signers: &[u8]) -> Vec<u8> {
        let info = element(tag::SEQUENCE, &[&element(tag::OID, &[DATA]), content]);
        let signed = element(
            tag::SEQUENCE,
            &[
                &[0x02, 0x01, 0x01],
                &element(tag::SET, &[]),
                &info,
                &element(tag::constructed(0), certificates),
                &element(tag::SET, &[signers]),
            ],
        );
        let explicit = element(tag::constructed(0), &[&signed]);
        element(
            tag::SEQUENCE,
            &[&element(tag::OID, &[SIGNED_DATA]), &explicit],
        )
    }

    #[test]
    fn the_certificates_of_a_bundle_come_out_in_order() {
        let (one, two) = (
            element(tag::SEQUENCE, &[&[0x02, 0x01, 0x01]]),
            element(tag::SEQUENCE, &[&[0x02, 0x01, 0x02]]),
        );
        let der = bundle(&[], &[&one, &two], &[]);
        assert_eq!(certificates(&der).unwrap(), [&one, &two]);
    }

    #[test]
    fn what_is_no_bundle_is_refused_with_its_reason() {
        let one = element(tag::SEQUENCE, &[&[0x02, 0x01, 0x01]]);
        let carried = element(tag::constructed(0), &[&element(tag::OCTET_STRING, &[b"x"])]);
        let signer = element(tag::SEQUENCE, &[]);
        let mut trailing = bundle(&[], &[&one], &[]);
        trailing.push(0);
        for (der, error) in [
            (bundle(&[], &[], &[]), Pkcs7Error::Empty),
            (bundle(&carried, &[&one], &[]), Pkcs7Error::Signed),
            (bundle(&[], &[&one], &signer), Pkcs7Error::Signed),
            (trailing, Pkcs7Error::Der(DerError::Trailing)),
            (
                element(
                    tag::SEQUENCE,
                    &[
                        &element(tag::OID, &[DATA]),
                        &element(tag::constructed(0), &[]),
                    ],
                ),
                Pkcs7Error::NotSignedData,
            ),
        ] {
            assert_eq!(certificates(&der), Err(error));
        }
    }

    proptest! {
        #[test]
        fn any_octets_are_read_without_a_panic(octets: Vec<u8>) {
            let _ = certificates(&octets);
        }
    }
}
