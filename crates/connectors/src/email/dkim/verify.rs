//! Verifying what came in (RFC 6376 section 6). One good signature by the domain of the sender is enough.

use aws_lc_rs::digest::{SHA256, digest};
use domain::acme::email::SignatureFault;
use pki::key::{KeyKind, PublicKey, SignatureAlgorithm};

use super::tags::Tags;
use super::{Canonical, Fields};
use crate::net::{DnsError, Resolver};

/// Whether `domain` signed the mail.
pub async fn verify(mail: &[u8], domain: &str, resolver: &Resolver) -> Result<(), SignatureFault> {
    let none = || SignatureFault::Unsigned("it carries no signature".to_owned());
    let fields = Fields::read(mail).ok_or_else(none)?;
    let mut fault = none();
    // Mailing lists and relays add some of their own; who adds many wants us busy.
    for field in fields.named(b"DKIM-Signature").take(MAX_SIGNATURES) {
        match check(&fields, field, domain, resolver).await {
            Ok(()) => return Ok(()),
            // A key that may be there after all comes before one that does not fit.
            Err(found) if !matches!(fault, SignatureFault::Unavailable(_)) => fault = found,
            Err(_) => {}
        }
    }
    Err(fault)
}

async fn check(
    fields: &Fields<'_>,
    field: &[u8],
    domain: &str,
    resolver: &Resolver,
) -> Result<(), SignatureFault> {
    let text = String::from_utf8_lossy(field);
    let (_, value) = text.split_once(':').unwrap_or_default();
    let tags = Tags::read(value).ok_or_else(|| unsigned("the signature is no list of tags"))?;
    let signature = Signature::read(&tags, domain)?;
    let body = signature.body.body(fields.body);
    if digest(&SHA256, &body).as_ref() != signature.body_hash {
        return Err(unsigned("the body is not the one that was signed"));
    }
    let name = format!("{}._domainkey.{domain}", signature.selector);
    let key = look_up(&name, signature.algorithm, resolver).await?;
    let input = signature.input(fields, field);
    let message = match signature.algorithm {
        SignatureAlgorithm::Ed25519 => digest(&SHA256, &input).as_ref().to_vec(),
        _ => input,
    };
    key.verify(signature.algorithm, &message, &signature.octets)
        .map_err(|error| unsigned(&format!("the signature does not hold: {error}")))
}

/// A signature that could count.
struct Signature<'a> {
    algorithm: SignatureAlgorithm,
    header: Canonical,
    body: Canonical,
    selector: &'a str,
    names: Vec<&'a str>,
    body_hash: Vec<u8>,
    octets: Vec<u8>,
}

impl<'a> Signature<'a> {
    fn read(tags: &Tags<'a>, domain: &str) -> Result<Self, SignatureFault> {
        let missing = |tag: &str| {
            unsigned(&format!(
                "the signature's tag `{tag}` is not as it has to be"
            ))
        };
        if tags.get("v") != Some("1") {
            return Err(missing("v"));
        }
        let algorithm = match tags.get("a") {
            Some("rsa-sha256") => SignatureAlgorithm::RsaSha256,
            Some("ed25519-sha256") => SignatureAlgorithm::Ed25519,
            _ => return Err(unsigned("only rsa-sha256 and ed25519-sha256 are verified")),
        };
        // RFC 8823 section 3.2: the domain of the sender, no other.
        let signer = tags.get("d").ok_or_else(|| missing("d"))?;
        if !signer.eq_ignore_ascii_case(domain) {
            let signer: String = signer.chars().take(80).collect();
            return Err(unsigned(&format!("`{signer}` signed it, not `{domain}`")));
        }
        if tags.get("l").is_some() {
            return Err(unsigned("only a part of the body is signed"));
        }
        let (header, body) = forms(tags.get("c")).ok_or_else(|| missing("c"))?;
        let names = tags.get("h").ok_or_else(|| missing("h"))?;
        let names: Vec<&str> = names.split(':').map(str::trim).take(MAX_NAMES).collect();
        for needed in NEEDED {
            if !names.iter().any(|name| name.eq_ignore_ascii_case(needed)) {
                return Err(unsigned(&format!("the field `{needed}` is not signed")));
            }
        }
        let selector = tags.get("s").filter(|text| is_selector(text));
        Ok(Self {
            algorithm,
            header,
            body,
            selector: selector.ok_or_else(|| missing("s"))?,
            names,
            body_hash: tags.octets("bh").ok_or_else(|| missing("bh"))?,
            octets: tags.octets("b").ok_or_else(|| missing("b"))?,
        })
    }

    /// RFC 6376 section 3.7: the fields, then this one without its signature.
    fn input(&self, fields: &Fields<'_>, own: &[u8]) -> Vec<u8> {
        let mut input = Vec::new();
        for (at, name) in self.names.iter().enumerate() {
            let before = self.names.iter().take(at);
            let taken = before.filter(|one| one.eq_ignore_ascii_case(name)).count();
            if let Some(field) = fields.named(name.as_bytes()).nth(taken) {
                input.extend(self.header.field(field));
            }
        }
        let mut own = self.header.field(&without_signature(own));
        own.truncate(own.len() - 2);
        input.extend(own);
        input
    }
}

fn forms(text: Option<&str>) -> Option<(Canonical, Canonical)> {
    let one = |text: &str| match text {
        "simple" => Some(Canonical::Simple),
        "relaxed" => Some(Canonical::Relaxed),
        _ => None,
    };
    let text = text.unwrap_or("simple");
    let (header, body) = text.split_once('/').unwrap_or((text, "simple"));
    Some((one(header)?, one(body)?))
}

fn is_selector(text: &str) -> bool {
    let is_fit = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    (1..=200).contains(&text.len()) && text.bytes().all(is_fit)
}

/// The field with nothing behind `b=`; all else stays as it is.
fn without_signature(field: &[u8]) -> Vec<u8> {
    let colon = field.iter().position(|octet| *octet == b':');
    let (name, value) = field.split_at(colon.map_or(field.len(), |at| at + 1));
    let mut written = name.to_vec();
    for (at, part) in value.split(|octet| *octet == b';').enumerate() {
        if at > 0 {
            written.push(b';');
        }
        let equals = part.iter().position(|octet| *octet == b'=');
        match equals {
            Some(equals) if part[..equals].trim_ascii() == b"b" => {
                written.extend(&part[..=equals]);
            }
            Some(_) | None => written.extend(part),
        }
    }
    written
}

async fn look_up(
    name: &str,
    algorithm: SignatureAlgorithm,
    resolver: &Resolver,
) -> Result<PublicKey, SignatureFault> {
    let records = resolver.lookup_txt(name).await.map_err(|error| {
        let text = format!("the key at {name} cannot be looked up: {error}");
        match error {
            DnsError::NoSuchName { .. } | DnsError::NoRecords { .. } => {
                SignatureFault::Unsigned(text)
            }
            _ => SignatureFault::Unavailable(text),
        }
    })?;
    let texts: Vec<String> = records
        .iter()
        .map(|record| String::from_utf8_lossy(record).into_owned())
        .collect();
    texts
        .iter()
        .find_map(|text| public_key(text, algorithm))
        .ok_or_else(|| unsigned(&format!("there is no fit key at {name}")))
}

/// RFC 6376 section 3.6.1; an empty `p` is a key that was revoked.
fn public_key(record: &str, algorithm: SignatureAlgorithm) -> Option<PublicKey> {
    let tags = Tags::read(record)?;
    if tags.get("v").is_some_and(|version| version != "DKIM1") {
        return None;
    }
    let octets = tags.octets("p").filter(|octets| !octets.is_empty())?;
    let der = match (tags.get("k").unwrap_or("rsa"), algorithm) {
        ("rsa", SignatureAlgorithm::RsaSha256) => octets,
        // RFC 8463 section 4: the key itself; RFC 8410 section 4 puts it into this frame.
        ("ed25519", SignatureAlgorithm::Ed25519) => [ED25519_FRAME, &octets].concat(),
        _ => return None,
    };
    let key = PublicKey::from_spki_der(&der).ok()?;
    let is_fit = matches!(key.kind(), KeyKind::Rsa { .. } | KeyKind::Ed25519);
    is_fit.then_some(key)
}

fn unsigned(text: &str) -> SignatureFault {
    SignatureFault::Unsigned(text.to_owned())
}

/// What a reply is told by: whose it is and what it answers.
const NEEDED: &[&str] = &["from", "subject", "in-reply-to"];
const MAX_SIGNATURES: usize = 5;
const MAX_NAMES: usize = 100;
const ED25519_FRAME: &[u8] = &[
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
];
