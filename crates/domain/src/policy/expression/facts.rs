//! The variables of an expression. `docs/profiles.md` describes them to those who write rules.

use std::collections::HashMap;
use std::sync::Arc;

use cel::{Context, Value};
use pki::certificate::CertificateContent;
use pki::key::KeyKind;

use super::ENVIRONMENT;
use crate::enrollment::Requester;
use crate::identifier::Identifier;
use crate::policy::Case;

type Map = HashMap<String, Value>;

/// What an expression sees, by name.
pub(super) struct Facts(Vec<(&'static str, Value)>);

/// Every variable there is.
pub(super) const VARIABLES: [&str; 10] = [
    "names",
    "sans",
    "subject",
    "key",
    "validity_days",
    "requester",
    "team",
    "metadata",
    "profile",
    "issuer",
];

impl Facts {
    pub(super) fn of(case: &Case<'_>, content: &CertificateContent) -> Self {
        let proposal = case.proposal;
        let names = proposal.identifiers;
        Self(vec![
            ("names", values(names)),
            ("sans", typed(names)),
            ("subject", subject(content).into()),
            ("key", key(content.public_key.kind()).into()),
            ("validity_days", days(content).into()),
            ("requester", requester(proposal.requester).into()),
            ("team", proposal.team.unwrap_or_default().into()),
            ("metadata", metadata(proposal.metadata).into()),
            ("profile", case.profile.name.as_str().into()),
            ("issuer", case.at.issuer.into()),
        ])
    }

    /// Facts of a request that never was.
    pub(super) fn sample() -> Self {
        let text = |text: &str| Value::from(text);
        let map = |pairs: &[(&str, &str)]| -> Map {
            pairs
                .iter()
                .map(|(name, value)| ((*name).to_owned(), text(value)))
                .collect()
        };
        let name = map(&[("type", "dns"), ("value", "host.example.org")]);
        let attributes = [("CN", "host.example.org"), ("O", "Example"), ("C", "DE")];
        Self(vec![
            ("names", vec![text("host.example.org")].into()),
            ("sans", vec![Value::from(name)].into()),
            ("subject", map(&attributes).into()),
            ("key", key(&KeyKind::Rsa { bits: 2048 }).into()),
            ("validity_days", 90_i64.into()),
            (
                "requester",
                map(&[("kind", "system"), ("id", ""), ("directory", "")]).into(),
            ),
            ("team", text("")),
            ("metadata", Map::new().into()),
            ("profile", text("sample")),
            ("issuer", text("sample")),
        ])
    }

    pub(super) fn into_context(self) -> Context<'static, 'static> {
        let mut context = Context::with_env(Arc::clone(&ENVIRONMENT));
        for (name, value) in self.0 {
            context.add_variable_from_value(name, value);
        }
        context
    }
}

fn values(identifiers: &[Identifier]) -> Value {
    let texts: Vec<String> = identifiers.iter().map(Identifier::value).collect();
    texts.into()
}

fn typed(identifiers: &[Identifier]) -> Value {
    let maps: Vec<Map> = identifiers
        .iter()
        .map(|identifier| {
            Map::from([
                ("type".to_owned(), identifier.kind().into()),
                ("value".to_owned(), identifier.value().into()),
            ])
        })
        .collect();
    maps.into()
}

/// The most specific value of each attribute.
fn subject(content: &CertificateContent) -> Map {
    content
        .subject
        .attributes()
        .filter_map(|attribute| Some((attribute.type_name(), attribute.as_text()?.into())))
        .collect()
}

fn key(kind: &KeyKind) -> Map {
    let (algorithm, bits) = match kind {
        KeyKind::Rsa { bits } => ("rsa", i64::from(*bits)),
        KeyKind::EcP256 => ("ec", 256),
        KeyKind::EcP384 => ("ec", 384),
        KeyKind::EcP521 => ("ec", 521),
        KeyKind::Ed25519 => ("ed25519", 256),
        KeyKind::Other(_) => ("other", 0),
    };
    Map::from([
        ("kind".to_owned(), kind.to_string().into()),
        ("algorithm".to_owned(), algorithm.into()),
        ("bits".to_owned(), bits.into()),
    ])
}

/// Begun days count: 90 days less a second are 90.
fn days(content: &CertificateContent) -> i64 {
    let life = content.not_after.since(content.not_before).as_secs();
    i64::try_from(life.div_ceil(86_400)).unwrap_or(i64::MAX)
}

fn requester(requester: &Requester) -> Map {
    let (kind, id, directory) = match requester {
        Requester::AcmeAccount {
            account, directory, ..
        } => ("acme-account", account.as_str(), directory.as_str()),
        Requester::User { user } => ("user", user.as_str(), ""),
        Requester::Token { token } => ("token", token.as_str(), ""),
        Requester::Client { proof, entry_point } => ("client", proof.id(), entry_point.as_str()),
        Requester::System => ("system", "", ""),
    };
    Map::from([
        ("kind".to_owned(), kind.into()),
        ("id".to_owned(), id.into()),
        ("directory".to_owned(), directory.into()),
    ])
}

fn metadata(values: &std::collections::BTreeMap<String, String>) -> Map {
    values
        .iter()
        .map(|(name, value)| (name.clone(), value.as_str().into()))
        .collect()
}
