//! The messages to a KDC: AS-REQ and TGS-REQ, RFC 4120 section 5.4.1.

use pki::asn1::Writer;
use pki::time::Timestamp;

use super::error::KerberosError;
use super::key::{EncryptionType, Key, Usage, WrongKey};
use super::reply::Opened;
use super::ticket::{Moment, Ticket};
use super::wire::{Principal, application, text, write_encrypted};

const AS_REQ: u8 = 10;
const TGS_REQ: u8 = 12;
const PA_TGS_REQ: u32 = 1;
const PA_ENC_TIMESTAMP: u32 = 2;
/// Pages on another machine than the CA have to go on to it in the name of the user. Whether they may is for the
/// domain to say, but it lets nobody whose ticket is not forwardable ([MS-SFU] 3.2.5.2.2). Nothing is forwarded.
const FORWARDABLE: [u8; 4] = [0x40, 0, 0, 0];
/// Another realm may be named where the service is not of this one (RFC 6806 section 8).
const CANONICALIZE: [u8; 4] = [0, 1, 0, 0];
const BOTH: [u8; 4] = [0x40, 1, 0, 0];

/// What is asked for.
pub(super) struct Wanted<'a> {
    pub(super) user: &'a Principal,
    /// The realm of the KDC.
    pub(super) realm: &'a str,
    pub(super) service: &'a Principal,
    pub(super) nonce: u32,
}

impl Wanted<'_> {
    /// An AS-REQ, with or without the proof that the password is known.
    pub(super) fn first_request(&self, proof: Option<&[u8]>) -> Vec<u8> {
        let body = self.body(Some(self.user), FORWARDABLE);
        let proof = proof.map(|proof| (PA_ENC_TIMESTAMP, proof));
        request(AS_REQ, proof, &body)
    }

    /// A TGS-REQ with a ticket for the one who gives tickets.
    pub(super) fn ticket_request(
        &self,
        granting: &Ticket,
        moment: &Moment,
    ) -> Result<Vec<u8>, KerberosError> {
        // Of a ticket that is not so itself nobody gets one that is.
        let options = match granting.is_forwardable {
            true => BOTH,
            false => CANONICALIZE,
        };
        let body = self.body(None, options);
        let code = granting.key().checksum(Usage::BodyChecksum, &body)?;
        let checksum = (granting.key().kind().checksum_number(), code);
        let usage = Usage::TicketRequestAuthenticator;
        let proof = granting.request(usage, moment, checksum, false)?;
        Ok(request(TGS_REQ, Some((PA_TGS_REQ, &proof)), &body))
    }

    /// Whether an answer is one to this question, RFC 4120 section 3.1.5: somebody in between may have kept
    /// another one.
    pub(super) fn is_answered_by(&self, opened: &Opened) -> bool {
        opened.nonce == self.nonce && opened.realm == self.realm
    }

    /// A KDC-REQ-BODY.
    fn body(&self, user: Option<&Principal>, options: [u8; 4]) -> Vec<u8> {
        Writer::encode(|w| {
            w.sequence(|w| {
                w.constructed(0, |w| w.bit_string(&options));
                if let Some(user) = user {
                    w.constructed(1, |w| user.write(w));
                }
                w.constructed(2, |w| text(w, self.realm));
                w.constructed(3, |w| self.service.write(w));
                // The beginning of time stands for as late as the KDC lets it be.
                w.constructed(5, |w| w.generalized_time(Timestamp::from_seconds(0)));
                w.constructed(7, |w| w.small(self.nonce));
                w.constructed(8, |w| {
                    w.sequence(|w| {
                        EncryptionType::ALL
                            .iter()
                            .for_each(|kind| w.signed(kind.number()));
                    });
                });
            });
        })
    }
}

/// The proof that a key is known: the time, encrypted (RFC 4120 section 5.2.7.2).
pub(super) fn proof(key: &Key, moment: &Moment) -> Result<Vec<u8>, WrongKey> {
    let plaintext = Writer::encode(|w| {
        w.sequence(|w| {
            w.constructed(0, |w| w.generalized_time(moment.time));
            w.constructed(1, |w| w.small(moment.micros));
        });
    });
    let sealed = key.encrypt(Usage::Timestamp, &plaintext, moment.confounder)?;
    Ok(Writer::encode(|w| {
        write_encrypted(w, key.kind().number(), &sealed)
    }))
}

/// A KDC-REQ with at most one PA-DATA.
fn request(kind: u8, proof: Option<(u32, &[u8])>, body: &[u8]) -> Vec<u8> {
    let preauthentication = |w: &mut Writer, (kind, octets): (u32, &[u8])| {
        w.sequence(|w| {
            w.sequence(|w| {
                w.constructed(1, |w| w.small(kind));
                w.constructed(2, |w| w.octet_string(octets));
            });
        });
    };
    Writer::encode(|w| {
        w.nested(application(kind), |w| {
            w.sequence(|w| {
                w.constructed(1, |w| w.small(5));
                w.constructed(2, |w| w.small(kind.into()));
                if let Some(proof) = proof {
                    w.constructed(3, |w| preauthentication(w, proof));
                }
                w.constructed(4, |w| w.raw(body));
            });
        });
    })
}
