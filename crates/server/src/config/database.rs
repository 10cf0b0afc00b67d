//! Section `[database]`.

use std::path::{Path, PathBuf};

use secrecy::SecretString;

use super::layers::Raw;
use super::reader::{Reader, Refusal};

/// The database and how many connections it gets.
#[derive(Clone, Debug)]
pub struct Database {
    /// Which one.
    pub target: DatabaseTarget,
    /// Connections to PostgreSQL, or readers beside SQLite's one writer.
    pub pool_size: usize,
}

/// Which database.
#[derive(Clone, Debug)]
pub enum DatabaseTarget {
    /// The embedded one, in this file.
    Sqlite(PathBuf),
    /// A PostgreSQL URL, with its password.
    Postgres(SecretString),
}

impl DatabaseTarget {
    /// What may be shown: never the password.
    pub fn shown(&self) -> String {
        use secrecy::ExposeSecret;
        match self {
            Self::Sqlite(path) => format!("sqlite://{}", path.display()),
            Self::Postgres(url) => without_password(url.expose_secret()),
        }
    }
}

impl Database {
    pub(super) fn read(reader: &mut Reader<'_>, data_dir: &Path) -> Self {
        Self {
            target: reader
                .optional("database.url", target)
                .unwrap_or_else(|| DatabaseTarget::Sqlite(data_dir.join("certwright.db"))),
            pool_size: reader.number("database.pool_size", 1..=1000),
        }
    }
}

fn target(raw: &Raw) -> Result<DatabaseTarget, Refusal> {
    let example = "write sqlite://FILE or postgres://USER:PASSWORD@HOST/DATABASE";
    let Raw::Text(text) = raw else {
        return Err(Refusal::new(
            format!("expected a string, found {}", raw.kind()),
            example,
        ));
    };
    if let Some(path) = text.strip_prefix("sqlite://") {
        return match path {
            "" => Err(Refusal::new("the file is missing", example)),
            path => Ok(DatabaseTarget::Sqlite(PathBuf::from(path))),
        };
    }
    match url::Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "postgres" | "postgresql") => {
            Ok(DatabaseTarget::Postgres(SecretString::from(text.clone())))
        }
        Ok(url) => Err(Refusal::new(
            format!("there is no database of kind `{}`", url.scheme()),
            example,
        )),
        Err(error) => Err(Refusal::new(format!("not a URL: {error}"), example)),
    }
}

fn without_password(text: &str) -> String {
    let Ok(mut url) = url::Url::parse(text) else {
        return "postgres://********".to_owned();
    };
    if url.password().is_some() && url.set_password(Some("********")).is_err() {
        return "postgres://********".to_owned();
    }
    let query: Vec<(String, String)> = url
        .query_pairs()
        .filter(|(name, _)| name != "password")
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    url.set_query(None);
    if !query.is_empty() {
        url.query_pairs_mut().extend_pairs(query);
    }
    url.into()
}
