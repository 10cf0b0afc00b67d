//! Distinguished Encoding Rules (X.690), as far as PKIX needs them.
//!
//! One strict [`Reader`] for everything that comes in and one [`Writer`] for everything we sign.
//! The octets that a CA signs decide what it vouches for, so both are small enough to be read whole.

pub mod ber;
mod reader;
mod writer;

pub use reader::{DerError, Reader, Tlv};
pub use writer::Writer;

/// Identifier octets used in PKIX.
pub mod tag {
    /// BOOLEAN
    pub const BOOLEAN: u8 = 0x01;
    /// INTEGER
    pub const INTEGER: u8 = 0x02;
    /// BIT STRING
    pub const BIT_STRING: u8 = 0x03;
    /// OCTET STRING
    pub const OCTET_STRING: u8 = 0x04;
    /// NULL
    pub const NULL: u8 = 0x05;
    /// OBJECT IDENTIFIER
    pub const OID: u8 = 0x06;
    /// ENUMERATED
    pub const ENUMERATED: u8 = 0x0a;
    /// UTF8String
    pub const UTF8_STRING: u8 = 0x0c;
    /// PrintableString
    pub const PRINTABLE_STRING: u8 = 0x13;
    /// TeletexString, read as Latin-1 as everyone does
    pub const TELETEX_STRING: u8 = 0x14;
    /// IA5String
    pub const IA5_STRING: u8 = 0x16;
    /// UTCTime
    pub const UTC_TIME: u8 = 0x17;
    /// GeneralizedTime
    pub const GENERALIZED_TIME: u8 = 0x18;
    /// UniversalString
    pub const UNIVERSAL_STRING: u8 = 0x1c;
    /// BMPString
    pub const BMP_STRING: u8 = 0x1e;
    /// SEQUENCE, SEQUENCE OF
    pub const SEQUENCE: u8 = 0x30;
    /// SET, SET OF
    pub const SET: u8 = 0x31;

    /// A context-specific primitive tag, `[number]` IMPLICIT of a primitive type.
    pub const fn primitive(number: u8) -> u8 {
        0x80 | number
    }

    /// A context-specific constructed tag, `[number]` EXPLICIT or IMPLICIT of a constructed type.
    pub const fn constructed(number: u8) -> u8 {
        0xa0 | number
    }
}
