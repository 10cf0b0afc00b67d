//! How a request went: PKIStatusInfo, RFC 9810 section 5.2.3.

use pki::asn1::{DerError, Reader, Tlv, Writer, tag};

/// PKIStatus
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PkiStatus {
    /// As it was asked for
    Accepted,
    /// Much as it was asked for; the requester looks at the differences
    GrantedWithMods,
    /// No
    Rejection,
    /// Not decided yet, ask again
    Waiting,
    /// A revocation is near
    RevocationWarning,
    /// A revocation was carried out
    RevocationNotification,
    /// The update was done for the certificate named
    KeyUpdateWarning,
}

impl PkiStatus {
    const ALL: [Self; 7] = [
        Self::Accepted,
        Self::GrantedWithMods,
        Self::Rejection,
        Self::Waiting,
        Self::RevocationWarning,
        Self::RevocationNotification,
        Self::KeyUpdateWarning,
    ];

    const fn number(self) -> i64 {
        match self {
            Self::Accepted => 0,
            Self::GrantedWithMods => 1,
            Self::Rejection => 2,
            Self::Waiting => 3,
            Self::RevocationWarning => 4,
            Self::RevocationNotification => 5,
            Self::KeyUpdateWarning => 6,
        }
    }
}

macro_rules! failures {
    ($($(#[$doc:meta])* $name:ident = $bit:literal, $text:literal;)*) => {
        /// One bit of PKIFailureInfo.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum FailInfo {
            $($(#[$doc])* $name,)*
        }

        impl FailInfo {
            /// Every failure.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            const fn bit(self) -> u32 {
                match self {
                    $(Self::$name => $bit,)*
                }
            }

            /// The name in RFC 9810.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

failures! {
    /// An algorithm that is not accepted
    BadAlg = 0, "badAlg";
    /// A signature or MAC that does not verify
    BadMessageCheck = 1, "badMessageCheck";
    /// A transaction or type of message that is not supported
    BadRequest = 2, "badRequest";
    /// A time too far from ours
    BadTime = 3, "badTime";
    /// A certificate that is not known
    BadCertId = 4, "badCertId";
    /// Octets of the wrong form
    BadDataFormat = 5, "badDataFormat";
    /// Another authority's business
    WrongAuthority = 6, "wrongAuthority";
    /// Data that is not what it must be
    IncorrectData = 7, "incorrectData";
    /// A time stamp is missing
    MissingTimeStamp = 8, "missingTimeStamp";
    /// Possession of the key is not proven
    BadPop = 9, "badPOP";
    /// Revoked already
    CertRevoked = 10, "certRevoked";
    /// Confirmed already
    CertConfirmed = 11, "certConfirmed";
    /// Protected with the wrong kind of credential
    WrongIntegrity = 12, "wrongIntegrity";
    /// The recipient's nonce is missing or another
    BadRecipientNonce = 13, "badRecipientNonce";
    /// No time source
    TimeNotAvailable = 14, "timeNotAvailable";
    /// A policy that is not accepted
    UnacceptedPolicy = 15, "unacceptedPolicy";
    /// An extension that is not accepted
    UnacceptedExtension = 16, "unacceptedExtension";
    /// Information that is not there
    AddInfoNotAvailable = 17, "addInfoNotAvailable";
    /// The sender's nonce is missing or too short
    BadSenderNonce = 18, "badSenderNonce";
    /// A template that cannot be granted
    BadCertTemplate = 19, "badCertTemplate";
    /// A signer that is not trusted
    SignerNotTrusted = 20, "signerNotTrusted";
    /// A transaction identifier that is in use
    TransactionIdInUse = 21, "transactionIdInUse";
    /// A version that is not spoken
    UnsupportedVersion = 22, "unsupportedVersion";
    /// Not allowed to the sender
    NotAuthorized = 23, "notAuthorized";
    /// Not now
    SystemUnavail = 24, "systemUnavail";
    /// A fault of the authority
    SystemFailure = 25, "systemFailure";
    /// The same request again
    DuplicateCertReq = 26, "duplicateCertReq";
}

/// PKIStatusInfo
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusInfo {
    /// How it went.
    pub status: PkiStatus,
    /// The same for people.
    pub text: Vec<String>,
    /// Why it failed.
    pub failures: Vec<FailInfo>,
}

impl StatusInfo {
    /// Success.
    pub fn accepted() -> Self {
        Self::plain(PkiStatus::Accepted)
    }

    /// Not yet.
    pub fn waiting() -> Self {
        Self::plain(PkiStatus::Waiting)
    }

    /// A status that needs no words.
    pub fn plain(status: PkiStatus) -> Self {
        Self {
            status,
            text: Vec::new(),
            failures: Vec::new(),
        }
    }

    /// A refusal with its reason.
    pub fn rejection(failure: FailInfo, text: impl Into<String>) -> Self {
        Self {
            status: PkiStatus::Rejection,
            text: vec![text.into()],
            failures: vec![failure],
        }
    }

    /// Reads a PKIStatusInfo.
    pub fn read(element: Tlv<'_>) -> Result<Self, DerError> {
        let mut fields = element.open(tag::SEQUENCE)?;
        let number = fields.signed()?;
        let status = PkiStatus::ALL
            .into_iter()
            .find(|status| status.number() == number)
            .ok_or(DerError::Content("PKIStatus"))?;
        let text = match fields.optional(tag::SEQUENCE)? {
            Some(list) => read_text(Reader::new(list.content))?,
            None => Vec::new(),
        };
        let bits = match fields.is_empty() {
            true => 0,
            false => fields.named_bits()?,
        };
        fields.finish()?;
        let failures = FailInfo::ALL.iter().copied();
        Ok(Self {
            status,
            text,
            failures: failures.filter(|one| bits >> one.bit() & 1 == 1).collect(),
        })
    }

    /// Writes the PKIStatusInfo.
    pub fn encode(&self, writer: &mut Writer) {
        writer.sequence(|w| {
            w.signed(self.status.number());
            write_text(w, &self.text);
            let bits = self
                .failures
                .iter()
                .fold(0, |bits, one| bits | 1 << one.bit());
            if bits != 0 {
                w.named_bits_of(bits);
            }
        });
    }

    /// Whether a certificate comes with it.
    pub fn is_granted(&self) -> bool {
        matches!(
            self.status,
            PkiStatus::Accepted | PkiStatus::GrantedWithMods
        )
    }

    /// All of it in one line.
    pub fn describe(&self) -> String {
        let failures: Vec<&str> = self.failures.iter().map(|one| one.as_str()).collect();
        match (failures.is_empty(), self.text.is_empty()) {
            (true, true) => format!("{:?}", self.status),
            (true, false) => self.text.join("; "),
            (false, true) => failures.join(", "),
            (false, false) => format!("{} ({})", self.text.join("; "), failures.join(", ")),
        }
    }
}

/// PKIFreeText without its SEQUENCE's header: short texts for people, and no more than a few.
pub(super) fn read_text(mut list: Reader<'_>) -> Result<Vec<String>, DerError> {
    let mut texts = Vec::new();
    while !list.is_empty() {
        let text = list.expect(tag::UTF8_STRING)?.text()?;
        if texts.len() < MAX_TEXTS {
            texts.push(text.chars().take(MAX_CHARACTERS).collect());
        }
    }
    Ok(texts)
}

pub(super) fn write_text(w: &mut Writer, texts: &[String]) {
    if texts.is_empty() {
        return;
    }
    w.sequence(|w| {
        for text in texts {
            w.tlv(tag::UTF8_STRING, text.as_bytes());
        }
    });
}

const MAX_TEXTS: usize = 16;
const MAX_CHARACTERS: usize = 1000;
