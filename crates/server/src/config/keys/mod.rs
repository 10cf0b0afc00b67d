//! Every configuration key: its name, shape, default and meaning. The example file, the environment
//! names, `certwright config` and the refusal of unknown keys all follow from this one list.

mod ca;
mod operation;
mod server;
mod validation;

/// What a key's value looks like in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A string.
    Text,
    /// A whole number.
    Number,
    /// `true` or `false`.
    Switch,
    /// A list of strings; comma separated in the environment.
    List,
}

/// What stands where nobody set a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preset {
    /// This value, written as in the environment.
    Value(&'static str),
    /// No value; the text says what that means.
    Unset(&'static str),
}

/// A section of the file.
#[derive(Clone, Copy, Debug)]
pub struct Section {
    /// Its name.
    pub name: &'static str,
    /// What it is about.
    pub about: &'static str,
    /// Its keys, in the order of the example file.
    pub keys: &'static [Key],
}

/// One configuration key.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// `section.key`.
    pub name: &'static str,
    /// The value's shape.
    pub shape: Shape,
    /// The value where nobody sets one.
    pub preset: Preset,
    /// Whether the value is masked when shown.
    pub secret: bool,
    /// When the value is looked at.
    pub reading: Reading,
    /// One sentence for the example file.
    pub help: &'static str,
}

/// When a value is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// At each start.
    EachStart,
    /// When the database is empty: the CA that is made then cannot be made anew by a setting.
    FirstStart,
    /// When the database is empty; afterwards this rule of the ACME directory `default` counts.
    DirectoryRule(&'static str),
}

impl Key {
    /// The section and the key inside it.
    pub fn parts(&self) -> (&'static str, &'static str) {
        self.name.split_once('.').unwrap_or((self.name, ""))
    }

    /// The environment variable that sets this key: `CERTWRIGHT_SERVER__LISTEN`.
    pub fn variable(&self) -> String {
        let (section, key) = self.parts();
        format!("CERTWRIGHT_{}__{}", section, key).to_uppercase()
    }

    const fn first_start(mut self) -> Self {
        self.reading = Reading::FirstStart;
        self
    }

    const fn rule(mut self, name: &'static str) -> Self {
        self.reading = Reading::DirectoryRule(name);
        self
    }

    const fn secret(mut self) -> Self {
        self.secret = true;
        self
    }
}

const fn key(name: &'static str, shape: Shape, preset: Preset, help: &'static str) -> Key {
    Key {
        name,
        shape,
        preset,
        secret: false,
        reading: Reading::EachStart,
        help,
    }
}

const fn text(name: &'static str, value: &'static str, help: &'static str) -> Key {
    key(name, Shape::Text, Preset::Value(value), help)
}

const fn optional(name: &'static str, unset: &'static str, help: &'static str) -> Key {
    key(name, Shape::Text, Preset::Unset(unset), help)
}

const fn number(name: &'static str, value: &'static str, help: &'static str) -> Key {
    key(name, Shape::Number, Preset::Value(value), help)
}

const fn switch(name: &'static str, value: &'static str, help: &'static str) -> Key {
    key(name, Shape::Switch, Preset::Value(value), help)
}

const fn list(name: &'static str, help: &'static str) -> Key {
    key(name, Shape::List, Preset::Value(""), help)
}

const fn section(name: &'static str, about: &'static str, keys: &'static [Key]) -> Section {
    Section { name, about, keys }
}

/// The sections in the order of the example file.
pub const SECTIONS: &[Section] = &[
    section(
        "server",
        "Where the server listens and what its clients see.",
        server::SERVER,
    ),
    section(
        "database",
        "SQLite for one node, PostgreSQL for any number of equal nodes.",
        server::DATABASE,
    ),
    section(
        "validation",
        "How control over names and addresses is checked.",
        validation::VALIDATION,
    ),
    section("ca", "The built-in certification authority.", ca::CA),
    section("seal", "The key that seals secrets at rest.", ca::SEAL),
    section("acme", "The ACME front end.", validation::ACME),
    section(
        "email_challenge",
        "Mails that prove control of mailboxes, for S/MIME over ACME.",
        validation::EMAIL_CHALLENGE,
    ),
    section(
        "sign_in",
        "How people sign in, and for how long.",
        operation::SIGN_IN,
    ),
    section(
        "limits",
        "Protection against overload; 0 turns a rate limit off.",
        operation::LIMITS,
    ),
    section("log", "What is written to standard error.", operation::LOG),
    section(
        "metrics",
        "The Prometheus page at /metrics.",
        operation::METRICS,
    ),
    section(
        "retention",
        "How long what came to its end is kept.",
        operation::RETENTION,
    ),
];

/// All keys, section by section.
pub fn all() -> impl Iterator<Item = &'static Key> {
    SECTIONS.iter().flat_map(|section| section.keys)
}

/// The key of this `section.key` name.
pub fn find(name: &str) -> Option<&'static Key> {
    all().find(|key| key.name == name)
}
