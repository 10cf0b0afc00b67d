//! Sections `[ca]` and `[seal]`: the built-in CA, where its keys live and what seals them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use pki::key::KeyAlgorithm;
use secrecy::{SecretBox, SecretString};
use zeroize::Zeroize;

use super::layers::Raw;
use super::reader::{Reader, Refusal};

/// The built-in certification authority.
#[derive(Clone, Debug)]
pub struct Ca {
    /// The trust anchor.
    pub root: Authority,
    /// The CA that signs end-entity certificates.
    pub issuer: Authority,
    /// From a CRL's thisUpdate to its nextUpdate.
    pub crl_validity: Duration,
    /// How often a new CRL is signed.
    pub crl_refresh: Duration,
    /// From an OCSP response's thisUpdate to its nextUpdate.
    pub ocsp_validity: Duration,
    /// Nothing is issued after the system clock jumped further than this; zero looks away.
    pub max_clock_jump: Duration,
    /// Where CA keys live.
    pub key_store: KeyStore,
    /// The programs that issuers of the kind `command` may run; without it, none.
    pub commands: Option<PathBuf>,
}

/// What one of the two CA certificates is made with at the first start.
#[derive(Clone, Debug)]
pub struct Authority {
    /// Common name.
    pub name: String,
    /// Algorithm of its key.
    pub key_algorithm: KeyAlgorithm,
    /// Life of its certificate.
    pub validity: Duration,
}

/// Where CA keys live.
#[derive(Clone, Debug)]
pub enum KeyStore {
    /// Sealed in the data directory.
    File,
    /// In a PKCS#11 token.
    Pkcs11(Pkcs11),
}

/// A PKCS#11 token.
#[derive(Clone, Debug)]
pub struct Pkcs11 {
    /// The vendor's library.
    pub module: PathBuf,
    /// Which token.
    pub token: Token,
    /// How its user PIN is known.
    pub pin: Pin,
}

/// Which token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Token {
    /// By its label.
    Label(String),
    /// By its slot.
    Slot(u64),
}

/// How a PIN is known.
#[derive(Clone, Debug)]
pub enum Pin {
    /// It stands in the configuration.
    Given(SecretString),
    /// It is the first line of this file.
    File(PathBuf),
}

/// What seals secrets at rest.
#[derive(Debug)]
pub enum Seal {
    /// The key in this file; made at the first start.
    File(PathBuf),
    /// The key itself.
    Key(SecretBox<[u8; 32]>),
}

impl Clone for Seal {
    fn clone(&self) -> Self {
        use secrecy::ExposeSecret;
        match self {
            Self::File(path) => Self::File(path.clone()),
            Self::Key(key) => Self::Key(SecretBox::new(Box::new(*key.expose_secret()))),
        }
    }
}

const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;

impl Ca {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let algorithms = KeyAlgorithm::ALL.map(|algorithm| (algorithm.as_str(), algorithm));
        Self {
            root: Authority {
                name: reader.text("ca.root_name"),
                key_algorithm: reader.choice("ca.root_key_algorithm", &algorithms),
                validity: reader.duration("ca.root_validity_days", DAY, 1..=36_500),
            },
            issuer: Authority {
                name: reader.text("ca.issuer_name"),
                key_algorithm: reader.choice("ca.issuer_key_algorithm", &algorithms),
                validity: reader.duration("ca.issuer_validity_days", DAY, 1..=36_500),
            },
            crl_validity: reader.duration("ca.crl_validity_hours", HOUR, 1..=8760),
            crl_refresh: reader.duration("ca.crl_refresh_hours", HOUR, 1..=8760),
            ocsp_validity: reader.duration("ca.ocsp_validity_hours", HOUR, 1..=8760),
            max_clock_jump: reader.duration("ca.max_clock_jump_seconds", 1, 0..=86_400),
            key_store: key_store(reader),
            commands: reader.path("ca.command_directory"),
        }
    }
}

fn key_store(reader: &mut Reader<'_>) -> KeyStore {
    let in_token = reader.choice("ca.key_store", &[("file", false), ("pkcs11", true)]);
    let module = reader.path("ca.pkcs11_module");
    let token = token(reader);
    let pin = Pin::read(reader, "ca.pkcs11_pin", "ca.pkcs11_pin_file");
    if !in_token {
        return KeyStore::File;
    }
    let missing = [
        (module.is_none(), "ca.pkcs11_module"),
        (token.is_none(), "ca.pkcs11_token_label or ca.pkcs11_slot"),
        (pin.is_none(), "ca.pkcs11_pin_file or ca.pkcs11_pin"),
    ];
    for (_, name) in missing.iter().filter(|(missing, _)| *missing) {
        let refusal = Refusal::new(format!("pkcs11 needs {name}"), "set it in section [ca]");
        reader.refuse("ca.key_store", refusal);
    }
    match (module, token, pin) {
        (Some(module), Some(token), Some(pin)) => KeyStore::Pkcs11(Pkcs11 { module, token, pin }),
        _ => KeyStore::File,
    }
}

fn token(reader: &mut Reader<'_>) -> Option<Token> {
    let label = reader.parsed("ca.pkcs11_token_label", "certwright");
    let slot = reader.optional("ca.pkcs11_slot", |raw| match raw {
        Raw::Number(number) => u64::try_from(*number)
            .map_err(|_| Refusal::new("a slot's number is not negative", "write 0 or more")),
        other => Err(Refusal::new(
            format!("expected a whole number, found {}", other.kind()),
            "write the slot's number",
        )),
    });
    match (label, slot) {
        (Some(_), Some(_)) => {
            let refusal = Refusal::new("the token is named twice", "keep label or slot, not both");
            reader.refuse("ca.pkcs11_slot", refusal);
            None
        }
        (Some(label), None) => Some(Token::Label(label)),
        (None, Some(slot)) => Some(Token::Slot(slot)),
        (None, None) => None,
    }
}

impl Pin {
    /// A secret, set as it is or as a file.
    pub(super) fn read(
        reader: &mut Reader<'_>,
        name: &'static str,
        file_name: &'static str,
    ) -> Option<Self> {
        let given = reader.secret(name);
        let file = reader.path(file_name);
        match (given, file) {
            (Some(_), Some(_)) => {
                let remedy = "keep the secret or its file, not both";
                reader.refuse(file_name, Refusal::new("the secret is set twice", remedy));
                None
            }
            (Some(pin), None) => Some(Self::Given(pin)),
            (None, Some(path)) => Some(Self::File(path)),
            (None, None) => None,
        }
    }
}

impl Seal {
    pub(super) fn read(reader: &mut Reader<'_>, data_dir: &Path) -> Self {
        let file = reader.path("seal.key_file");
        let key = reader.optional("seal.key", seal_key);
        match (key, file) {
            (Some(key), None) => Self::Key(key),
            (Some(key), Some(_)) => {
                let remedy = "keep seal.key or seal.key_file, not both";
                reader.refuse("seal.key", Refusal::new("the key is set twice", remedy));
                Self::Key(key)
            }
            (None, file) => Self::File(file.unwrap_or_else(|| data_dir.join("seal.key"))),
        }
    }
}

fn seal_key(raw: &Raw) -> Result<SecretBox<[u8; 32]>, Refusal> {
    let remedy = "write 32 octets in base64, for example from `openssl rand -base64 32`";
    let Raw::Text(text) = raw else {
        let message = format!("expected a string, found {}", raw.kind());
        return Err(Refusal::new(message, remedy));
    };
    let mut octets = STANDARD
        .decode(text)
        .map_err(|_| Refusal::new("the key is not base64", remedy))?;
    let key = <[u8; 32]>::try_from(octets.as_slice())
        .map_err(|_| Refusal::new(format!("the key has {} octets", octets.len()), remedy));
    octets.zeroize();
    key.map(|key| SecretBox::new(Box::new(key)))
}
