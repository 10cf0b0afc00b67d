//! What a certificate names: hosts and addresses, control of which ACME proves (RFC 8555 section
//! 9.7.7, RFC 8738), devices, which their makers vouch for (draft-ietf-acme-device-attest), and
//! mailboxes and URIs, which known requesters ask for.

mod mailbox;
mod uri;

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use pki::name::{DeviceNameFault, GeneralName, HardwareModule, PermanentIdentifier};
use serde::{Deserialize, Serialize};

pub use mailbox::{Mailbox, MailboxFault};
pub use uri::{Uri, UriFault};

/// An identifier of a kind we can issue for, in its canonical form.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "type", content = "value", rename_all = "lowercase")]
pub enum Identifier {
    /// A DNS name, perhaps a wildcard (RFC 8555 section 9.7.7).
    Dns(DnsName),
    /// An IP address (RFC 8738).
    Ip(IpAddr),
    /// A mailbox (RFC 5280 section 4.2.1.6, rfc822Name; RFC 8823 in ACME).
    Email(Mailbox),
    /// A URI (RFC 5280 section 4.2.1.6, uniformResourceIdentifier). Not in ACME.
    Uri(Uri),
    /// A device, by a value that stays with it (RFC 4043).
    #[serde(rename = "permanent-identifier")]
    Permanent(PermanentIdentifier),
    /// A piece of hardware, by type and serial number (RFC 4108).
    #[serde(rename = "hardware-module")]
    Hardware(HardwareModule),
}

impl Identifier {
    /// Reads a name of any kind: `email` and `uri` beside those of ACME.
    pub fn parse_any(kind: &str, value: &str) -> Result<Self, IdentifierError> {
        match kind {
            "email" => Mailbox::parse(value).map(Self::Email),
            "uri" => Uri::parse(value).map(Self::Uri),
            "dns" | "ip" | PERMANENT | HARDWARE => Self::parse(kind, value),
            _ => Err(IdentifierError::UnknownType {
                kind: kind.chars().take(64).collect(),
            }),
        }
    }

    /// Reads a name whose kind follows from its form: an address, a mailbox with its `@`, a URI
    /// with its scheme, else a DNS name.
    pub fn from_text(text: &str) -> Result<Self, IdentifierError> {
        if text.parse::<IpAddr>().is_ok() {
            return parse_ip(text).map(Self::Ip);
        }
        match text.split_once(':') {
            Some((scheme, _)) if uri::is_scheme(scheme) => Uri::parse(text).map(Self::Uri),
            _ if text.contains('@') => Mailbox::parse(text).map(Self::Email),
            _ => DnsName::parse(text).map(Self::Dns),
        }
    }

    /// The identifier of a name in a CSR; DNS names are folded to lower case.
    pub fn from_general_name(name: &GeneralName) -> Result<Self, IdentifierError> {
        match name {
            GeneralName::Dns(text) => DnsName::parse(&text.to_ascii_lowercase()).map(Self::Dns),
            GeneralName::Ip(address) => Ok(Self::Ip(*address)),
            GeneralName::Email(text) => Mailbox::parse(text).map(Self::Email),
            GeneralName::Uri(text) => Uri::parse(text).map(Self::Uri),
            GeneralName::Other { .. } => PermanentIdentifier::from_general_name(name)
                .map(Self::Permanent)
                .or_else(|| HardwareModule::from_general_name(name).map(Self::Hardware))
                .ok_or_else(|| IdentifierError::UnsupportedName(name.to_string())),
            GeneralName::Directory(_) => Err(IdentifierError::UnsupportedName(name.to_string())),
        }
    }

    /// Reads the `type` and `value` of an ACME identifier.
    pub fn parse(kind: &str, value: &str) -> Result<Self, IdentifierError> {
        match kind {
            "dns" => DnsName::parse(value).map(Self::Dns),
            "ip" => parse_ip(value).map(Self::Ip),
            PERMANENT => value
                .parse()
                .map(Self::Permanent)
                .map_err(bad_device(value)),
            HARDWARE => value.parse().map(Self::Hardware).map_err(bad_device(value)),
            _ => Err(IdentifierError::UnsupportedType {
                kind: kind.chars().take(64).collect(),
            }),
        }
    }

    /// The `type`, that of ACME where ACME has one.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Dns(_) => "dns",
            Self::Ip(_) => "ip",
            Self::Email(_) => "email",
            Self::Uri(_) => "uri",
            Self::Permanent(_) => PERMANENT,
            Self::Hardware(_) => HARDWARE,
        }
    }

    /// Whether it names a device; such a name may be left out of CSR and certificate.
    pub fn is_device(&self) -> bool {
        match self {
            Self::Permanent(_) | Self::Hardware(_) => true,
            Self::Dns(_) | Self::Ip(_) | Self::Email(_) | Self::Uri(_) => false,
        }
    }

    /// The ACME `value`.
    pub fn value(&self) -> String {
        match self {
            Self::Dns(name) => name.to_string(),
            Self::Ip(address) => address.to_string(),
            Self::Email(mailbox) => mailbox.to_string(),
            Self::Uri(uri) => uri.to_string(),
            Self::Permanent(name) => name.to_string(),
            Self::Hardware(name) => name.to_string(),
        }
    }

    /// Whether this is `*.` and a name.
    pub fn is_wildcard(&self) -> bool {
        matches!(self, Self::Dns(name) if name.is_wildcard())
    }

    /// The identifier an authorization is about: a wildcard's base name (RFC 8555 section 7.1.4).
    pub fn without_wildcard(&self) -> Self {
        match self {
            Self::Dns(name) => Self::Dns(name.base()),
            Self::Ip(_)
            | Self::Email(_)
            | Self::Uri(_)
            | Self::Permanent(_)
            | Self::Hardware(_) => self.clone(),
        }
    }

    /// The subject alternative name that carries this identifier.
    pub fn to_general_name(&self) -> GeneralName {
        match self {
            Self::Dns(name) => GeneralName::Dns(name.to_string()),
            Self::Ip(address) => GeneralName::Ip(*address),
            Self::Email(mailbox) => GeneralName::Email(mailbox.to_string()),
            Self::Uri(uri) => GeneralName::Uri(uri.to_string()),
            Self::Permanent(name) => name.to_general_name(),
            Self::Hardware(name) => name.to_general_name(),
        }
    }
}

impl fmt::Display for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(name) => name.fmt(f),
            Self::Ip(address) => address.fmt(f),
            Self::Email(mailbox) => mailbox.fmt(f),
            Self::Uri(uri) => uri.fmt(f),
            Self::Permanent(name) => name.fmt(f),
            Self::Hardware(name) => name.fmt(f),
        }
    }
}

/// A DNS name in the form RFC 5280 section 7 wants: lower-case A-labels, no trailing dot.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DnsName(String);

impl DnsName {
    /// Reads a name that is already canonical. Nothing is folded or repaired: a client that sees
    /// another spelling in the order than it asked for would not recognise its own order.
    pub fn parse(text: &str) -> Result<Self, IdentifierError> {
        let refuse = |reason| {
            Err(IdentifierError::BadDnsName {
                name: text.chars().take(300).collect(),
                reason,
            })
        };
        let name = text.strip_prefix("*.").unwrap_or(text);
        if text.is_empty() || name.is_empty() {
            return refuse(DnsNameFault::Empty);
        }
        if text.len() > MAX_NAME {
            return refuse(DnsNameFault::TooLong);
        }
        if !text.is_ascii() {
            return refuse(DnsNameFault::NotAscii);
        }
        if text.bytes().any(|octet| octet.is_ascii_uppercase()) {
            return refuse(DnsNameFault::UpperCase);
        }
        if text.ends_with('.') {
            return refuse(DnsNameFault::TrailingDot);
        }
        if name.contains('*') {
            return refuse(DnsNameFault::MisplacedWildcard);
        }
        if name.parse::<Ipv4Addr>().is_ok() || looks_like_ipv4(name) {
            return refuse(DnsNameFault::IpAddress);
        }
        for label in name.split('.') {
            if let Some(reason) = label_fault(label) {
                return refuse(reason);
            }
        }
        if text.len() != name.len() && is_public_suffix(name) {
            return refuse(DnsNameFault::WildcardOverPublicSuffix);
        }
        Ok(Self(text.to_owned()))
    }

    /// The name as written, wildcard label included.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the left-most label is `*`.
    pub fn is_wildcard(&self) -> bool {
        self.0.starts_with("*.")
    }

    /// The name without a leading `*.`.
    pub fn base(&self) -> Self {
        Self(self.0.strip_prefix("*.").unwrap_or(&self.0).to_owned())
    }

    /// Whether this is `ancestor` or lies below it, on a label border.
    pub fn is_within(&self, ancestor: &str) -> bool {
        self.0 == ancestor
            || self
                .0
                .strip_suffix(ancestor)
                .is_some_and(|rest| rest.ends_with('.'))
    }
}

impl fmt::Display for DnsName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for DnsName {
    type Error = IdentifierError;

    fn try_from(text: String) -> Result<Self, IdentifierError> {
        Self::parse(&text)
    }
}

impl From<DnsName> for String {
    fn from(name: DnsName) -> Self {
        name.0
    }
}

/// Why an identifier cannot be in an order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdentifierError {
    #[error(
        "identifiers of type `{kind}` are not offered here; use `dns`, `ip`, `permanent-identifier` or `hardware-module`"
    )]
    UnsupportedType { kind: String },
    #[error("`{name}` cannot be certified: {reason}")]
    BadDnsName { name: String, reason: DnsNameFault },
    #[error("`{value}` is not an IP address in its canonical form (RFC 5952 for IPv6){hint}")]
    BadIpAddress { value: String, hint: String },
    #[error(
        "names of type `{kind}` are not known here; use `dns`, `ip`, `email`, `uri`, `permanent-identifier` or `hardware-module`"
    )]
    UnknownType { kind: String },
    #[error("`{value}` is not an e-mail address that can be certified: {reason}")]
    BadMailbox { value: String, reason: MailboxFault },
    #[error("`{value}` is not a URI that can be certified: {reason}")]
    BadUri { value: String, reason: UriFault },
    #[error("`{value}` is no name of a device: {reason}")]
    BadDevice {
        value: String,
        reason: DeviceNameFault,
    },
    #[error("`{0}` is a name of a form that is not certified here")]
    UnsupportedName(String),
}

/// What is wrong with a DNS name, and what to change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DnsNameFault {
    #[error("the name is empty")]
    Empty,
    #[error("the name is longer than 253 octets")]
    TooLong,
    #[error("the name has characters outside ASCII; write it in its A-label form (xn--…)")]
    NotAscii,
    #[error("the name has upper-case letters; write it in lower case")]
    UpperCase,
    #[error("the name ends with a dot; leave the dot out")]
    TrailingDot,
    #[error("a wildcard may only be the whole left-most label, as in *.example.org")]
    MisplacedWildcard,
    #[error("this is an IP address; use an identifier of type `ip`")]
    IpAddress,
    #[error("a label is empty")]
    EmptyLabel,
    #[error("a label is longer than 63 octets")]
    LongLabel,
    #[error("a label has characters other than letters, digits and hyphens")]
    BadCharacter,
    #[error("underscores are not allowed in the name of a host")]
    Underscore,
    #[error("a label begins or ends with a hyphen")]
    OuterHyphen,
    #[error("a label has `--` as its third and fourth character but is no valid A-label")]
    BadALabel,
    #[error("a wildcard directly over a public suffix would cover names of many owners")]
    WildcardOverPublicSuffix,
}

/// Checks one label: LDH, and where it claims to be an A-label, one that decodes and encodes back.
fn label_fault(label: &str) -> Option<DnsNameFault> {
    if label.is_empty() {
        return Some(DnsNameFault::EmptyLabel);
    }
    if label.len() > MAX_LABEL {
        return Some(DnsNameFault::LongLabel);
    }
    if label.contains('_') {
        return Some(DnsNameFault::Underscore);
    }
    if !label
        .bytes()
        .all(|octet| octet.is_ascii_alphanumeric() || octet == b'-')
    {
        return Some(DnsNameFault::BadCharacter);
    }
    if label.starts_with('-') || label.ends_with('-') {
        return Some(DnsNameFault::OuterHyphen);
    }
    if label.get(2..4) == Some("--") && !is_a_label(label) {
        return Some(DnsNameFault::BadALabel);
    }
    None
}

fn is_a_label(label: &str) -> bool {
    let (unicode, decoded) = idna::domain_to_unicode(label);
    label.starts_with("xn--")
        && decoded.is_ok()
        && unicode != label
        && idna::domain_to_ascii_strict(&unicode).is_ok_and(|ascii| ascii == label)
}

/// A last label of digits only (or `0x…`) is read as an address by browsers (WHATWG URL).
fn looks_like_ipv4(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or(name);
    last.bytes().all(|octet| octet.is_ascii_digit())
}

fn is_public_suffix(name: &str) -> bool {
    psl::suffix_str(name) == Some(name)
}

fn parse_ip(text: &str) -> Result<IpAddr, IdentifierError> {
    let canonical = text
        .parse::<Ipv4Addr>()
        .map(IpAddr::V4)
        .or_else(|_| text.parse::<Ipv6Addr>().map(IpAddr::V6));
    match canonical {
        Ok(address) if address.to_string() == text => Ok(address),
        Ok(address) => Err(IdentifierError::BadIpAddress {
            value: text.to_owned(),
            hint: format!("; write it as {address}"),
        }),
        Err(_) => Err(IdentifierError::BadIpAddress {
            value: text.chars().take(64).collect(),
            hint: String::new(),
        }),
    }
}

fn bad_device(value: &str) -> impl FnOnce(DeviceNameFault) -> IdentifierError {
    |reason| IdentifierError::BadDevice {
        value: value.chars().take(300).collect(),
        reason,
    }
}

const PERMANENT: &str = "permanent-identifier";
const HARDWARE: &str = "hardware-module";
const MAX_NAME: usize = 253;
const MAX_LABEL: usize = 63;

#[cfg(test)]
mod tests;
