//! `certwright apply`: the server's configuration as files, compared and then made so.
//!
//! A kind of resource is one line in [`kinds`] and knows how to be read and written ([`kind::Kind`]).
//! Files are TOML or JSON, as everywhere else here; each is a table of kinds, of names, of rules.

mod diff;
mod files;
mod issuers;
mod kind;
mod prune;

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::path::PathBuf;

use clap::Args;
use protocols::rest::cmp::CmpEndpointRules;
use protocols::rest::directory::DirectoryRules;
use protocols::rest::entry_point::{EstRules, ScepRules};
use protocols::rest::metadata::FieldRules;
use protocols::rest::notification::{ChannelRules, NotificationRules};
use protocols::rest::profile::ProfileRules;
use protocols::rest::role::PutRole;
use protocols::rest::team::PutTeam;
use serde_json::Value;

use super::Context;
use super::client::{Client, Version};
use super::exit::Failure;
use super::output::{self, Format};
use diff::Step;
use kind::{Kind, Removal, Ruled};

/// The kinds there are, each behind those that it refers to.
fn kinds() -> Vec<Box<dyn Kind>> {
    vec![
        Box::new(Ruled::<PutTeam>::new("teams", &["teams"]).of_members(&["description"])),
        Box::new(
            Ruled::<PutRole>::new("roles", &["roles"]).of_members(&["description", "permissions"]),
        ),
        Box::new(
            Ruled::<FieldRules>::new("metadata-fields", &["metadata-fields"])
                .taken_away_by(Removal::Retire),
        ),
        Box::new(issuers::Issuers),
        Box::new(
            Ruled::<ProfileRules>::new("profiles", &["profiles"]).taken_away_by(Removal::Stays),
        ),
        Box::new(
            Ruled::<DirectoryRules>::new("directories", &["acme", "directories"])
                .taken_away_by(Removal::Stays),
        ),
        Box::new(Ruled::<EstRules>::new("est-labels", &["est", "labels"])),
        Box::new(Ruled::<ScepRules>::new(
            "scep-services",
            &["scep", "services"],
        )),
        Box::new(Ruled::<CmpEndpointRules>::new(
            "cmp-endpoints",
            &["cmp", "endpoints"],
        )),
        Box::new(Ruled::<ChannelRules>::new(
            "channels",
            &["notification-channels"],
        )),
        Box::new(Ruled::<NotificationRules>::new(
            "notification-rules",
            &["notification-rules"],
        )),
    ]
}

/// Arguments of `certwright apply`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  certwright apply -f certwright.d --plan
  certwright apply -f profiles.toml -f directories.toml --yes
  certwright apply -f certwright.d --prune --plan
  certwright apply --dump > certwright.toml

A file is TOML, or JSON if its name ends in .json:

  [directories.internal]
  trusted = true
  external_account_required = true
  profiles = [\"short-lived\"]

What a file leaves out gets its default; what no file names stays as it is, unless --prune is given: then
what the files no longer hold is taken away, among the kinds that they name ([channels] alone means: no channels).
Issuers and metadata-fields are retired; profiles and directories always stay; an issuer that a profile uses, a
team that owns something and a role that somebody holds are refused.
Kinds: teams, roles, metadata-fields, issuers (CAs elsewhere), profiles, directories, est-labels, scep-services,
cmp-endpoints, channels, notification-rules. A second run finds nothing to do.

Secrets of issuers are read from where the file says, and sent when something of the issuer changes:

  [issuers.vault]
  kind = \"vault\"
  settings = { url = \"https://vault.example.org:8200\", role = \"web\" }
  secrets = { token = { env = \"VAULT_TOKEN\" } }       # or { file = \"token.txt\" }

Secrets of channels stay as they are; give them by `certwright channel set --secret`.")]
pub struct Apply {
    /// File, or folder with files in it; repeatable
    #[arg(
        short = 'f',
        long = "file",
        value_name = "FILE|DIR",
        required_unless_present = "dump"
    )]
    files: Vec<PathBuf>,
    /// Show what would change, and change nothing
    #[arg(long, conflicts_with = "yes")]
    plan: bool,
    /// Change without asking
    #[arg(long)]
    yes: bool,
    /// Take away what the files no longer hold, among the kinds that they name
    #[arg(long)]
    prune: bool,
    /// Print what is there now, as a file (TOML, or JSON with --output json)
    #[arg(long, conflicts_with_all = ["files", "plan", "yes", "prune"])]
    dump: bool,
}

/// A step, and what it takes to carry it out.
struct Planned {
    kind: usize,
    change: Change,
    step: Step,
}

/// What is done with a thing.
enum Change {
    Put { version: Version, rules: Value },
    Remove,
}

impl Planned {
    async fn carry_out(&self, client: &Client, kinds: &[Box<dyn Kind>]) -> Result<(), Failure> {
        let (kind, name) = (&kinds[self.kind], &self.step.name);
        let done = match &self.change {
            Change::Put { version, rules } => kind.put(client, name, version, rules).await,
            Change::Remove => kind.remove(client, name).await,
        };
        done.map_err(|failure| Failure {
            error: failure.error.context(format!("{} {name}", kind.name())),
            ..failure
        })
    }
}

impl Apply {
    /// Runs the command.
    pub async fn run(self, context: &Context) -> Result<(), Failure> {
        let client = Client::new(context)?;
        let kinds = kinds();
        if self.dump {
            return dump(&client, context, &kinds).await;
        }
        let wanted = files::read(&self.files)?;
        let mut planned = plan(&client, &kinds, &wanted).await?;
        if self.prune {
            planned.extend(prune::plan(&client, &kinds, &wanted).await?);
        }
        show(context, &planned)?;
        if self.plan || planned.is_empty() {
            return Ok(());
        }
        if !self.yes && !agreed(planned.len())? {
            return Err(Failure::refused(
                "nothing was changed; --yes changes it without asking",
            ));
        }
        for change in &planned {
            change.carry_out(&client, &kinds).await?;
        }
        output::note(&format!("{} changed", planned.len()));
        Ok(())
    }
}

/// Compares what files say with what is there, kind by kind.
async fn plan(
    client: &Client,
    kinds: &[Box<dyn Kind>],
    wanted: &files::Wanted,
) -> Result<Vec<Planned>, Failure> {
    let known: Vec<&str> = kinds.iter().map(|kind| kind.name()).collect();
    wanted.check_kinds(&known)?;
    let mut planned = Vec::new();
    for (index, kind) in kinds.iter().enumerate() {
        for (name, written) in wanted.of(kind.name()) {
            let rules = kind.complete(written.rules.clone()).map_err(|fault| {
                let (file, noun) = (written.file.display(), kind.name());
                Failure::usage(format!("{file}: {noun}.{name}: {fault}"))
            })?;
            let (before, version) = match kind.find(client, name, &rules).await? {
                Some((before, version)) => (Some(before), version),
                None => (None, Version::New),
            };
            if let Some(step) = Step::between(kind.name(), name, before.as_ref(), &rules) {
                planned.push(Planned {
                    kind: index,
                    change: Change::Put { version, rules },
                    step,
                });
            }
        }
    }
    Ok(planned)
}

fn show(context: &Context, planned: &[Planned]) -> Result<(), Failure> {
    let steps: Vec<&Step> = planned.iter().map(|change| &change.step).collect();
    if context.output == Format::Json {
        return Ok(output::print(context.output, &steps)?);
    }
    if steps.is_empty() {
        output::note("nothing to do");
        return Ok(());
    }
    let text: Vec<String> = steps.iter().map(ToString::to_string).collect();
    Ok(output::print_text(&text.concat())?)
}

/// Asks a person; a program has to say `--yes` beforehand.
fn agreed(count: usize) -> Result<bool, Failure> {
    if !std::io::stdin().is_terminal() {
        return Ok(false);
    }
    output::note(&format!("{count} to change. Go on? [y/N]"));
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    Ok(matches!(line.trim(), "y" | "Y" | "yes"))
}

async fn dump(client: &Client, context: &Context, kinds: &[Box<dyn Kind>]) -> Result<(), Failure> {
    let mut all: BTreeMap<&str, BTreeMap<String, Value>> = BTreeMap::new();
    for kind in kinds {
        let found = kind.list(client).await?;
        if !found.is_empty() {
            all.insert(kind.name(), found.into_iter().collect());
        }
    }
    match context.output {
        Format::Json => Ok(output::print(context.output, &all)?),
        Format::Table => {
            let text = toml::to_string_pretty(&all).map_err(anyhow::Error::from)?;
            Ok(output::print_text(&text)?)
        }
    }
}
