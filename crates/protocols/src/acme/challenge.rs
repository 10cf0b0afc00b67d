//! Challenges: the ways to show control over an identifier (RFC 8555 sections 7.1.5 and 8).

use std::borrow::Cow;
use std::fmt;

use pki::time::Timestamp;
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::base64url::Base64Url;
use super::key_authorization::Token;
use super::problem::Problem;

/// The `type` of a challenge.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChallengeType {
    /// A file on the web server (RFC 8555 section 8.3).
    Http01,
    /// A TXT record (RFC 8555 section 8.4).
    Dns01,
    /// A certificate in the TLS handshake (RFC 8737).
    TlsAlpn01,
    /// A TXT record under a label of the account (draft-ietf-acme-dns-account-label).
    DnsAccount01,
    /// A lasting TXT record (draft-ietf-acme-dns-persist).
    DnsPersist01,
    /// A device's attestation (draft-ietf-acme-device-attest).
    DeviceAttest01,
    /// A mail and its reply (RFC 8823).
    EmailReply00,
    /// A type we do not know.
    Other(String),
}

impl ChallengeType {
    /// The name on the wire, which is also the method's name in CAA `validationmethods` (RFC 8657).
    pub fn as_str(&self) -> &str {
        match self {
            Self::Http01 => "http-01",
            Self::Dns01 => "dns-01",
            Self::TlsAlpn01 => "tls-alpn-01",
            Self::DnsAccount01 => "dns-account-01",
            Self::DnsPersist01 => "dns-persist-01",
            Self::DeviceAttest01 => "device-attest-01",
            Self::EmailReply00 => "email-reply-00",
            Self::Other(name) => name,
        }
    }
}

impl From<&str> for ChallengeType {
    fn from(name: &str) -> Self {
        match name {
            "http-01" => Self::Http01,
            "dns-01" => Self::Dns01,
            "tls-alpn-01" => Self::TlsAlpn01,
            "dns-account-01" => Self::DnsAccount01,
            "dns-persist-01" => Self::DnsPersist01,
            "device-attest-01" => Self::DeviceAttest01,
            "email-reply-00" => Self::EmailReply00,
            other => Self::Other(other.to_owned()),
        }
    }
}

impl fmt::Display for ChallengeType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for ChallengeType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for ChallengeType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Cow::<'de, str>::deserialize(deserializer)?.as_ref().into())
    }
}

/// The state of a challenge (RFC 8555 section 7.1.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChallengeStatus {
    /// Waiting for the client.
    Pending,
    /// Being validated, perhaps not for the first time.
    Processing,
    /// Met.
    Valid,
    /// Failed.
    Invalid,
}

impl fmt::Display for ChallengeStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// What a challenge asks for beyond its type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChallengeDetails {
    /// A key authorization over this token.
    Token(Token),
    /// `email-reply-00`: the second half of the token, and who writes the mail with the first.
    Email {
        /// The sender's address.
        from: String,
        /// The half that travels here.
        token: Token,
    },
    /// `dns-persist-01`: a record that names the issuer and the account.
    Persist {
        /// Any one of these names the issuer.
        issuer_domain_names: Vec<String>,
        /// The account's URL, where records name it as such.
        account_uri: Option<String>,
    },
    /// A type we do not know, whatever it holds.
    Unknown,
}

/// A challenge as the account sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// The type.
    pub kind: ChallengeType,
    /// Where the client says that it is ready.
    pub url: String,
    /// The state.
    pub status: ChallengeStatus,
    /// When it was met; required while valid.
    pub validated: Option<Timestamp>,
    /// Why it failed, or failed so far (erratum 5732).
    pub error: Option<Problem>,
    /// What is asked for.
    pub details: ChallengeDetails,
}

impl Challenge {
    /// A pending challenge.
    pub fn pending(kind: ChallengeType, url: impl Into<String>, details: ChallengeDetails) -> Self {
        Self {
            kind,
            url: url.into(),
            status: ChallengeStatus::Pending,
            validated: None,
            error: None,
            details,
        }
    }

    /// The token, where the type has one.
    pub fn token(&self) -> Option<&Token> {
        match &self.details {
            ChallengeDetails::Token(token) | ChallengeDetails::Email { token, .. } => Some(token),
            ChallengeDetails::Persist { .. } | ChallengeDetails::Unknown => None,
        }
    }
}

impl Serialize for Challenge {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("type", &self.kind)?;
        map.serialize_entry("url", &self.url)?;
        map.serialize_entry("status", &self.status)?;
        if let Some(validated) = &self.validated {
            map.serialize_entry("validated", validated)?;
        }
        if let Some(error) = &self.error {
            map.serialize_entry("error", error)?;
        }
        match &self.details {
            ChallengeDetails::Token(token) => map.serialize_entry("token", token)?,
            ChallengeDetails::Email { from, token } => {
                map.serialize_entry("from", from)?;
                map.serialize_entry("token", token)?;
            }
            ChallengeDetails::Persist {
                issuer_domain_names,
                account_uri,
            } => {
                // The draft renamed the member in -02; clients of both kinds are about.
                map.serialize_entry("issuerDomainNames", issuer_domain_names)?;
                map.serialize_entry("issuer-domain-names", issuer_domain_names)?;
                if let Some(account_uri) = account_uri {
                    map.serialize_entry("accounturi", account_uri)?;
                }
            }
            ChallengeDetails::Unknown => {}
        }
        map.end()
    }
}

/// Every member that some type of challenge has.
#[derive(Deserialize)]
struct Members {
    #[serde(rename = "type")]
    kind: ChallengeType,
    url: String,
    status: ChallengeStatus,
    validated: Option<Timestamp>,
    error: Option<Problem>,
    token: Option<String>,
    from: Option<String>,
    #[serde(rename = "issuerDomainNames")]
    issuer_domain_names: Option<Vec<String>>,
    #[serde(rename = "issuer-domain-names")]
    issuer_domain_names_01: Option<Vec<String>>,
    accounturi: Option<String>,
}

impl Members {
    fn details(&mut self) -> Result<ChallengeDetails, String> {
        let missing = |member: &str| format!("the challenge lacks `{member}`");
        match &self.kind {
            ChallengeType::Other(_) => Ok(ChallengeDetails::Unknown),
            ChallengeType::DnsPersist01 => Ok(ChallengeDetails::Persist {
                issuer_domain_names: self
                    .issuer_domain_names
                    .take()
                    .or(self.issuer_domain_names_01.take())
                    .ok_or_else(|| missing("issuerDomainNames"))?,
                account_uri: self.accounturi.take(),
            }),
            ChallengeType::EmailReply00 => Ok(ChallengeDetails::Email {
                from: self.from.take().ok_or_else(|| missing("from"))?,
                token: self.token()?,
            }),
            ChallengeType::Http01
            | ChallengeType::Dns01
            | ChallengeType::TlsAlpn01
            | ChallengeType::DnsAccount01
            | ChallengeType::DeviceAttest01 => Ok(ChallengeDetails::Token(self.token()?)),
        }
    }

    fn token(&self) -> Result<Token, String> {
        let token = self.token.as_deref().ok_or("the challenge lacks `token`")?;
        token.parse().map_err(|error| format!("{error}"))
    }
}

impl<'de> Deserialize<'de> for Challenge {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut members = Members::deserialize(deserializer)?;
        let details = members.details().map_err(de::Error::custom)?;
        Ok(Self {
            kind: members.kind,
            url: members.url,
            status: members.status,
            validated: members.validated,
            error: members.error,
            details,
        })
    }
}

/// The body by which a client says that it is ready: `{}` for all types but `device-attest-01`. Other
/// members are ignored, among them the `keyAuthorization` of clients older than the standard.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChallengeResponse {
    /// The attestation object in CBOR.
    #[serde(rename = "attObj", default, skip_serializing_if = "Option::is_none")]
    pub attestation: Option<Base64Url>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::{Value, json};

    const TOKEN: &str = "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA";

    #[rstest]
    #[case(json!({"type": "http-01", "token": TOKEN}))]
    #[case(json!({"type": "dns-01", "token": TOKEN}))]
    #[case(json!({"type": "tls-alpn-01", "token": TOKEN}))]
    #[case(json!({"type": "dns-account-01", "token": TOKEN}))]
    #[case(json!({"type": "device-attest-01", "token": TOKEN}))]
    #[case(json!({"type": "email-reply-00", "token": TOKEN, "from": "acme@ca.example"}))]
    #[case(json!({"type": "dns-persist-01", "accounturi": "https://ca.example/acct/1",
        "issuerDomainNames": ["ca.example"], "issuer-domain-names": ["ca.example"]}))]
    #[case(json!({"type": "new-99"}))]
    fn each_type_carries_its_own_members(#[case] mut wire: Value) {
        wire["url"] = json!("https://ca.example/challenge/1");
        wire["status"] = json!("valid");
        wire["validated"] = json!("2026-12-01T00:00:00Z");
        let challenge: Challenge = serde_json::from_value(wire.clone()).unwrap();
        assert_eq!(serde_json::to_value(&challenge).unwrap(), wire);
    }

    #[test]
    fn both_spellings_of_the_issuer_names_are_read() {
        for member in ["issuerDomainNames", "issuer-domain-names"] {
            let wire = json!({"type": "dns-persist-01", "url": "u", "status": "pending", member: ["ca.example"]});
            let challenge: Challenge = serde_json::from_value(wire).unwrap();
            assert_eq!(challenge.token(), None);
            let ChallengeDetails::Persist {
                issuer_domain_names,
                ..
            } = challenge.details
            else {
                panic!("not a dns-persist-01 challenge");
            };
            assert_eq!(issuer_domain_names, ["ca.example"]);
        }
    }

    #[rstest]
    #[case(json!({"type": "http-01"}))]
    #[case(json!({"type": "http-01", "token": "short"}))]
    #[case(json!({"type": "dns-persist-01", "token": TOKEN}))]
    #[case(json!({"type": "email-reply-00", "token": TOKEN}))]
    fn a_challenge_without_what_its_type_needs_is_refused(#[case] mut wire: Value) {
        wire["url"] = json!("u");
        wire["status"] = json!("pending");
        assert!(serde_json::from_value::<Challenge>(wire).is_err());
    }

    #[test]
    fn a_response_may_hold_an_attestation_and_anything_unknown() {
        let read = |body: Value| serde_json::from_value::<ChallengeResponse>(body);
        assert_eq!(read(json!({})).unwrap(), ChallengeResponse::default());
        assert!(
            read(json!({"keyAuthorization": "x"}))
                .unwrap()
                .attestation
                .is_none()
        );
        let attestation = read(json!({"attObj": "o2NmbXQ"})).unwrap().attestation;
        assert_eq!(attestation.unwrap().as_ref(), b"\xa3cfmt");
        assert!(read(json!({"attObj": "o2NmbXQ="})).is_err());
    }
}
