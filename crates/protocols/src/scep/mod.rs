//! SCEP, RFC 8894: messages that are signed, with what they carry encrypted for the other side.

mod build;
mod parse;
pub mod payload;

pub use build::{Exchange, Reply, Request, reply, request};
pub use parse::{MessageError, PkiMessage};

use std::fmt;

/// The media type of messages (RFC 8894 section 4.3).
pub const PKI_MESSAGE: &str = "application/x-pki-message";
/// The media type of one CA certificate.
pub const CA_CERTIFICATE: &str = "application/x-x509-ca-cert";
/// The media type of a CA's and its RA's certificates.
pub const CA_RA_CERTIFICATES: &str = "application/x-x509-ca-ra-cert";
/// The media type of the certificates of the CA to come.
pub const NEXT_CA_CERTIFICATES: &str = "application/x-x509-next-ca-cert";

/// What a message is (RFC 8894 section 3.2.1.2). There is no way to hold another type in the hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageType {
    /// CertRep
    Reply,
    /// RenewalReq
    Renewal,
    /// PKCSReq
    Enrollment,
    /// CertPoll
    Poll,
    /// GetCert
    GetCertificate,
    /// GetCRL
    GetCrl,
}

impl MessageType {
    const ALL: [Self; 6] = [
        Self::Reply,
        Self::Renewal,
        Self::Enrollment,
        Self::Poll,
        Self::GetCertificate,
        Self::GetCrl,
    ];

    /// The number on the wire.
    pub fn number(self) -> &'static str {
        match self {
            Self::Reply => "3",
            Self::Renewal => "17",
            Self::Enrollment => "19",
            Self::Poll => "20",
            Self::GetCertificate => "21",
            Self::GetCrl => "22",
        }
    }

    fn from_number(text: &str) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|kind| kind.number() == text)
    }
}

/// Why a request failed (RFC 8894 section 3.2.1.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailInfo {
    BadAlgorithm,
    BadMessageCheck,
    BadRequest,
    BadTime,
    BadCertificateId,
}

impl FailInfo {
    const ALL: [Self; 5] = [
        Self::BadAlgorithm,
        Self::BadMessageCheck,
        Self::BadRequest,
        Self::BadTime,
        Self::BadCertificateId,
    ];

    /// The number on the wire.
    pub fn number(self) -> &'static str {
        match self {
            Self::BadAlgorithm => "0",
            Self::BadMessageCheck => "1",
            Self::BadRequest => "2",
            Self::BadTime => "3",
            Self::BadCertificateId => "4",
        }
    }

    fn from_number(text: &str) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|info| info.number() == text)
    }

    /// What it means, for who asked.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::BadAlgorithm => "it does not know, or does not want, an algorithm of the message",
            Self::BadMessageCheck => {
                "it could not verify or decrypt the message; it may not know who signed it"
            }
            Self::BadRequest => {
                "it does not permit the request; often the challenge password is not the one it wants"
            }
            Self::BadTime => "the time in the message is too far from its own",
            Self::BadCertificateId => "it knows no request or certificate of that name",
        }
    }
}

impl fmt::Display for FailInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BadAlgorithm => "badAlg",
            Self::BadMessageCheck => "badMessageCheck",
            Self::BadRequest => "badRequest",
            Self::BadTime => "badTime",
            Self::BadCertificateId => "badCertId",
        })
    }
}

/// How a request stands (RFC 8894 section 3.2.1.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PkiStatus {
    Success,
    Failure(Option<FailInfo>),
    Pending,
}

/// The attributes of messages: 2.16.840.1.113733.1.9 and what follows, content octets.
mod attribute {
    use const_oid::ObjectIdentifier;

    pub(super) const MESSAGE_TYPE: ObjectIdentifier =
        ObjectIdentifier::new_unwrap("2.16.840.1.113733.1.9.2");
    pub(super) const STATUS: ObjectIdentifier =
        ObjectIdentifier::new_unwrap("2.16.840.1.113733.1.9.3");
    pub(super) const FAIL_INFO: ObjectIdentifier =
        ObjectIdentifier::new_unwrap("2.16.840.1.113733.1.9.4");
    pub(super) const SENDER_NONCE: ObjectIdentifier =
        ObjectIdentifier::new_unwrap("2.16.840.1.113733.1.9.5");
    pub(super) const RECIPIENT_NONCE: ObjectIdentifier =
        ObjectIdentifier::new_unwrap("2.16.840.1.113733.1.9.6");
    pub(super) const TRANSACTION_ID: ObjectIdentifier =
        ObjectIdentifier::new_unwrap("2.16.840.1.113733.1.9.7");
    pub(super) const FAIL_INFO_TEXT: ObjectIdentifier =
        ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.24.1");
}
