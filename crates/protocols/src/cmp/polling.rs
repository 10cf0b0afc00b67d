//! pollReq and pollRep: asking again for what was not decided, RFC 9810 section 5.3.22.

use std::time::Duration;

use pki::asn1::{DerError, Tlv, Writer, tag};

use super::CmpError;
use super::body::only;
use super::status::{read_text, write_text};

/// Not yet: ask again later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PollRep {
    /// The request's number.
    pub request_id: i64,
    /// How long to wait before asking again.
    pub check_after: Duration,
    /// What it waits for.
    pub reason: Vec<String>,
}

impl PollRep {
    pub(super) fn read(element: Tlv<'_>) -> Result<Self, CmpError> {
        let list = element.open(tag::SEQUENCE)?;
        let mut fields = only(list, "request that is waited for")?.open(tag::SEQUENCE)?;
        let request_id = fields.signed()?;
        let seconds = u64::try_from(fields.signed()?).map_err(|_| DerError::Content("INTEGER"))?;
        let reason = match fields.optional(tag::SEQUENCE)? {
            Some(texts) => read_text(texts.open(tag::SEQUENCE)?)?,
            None => Vec::new(),
        };
        fields.finish()?;
        Ok(Self {
            request_id,
            check_after: Duration::from_secs(seconds),
            reason,
        })
    }

    pub(super) fn encode(&self, w: &mut Writer) {
        w.sequence(|w| {
            w.sequence(|w| {
                w.signed(self.request_id);
                w.unsigned(&self.check_after.as_secs().to_be_bytes());
                write_text(w, &self.reason);
            });
        });
    }
}

/// The number of the request that a pollReq asks after.
pub(super) fn read_poll_request(element: Tlv<'_>) -> Result<i64, CmpError> {
    let list = element.open(tag::SEQUENCE)?;
    let mut fields = only(list, "request that is asked after")?.open(tag::SEQUENCE)?;
    let request_id = fields.signed()?;
    fields.finish()?;
    Ok(request_id)
}

pub(super) fn write_poll_request(w: &mut Writer, request_id: i64) {
    w.sequence(|w| w.sequence(|w| w.signed(request_id)));
}
