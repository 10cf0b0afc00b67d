//! A ticket and how it is shown: AP-REQ and AP-REP, RFC 4120 section 5.5.

use pki::asn1::{DerError, Reader, Writer, ber};
use pki::random::Random;
use pki::time::Timestamp;

use super::error::KerberosError;
use super::key::{Key, Usage};
use super::wire::{Encrypted, Principal, application, field, message, text, write_encrypted};

const AUTHENTICATOR: u8 = 2;
const AP_REQ: u8 = 14;
const AP_REP: u8 = 15;
const ENC_AP_REP_PART: u8 = 27;
const MUTUAL: [u8; 4] = [0x20, 0, 0, 0];
const NOT_MUTUAL: [u8; 4] = [0; 4];

/// A ticket for a service, with the key that only the user and the service have.
pub struct Ticket {
    pub(super) user: Principal,
    /// The user's.
    pub(super) realm: String,
    pub(super) octets: Vec<u8>,
    pub(super) session_key: Key,
    /// The end of its life.
    pub(super) until: Timestamp,
    pub(super) is_forwardable: bool,
}

/// A moment that no message has been made in before.
pub(super) struct Moment {
    pub(super) time: Timestamp,
    /// Microseconds that belong to it.
    pub(super) micros: u32,
    pub(super) confounder: [u8; 16],
    pub(super) sequence: u32,
}

impl Moment {
    /// Now. Microseconds are drawn, since whoever looks for repeated messages goes by them.
    pub(super) fn new(now: Timestamp, random: &dyn Random) -> Self {
        let [a, b] = random.octets::<2>();
        let millis = now.millis().rem_euclid(1000);
        let drawn = u32::from(u16::from_be_bytes([a, b])) % 1000;
        Self {
            time: now.floor_to_second(),
            micros: u32::try_from(millis).unwrap_or_default() * 1000 + drawn,
            confounder: random.octets(),
            sequence: u32::from_be_bytes(random.octets()) & 0x3fff_ffff,
        }
    }
}

impl Ticket {
    pub(super) fn key(&self) -> &Key {
        &self.session_key
    }

    /// An AP-REQ with a checksum of what it goes with.
    pub(super) fn request(
        &self,
        usage: Usage,
        moment: &Moment,
        checksum: (i64, Vec<u8>),
        is_mutual: bool,
    ) -> Result<Vec<u8>, KerberosError> {
        if self.until <= moment.time {
            return Err(KerberosError::Ended {
                until: self.until,
                ours: moment.time,
            });
        }
        let authenticator = self.authenticator(moment, &checksum);
        let key = &self.session_key;
        let sealed = key.encrypt(usage, &authenticator, moment.confounder)?;
        let options = if is_mutual { MUTUAL } else { NOT_MUTUAL };
        Ok(Writer::encode(|w| {
            w.nested(application(AP_REQ), |w| {
                w.sequence(|w| {
                    w.constructed(0, |w| w.small(5));
                    w.constructed(1, |w| w.small(AP_REQ.into()));
                    w.constructed(2, |w| w.bit_string(&options));
                    w.constructed(3, |w| w.raw(&self.octets));
                    w.constructed(4, |w| write_encrypted(w, key.kind().number(), &sealed));
                });
            });
        }))
    }

    fn authenticator(&self, moment: &Moment, (kind, code): &(i64, Vec<u8>)) -> Vec<u8> {
        Writer::encode(|w| {
            w.nested(application(AUTHENTICATOR), |w| {
                w.sequence(|w| {
                    w.constructed(0, |w| w.small(5));
                    w.constructed(1, |w| text(w, &self.realm));
                    w.constructed(2, |w| self.user.write(w));
                    w.constructed(3, |w| {
                        w.sequence(|w| {
                            w.constructed(0, |w| w.signed(*kind));
                            w.constructed(1, |w| w.octet_string(code));
                        });
                    });
                    w.constructed(4, |w| w.small(moment.micros));
                    w.constructed(5, |w| w.generalized_time(moment.time));
                    w.constructed(7, |w| w.small(moment.sequence));
                });
            });
        })
    }

    /// Whether an AP-REP was made by the one that the ticket is for, as an answer to that moment.
    pub(super) fn is_answered(&self, reply: &[u8], moment: &Moment) -> Result<bool, DerError> {
        let der = ber::to_der(reply)?;
        let mut sequence = message(&der, AP_REP, 0)?;
        let part = Encrypted::read(&mut field(&mut sequence, 2)?)?;
        let Ok(part) = part.open(&self.session_key, Usage::ServiceReply) else {
            return Ok(false);
        };
        let der = ber::to_der(&part)?;
        let outer = Reader::single(&der)?;
        let mut sequence = outer.open(application(ENC_AP_REP_PART))?.sequence()?;
        let time = field(&mut sequence, 0)?.time()?;
        let micros = field(&mut sequence, 1)?.small()?;
        Ok(time == moment.time && micros == moment.micros)
    }
}
