//! The few differences between the two engines' SQL.
//!
//! Statements are written once, with `$1`, `$2`, … for parameters. PostgreSQL takes them as they are;
//! to SQLite `$2` is a *name*, so parameters are bound there by the number in their name and never by
//! the order in which they appear.

use std::borrow::Cow;

/// The database behind a [`Store`](crate::Store).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// A file, opened by this process alone.
    Sqlite,
    /// A server, shared by any number of nodes.
    Postgres,
}

impl Engine {
    /// The engine's name for people and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgresql",
        }
    }
}

/// A statement: one text for both engines, or one for each where they differ.
#[derive(Clone, Copy, Debug)]
pub struct Sql<'a> {
    sqlite: &'a str,
    postgres: &'a str,
}

impl<'a> Sql<'a> {
    /// A statement that has to be written differently for the two engines.
    pub const fn each(sqlite: &'a str, postgres: &'a str) -> Self {
        Self { sqlite, postgres }
    }

    pub(crate) const fn on(self, engine: Engine) -> &'a str {
        match engine {
            Engine::Sqlite => self.sqlite,
            Engine::Postgres => self.postgres,
        }
    }
}

impl<'a> From<&'a str> for Sql<'a> {
    fn from(text: &'a str) -> Self {
        Self {
            sqlite: text,
            postgres: text,
        }
    }
}

impl<'a> From<&'a String> for Sql<'a> {
    fn from(text: &'a String) -> Self {
        Self::from(text.as_str())
    }
}

/// A `SELECT` whose rows stay as they are until the end of the transaction. SQLite has one writer
/// and needs nothing for it.
macro_rules! for_update {
    ($($sql:tt)+) => {
        $crate::Sql::each($($sql)+, concat!($($sql)+, " FOR UPDATE"))
    };
}
pub(crate) use for_update;

/// Words of a migration that PostgreSQL spells differently. Text is compared octet by octet there,
/// as SQLite does, or cursors over text ids would page differently by locale.
const POSTGRES_WORDS: [(&str, &str); 3] = [
    ("INTEGER", "BIGINT"),
    ("BLOB", "BYTEA"),
    ("TEXT", "TEXT COLLATE \"C\""),
];

/// What ends a table in SQLite: columns hold what they are declared to, rows live in the key's tree.
const SQLITE_TABLE_ENDS: [&str; 2] = [") STRICT, WITHOUT ROWID;", ") STRICT;"];

/// A migration's text for `engine`; migrations are written for SQLite, with the types `INTEGER`,
/// `TEXT` and `BLOB` in capitals.
pub(crate) fn migration(text: &str, engine: Engine) -> Cow<'_, str> {
    match engine {
        Engine::Sqlite => Cow::Borrowed(text),
        Engine::Postgres => {
            let mut text = replace_words(text);
            for end in SQLITE_TABLE_ENDS {
                text = text.replace(end, ");");
            }
            Cow::Owned(text)
        }
    }
}

fn replace_words(text: &str) -> String {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut out = String::with_capacity(text.len() + text.len() / 4);
    let mut rest = text;
    while !rest.is_empty() {
        let word = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        let (head, tail) = rest.split_at(word);
        let replacement = POSTGRES_WORDS.iter().find(|(sqlite, _)| *sqlite == head);
        out.push_str(replacement.map_or(head, |(_, postgres)| postgres));
        let gap = tail.find(is_word).unwrap_or(tail.len());
        let (between, next) = tail.split_at(gap);
        out.push_str(between);
        rest = next;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_words_of_a_migration_change_for_postgresql() {
        let text = "CREATE TABLE a_TEXT (n INTEGER, t TEXT NOT NULL, b BLOB) STRICT;";
        assert_eq!(
            migration(text, Engine::Postgres),
            "CREATE TABLE a_TEXT (n BIGINT, t TEXT COLLATE \"C\" NOT NULL, b BYTEA);"
        );
        assert_eq!(migration(text, Engine::Sqlite), text);
    }
}
