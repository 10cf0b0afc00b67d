//! `certwright login`: remembers a server, so that commands need not be told each time.

use std::path::PathBuf;

use clap::Args;
use protocols::rest::issuer::Issuer;
use protocols::rest::page::Page;
use serde_json::json;

use super::Context;
use super::client::Client;
use super::exit::Failure;
use super::saved::Target;
use super::{files, output};

/// Arguments of `certwright login`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  certwright login --url https://ca.example --ca root.pem --token-file token.txt
  certwright token create --data ./data --name me --role administrator |
    certwright login --url https://localhost:8443 --ca ./data/root.pem --token-file -

URL, token and root are kept in ~/.config/certwright/context.toml, readable for you alone.")]
pub struct Login {
    /// File whose first line is the API token; `-` is standard input
    #[arg(long, value_name = "FILE", conflicts_with = "token")]
    token_file: Option<PathBuf>,
}

impl Login {
    /// Tries the token, then saves it.
    pub async fn run(self, context: &Context) -> Result<(), Failure> {
        let mut context = context.clone();
        if let Some(path) = &self.token_file {
            context.token = Some(files::read_secret(path)?);
        }
        let target = Target::given(&context)?;
        let url = target.url.clone();
        // Any role can read; a token that does not work is better noticed now.
        let probe = Client::of(Target {
            url: target.url.clone(),
            token: target.token.clone(),
            ca: target.ca.clone(),
        })?;
        probe.get::<Page<Issuer>>(&["issuers"]).await?;
        let path = target.save()?;
        let answer = json!({ "server": url.as_str(), "saved_in": path });
        Ok(output::print_columns(
            context.output,
            &["server", "saved_in"],
            &answer,
        )?)
    }
}
