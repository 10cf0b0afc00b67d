//! The files: TOML or JSON, each a table of kinds, of names, of rules.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::super::exit::Failure;
use super::super::files as io;

/// What all files together say: by kind, by name.
#[derive(Debug, Default)]
pub struct Wanted(BTreeMap<String, BTreeMap<String, Written>>);

/// What one file says of one thing.
#[derive(Clone, Debug, PartialEq)]
pub struct Written {
    pub file: PathBuf,
    pub rules: Value,
}

impl Wanted {
    /// What is said of a kind, by name.
    pub fn of(&self, kind: &str) -> impl Iterator<Item = (&String, &Written)> {
        self.0.get(kind).into_iter().flatten()
    }

    /// Whether the files say anything of a kind, be it that there is nothing of it.
    pub fn names_kind(&self, kind: &str) -> bool {
        self.0.contains_key(kind)
    }

    /// A kind that nobody knows is a slip of the pen, and not to be passed over.
    pub fn check_kinds(&self, known: &[&str]) -> Result<(), Failure> {
        for (kind, named) in &self.0 {
            if !known.contains(&kind.as_str()) {
                let file = named.values().next().map(|written| written.file.display());
                let file = file.map(|file| format!("{file}: ")).unwrap_or_default();
                return Err(Failure::usage(format!(
                    "{file}there is no kind `{kind}`; there are {}",
                    known.join(", ")
                )));
            }
        }
        Ok(())
    }

    fn add(&mut self, file: &Path, document: Map<String, Value>) -> Result<(), Failure> {
        let refuse = |text: String| Err(Failure::usage(format!("{}: {text}", file.display())));
        for (kind, named) in document {
            let Value::Object(named) = named else {
                return refuse(format!("`{kind}` must be a table of names"));
            };
            let all = self.0.entry(kind.clone()).or_default();
            for (name, rules) in named {
                if let Some(other) = all.get(&name) {
                    let other = other.file.display();
                    return refuse(format!("{kind}.{name} is in {other} as well; keep one"));
                }
                let file = file.to_owned();
                all.insert(name, Written { file, rules });
            }
        }
        Ok(())
    }
}

/// Reads files, and all .toml and .json files of folders.
pub fn read(paths: &[PathBuf]) -> Result<Wanted, Failure> {
    let mut wanted = Wanted::default();
    for path in paths {
        let files = match path.is_dir() {
            true => files_of(path)?,
            false => vec![path.clone()],
        };
        if files.is_empty() {
            return Err(Failure::usage(format!(
                "{} holds no .toml or .json file",
                path.display()
            )));
        }
        for file in files {
            wanted.add(&file, parse(&file, &io::read_text(&file)?)?)?;
        }
    }
    Ok(wanted)
}

fn files_of(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let entries = std::fs::read_dir(folder).map_err(|error| io::failed(folder, error))?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| io::failed(folder, error))?.path();
        let is_ours = path
            .extension()
            .is_some_and(|end| end == "toml" || end == "json");
        if is_ours && path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn parse(file: &Path, text: &str) -> Result<Map<String, Value>, Failure> {
    let is_json = file.extension().is_some_and(|end| end == "json");
    let read = match is_json {
        true => serde_json::from_str(text).map_err(|error| error.to_string()),
        false => toml::from_str(text).map_err(|error| error.to_string()),
    };
    read.map_err(|error| Failure::usage(format!("{}: {error}", file.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        folder
    }

    #[test]
    fn all_files_of_a_folder_are_one_configuration() {
        let folder = folder(&[
            ("b.toml", "[directories.a]\ntrusted = true\n[profiles.p]\n"),
            ("a.json", r#"{"directories": {"b": {}}}"#),
            ("notes.txt", "not read"),
        ]);
        let wanted = read(&[folder.path().to_owned()]).unwrap();
        let names: Vec<_> = wanted
            .of("directories")
            .map(|(name, _)| name.as_str())
            .collect();
        assert_eq!(names, ["a", "b"]);
        assert!(wanted.check_kinds(&["directories", "profiles"]).is_ok());
        let refused = wanted.check_kinds(&["profiles"]).unwrap_err().to_string();
        assert!(refused.contains("directories"), "{refused}");
    }

    #[test]
    fn what_is_said_twice_or_not_understood_is_refused_with_its_file() {
        for (files, word) in [
            (
                &[("a.toml", "[profiles.p]"), ("b.toml", "[profiles.p]")][..],
                "a.toml",
            ),
            (&[("a.toml", "profiles = 1")], "table"),
            (&[("a.toml", "[profiles")], "a.toml"),
            (&[("a.json", "[]")], "a.json"),
            (&[], "holds no"),
        ] {
            let folder = folder(files);
            let refused = read(&[folder.path().to_owned()]).unwrap_err().to_string();
            assert!(refused.contains(word), "{refused}");
        }
    }
}
