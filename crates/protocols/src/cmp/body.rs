//! PKIBody, RFC 9810 section 5.1.2: one of the messages that RFC 9483 has.

use pki::asn1::{DerError, Reader, Tlv, Writer, tag};
use pki::crmf::CertReqMsg;

use super::certification::CertRepMessage;
use super::confirmation::CertStatus;
use super::polling::{PollRep, read_poll_request, write_poll_request};
use super::revocation::{RevocationAnswer, RevocationWish};
use super::{CmpError, Info, StatusInfo};

/// The messages that are known here, by their tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyKind {
    /// ir
    InitializationRequest,
    /// ip
    InitializationResponse,
    /// cr
    CertificationRequest,
    /// cp
    CertificationResponse,
    /// p10cr
    Pkcs10Request,
    /// kur
    KeyUpdateRequest,
    /// kup
    KeyUpdateResponse,
    /// rr
    RevocationRequest,
    /// rp
    RevocationResponse,
    /// pkiconf
    Confirmed,
    /// nested
    Nested,
    /// genm
    GeneralRequest,
    /// genp
    GeneralResponse,
    /// error
    Error,
    /// certConf
    CertificateConfirmation,
    /// pollReq
    PollRequest,
    /// pollRep
    PollResponse,
}

impl BodyKind {
    const ALL: [(Self, u8, &'static str); 17] = [
        (Self::InitializationRequest, 0, "ir"),
        (Self::InitializationResponse, 1, "ip"),
        (Self::CertificationRequest, 2, "cr"),
        (Self::CertificationResponse, 3, "cp"),
        (Self::Pkcs10Request, 4, "p10cr"),
        (Self::KeyUpdateRequest, 7, "kur"),
        (Self::KeyUpdateResponse, 8, "kup"),
        (Self::RevocationRequest, 11, "rr"),
        (Self::RevocationResponse, 12, "rp"),
        (Self::Confirmed, 19, "pkiconf"),
        (Self::Nested, 20, "nested"),
        (Self::GeneralRequest, 21, "genm"),
        (Self::GeneralResponse, 22, "genp"),
        (Self::Error, 23, "error"),
        (Self::CertificateConfirmation, 24, "certConf"),
        (Self::PollRequest, 25, "pollReq"),
        (Self::PollResponse, 26, "pollRep"),
    ];

    pub(super) fn from_tag(found: u8) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|(_, number, _)| tag::constructed(*number) == found)
            .map(|(kind, ..)| kind)
    }

    fn tag(self) -> u8 {
        let known = Self::ALL.into_iter().find(|(kind, ..)| *kind == self);
        tag::constructed(known.map_or(0, |(_, number, _)| number))
    }

    /// The name in RFC 9810.
    pub fn as_str(self) -> &'static str {
        let known = Self::ALL.into_iter().find(|(kind, ..)| *kind == self);
        known.map_or("", |(.., name)| name)
    }
}

/// The requests in CRMF.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestKind {
    /// The first certificate of somebody
    Initialization,
    /// A further one
    Certification,
    /// The successor of one
    KeyUpdate,
}

impl RequestKind {
    /// The message that asks.
    pub fn request(self) -> BodyKind {
        match self {
            Self::Initialization => BodyKind::InitializationRequest,
            Self::Certification => BodyKind::CertificationRequest,
            Self::KeyUpdate => BodyKind::KeyUpdateRequest,
        }
    }
}

/// What a message says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// ir, cr or kur with their one request
    Request(RequestKind, Box<CertReqMsg>),
    /// p10cr: a CSR
    Pkcs10(Vec<u8>),
    /// ip, cp or kup
    Response(BodyKind, CertRepMessage),
    /// rr
    Revocation(Box<RevocationWish>),
    /// rp
    RevocationAnswer(RevocationAnswer),
    /// pkiconf
    Confirmed,
    /// nested: one message in DER inside another one's protection
    Nested(Vec<u8>),
    /// genm
    GeneralRequest(Vec<Info>),
    /// genp
    GeneralResponse(Vec<Info>),
    /// error
    Error(StatusInfo),
    /// certConf; without entry everything is refused
    Confirmation(Option<CertStatus>),
    /// pollReq for the request with that number
    PollRequest(i64),
    /// pollRep
    PollResponse(PollRep),
}

impl Body {
    pub(super) fn read(kind: BodyKind, element: Tlv<'_>) -> Result<Self, CmpError> {
        let request = |kind| read_request(kind, element);
        match kind {
            BodyKind::InitializationRequest => request(RequestKind::Initialization),
            BodyKind::CertificationRequest => request(RequestKind::Certification),
            BodyKind::KeyUpdateRequest => request(RequestKind::KeyUpdate),
            BodyKind::Pkcs10Request => Ok(Self::Pkcs10(element.der.to_vec())),
            BodyKind::InitializationResponse
            | BodyKind::CertificationResponse
            | BodyKind::KeyUpdateResponse => {
                Ok(Self::Response(kind, CertRepMessage::read(element)?))
            }
            BodyKind::RevocationRequest => {
                RevocationWish::read(element).map(|wish| Self::Revocation(Box::new(wish)))
            }
            BodyKind::RevocationResponse => {
                RevocationAnswer::read(element).map(Self::RevocationAnswer)
            }
            BodyKind::Confirmed => Ok(Self::Confirmed),
            BodyKind::Nested => {
                let inner = only(element.open(tag::SEQUENCE)?, "nested message")?;
                Ok(Self::Nested(inner.der.to_vec()))
            }
            BodyKind::GeneralRequest => infos(element).map(Self::GeneralRequest),
            BodyKind::GeneralResponse => infos(element).map(Self::GeneralResponse),
            BodyKind::Error => {
                // errorCode and errorDetails say the same to people again.
                let status = element.open(tag::SEQUENCE)?.read()?;
                Ok(Self::Error(StatusInfo::read(status)?))
            }
            BodyKind::CertificateConfirmation => {
                CertStatus::read_list(element).map(Self::Confirmation)
            }
            BodyKind::PollRequest => read_poll_request(element).map(Self::PollRequest),
            BodyKind::PollResponse => PollRep::read(element).map(Self::PollResponse),
        }
    }

    /// What it is.
    pub fn kind(&self) -> BodyKind {
        match self {
            Self::Request(kind, _) => kind.request(),
            Self::Pkcs10(_) => BodyKind::Pkcs10Request,
            Self::Response(kind, _) => *kind,
            Self::Revocation(_) => BodyKind::RevocationRequest,
            Self::RevocationAnswer(_) => BodyKind::RevocationResponse,
            Self::Confirmed => BodyKind::Confirmed,
            Self::Nested(_) => BodyKind::Nested,
            Self::GeneralRequest(_) => BodyKind::GeneralRequest,
            Self::GeneralResponse(_) => BodyKind::GeneralResponse,
            Self::Error(_) => BodyKind::Error,
            Self::Confirmation(_) => BodyKind::CertificateConfirmation,
            Self::PollRequest(_) => BodyKind::PollRequest,
            Self::PollResponse(_) => BodyKind::PollResponse,
        }
    }

    pub(super) fn encode(&self, writer: &mut Writer) {
        writer.nested(self.kind().tag(), |w| match self {
            Self::Request(_, request) => w.sequence(|w| w.raw(&request.der)),
            Self::Pkcs10(der) => w.raw(der),
            Self::Response(_, response) => response.encode(w),
            Self::Revocation(wish) => wish.encode(w),
            Self::RevocationAnswer(answer) => answer.encode(w),
            Self::Confirmed => w.null(),
            Self::Nested(der) => w.sequence(|w| w.raw(der)),
            Self::GeneralRequest(infos) | Self::GeneralResponse(infos) => {
                w.sequence(|w| infos.iter().for_each(|info| info.encode(w)));
            }
            Self::Error(status) => w.sequence(|w| status.encode(w)),
            Self::Confirmation(status) => w.sequence(|w| {
                if let Some(status) = status {
                    status.encode(w);
                }
            }),
            Self::PollRequest(request_id) => write_poll_request(w, *request_id),
            Self::PollResponse(response) => response.encode(w),
        });
    }
}

fn read_request(kind: RequestKind, element: Tlv<'_>) -> Result<Body, CmpError> {
    let message = only(element.open(tag::SEQUENCE)?, "request")?;
    let message = CertReqMsg::read(message)?;
    Ok(Body::Request(kind, Box::new(message)))
}

fn infos(element: Tlv<'_>) -> Result<Vec<Info>, CmpError> {
    Info::read_all(element.open(tag::SEQUENCE)?)
}

/// RFC 9483 sections 4.1 and 4.2: exactly one of each.
pub(super) fn only<'a>(mut list: Reader<'a>, what: &'static str) -> Result<Tlv<'a>, CmpError> {
    let one = match list.read() {
        Ok(one) => one,
        Err(DerError::Truncated) if list.is_empty() => return Err(CmpError::NotOne(what)),
        Err(error) => return Err(error.into()),
    };
    match list.is_empty() {
        true => Ok(one),
        false => Err(CmpError::NotOne(what)),
    }
}
