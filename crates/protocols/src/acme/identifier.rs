//! What a certificate is asked for: a typed name (RFC 8555 section 7.1.3).

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::json;

/// The `type` of an identifier.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IdentifierType {
    /// A DNS name (RFC 8555).
    Dns,
    /// An IP address (RFC 8738).
    Ip,
    /// A mailbox (RFC 8823).
    Email,
    /// A device's permanent identifier (draft-ietf-acme-device-attest).
    PermanentIdentifier,
    /// A hardware module's serial number (draft-ietf-acme-device-attest).
    HardwareModule,
    /// A type we do not know; answered with `unsupportedIdentifier`.
    Other(String),
}

impl IdentifierType {
    /// The name on the wire.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Dns => "dns",
            Self::Ip => "ip",
            Self::Email => "email",
            Self::PermanentIdentifier => "permanent-identifier",
            Self::HardwareModule => "hardware-module",
            Self::Other(name) => name,
        }
    }
}

impl From<&str> for IdentifierType {
    fn from(name: &str) -> Self {
        match name {
            "dns" => Self::Dns,
            "ip" => Self::Ip,
            "email" => Self::Email,
            "permanent-identifier" => Self::PermanentIdentifier,
            "hardware-module" => Self::HardwareModule,
            other => Self::Other(other.to_owned()),
        }
    }
}

impl fmt::Display for IdentifierType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for IdentifierType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for IdentifierType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Cow::<'de, str>::deserialize(deserializer)?.as_ref().into())
    }
}

/// An identifier exactly as it was sent; what it may look like is the domain's business.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Identifier {
    /// Which kind of name.
    #[serde(rename = "type")]
    pub kind: IdentifierType,
    /// The name.
    pub value: String,
}

impl<'de> Deserialize<'de> for Identifier {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Members {
            #[serde(rename = "type")]
            kind: IdentifierType,
            value: String,
        }
        let Members { kind, value } = json::object(deserializer)?;
        Ok(Self { kind, value })
    }
}

impl Identifier {
    /// An identifier of any type.
    pub fn new(kind: IdentifierType, value: impl Into<String>) -> Self {
        Self {
            kind,
            value: value.into(),
        }
    }

    /// A DNS name.
    pub fn dns(value: impl Into<String>) -> Self {
        Self::new(IdentifierType::Dns, value)
    }

    /// An IP address.
    pub fn ip(address: std::net::IpAddr) -> Self {
        Self::new(IdentifierType::Ip, address.to_string())
    }
}

impl fmt::Display for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind, self.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_identifier_is_an_object_with_type_and_value() {
        let read = serde_json::from_value::<Identifier>;
        let expected = Identifier::dns("a.example");
        let extended = json!({"type": "dns", "value": "a.example", "ancestorDomain": "example"});
        assert_eq!(read(extended).unwrap(), expected);
        for wrong in [
            json!(["dns", "a.example"]),
            json!("a.example"),
            json!({"type": "dns"}),
            json!({"type": "dns", "value": null}),
            json!({"type": 1, "value": "a.example"}),
        ] {
            assert!(read(wrong.clone()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_address_is_written_in_its_canonical_form() {
        let address = "2001:0DB8:0:0:0:0:0:1".parse().unwrap();
        assert_eq!(Identifier::ip(address).to_string(), "ip:2001:db8::1");
    }
}
