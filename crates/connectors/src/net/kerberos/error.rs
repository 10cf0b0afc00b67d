//! What Kerberos fails with, each in words that say what to do.

use pki::asn1::DerError;
use pki::time::Timestamp;

use super::key::WrongKey;
use super::reply::Refusal;
use crate::net::{DnsError, excerpt};

/// Why there is no ticket, or why it did not let us in.
#[derive(Clone, Debug, thiserror::Error)]
pub enum KerberosError {
    /// Neither settings nor DNS name a KDC.
    #[error(
        "no KDC of the realm {realm} is known ({reason}); name some as `kdc`, host or host:port"
    )]
    Unknown { realm: String, reason: DnsError },
    /// None of them answers.
    #[error("no KDC of the realm {realm} answers: {reasons}")]
    Unreached { realm: String, reasons: String },
    /// All of it took too long.
    #[error("the KDC of the realm {realm} gave no ticket within {seconds} s")]
    Slow { realm: String, seconds: u64 },
    /// KDC_ERR_PREAUTH_FAILED, or an answer that the password does not open.
    #[error(
        "the KDC does not accept the password of {user}: set the right one with `certwright issuer update NAME --secret password=@FILE`"
    )]
    Password { user: String },
    /// KDC_ERR_C_PRINCIPAL_UNKNOWN
    #[error("the realm {realm} knows no user {user}: look at `username` and `domain`")]
    User { user: String, realm: String },
    /// KDC_ERR_CLIENT_REVOKED
    #[error("the account of {user} is disabled, locked or may not log on now")]
    Disabled { user: String },
    /// KDC_ERR_KEY_EXPIRED
    #[error("the password of {user} has expired: change it, then set the new one here")]
    Expired { user: String },
    /// KDC_ERR_WRONG_REALM, or a ticket of another realm.
    #[error("the KDC does not serve the realm {realm} but {served}: set `domain` to that")]
    Realm { realm: String, served: String },
    /// KDC_ERR_S_PRINCIPAL_UNKNOWN
    #[error(
        "the KDC knows no service {service}: register the name (`setspn -S {service} ACCOUNT`), or set the right one as `service_principal`"
    )]
    Service { service: String },
    /// KRB_AP_ERR_SKEW
    #[error(
        "the clock of {at} shows {theirs} while this server's shows {ours}, which is further apart than Kerberos takes: set the one that is wrong"
    )]
    Skew {
        at: By,
        theirs: Timestamp,
        ours: Timestamp,
    },
    /// A ticket that was granted for less time than there is between the clocks, or shown too late.
    #[error(
        "the ticket ended at {until} and this server's clock shows {ours}: set the clock that is wrong, if one is"
    )]
    Ended { until: Timestamp, ours: Timestamp },
    /// A count of iterations that nobody should ask for.
    #[error(
        "the KDC wants the password stretched {iterations} times, which is too little to keep it secret or too much to be meant"
    )]
    Stretching { iterations: u32 },
    /// KDC_ERR_ETYPE_NOSUPP, or none of the KDC's that we speak.
    #[error(
        "there is no key for AES-256: let the accounts of user and service support it (`msDS-SupportedEncryptionTypes`), and set their passwords anew once"
    )]
    NoStrongKey,
    /// KRB_AP_ERR_MODIFIED and its like.
    #[error(
        "the server cannot read the ticket for {service}: the name is registered for another account than the one its pages run under, or for two"
    )]
    OtherAccount { service: String },
    /// The server wants another way in, or nobody it knows.
    #[error(
        "the server does not accept the ticket for {service}{detail}: it has to offer Negotiate, and the name has to be that of the account its pages run under"
    )]
    NotAccepted { service: String, detail: String },
    /// No answer, or one that was not made with the ticket's key.
    #[error("the server did not prove that it is {service}: its answer is not believed")]
    NotProven { service: String },
    /// Everything else that a KDC refuses, by its number.
    #[error("the KDC refuses with Kerberos error {code}{text}")]
    Refused { code: i64, text: String },
    /// An answer that is none.
    #[error("a Kerberos message cannot be read: {0}")]
    Unreadable(#[from] DerError),
    /// An answer that was made for something else.
    #[error("the KDC's answer does not belong to what was asked")]
    Misplaced,
    /// A message that fits no key.
    #[error(transparent)]
    Key(#[from] WrongKey),
}

/// Whom a refusal is about.
#[derive(Clone, Copy, Debug)]
pub(super) struct Concerning<'a> {
    pub(super) user: &'a str,
    pub(super) realm: &'a str,
    pub(super) service: &'a str,
    pub(super) now: Timestamp,
}

/// Who refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    Kdc,
    Server,
}

impl std::fmt::Display for By {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Kdc => "the KDC",
            Self::Server => "the server",
        })
    }
}

impl Concerning<'_> {
    /// A KRB-ERROR in our words; the numbers are those of RFC 4120 section 7.5.9.
    pub(super) fn error(&self, by: By, refusal: &Refusal) -> KerberosError {
        let (user, realm) = (self.user.to_owned(), self.realm.to_owned());
        let service = self.service.to_owned();
        match refusal.code {
            6 => KerberosError::User { user, realm },
            7 => KerberosError::Service { service },
            14 => KerberosError::NoStrongKey,
            18 => KerberosError::Disabled { user },
            23 => KerberosError::Expired { user },
            24 | 31 => KerberosError::Password { user },
            37 => KerberosError::Skew {
                at: by,
                theirs: refusal.time,
                ours: self.now,
            },
            // Not for us, changed on the way, no key for it: all three are what another account's key looks like.
            35 | 41 | 45 => KerberosError::OtherAccount { service },
            68 => KerberosError::Realm {
                realm,
                served: "another".to_owned(),
            },
            code => {
                let text = match &refusal.text {
                    Some(text) => format!(": {}", excerpt(text.as_bytes())),
                    None => String::new(),
                };
                match by {
                    By::Kdc => KerberosError::Refused { code, text },
                    By::Server => KerberosError::NotAccepted {
                        service,
                        detail: format!(" (Kerberos error {code}{text})"),
                    },
                }
            }
        }
    }
}
