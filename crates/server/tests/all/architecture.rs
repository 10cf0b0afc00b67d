//! The layers: who may know whom (ARCHITECTURE.md), where SQL is, and which cryptography.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};

/// What each crate of the program may use, by the names without the project's.
const ALLOWED: [(&str, &[&str]); 8] = [
    ("pki", &[]),
    ("protocols", &["pki"]),
    ("domain", &["pki"]),
    ("store", &["pki", "domain"]),
    ("lifecycle", &["pki", "domain", "store"]),
    ("connectors", &["pki", "protocols", "domain"]),
    ("frontends", &["pki", "protocols", "domain", "lifecycle"]),
    (
        "certwright",
        &[
            "pki",
            "protocols",
            "domain",
            "store",
            "lifecycle",
            "connectors",
            "frontends",
        ],
    ),
];

fn metadata() -> Metadata {
    let mut command = MetadataCommand::new();
    command.manifest_path(workspace().join("Cargo.toml"));
    command
        .other_options(["--offline".to_owned()])
        .exec()
        .unwrap()
}

pub fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

fn short(name: &str) -> &str {
    name.strip_prefix("certwright-").unwrap_or(name)
}

#[test]
fn crates_use_only_what_is_below_them() {
    let metadata = metadata();
    let members: BTreeSet<&str> = metadata
        .workspace_packages()
        .iter()
        .map(|package| short(&package.name))
        .collect();
    for package in metadata.workspace_packages() {
        let Some((name, allowed)) = ALLOWED
            .iter()
            .find(|(name, _)| *name == short(&package.name))
        else {
            assert!(
                ["testkit", "bench"].contains(&short(&package.name)),
                "{}",
                package.name
            );
            continue;
        };
        for dependency in &package.dependencies {
            let used = short(&dependency.name);
            let is_forbidden = dependency.kind == DependencyKind::Normal
                && members.contains(used)
                && !allowed.contains(&used);
            assert!(!is_forbidden, "{name} must not use {used}");
        }
    }
}

#[test]
fn there_is_one_cryptographic_provider() {
    // The metadata also lists optional dependencies that nobody asks for; the tree is what is built.
    let output = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--offline",
            "--workspace",
            "--prefix",
            "none",
            "--format",
            "{p}",
        ])
        .current_dir(workspace())
        .output()
        .unwrap();
    let tree = String::from_utf8(output.stdout).unwrap();
    let names: BTreeSet<&str> = tree
        .lines()
        .filter_map(|line| line.split(' ').next())
        .collect();
    assert!(names.contains("aws-lc-rs"), "the tree is looked at");
    for name in ["ring", "openssl", "openssl-sys", "native-tls", "boring"] {
        assert!(!names.contains(name), "{name} is in the tree");
    }
}

#[test]
fn sql_is_written_in_the_store_only() {
    let words = ["SELECT ", "INSERT INTO ", "DELETE FROM ", "CREATE TABLE "];
    let mut seen_in_store = false;
    for file in sources(&workspace().join("crates")) {
        let path = file.strip_prefix(workspace()).unwrap().to_owned();
        if !path.components().any(|part| part.as_os_str() == "src") {
            continue;
        }
        let text = std::fs::read_to_string(&file).unwrap();
        let has_sql = words.iter().any(|word| text.contains(word));
        let is_store = path.starts_with("crates/store");
        seen_in_store |= has_sql && is_store;
        assert!(!has_sql || is_store, "{} contains SQL", path.display());
    }
    assert!(seen_in_store, "the sources are looked at");
}

/// Every Rust file below a directory.
pub fn sources(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}
