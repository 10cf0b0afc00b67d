//! `certwright issuer create`, `update`, `test` and `kinds`: CAs elsewhere.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use protocols::rest::issuer::Issuer;
use protocols::rest::remote_issuer::{
    CreateIssuer, GivenSecret, IssuerCheck, IssuerFinding, IssuerFindingOutcome, IssuerKind,
    UpdateIssuer,
};
use secrecy::SecretString;
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use super::Context;
use super::client::{Client, Version};
use super::exit::Failure;
use super::files;
use super::output::{self, Format};
use super::paging;
use super::rules::{Assignment, Edits, assign_all};

/// Arguments of `certwright issuer create`.
#[derive(Debug, Args)]
pub struct Create {
    /// Name of the issuer: lower-case letters, digits and hyphens
    name: String,
    /// Kind of CA: see `certwright issuer kinds`
    #[arg(long)]
    kind: String,
    #[command(flatten)]
    given: Given,
    #[command(flatten)]
    edits: Edits,
}

/// Arguments of `certwright issuer update`.
#[derive(Debug, Args)]
pub struct Update {
    /// Name of the issuer
    name: String,
    /// A secret that is to go; repeatable
    #[arg(long = "remove-secret", value_name = "NAME")]
    removed: Vec<String>,
    #[command(flatten)]
    given: Given,
    #[command(flatten)]
    edits: Edits,
}

/// What comes from files.
#[derive(Debug, Args)]
struct Given {
    /// A secret from a file, like token=@FILE, or token=- for standard input; repeatable
    #[arg(long = "secret", value_name = "NAME=@FILE")]
    secrets: Vec<FileOf>,
    /// A setting that is a file's text, like trust_anchors=@root.pem; repeatable
    #[arg(long = "file", value_name = "NAME=@FILE")]
    files: Vec<FileOf>,
    /// The CA's certificate and those above it, PEM, in any order
    #[arg(long, value_name = "FILE")]
    certificates: Option<PathBuf>,
}

/// `name=@file`; the sign may be left out.
#[derive(Clone, Debug)]
struct FileOf {
    name: String,
    file: PathBuf,
}

impl FromStr for FileOf {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, file) = text.split_once('=').ok_or(USAGE)?;
        let file = file.strip_prefix('@').unwrap_or(file);
        match name.is_empty() || file.is_empty() {
            true => Err(USAGE),
            false => Ok(Self {
                name: name.to_owned(),
                file: PathBuf::from(file),
            }),
        }
    }
}

/// A secret as editors and pipes write it, with a line's end behind it.
pub(super) fn secret_of(text: String) -> GivenSecret {
    let text = Zeroizing::new(text);
    GivenSecret(SecretString::from(text.trim_end_matches(['\r', '\n'])))
}

const USAGE: &str = "write NAME=@FILE, or NAME=- for standard input";

impl Given {
    fn secrets(&self) -> Result<BTreeMap<String, GivenSecret>, Failure> {
        let read = |given: &FileOf| {
            let secret = secret_of(files::read_text(&given.file)?);
            Ok((given.name.clone(), secret))
        };
        self.secrets.iter().map(read).collect()
    }

    fn certificates(&self) -> Result<Option<String>, Failure> {
        let file = self.certificates.as_deref();
        file.map(files::read_text).transpose()
    }

    /// Settings with the texts of files put in.
    fn with_files(&self, settings: Map<String, Value>) -> Result<Map<String, Value>, Failure> {
        let assignments = self
            .files
            .iter()
            .map(|given| {
                Ok(Assignment::text(
                    &given.name,
                    files::read_text(&given.file)?,
                ))
            })
            .collect::<Result<Vec<_>, Failure>>()?;
        assign_all(settings, &assignments)
    }
}

impl Create {
    /// Makes the issuer.
    pub async fn run(self, client: &Client) -> Result<Issuer, Failure> {
        let settings = self.edits.apply_any(Some(Map::new()))?;
        let body = CreateIssuer {
            name: self.name,
            kind: self.kind,
            settings: self.given.with_files(settings)?,
            secrets: self.given.secrets()?,
            certificates: self.given.certificates()?,
        };
        client.create(&["issuers"], &body).await
    }
}

impl Update {
    /// Changes the issuer as it was just read.
    pub async fn run(self, client: &Client) -> Result<Issuer, Failure> {
        let path = ["issuers", &self.name];
        let Some((known, version)) = client.find::<Issuer>(&path).await? else {
            let text = format!("there is no issuer `{}`", self.name);
            return Err(Failure::not_found(text));
        };
        let settings = self.edits.apply_any(Some(known.settings.clone()))?;
        let settings = self.given.with_files(settings)?;
        let mut secrets: BTreeMap<String, Option<GivenSecret>> = self
            .given
            .secrets()?
            .into_iter()
            .map(|(name, secret)| (name, Some(secret)))
            .collect();
        secrets.extend(self.removed.into_iter().map(|name| (name, None)));
        let body = UpdateIssuer {
            settings: (settings != known.settings).then_some(settings),
            secrets,
            certificates: self.given.certificates()?,
        };
        let version: Version = version;
        client.put(&path, &version, &body).await
    }
}

/// Looks at an issuer, line by line; exit code 1 if something fails.
pub async fn test(client: &Client, context: &Context, name: &str) -> Result<(), Failure> {
    let check: IssuerCheck = client.act(&["issuers", name, "test"], &()).await?;
    match context.output {
        Format::Json => output::print(context.output, &check)?,
        Format::Table => output::print_text(&lines(&check.findings))?,
    }
    match check.passed {
        true => Ok(()),
        false => Err(Failure::refused(
            "the issuer does not work as it is configured",
        )),
    }
}

/// A finding on each line.
pub fn lines(findings: &[IssuerFinding]) -> String {
    let line = |finding: &IssuerFinding| {
        let mark = match finding.outcome {
            IssuerFindingOutcome::Passed => "ok",
            IssuerFindingOutcome::Warning => "WARN",
            IssuerFindingOutcome::Failed => "FAIL",
            IssuerFindingOutcome::Skipped => "-",
        };
        format!("{mark:<5} {:<12} {}\n", finding.aspect, finding.message)
    };
    findings.iter().map(line).collect()
}

/// Lists the kinds; in JSON with an example of the settings of each.
pub async fn kinds(client: &Client, context: &Context) -> Result<(), Failure> {
    let kinds: Vec<IssuerKind> = client.list_all(&["issuer-kinds"]).await?;
    paging::print_items(context, &["name", "summary", "secrets"], &kinds, |kind| {
        let secrets: Vec<&str> = kind.secrets.iter().map(|rule| rule.name.as_str()).collect();
        json!({ "name": kind.name, "summary": kind.summary, "secrets": secrets.join(", ") })
    })
}
