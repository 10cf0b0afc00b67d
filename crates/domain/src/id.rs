//! Identifiers of our own things: a prefix that names the kind, then 26 characters.
//!
//! The characters are Crockford base32 of 48 bits of time and 80 random bits, so that ids sort by
//! age (B-trees stay dense) and cannot be guessed (an id in a URL gives nothing away).

use std::fmt;
use std::str::FromStr;

use pki::random::Random;
use pki::time::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A text that is not an id of the expected kind.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an id of the form {prefix}…")]
pub struct ParseIdError {
    prefix: &'static str,
    text: String,
}

fn mint(prefix: &str, now: Timestamp, random: &dyn Random) -> String {
    let millis = u64::try_from(now.millis()).unwrap_or(0);
    let mut octets = [0_u8; 16];
    octets[..6].copy_from_slice(&millis.to_be_bytes()[2..]);
    random.fill(&mut octets[6..]);
    let number = u128::from_be_bytes(octets);
    let mut text = String::with_capacity(prefix.len() + LENGTH);
    text.push_str(prefix);
    for place in (0..LENGTH).rev() {
        let digit = (number >> (5 * place)) & 0x1f;
        text.push(char::from(ALPHABET[digit as usize]));
    }
    text
}

fn check(prefix: &'static str, text: &str) -> Result<(), ParseIdError> {
    match text.strip_prefix(prefix) {
        Some(rest) if rest.len() == LENGTH && rest.bytes().all(|b| ALPHABET.contains(&b)) => Ok(()),
        _ => Err(ParseIdError {
            prefix,
            text: text.chars().take(64).collect(),
        }),
    }
}

const LENGTH: usize = 26;
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// What every id of this kind starts with.
            pub const PREFIX: &'static str = $prefix;

            /// A new id.
            pub fn mint(now: Timestamp, random: &dyn Random) -> Self {
                Self(mint($prefix, now, random))
            }

            /// The id as it is written on the wire and in the store.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;

            fn from_str(text: &str) -> Result<Self, ParseIdError> {
                check($prefix, text).map(|()| Self(text.to_owned()))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(de::Error::custom)
            }
        }
    )*};
}

ids! {
    /// An ACME account.
    AccountId = "acc_";
    /// An ACME authorization.
    AuthorizationId = "authz_";
    /// A certificate in the inventory.
    CertificateId = "crt_";
    /// An ACME directory: an entry point bound to profiles.
    DirectoryId = "dir_";
    /// An external account binding key.
    EabKeyId = "eab_";
    /// One pass of a request through the issuance pipeline.
    EnrollmentId = "enr_";
    /// An entry point of EST or SCEP.
    EntryPointId = "ept_";
    /// A password that opens an entry point.
    EnrollmentPasswordId = "pwd_";
    /// An entry of the event log.
    EventId = "evt_";
    /// A configured CA.
    IssuerId = "iss_";
    /// A migration from one issuer to another.
    MigrationId = "mig_";
    /// A unit of deferred work.
    JobId = "job_";
    /// A running process of this program.
    NodeId = "node_";
    /// An ACME order.
    OrderId = "ord_";
    /// A profile; all versions of it share the id.
    ProfileId = "prf_";
    /// One decision that people have to take on a request.
    ApprovalId = "apr_";
    /// Something done to many certificates at once.
    BulkId = "blk_";
    /// A rule by which a client certificate stands for a token.
    ClientCertificateId = "ccr_";
    /// A shared secret of CMP.
    CmpSecretId = "cms_";
    /// A notification channel.
    ChannelId = "chn_";
    /// An absence, and who decides meanwhile.
    DelegationId = "dlg_";
    /// One message on its way to one channel.
    DeliveryId = "dlv_";
    /// A custom metadata field.
    FieldId = "fld_";
    /// A role that is held by somebody, everywhere or in one team.
    GrantId = "grt_";
    /// What went wrong with one certificate, until it is right again.
    IncidentId = "inc_";
    /// An authenticator's key.
    PasskeyId = "psk_";
    /// A sign-on provider.
    ProviderId = "idp_";
    /// A custom role.
    RoleId = "rol_";
    /// A search that somebody keeps.
    SavedSearchId = "srch_";
    /// A signed-in user's session.
    SessionId = "ses_";
    /// A team: who owns certificates, directories, keys, profiles.
    TeamId = "team_";
    /// A person.
    UserId = "usr_";
    /// One HTTP request, for logs.
    RequestId = "req_";
    /// An API token.
    TokenId = "tok_";
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Zeros;

    impl Random for Zeros {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill(0);
        }
    }

    #[test]
    fn ids_sort_by_age_and_read_back() {
        let older = OrderId::mint(Timestamp::from_seconds(1_700_000_000), &Zeros);
        let newer = OrderId::mint(Timestamp::from_seconds(1_800_000_000), &Zeros);
        assert!(older < newer);
        assert_eq!(older.as_str().parse(), Ok(older.clone()));
        assert_eq!(older.as_str().len(), "ord_".len() + 26);
    }

    #[test]
    fn an_id_of_another_kind_is_refused() {
        let order = OrderId::mint(Timestamp::UNIX_EPOCH, &Zeros);
        assert!(order.as_str().parse::<AccountId>().is_err());
        for text in ["", "ord_", "ord_0000000000000000000000000U", "ord_é"] {
            assert!(text.parse::<OrderId>().is_err(), "{text}");
        }
    }
}
