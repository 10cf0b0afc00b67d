//! Sign-on by somebody else's word: OpenID Connect providers, what they say, and what it opens here.

use std::collections::BTreeSet;
use std::net::IpAddr;

use async_trait::async_trait;
use pki::random::Random;
use pki::time::Timestamp;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::access::{Grant, Principal, RoleRef, Scope};
use crate::id::{GrantId, ProviderId, TeamId, UserId};

/// A provider that people may sign in with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provider {
    pub id: ProviderId,
    /// What URLs and the command line call it.
    pub name: String,
    pub spec: ProviderSpec,
    /// The client's secret, sealed; a public client has none.
    pub sealed_secret: Option<String>,
    pub created_at: Timestamp,
    /// Also the version that changes are made to.
    pub updated_at: Timestamp,
}

/// What an operator says about a provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderSpec {
    /// What people read on the button.
    pub title: String,
    /// The issuer's URL exactly as it stands in its tokens; discovery starts from it.
    pub issuer: String,
    pub client_id: String,
    #[serde(default = "default_scopes")]
    pub scopes: Vec<String>,
    /// How its tokens may be signed; what is not named is refused.
    #[serde(default = "default_algorithms")]
    pub algorithms: Vec<TokenAlgorithm>,
    /// The claim with the person's groups.
    #[serde(default = "default_groups_claim")]
    pub groups_claim: String,
    /// What groups may do here.
    #[serde(default)]
    pub grants: Vec<GroupGrant>,
    /// Whether somebody without a group of `grants` may come in, too, to have roles given here.
    #[serde(default)]
    pub admits_everybody: bool,
    /// PEM: whom to trust for the provider's own TLS, in place of the system's authorities.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_certificates: Option<String>,
    #[serde(default = "yes")]
    pub enabled: bool,
}

/// One group's role, everywhere or in one team.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupGrant {
    pub group: String,
    pub role: RoleRef,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<TeamId>,
}

impl GroupGrant {
    /// As a grant, to look up what its role allows. It is in no table: its id and its holder stand
    /// for nothing.
    pub fn as_grant(&self) -> Grant {
        Grant {
            id: GrantId::mint(Timestamp::UNIX_EPOCH, &Zeros),
            principal: Principal::User(UserId::mint(Timestamp::UNIX_EPOCH, &Zeros)),
            role: self.role.clone(),
            scope: Scope::of(self.team.clone()),
            created_at: Timestamp::UNIX_EPOCH,
        }
    }
}

/// For ids that stand for nothing.
struct Zeros;

impl Random for Zeros {
    fn fill(&self, buffer: &mut [u8]) {
        buffer.fill(0);
    }
}

/// Signature algorithms of ID tokens (RFC 7518 section 3.1): those with a public key only, since a
/// shared secret would let whoever reads our configuration make tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum TokenAlgorithm {
    #[serde(rename = "RS256")]
    Rs256,
    #[serde(rename = "RS384")]
    Rs384,
    #[serde(rename = "RS512")]
    Rs512,
    #[serde(rename = "PS256")]
    Ps256,
    #[serde(rename = "PS384")]
    Ps384,
    #[serde(rename = "PS512")]
    Ps512,
    #[serde(rename = "ES256")]
    Es256,
    #[serde(rename = "ES384")]
    Es384,
    #[serde(rename = "EdDSA")]
    EdDsa,
}

impl TokenAlgorithm {
    /// Its name in a token's header.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::EdDsa => "EdDSA",
        }
    }
}

fn default_scopes() -> Vec<String> {
    ["openid", "profile", "email"].map(str::to_owned).to_vec()
}

fn default_algorithms() -> Vec<TokenAlgorithm> {
    vec![TokenAlgorithm::Rs256, TokenAlgorithm::Es256]
}

fn default_groups_claim() -> String {
    "groups".to_owned()
}

fn yes() -> bool {
    true
}

/// What is wrong with a provider's settings.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProviderFault {
    #[error(
        "`issuer` must be a URL like https://login.example.org/realms/staff, without query or fragment"
    )]
    IssuerUrl,
    #[error(
        "`issuer` must begin with https://; plain http is taken for this machine's own loopback only"
    )]
    IssuerScheme,
    #[error("`client_id` is empty; it is what the provider calls this server")]
    NoClientId,
    #[error("`title` is empty; it is what people read on the button")]
    NoTitle,
    #[error("`algorithms` is empty; name at least one, RS256 is the usual one")]
    NoAlgorithm,
    #[error("`scopes` lacks `openid`, without which there is no ID token")]
    NoOpenId,
    #[error("`scopes` holds `{0}`; a scope has no spaces and no quotes")]
    Scope(String),
    #[error("`groups_claim` is empty; it names the claim with the person's groups")]
    NoGroupsClaim,
    #[error("`grants` gives a role to a group without a name")]
    NoGroup,
    #[error("`ca_certificates` holds no PEM certificate")]
    CaCertificates,
}

impl ProviderSpec {
    /// Everything that is wrong with the settings.
    pub fn faults(&self) -> Vec<ProviderFault> {
        let mut faults = Vec::new();
        let mut note = |is_wrong: bool, fault: ProviderFault| {
            if is_wrong {
                faults.push(fault);
            }
        };
        match host_of(&self.issuer) {
            None => note(true, ProviderFault::IssuerUrl),
            Some(("https", _)) => {}
            Some((_, host)) => note(!is_loopback(host), ProviderFault::IssuerScheme),
        }
        note(self.client_id.trim().is_empty(), ProviderFault::NoClientId);
        note(self.title.trim().is_empty(), ProviderFault::NoTitle);
        note(self.algorithms.is_empty(), ProviderFault::NoAlgorithm);
        note(
            !self.scopes.iter().any(|scope| scope == "openid"),
            ProviderFault::NoOpenId,
        );
        for scope in self.scopes.iter().filter(|scope| !is_scope(scope)) {
            note(true, ProviderFault::Scope(scope.chars().take(64).collect()));
        }
        note(self.groups_claim.is_empty(), ProviderFault::NoGroupsClaim);
        let nameless = self.grants.iter().any(|grant| grant.group.is_empty());
        note(nameless, ProviderFault::NoGroup);
        let bundle = self.ca_certificates.as_deref();
        let is_pem = |pem: &str| pem.contains("-----BEGIN CERTIFICATE-----");
        note(
            bundle.is_some_and(|pem| !is_pem(pem)),
            ProviderFault::CaCertificates,
        );
        faults
    }

    /// What somebody in these groups is granted.
    pub fn granted<'a>(&'a self, groups: &'a [String]) -> impl Iterator<Item = &'a GroupGrant> {
        let known: BTreeSet<&str> = groups.iter().map(String::as_str).collect();
        self.grants
            .iter()
            .filter(move |grant| known.contains(grant.group.as_str()))
    }

    /// Whether somebody in these groups comes in at all.
    pub fn admits(&self, groups: &[String]) -> bool {
        self.admits_everybody || self.granted(groups).next().is_some()
    }
}

/// RFC 6749 section 3.3.
fn is_scope(text: &str) -> bool {
    let is_part = |octet: u8| matches!(octet, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
    !text.is_empty() && text.bytes().all(is_part)
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// Scheme and host of an issuer's URL (OpenID Connect Discovery section 3), where it is one.
fn host_of(url: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = url.split_once("://")?;
    let is_known = matches!(scheme, "https" | "http");
    let is_bare = !url.contains(['?', '#', ' ', '@', '\\']);
    let authority = rest.split('/').next()?;
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.parse::<u16>().is_ok() => host,
        Some(_) if !authority.ends_with(']') => return None,
        Some(_) | None => authority,
    };
    (is_known && is_bare && !host.is_empty()).then_some((scheme, host))
}

/// What a browser is sent away with and has to be held against when it comes back.
pub struct Errand {
    /// Where the provider sends it back to.
    pub redirect: String,
    /// Comes back in the ID token.
    pub nonce: SecretString,
    /// Shows the provider that we are who began (RFC 7636).
    pub verifier: SecretString,
}

/// What a provider says of a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    pub subject: String,
    pub user_name: Option<String>,
    pub display_name: Option<String>,
    /// Only if the provider says that it was verified.
    pub email: Option<String>,
    pub groups: Vec<String>,
}

/// Why a provider's word is not had or not taken.
#[derive(Debug, thiserror::Error)]
pub enum SignOnError {
    #[error("the sign-on provider cannot be reached: {0}")]
    Unreachable(String),
    #[error("the sign-on provider refused: {0}")]
    Refused(String),
    #[error("what the sign-on provider says is not accepted: {0}")]
    Untrusted(String),
}

/// Talks to providers.
#[async_trait]
pub trait SignOnClient: Send + Sync {
    /// Where a browser goes to; `state` comes back in the URL.
    async fn authorization_url(
        &self,
        spec: &ProviderSpec,
        errand: &Errand,
        state: &str,
    ) -> Result<String, SignOnError>;

    /// Turns the code that a browser came back with into an identity; `now` judges the token's times.
    async fn identify(
        &self,
        spec: &ProviderSpec,
        secret: Option<&SecretString>,
        errand: &Errand,
        code: &SecretString,
        now: Timestamp,
    ) -> Result<Identity, SignOnError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec() -> ProviderSpec {
        ProviderSpec {
            title: "Staff".to_owned(),
            issuer: "https://login.example.org/realms/staff".to_owned(),
            client_id: "certwright".to_owned(),
            scopes: default_scopes(),
            algorithms: default_algorithms(),
            groups_claim: default_groups_claim(),
            grants: vec![GroupGrant {
                group: "pki".to_owned(),
                role: RoleRef::BuiltIn(crate::role::Role::CaOperator),
                team: None,
            }],
            admits_everybody: false,
            ca_certificates: None,
            enabled: true,
        }
    }

    #[test]
    fn an_issuer_is_an_https_url_or_on_this_machine() {
        for (issuer, fault) in [
            ("https://login.example.org", None),
            ("https://login.example.org:8443/a/b", None),
            ("http://localhost:3000", None),
            ("http://127.0.0.1:3000/oidc", None),
            ("http://[::1]:3000", None),
            (
                "http://login.example.org",
                Some(ProviderFault::IssuerScheme),
            ),
            (
                "http://127.0.0.1.example.org",
                Some(ProviderFault::IssuerScheme),
            ),
            (
                "http://localhost@example.org",
                Some(ProviderFault::IssuerUrl),
            ),
            (
                "https://login.example.org?x=1",
                Some(ProviderFault::IssuerUrl),
            ),
            ("file:///etc/passwd", Some(ProviderFault::IssuerUrl)),
            ("login.example.org", Some(ProviderFault::IssuerUrl)),
            ("https://", Some(ProviderFault::IssuerUrl)),
        ] {
            let settings = ProviderSpec {
                issuer: issuer.to_owned(),
                ..spec()
            };
            assert_eq!(settings.faults().first().cloned(), fault, "{issuer}");
        }
    }

    #[test]
    fn every_fault_is_listed_at_once() {
        let settings = ProviderSpec {
            title: " ".to_owned(),
            client_id: String::new(),
            scopes: vec!["a b".to_owned()],
            algorithms: Vec::new(),
            ..spec()
        };
        assert_eq!(settings.faults().len(), 5, "{:?}", settings.faults());
    }

    #[test]
    fn who_has_no_known_group_stays_out_unless_everybody_is_admitted() {
        let groups =
            |names: &[&str]| -> Vec<String> { names.iter().map(|n| (*n).to_owned()).collect() };
        assert!(spec().admits(&groups(&["hr", "pki"])));
        assert!(!spec().admits(&groups(&["hr", "PKI"])));
        assert!(!spec().admits(&[]));
        let open = ProviderSpec {
            admits_everybody: true,
            ..spec()
        };
        assert!(open.admits(&[]));
        assert_eq!(open.granted(&[]).count(), 0);
    }

    #[test]
    fn shared_secrets_and_no_signature_are_no_algorithms() {
        for name in ["none", "HS256", "rs256"] {
            assert!(
                serde_json::from_value::<TokenAlgorithm>(name.into()).is_err(),
                "{name}"
            );
        }
    }
}
