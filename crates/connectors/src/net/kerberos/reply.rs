//! The messages of a KDC: AS-REP and TGS-REP, RFC 4120 section 5.4.2, and what is not granted, section 5.9.1.

use pki::asn1::{DerError, Reader, ber};
use pki::time::Timestamp;

use super::key::{EncryptionType, Key};
use super::wire::{Encrypted, Principal, application, field, message, optional_field, read_text};

const AS_REP: u8 = 11;
const TGS_REP: u8 = 13;
const KRB_ERROR: u8 = 30;
/// Implementations mix these up for an AS-REP (RFC 4120 section 5.4.2).
const ENC_AS_REP_PART: u8 = application(25);
const ENC_TGS_REP_PART: u8 = application(26);
const TICKET: u8 = application(1);
const PA_ETYPE_INFO2: i64 = 19;
/// In the first octet of TicketFlags, RFC 4120 section 5.3.
const FORWARDABLE: u8 = 0x40;

/// What a KDC answered.
pub(super) enum Reply {
    Granted(Grant),
    Refused(Refusal),
}

/// A ticket with what only the asker can read.
pub(super) struct Grant {
    pub(super) realm: String,
    pub(super) user: Principal,
    pub(super) ticket: Vec<u8>,
    pub(super) part: Encrypted,
    /// How the asker's password becomes a key, where that is said.
    pub(super) stretching: Vec<Stretching>,
}

/// A KRB-ERROR.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    pub(super) code: i64,
    /// The other side's clock.
    pub(super) time: Timestamp,
    pub(super) text: Option<String>,
    data: Option<Vec<u8>>,
}

/// How a password becomes a key: ETYPE-INFO2-ENTRY, RFC 4120 section 5.2.7.5.
#[derive(Clone, Debug)]
pub(super) struct Stretching {
    pub(super) kind: EncryptionType,
    pub(super) salt: Option<Vec<u8>>,
    pub(super) iterations: Option<u32>,
}

/// What only the asker can read.
pub(super) struct Opened {
    pub(super) key: Option<Key>,
    pub(super) nonce: u32,
    pub(super) is_forwardable: bool,
    /// The end of the ticket's life.
    pub(super) until: Timestamp,
    /// The service's, or that of the KDC that names another realm.
    pub(super) realm: String,
    pub(super) service: Principal,
}

impl Reply {
    /// Reads an answer to an AS-REQ or, with `TicketRequest`, to a TGS-REQ.
    pub(super) fn read(octets: &[u8], to: Asked) -> Result<Self, DerError> {
        // Lengths are not always in the one form that DER has.
        let der = ber::to_der(octets)?;
        match Reader::new(&der).peek() {
            Some(found) if found == application(KRB_ERROR) => {
                Refusal::read(&der).map(Self::Refused)
            }
            Some(_) | None => Grant::read(&der, to).map(Self::Granted),
        }
    }
}

/// Which request is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    First,
    Ticket,
}

impl Grant {
    fn read(der: &[u8], to: Asked) -> Result<Self, DerError> {
        let number = match to {
            Asked::First => AS_REP,
            Asked::Ticket => TGS_REP,
        };
        let mut sequence = message(der, number, 0)?;
        let stretching = match optional_field(&mut sequence, 2)? {
            Some(mut data) => stretchings(&mut data)?,
            None => Vec::new(),
        };
        Ok(Self {
            stretching,
            realm: read_text(&mut field(&mut sequence, 3)?)?,
            user: Principal::read(&mut field(&mut sequence, 4)?)?,
            ticket: field(&mut sequence, 5)?.expect(TICKET)?.der.to_vec(),
            part: Encrypted::read(&mut field(&mut sequence, 6)?)?,
        })
    }
}

impl Refusal {
    /// Reads a KRB-ERROR.
    pub(super) fn read(der: &[u8]) -> Result<Self, DerError> {
        let mut sequence = message(der, KRB_ERROR, 0)?;
        // What time the asker had.
        optional_field(&mut sequence, 2)?;
        optional_field(&mut sequence, 3)?;
        let time = field(&mut sequence, 4)?.time()?;
        field(&mut sequence, 5)?;
        let code = field(&mut sequence, 6)?.signed()?;
        optional_field(&mut sequence, 7)?;
        optional_field(&mut sequence, 8)?;
        field(&mut sequence, 9)?;
        field(&mut sequence, 10)?;
        let text = match optional_field(&mut sequence, 11)? {
            Some(mut text) => Some(read_text(&mut text)?),
            None => None,
        };
        let data = match optional_field(&mut sequence, 12)? {
            Some(mut data) => Some(data.octet_string()?.to_vec()),
            None => None,
        };
        Ok(Self {
            code,
            time,
            text: text.filter(|text| !text.trim().is_empty()),
            data,
        })
    }

    /// How the password becomes a key, where the KDC says so before it lets anybody in.
    pub(super) fn stretching(&self) -> Result<Vec<Stretching>, DerError> {
        match &self.data {
            Some(data) => stretchings(&mut Reader::new(&ber::to_der(data)?)),
            None => Ok(Vec::new()),
        }
    }
}

/// The ways among a METHOD-DATA that we know, best of the KDC's first.
fn stretchings(reader: &mut Reader<'_>) -> Result<Vec<Stretching>, DerError> {
    let mut data = reader.sequence()?;
    while !data.is_empty() {
        let mut one = data.sequence()?;
        let kind = field(&mut one, 1)?.signed()?;
        let octets = field(&mut one, 2)?.octet_string()?;
        if kind == PA_ETYPE_INFO2 {
            let der = ber::to_der(octets)?;
            return entries(&mut Reader::new(&der).sequence()?);
        }
    }
    Ok(Vec::new())
}

fn entries(list: &mut Reader<'_>) -> Result<Vec<Stretching>, DerError> {
    let mut found = Vec::new();
    while !list.is_empty() {
        let mut entry = list.sequence()?;
        let kind = field(&mut entry, 0)?.signed()?;
        let salt = match optional_field(&mut entry, 1)? {
            Some(mut salt) => Some(salt.read()?.content.to_vec()),
            None => None,
        };
        let iterations = match optional_field(&mut entry, 2)? {
            Some(mut octets) => {
                let octets = octets.octet_string()?;
                let octets = octets.try_into();
                Some(octets.map_err(|_| DerError::Content("s2kparams"))?)
            }
            None => None,
        };
        if let Some(kind) = EncryptionType::from_number(kind) {
            found.push(Stretching {
                kind,
                salt,
                iterations: iterations.map(u32::from_be_bytes),
            });
        }
    }
    Ok(found)
}

impl Opened {
    /// Reads an EncKDCRepPart.
    pub(super) fn read(octets: &[u8]) -> Result<Self, DerError> {
        let der = zeroize::Zeroizing::new(ber::to_der(octets)?);
        let outer = Reader::single(&der)?;
        let tag = match outer.tag {
            ENC_TGS_REP_PART => ENC_TGS_REP_PART,
            _ => ENC_AS_REP_PART,
        };
        let mut sequence = outer.open(tag)?.sequence()?;
        let mut key = field(&mut sequence, 0)?.sequence()?;
        let kind = EncryptionType::from_number(field(&mut key, 0)?.signed()?);
        let octets = field(&mut key, 1)?.octet_string()?;
        // When the user was here before.
        field(&mut sequence, 1)?;
        let nonce = field(&mut sequence, 2)?.small()?;
        // When the password ends.
        optional_field(&mut sequence, 3)?;
        let flags = field(&mut sequence, 4)?.bit_string()?;
        // When the user was authenticated, and from when on it may be used: at once.
        field(&mut sequence, 5)?;
        optional_field(&mut sequence, 6)?;
        let until = field(&mut sequence, 7)?.time()?;
        optional_field(&mut sequence, 8)?;
        Ok(Self {
            key: kind.and_then(|kind| Key::new(kind, octets).ok()),
            nonce,
            is_forwardable: flags.first().is_some_and(|flags| flags & FORWARDABLE != 0),
            until,
            realm: read_text(&mut field(&mut sequence, 9)?)?,
            service: Principal::read(&mut field(&mut sequence, 10)?)?,
        })
    }
}
