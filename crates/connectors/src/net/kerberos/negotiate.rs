//! What goes over HTTP (RFC 4559): SPNEGO (RFC 4178) with nothing but Kerberos in it (RFC 4121 section 4.1),
//! bound to the TLS connection, and with an answer that only the right server can give.

use pki::asn1::{DerError, Reader, Writer, ber, tag};
use pki::random::Random;
use pki::time::Timestamp;

use super::error::{By, Concerning, KerberosError};
use super::key::Usage;
use super::reply::Refusal;
use super::ticket::{Moment, Ticket};
use super::wire::{application, optional_field};

/// 1.3.6.1.5.5.2
const SPNEGO: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x02];
/// 1.2.840.113554.1.2.2
const KERBEROS: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x02];
/// InitialContextToken, RFC 2743 section 3.1.
const FRAME: u8 = application(0);
const AP_REQ: [u8; 2] = [1, 0];
const AP_REP: [u8; 2] = [2, 0];
const KRB_ERROR: [u8; 2] = [3, 0];
/// The checksum that carries channel bindings and flags instead, RFC 4121 section 4.1.1.
const GSS_CHECKSUM: i64 = 0x8003;
const GSS_MUTUAL: u32 = 2;

/// A token that was sent, until its answer is there.
pub struct Negotiation {
    moment: Moment,
    service: String,
}

impl Negotiation {
    /// A token for the server that the ticket is for. `channel` is the hash of the TLS connection's channel
    /// bindings.
    pub fn begin(
        ticket: &Ticket,
        service: &str,
        channel: Option<[u8; 16]>,
        now: Timestamp,
        random: &dyn Random,
    ) -> Result<(Self, Vec<u8>), KerberosError> {
        let moment = Moment::new(now, random);
        let checksum = [
            16_u32.to_le_bytes().as_slice(),
            &channel.unwrap_or_default(),
            &GSS_MUTUAL.to_le_bytes(),
        ]
        .concat();
        let checksum = (GSS_CHECKSUM, checksum);
        let request = ticket.request(Usage::Authenticator, &moment, checksum, true)?;
        let token = first_token(&framed(KERBEROS, AP_REQ, &request));
        let service = service.to_owned();
        Ok((Self { moment, service }, token))
    }

    /// Whether a server that let us in is the one that the ticket is for.
    pub fn finish(&self, ticket: &Ticket, token: Option<&[u8]>) -> Result<(), KerberosError> {
        let unproven = || KerberosError::NotProven {
            service: self.service.clone(),
        };
        let answer = mechanism_token(token.ok_or_else(unproven)?)?;
        let (kind, message) = unframed(answer.as_deref().ok_or_else(unproven)?)?;
        match kind == AP_REP && ticket.is_answered(message, &self.moment)? {
            true => Ok(()),
            false => Err(unproven()),
        }
    }

    /// Why a server did not let us in, as far as it says.
    pub fn refused(&self, ticket: &Ticket, token: Option<&[u8]>, now: Timestamp) -> KerberosError {
        let user = ticket.user.to_string();
        let concerning = Concerning {
            user: &user,
            realm: &ticket.realm,
            service: &self.service,
            now,
        };
        match token.map(refusal) {
            Some(Ok(Some(refusal))) => concerning.error(By::Server, &refusal),
            Some(Ok(None) | Err(_)) | None => KerberosError::NotAccepted {
                service: self.service.clone(),
                detail: String::new(),
            },
        }
    }
}

/// A NegTokenInit, RFC 4178 section 4.2.1.
fn first_token(kerberos: &[u8]) -> Vec<u8> {
    Writer::encode(|w| {
        w.nested(FRAME, |w| {
            w.tlv(tag::OID, SPNEGO);
            w.constructed(0, |w| {
                w.sequence(|w| {
                    w.constructed(0, |w| w.sequence(|w| w.tlv(tag::OID, KERBEROS)));
                    w.constructed(2, |w| w.octet_string(kerberos));
                });
            });
        });
    })
}

fn framed(mechanism: &[u8], kind: [u8; 2], message: &[u8]) -> Vec<u8> {
    Writer::encode(|w| {
        w.nested(FRAME, |w| {
            w.tlv(tag::OID, mechanism);
            w.raw(&kind);
            w.raw(message);
        });
    })
}

/// What stands in a frame. Behind its name it is no DER.
fn unframed(token: &[u8]) -> Result<([u8; 2], &[u8]), DerError> {
    let frame = Reader::single(token)?;
    let mut reader = frame.open(FRAME)?;
    let mechanism = reader.read()?;
    let rest = frame.content.get(mechanism.der.len()..);
    match rest.and_then(|rest| rest.split_first_chunk::<2>()) {
        Some((kind, message)) if mechanism.content == KERBEROS => Ok((*kind, message)),
        Some(_) | None => Err(DerError::Content("GSS token")),
    }
}

/// The responseToken of a NegTokenResp, RFC 4178 section 4.2.2. The state beside it says nothing that the
/// status of HTTP does not.
fn mechanism_token(token: &[u8]) -> Result<Option<Vec<u8>>, DerError> {
    let der = ber::to_der(token)?;
    let mut sequence = Reader::single(&der)?
        .open(tag::constructed(1))?
        .sequence()?;
    optional_field(&mut sequence, 0)?;
    optional_field(&mut sequence, 1)?;
    match optional_field(&mut sequence, 2)? {
        Some(mut octets) => Ok(Some(octets.octet_string()?.to_vec())),
        None => Ok(None),
    }
}

fn refusal(token: &[u8]) -> Result<Option<Refusal>, DerError> {
    let Some(answer) = mechanism_token(token)? else {
        return Ok(None);
    };
    match unframed(&answer)? {
        (KRB_ERROR, message) => Refusal::read(&ber::to_der(message)?).map(Some),
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests;
