//! Object identifiers: the ones PKIX uses by name, and the way from text to octets and back.

use const_oid::ObjectIdentifier;

/// The dotted text of the content octets of an OBJECT IDENTIFIER; `None` if they are none, or if
/// an arc is beyond 128 bits.
pub fn to_text(content: &[u8]) -> Option<String> {
    let mut arcs = content
        .split_inclusive(|octet| octet & 0x80 == 0)
        .map(|octets| {
            let terminated = octets.last().is_some_and(|last| last & 0x80 == 0);
            octets
                .iter()
                .try_fold(0_u128, |arc, octet| {
                    (arc.leading_zeros() >= 7).then(|| arc << 7 | u128::from(octet & 0x7f))
                })
                .filter(|_| terminated)
        });
    let first = arcs.next()??;
    let root = (first / 40).min(2);
    let mut text = format!("{root}.{}", first - root * 40);
    for arc in arcs {
        text.push('.');
        text.push_str(&arc?.to_string());
    }
    Some(text)
}

/// The content octets for a dotted text; `None` if the text is not an object identifier.
pub fn from_text(text: &str) -> Option<Vec<u8>> {
    let mut arcs = text.split('.').map(|arc| {
        let digits = !arc.is_empty() && arc.bytes().all(|octet| octet.is_ascii_digit());
        let canonical = arc == "0" || !arc.starts_with('0');
        (digits && canonical).then(|| arc.parse::<u128>().ok())?
    });
    let (root, second) = (arcs.next()??, arcs.next()??);
    if root > 2 || (root < 2 && second > 39) {
        return None;
    }
    let mut content = Vec::with_capacity(12);
    push_arc(&mut content, second.checked_add(root * 40)?);
    for arc in arcs {
        push_arc(&mut content, arc?);
    }
    Some(content)
}

fn push_arc(content: &mut Vec<u8>, arc: u128) {
    let groups = (128 - arc.leading_zeros()).div_ceil(7).max(1);
    for group in (0..groups).rev() {
        let more = if group == 0 { 0 } else { 0x80 };
        content.push((arc >> (7 * group)) as u8 & 0x7f | more);
    }
}

macro_rules! known {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        $($(#[$doc])* pub const $name: ObjectIdentifier = ObjectIdentifier::new_unwrap($text);)*
    };
}

known! {
    /// Attribute commonName
    COMMON_NAME = "2.5.4.3";
    /// Attribute surname
    SURNAME = "2.5.4.4";
    /// Attribute serialNumber (of a device or person, not of a certificate)
    SERIAL_NUMBER = "2.5.4.5";
    /// Attribute countryName
    COUNTRY = "2.5.4.6";
    /// Attribute localityName
    LOCALITY = "2.5.4.7";
    /// Attribute stateOrProvinceName
    STATE = "2.5.4.8";
    /// Attribute streetAddress
    STREET = "2.5.4.9";
    /// Attribute organizationName
    ORGANIZATION = "2.5.4.10";
    /// Attribute organizationalUnitName
    ORGANIZATIONAL_UNIT = "2.5.4.11";
    /// Attribute title
    TITLE = "2.5.4.12";
    /// Attribute postalCode
    POSTAL_CODE = "2.5.4.17";
    /// Attribute givenName
    GIVEN_NAME = "2.5.4.42";
    /// Attribute organizationIdentifier
    ORGANIZATION_IDENTIFIER = "2.5.4.97";
    /// Attribute userId
    USER_ID = "0.9.2342.19200300.100.1.1";
    /// Attribute domainComponent
    DOMAIN_COMPONENT = "0.9.2342.19200300.100.1.25";
    /// Attribute emailAddress, PKCS #9
    EMAIL_ADDRESS = "1.2.840.113549.1.9.1";
    /// CSR attribute challengePassword, PKCS #9
    CHALLENGE_PASSWORD = "1.2.840.113549.1.9.7";
    /// CSR attribute extensionRequest, PKCS #9
    EXTENSION_REQUEST = "1.2.840.113549.1.9.14";
    /// CSR attribute that asks for the key to be encrypted with a shared one, RFC 4108 section 5.1.5
    DECRYPT_KEY_ID = "1.2.840.113549.1.9.16.2.37";
    /// CSR attribute that asks for the key to be encrypted for another one, RFC 7030 section 4.4.1.2
    ASYMMETRIC_DECRYPT_KEY_ID = "1.2.840.113549.1.9.16.2.54";
    /// CSR attribute certificationRequestInfoTemplate, RFC 9908 section 3.4
    CSR_TEMPLATE = "1.2.840.113549.1.9.16.2.61";
    /// CSR attribute extensionReqTemplate, RFC 9908 section 3.4
    EXTENSION_REQUEST_TEMPLATE = "1.2.840.113549.1.9.16.2.62";
    /// CSR attribute of the same form that older Windows clients send
    MICROSOFT_EXTENSION_REQUEST = "1.3.6.1.4.1.311.2.1.14";

    /// Attribute contentType of a signed message
    CONTENT_TYPE = "1.2.840.113549.1.9.3";
    /// Attribute messageDigest of a signed message
    MESSAGE_DIGEST = "1.2.840.113549.1.9.4";
    /// Attribute signingTime of a signed message
    SIGNING_TIME = "1.2.840.113549.1.9.5";
    /// Content id-data, RFC 5652
    CMS_DATA = "1.2.840.113549.1.7.1";
    /// Content id-signedData
    CMS_SIGNED_DATA = "1.2.840.113549.1.7.2";
    /// Content id-envelopedData
    CMS_ENVELOPED_DATA = "1.2.840.113549.1.7.3";
    /// Content id-ct-KP-aKeyPackage, RFC 5958
    CMS_KEY_PACKAGE = "2.16.840.1.101.2.1.2.78.5";
    /// Cipher aes128-CBC-PAD
    AES128_CBC = "2.16.840.1.101.3.4.1.2";
    /// Cipher aes192-CBC-PAD
    AES192_CBC = "2.16.840.1.101.3.4.1.22";
    /// Cipher aes256-CBC-PAD
    AES256_CBC = "2.16.840.1.101.3.4.1.42";
    /// Cipher des-ede3-cbc
    TRIPLE_DES_CBC = "1.2.840.113549.3.7";
    /// Cipher desCBC
    DES_CBC = "1.3.14.3.2.7";

    /// Key rsaEncryption
    RSA = "1.2.840.113549.1.1.1";
    /// Key id-ecPublicKey
    EC_PUBLIC_KEY = "1.2.840.10045.2.1";
    /// Curve secp256r1
    P256 = "1.2.840.10045.3.1.7";
    /// Curve secp384r1
    P384 = "1.3.132.0.34";
    /// Curve secp521r1
    P521 = "1.3.132.0.35";
    /// Key and signature Ed25519
    ED25519 = "1.3.101.112";
    /// Signature sha256WithRSAEncryption
    RSA_SHA256 = "1.2.840.113549.1.1.11";
    /// Signature sha384WithRSAEncryption
    RSA_SHA384 = "1.2.840.113549.1.1.12";
    /// Signature sha512WithRSAEncryption
    RSA_SHA512 = "1.2.840.113549.1.1.13";
    /// Signature ecdsa-with-SHA256
    ECDSA_SHA256 = "1.2.840.10045.4.3.2";
    /// Signature ecdsa-with-SHA384
    ECDSA_SHA384 = "1.2.840.10045.4.3.3";
    /// Signature ecdsa-with-SHA512
    ECDSA_SHA512 = "1.2.840.10045.4.3.4";
    /// Digest SHA-1, in OCSP CertIDs only
    SHA1 = "1.3.14.3.2.26";
    /// Control oldCertID of CRMF, RFC 4211 section 6.5
    CRMF_OLD_CERT_ID = "1.3.6.1.5.5.7.5.1.5";
    /// Digest SHA-256
    SHA256 = "2.16.840.1.101.3.4.2.1";
    /// Digest SHA-384
    SHA384 = "2.16.840.1.101.3.4.2.2";
    /// Digest SHA-512
    SHA512 = "2.16.840.1.101.3.4.2.3";

    /// Extension subjectKeyIdentifier
    EXT_SUBJECT_KEY_IDENTIFIER = "2.5.29.14";
    /// Extension keyUsage
    EXT_KEY_USAGE = "2.5.29.15";
    /// Extension subjectAltName
    EXT_SUBJECT_ALT_NAME = "2.5.29.17";
    /// Extension basicConstraints
    EXT_BASIC_CONSTRAINTS = "2.5.29.19";
    /// CRL extension cRLNumber
    EXT_CRL_NUMBER = "2.5.29.20";
    /// CRL entry extension reasonCode
    EXT_REASON_CODE = "2.5.29.21";
    /// CRL entry extension invalidityDate
    EXT_INVALIDITY_DATE = "2.5.29.24";
    /// CRL extension issuingDistributionPoint
    EXT_ISSUING_DISTRIBUTION_POINT = "2.5.29.28";
    /// Extension nameConstraints
    EXT_NAME_CONSTRAINTS = "2.5.29.30";
    /// Extension cRLDistributionPoints
    EXT_CRL_DISTRIBUTION_POINTS = "2.5.29.31";
    /// Extension certificatePolicies
    EXT_CERTIFICATE_POLICIES = "2.5.29.32";
    /// Extension authorityKeyIdentifier
    EXT_AUTHORITY_KEY_IDENTIFIER = "2.5.29.35";
    /// Extension extKeyUsage
    EXT_EXTENDED_KEY_USAGE = "2.5.29.37";
    /// Extension authorityInfoAccess
    EXT_AUTHORITY_INFO_ACCESS = "1.3.6.1.5.5.7.1.1";
    /// Extension tlsfeature, RFC 7633
    EXT_TLS_FEATURE = "1.3.6.1.5.5.7.1.24";
    /// Extension acmeIdentifier, RFC 8737
    EXT_ACME_IDENTIFIER = "1.3.6.1.5.5.7.1.31";
    /// Extension OCSP nocheck, RFC 6960 section 4.2.2.2.1
    EXT_OCSP_NO_CHECK = "1.3.6.1.5.5.7.48.1.5";

    /// Access method OCSP
    ACCESS_OCSP = "1.3.6.1.5.5.7.48.1";
    /// Access method caIssuers
    ACCESS_CA_ISSUERS = "1.3.6.1.5.5.7.48.2";
    /// Response type basic, RFC 6960
    OCSP_BASIC = "1.3.6.1.5.5.7.48.1.1";
    /// OCSP extension nonce, RFC 9654
    OCSP_NONCE = "1.3.6.1.5.5.7.48.1.2";

    /// Purpose serverAuth
    SERVER_AUTH = "1.3.6.1.5.5.7.3.1";
    /// Purpose clientAuth
    CLIENT_AUTH = "1.3.6.1.5.5.7.3.2";
    /// Purpose codeSigning
    CODE_SIGNING = "1.3.6.1.5.5.7.3.3";
    /// Purpose emailProtection
    EMAIL_PROTECTION = "1.3.6.1.5.5.7.3.4";
    /// Purpose timeStamping
    TIME_STAMPING = "1.3.6.1.5.5.7.3.8";
    /// Purpose cmcCA: the CA itself speaks CMP or CMC, RFC 6402 section 2.10
    CMC_CA = "1.3.6.1.5.5.7.3.27";
    /// Purpose cmcRA: speaks CMP or CMC on behalf of a CA, RFC 6402 section 2.10
    CMC_RA = "1.3.6.1.5.5.7.3.28";
    /// Purpose OCSPSigning
    OCSP_SIGNING = "1.3.6.1.5.5.7.3.9";
    /// Purpose anyExtendedKeyUsage
    ANY_EXTENDED_KEY_USAGE = "2.5.29.37.0";
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("2.5.4.3")]
    #[case("1.3.6.1.4.1.311.21.8.16777216")]
    #[case("2.25.329800735698586629295641978511506172918")]
    #[case("2.999.3")]
    #[case("0.9.2342.19200300.100.1.1")]
    fn text_and_octets_say_the_same(#[case] text: &str) {
        let content = from_text(text).unwrap();
        assert_eq!(to_text(&content).as_deref(), Some(text));
        if let Ok(known) = ObjectIdentifier::new(text) {
            assert_eq!(known.as_bytes(), content);
        }
    }

    #[rstest]
    fn a_text_that_names_no_object_is_refused(
        #[values(
            "",
            "1",
            "3.1",
            "1.40",
            "1..2",
            "1.2.",
            "1.02",
            "1.-2",
            "a.b",
            "1.2.99999999999999999999999999999999999999999"
        )]
        text: &str,
    ) {
        assert_eq!(from_text(text), None);
    }

    proptest! {
        #[test]
        fn any_octets_are_read_without_a_panic(octets: Vec<u8>) {
            let _ = to_text(&octets);
        }
    }
}
