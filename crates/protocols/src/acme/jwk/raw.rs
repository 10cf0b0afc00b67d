//! A JWK as it stands in JSON, before anything about it is believed.

use serde::{Deserialize, Deserializer, Serialize, de::IgnoredAny};

use super::{Curve, Jwk, JwkError, Material, coordinates, rsa};
use crate::acme::base64url;

/// The members we look at; those we do not (`kid`, `x5c`, …) are ignored as RFC 7517 section 4 asks.
#[derive(Default, Deserialize, Serialize)]
pub(crate) struct RawJwk {
    kty: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    crv: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    x: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    y: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    n: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    e: Option<String>,
    #[serde(rename = "use", skip_serializing)]
    usage: Option<String>,
    #[serde(default, skip_serializing)]
    d: Present,
    #[serde(default, skip_serializing)]
    p: Present,
    #[serde(default, skip_serializing)]
    q: Present,
    #[serde(default, skip_serializing)]
    dp: Present,
    #[serde(default, skip_serializing)]
    dq: Present,
    #[serde(default, skip_serializing)]
    qi: Present,
    #[serde(default, skip_serializing)]
    oth: Present,
    #[serde(default, skip_serializing)]
    k: Present,
}

/// Whether a member is there at all, whatever its value.
#[derive(Clone, Copy, Default)]
pub(crate) struct Present(pub(crate) bool);

impl<'de> Deserialize<'de> for Present {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Self(true))
    }
}

impl RawJwk {
    fn private_member(&self) -> Option<&'static str> {
        [
            ("d", self.d),
            ("p", self.p),
            ("q", self.q),
            ("dp", self.dp),
            ("dq", self.dq),
            ("qi", self.qi),
            ("oth", self.oth),
            ("k", self.k),
        ]
        .into_iter()
        .find_map(|(name, present)| present.0.then_some(name))
    }
}

impl TryFrom<RawJwk> for Jwk {
    type Error = JwkError;

    fn try_from(raw: RawJwk) -> Result<Self, JwkError> {
        let kty = raw.kty.as_deref().ok_or(JwkError::Missing("kty"))?;
        if kty == "oct" {
            return Err(JwkError::Symmetric);
        }
        if let Some(member) = raw.private_member() {
            return Err(JwkError::PrivateMember(member));
        }
        if let Some(usage) = raw.usage.as_deref().filter(|usage| *usage != "sig") {
            return Err(JwkError::Use(usage.to_owned()));
        }
        match kty {
            "EC" => ec(&raw),
            "RSA" => rsa(minimal("n", raw.n)?, minimal("e", raw.e)?),
            "OKP" => ed25519(raw),
            other => Err(JwkError::KeyType(other.to_owned())),
        }
    }
}

fn ec(raw: &RawJwk) -> Result<Jwk, JwkError> {
    let name = raw.crv.as_deref().ok_or(JwkError::Missing("crv"))?;
    let curve = Curve::from_name(name).ok_or_else(|| JwkError::Curve(name.to_owned()))?;
    let octets = curve.coordinate_octets();
    let mut point = vec![0x04];
    point.extend(exactly("x", raw.x.as_deref(), octets)?);
    point.extend(exactly("y", raw.y.as_deref(), octets)?);
    Ok(Jwk(Material::Ec { curve, point }))
}

fn ed25519(raw: RawJwk) -> Result<Jwk, JwkError> {
    match raw.crv.as_deref() {
        None => Err(JwkError::Missing("crv")),
        Some("Ed25519") => {
            let key = exactly("x", raw.x.as_deref(), 32)?;
            let key = key.try_into().map_err(|_| JwkError::Missing("x"))?;
            Ok(Jwk(Material::Ed25519(key)))
        }
        Some(other) => Err(JwkError::Curve(other.to_owned())),
    }
}

fn decode(member: &'static str, text: Option<&str>) -> Result<Vec<u8>, JwkError> {
    let text = text.ok_or(JwkError::Missing(member))?;
    base64url::decode(text).map_err(|error| JwkError::Member {
        member,
        fault: format!("cannot be decoded: {error}"),
    })
}

/// RFC 7518 section 6.2.1.2: a coordinate has the full length of its curve, leading zeros included.
fn exactly(member: &'static str, text: Option<&str>, octets: usize) -> Result<Vec<u8>, JwkError> {
    let number = decode(member, text)?;
    if number.len() == octets {
        return Ok(number);
    }
    Err(JwkError::Member {
        member,
        fault: format!("has {} octets instead of {octets}", number.len()),
    })
}

/// RFC 7518 section 2, Base64urlUInt: the minimal number of octets. A leading zero would give the same
/// key a second thumbprint.
fn minimal(member: &'static str, text: Option<String>) -> Result<Vec<u8>, JwkError> {
    let number = decode(member, text.as_deref())?;
    match number.first() {
        Some(0) | None => Err(JwkError::Member {
            member,
            fault: "must be a number without leading zero octets".to_owned(),
        }),
        Some(_) => Ok(number),
    }
}

impl From<&Jwk> for RawJwk {
    fn from(jwk: &Jwk) -> Self {
        let b64 = |octets: &[u8]| Some(base64url::encode(octets));
        match &jwk.0 {
            Material::Ec { curve, point } => {
                let (x, y) = coordinates(*curve, point);
                Self {
                    kty: Some("EC".to_owned()),
                    crv: Some(curve.name().to_owned()),
                    x: b64(x),
                    y: b64(y),
                    ..Self::default()
                }
            }
            Material::Rsa { modulus, exponent } => Self {
                kty: Some("RSA".to_owned()),
                n: b64(modulus),
                e: b64(exponent),
                ..Self::default()
            },
            Material::Ed25519(x) => Self {
                kty: Some("OKP".to_owned()),
                crv: Some("Ed25519".to_owned()),
                x: b64(x),
                ..Self::default()
            },
        }
    }
}
