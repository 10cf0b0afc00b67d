//! `certwright key`: keys that are never certified again.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use protocols::rest::blocked_key::{BlockKeys, BlockedKey, BlockedKeys};

use super::Context;
use super::client::Client;
use super::exit::Failure;
use super::paging::{self, Paging};
use super::{files, output};

/// Arguments of `certwright key`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  certwright key block crt_06ek9q3v5c8m2k7t1r4x0z9w8y --reason 'found in a public repository'
  certwright key block --file leaked.pem --reason 'backup was stolen'
  certwright key list")]
pub struct KeyCommand {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List blocked keys
    #[command(after_help = "Example:
  certwright key list")]
    List {
        #[command(flatten)]
        paging: Paging,
    },
    /// Show when and why a key was blocked
    #[command(after_help = "Example:
  certwright key show 5b7d1a6f0c1e4d0a9a0f6f4f1f0b6d6a3c2e1d0c9b8a7f6e5d4c3b2a19080706")]
    Show {
        /// SHA-256 of its SubjectPublicKeyInfo, hex
        key: String,
    },
    /// Block keys: nothing is issued for them any more
    #[command(after_help = "Examples:
  certwright key block crt_06ek9q3v5c8m2k7t1r4x0z9w8y --reason 'found in a public repository'
  certwright key block --file hashes.txt --reason 'list of weak keys'
  openssl pkey -in key.pem -pubout | certwright key block --file - --reason 'the laptop was lost'

Certificates that have the keys stay as they are; `certwright certificate revoke --reason keyCompromise`
revokes one and blocks its key.")]
    Block(Block),
    /// Let a key be certified again
    #[command(after_help = "Example:
  certwright key unblock 5b7d1a6f0c1e4d0a9a0f6f4f1f0b6d6a3c2e1d0c9b8a7f6e5d4c3b2a19080706")]
    Unblock {
        /// SHA-256 of its SubjectPublicKeyInfo, hex
        key: String,
    },
}

#[derive(Debug, Args)]
struct Block {
    /// SHA-256 of a SubjectPublicKeyInfo in hex, or the id of a certificate
    #[arg(required_unless_present = "file")]
    keys: Vec<String>,
    /// A file with one of those in each line, or with PEM of public keys, certificates, CSRs; `-` for
    /// standard input
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Why, for whoever wonders later
    #[arg(long)]
    reason: String,
}

const COLUMNS: &[&str] = &["spki_sha256", "reason", "blocked_at"];
const PATH: &str = "blocked-keys";
/// As many as the server takes at once.
const BATCH: usize = 1_000;

impl KeyCommand {
    /// Runs the command.
    pub async fn run(self, context: &Context) -> Result<(), Failure> {
        let client = Client::new(context)?;
        match self.verb {
            Verb::List { paging } => {
                let page = client.list::<BlockedKey>(&[PATH], &(), &paging).await?;
                paging::print(context, COLUMNS, &page)
            }
            Verb::Show { key } => {
                let shown: BlockedKey = client.get(&[PATH, &key]).await?;
                Ok(output::print(context.output, &shown)?)
            }
            Verb::Block(block) => {
                let blocked = block.run(&client).await?;
                Ok(output::print_columns(context.output, COLUMNS, &blocked)?)
            }
            Verb::Unblock { key } => client.delete(&[PATH, &key]).await,
        }
    }
}

impl Block {
    async fn run(self, client: &Client) -> Result<Vec<BlockedKey>, Failure> {
        let mut keys = self.keys;
        if let Some(path) = &self.file {
            keys.extend(named_in(&files::read_text(path)?));
        }
        if keys.is_empty() {
            return Err(Failure::usage("the file names no keys"));
        }
        let mut blocked = Vec::with_capacity(keys.len());
        for batch in keys.chunks(BATCH) {
            let request = BlockKeys {
                keys: batch.to_vec(),
                reason: self.reason.clone(),
            };
            let answer: BlockedKeys = client.post(&[PATH], &request).await?;
            blocked.extend(answer.items);
        }
        Ok(blocked)
    }
}

/// The keys that a file names: each block of PEM is one, each line outside of them that is not empty
/// and no comment is one.
fn named_in(text: &str) -> Vec<String> {
    let mut keys: Vec<String> = Vec::new();
    let mut is_inside = false;
    for line in text.lines().map(str::trim) {
        match (is_inside, keys.last_mut()) {
            (true, Some(block)) => {
                block.push('\n');
                block.push_str(line);
            }
            (true, None) | (false, _) if line.is_empty() || line.starts_with('#') => {}
            (true, None) | (false, _) => keys.push(line.to_owned()),
        }
        is_inside = match line {
            line if line.starts_with("-----BEGIN") => true,
            line if line.starts_with("-----END") => false,
            _ => is_inside,
        };
    }
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_names_keys_by_lines_and_by_blocks() {
        let block = "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----";
        let text = format!("# stolen\nabc\n\n{block}\n  def\n{block}\n");
        assert_eq!(named_in(&text), ["abc", block, "def", block]);
        assert!(named_in("\n# nothing\n").is_empty());
    }
}
