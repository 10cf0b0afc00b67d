//! The configuration as it took effect: each key with its value, masked where secret, and its origin.

use serde::Serialize;

use super::Config;
use super::keys::{self, Key, Preset, Reading};
use super::layers::{Layers, Origin, Raw};

/// One key as it took effect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Effective {
    /// `section.key`.
    pub key: &'static str,
    /// The value, masked where secret; empty where there is none.
    pub value: String,
    /// Where it comes from.
    pub origin: String,
    /// Whether it counts in an empty database only.
    pub first_start_only: bool,
}

/// What stands in the place of a secret.
pub const MASK: &str = "********";

/// All keys in the order of [`keys::all`].
pub(super) fn effective(layers: &Layers, config: &Config) -> Vec<Effective> {
    keys::all().map(|key| row(key, layers, config)).collect()
}

fn row(key: &'static Key, layers: &Layers, config: &Config) -> Effective {
    let (value, origin) = match layers.get(key.name) {
        Some(sourced) if key.name == "database.url" => {
            (config.database.target.shown(), sourced.origin.clone())
        }
        Some(sourced) if key.secret => (masked(&sourced.raw), sourced.origin.clone()),
        Some(sourced) => (sourced.raw.to_string(), sourced.origin.clone()),
        None => derived(key, config),
    };
    Effective {
        key: key.name,
        value,
        origin: origin.to_string(),
        first_start_only: key.reading != Reading::EachStart,
    }
}

fn masked(raw: &Raw) -> String {
    match raw {
        Raw::Text(text) if text.is_empty() => String::new(),
        _ => MASK.to_owned(),
    }
}

/// The value of a key that nobody set and that follows from others.
fn derived(key: &Key, config: &Config) -> (String, Origin) {
    use super::ca::Seal;
    use super::server::PkiUrl;
    let server = &config.server;
    match key.name {
        "server.public_url" => (
            server.public_url.to_string(),
            Origin::Derived("server.listen"),
        ),
        "server.pki_url" if server.pki_url_from == PkiUrl::HttpListen => (
            server.pki_url.to_string(),
            Origin::Derived("server.http_listen"),
        ),
        "server.pki_url" => (
            server.pki_url.to_string(),
            Origin::Derived("server.public_url"),
        ),
        "database.url" => (
            config.database.target.shown(),
            Origin::Derived("server.data_dir"),
        ),
        "seal.key_file" => match &config.seal {
            Seal::File(path) => (
                path.display().to_string(),
                Origin::Derived("server.data_dir"),
            ),
            Seal::Key(_) => (String::new(), Origin::Default),
        },
        _ => (unset(key), Origin::Default),
    }
}

fn unset(key: &Key) -> String {
    match key.preset {
        Preset::Value(text) => text.to_owned(),
        Preset::Unset(_) => String::new(),
    }
}
