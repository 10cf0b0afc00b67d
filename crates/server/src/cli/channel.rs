//! `certwright channel`: ways to people and programs outside.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, Subcommand};
use protocols::rest::notification::{
    Channel, ChannelKind, ChannelRules, Preview, PreviewRequest, Resent, Template, TestResult,
};
use secrecy::ExposeSecret;
use serde_json::{Map, Value, json};

use super::Context;
use super::client::{Client, Version};
use super::exit::Failure;
use super::files;
use super::output::{self, Format};
use super::paging;
use super::rules::Edits;

/// Arguments of `certwright channel`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  certwright channel kinds
  certwright channel set operations --kind smtp --set settings.host=mail.example.org \\
    --set settings.from=ca@example.org --set 'settings.to=[\"ops@example.org\"]' \\
    --set settings.username=ca --secret password=password.txt
  certwright channel test operations")]
pub struct ChannelCommand {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List the channels
    #[command(after_help = "Example:
  certwright channel list")]
    List,
    /// Show a channel, without its secrets
    #[command(after_help = "Example:
  certwright channel show operations --output json > operations.json")]
    Show {
        /// Name of the channel
        name: String,
    },
    /// Make a channel, or change one
    #[command(after_help = "Examples:
  certwright channel set hook --kind webhook --set settings.url=https://hooks.example.org/x --secret secret=secret.txt
  certwright channel set siem --kind syslog --set settings.host=log.example.org --set settings.format=cef --set stream=now
  certwright channel set operations --set enabled=false
  certwright channel set operations --from operations.toml --secret password=-

A secret is read from the first line of a file, or of standard input for `-`. Secrets that are not
given stay as they are, unless messages would go to another place than before.")]
    Set(Set),
    /// Send a trial message at once; exit code 1 if the receiver does not take it
    #[command(after_help = "Example:
  certwright channel test operations")]
    Test {
        /// Name of the channel
        name: String,
    },
    /// Send everything again that the channel gave up
    #[command(after_help = "Example:
  certwright channel resend operations")]
    Resend {
        /// Name of the channel
        name: String,
    },
    /// Delete a channel that no rule sends to
    #[command(after_help = "Example:
  certwright channel delete operations")]
    Delete {
        /// Name of the channel
        name: String,
    },
    /// List the kinds of channels; with --output json the words they use
    #[command(after_help = "Example:
  certwright channel kinds")]
    Kinds,
    /// Show what a template makes of a certificate that ends soon
    #[command(after_help = "Examples:
  certwright channel preview smtp
  certwright channel preview slack --text slack.txt --subject subject.txt")]
    Preview(Try),
}

#[derive(Debug, Args)]
struct Set {
    /// Name of the channel: lower-case letters, digits and hyphens
    name: String,
    /// Kind of a new channel: smtp, webhook, slack, teams, syslog
    #[arg(long)]
    kind: Option<String>,
    /// A secret setting from a file, like password=FILE; repeatable
    #[arg(long = "secret", value_name = "NAME=FILE")]
    secrets: Vec<SecretFile>,
    #[command(flatten)]
    edits: Edits,
}

#[derive(Debug, Args)]
struct Try {
    /// Kind of channel
    kind: String,
    /// File with the subject's template
    #[arg(long, value_name = "FILE")]
    subject: Option<PathBuf>,
    /// File with the text's template
    #[arg(long, value_name = "FILE")]
    text: Option<PathBuf>,
    /// File with the HTML template
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

/// `name=file`.
#[derive(Clone, Debug)]
struct SecretFile {
    name: String,
    file: PathBuf,
}

impl FromStr for SecretFile {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('=') {
            Some((name, file)) if !name.is_empty() && !file.is_empty() => Ok(Self {
                name: name.to_owned(),
                file: PathBuf::from(file),
            }),
            Some(_) | None => Err("write NAME=FILE, or NAME=- for standard input"),
        }
    }
}

const NOUN: &str = "notification-channels";

impl ChannelCommand {
    /// Runs the command.
    pub async fn run(self, context: &Context) -> Result<(), Failure> {
        let client = Client::new(context)?;
        match self.verb {
            Verb::List => {
                let found: Vec<Channel> = client.list_all(&[NOUN]).await?;
                paging::print_items(context, COLUMNS, &found, row)
            }
            Verb::Show { name } => {
                let found: Channel = client.get(&[NOUN, &name]).await?;
                print(context, &found)
            }
            Verb::Set(set) => print(context, &set.run(&client).await?),
            Verb::Test { name } => {
                let tested: TestResult = client.act(&[NOUN, &name, "test"], &()).await?;
                output::print(context.output, &tested)?;
                match tested.delivered {
                    true => Ok(()),
                    false => Err(Failure::refused("the receiver did not take the message")),
                }
            }
            Verb::Resend { name } => {
                let resent: Resent = client.act(&[NOUN, &name, "resend"], &()).await?;
                Ok(output::print(context.output, &resent)?)
            }
            Verb::Delete { name } => client.delete(&[NOUN, &name]).await,
            Verb::Kinds => {
                let kinds: Vec<ChannelKind> = client.list_all(&["notification-kinds"]).await?;
                let columns = ["name", "summary", "secrets", "streams"];
                Ok(output::print_columns(context.output, &columns, &kinds)?)
            }
            Verb::Preview(attempt) => attempt.run(&client, context).await,
        }
    }
}

impl Set {
    async fn run(self, client: &Client) -> Result<Channel, Failure> {
        let path = [NOUN, &self.name];
        let (current, version) = match client.find::<Channel>(&path).await? {
            Some((channel, version)) => (Some(channel.rules), version),
            None => (self.kind.clone().map(new), Version::New),
        };
        let mut rules = self.edits.apply_any(current)?;
        if let Some(kind) = self.kind {
            rules.kind = kind;
        }
        for secret in &self.secrets {
            let value = files::read_secret(&secret.file)?;
            let value = Value::from(value.expose_secret());
            rules.settings.insert(secret.name.clone(), value);
        }
        client.put(&path, &version, &rules).await
    }
}

fn new(kind: String) -> ChannelRules {
    ChannelRules {
        kind,
        enabled: true,
        settings: Map::new(),
        template: Template::default(),
        stream: None,
    }
}

impl Try {
    async fn run(self, client: &Client, context: &Context) -> Result<(), Failure> {
        let read = |file: Option<PathBuf>| file.map(|file| files::read_text(&file)).transpose();
        let request = PreviewRequest {
            kind: self.kind,
            template: Template {
                subject: read(self.subject)?,
                text: read(self.text)?,
                html: read(self.html)?,
            },
            event: None,
        };
        let path = ["notification-templates", "preview"];
        let made: Preview = client.post(&path, &request).await?;
        match context.output {
            Format::Json => Ok(output::print(context.output, &made)?),
            Format::Table => {
                let parts = [made.subject, made.text, made.html];
                let text: Vec<String> = parts.into_iter().flatten().collect();
                Ok(output::print_text(&format!("{}\n", text.join("\n\n")))?)
            }
        }
    }
}

fn print(context: &Context, channel: &Channel) -> Result<(), Failure> {
    match context.output {
        Format::Json => output::print(context.output, channel)?,
        Format::Table => {
            let columns = ["name", "id", "secrets", "stream_status", "updated_at"];
            output::print_columns(context.output, &columns, channel)?;
            output::print_text("\n")?;
            output::print(context.output, &channel.rules)?;
        }
    }
    Ok(())
}

/// A channel on one line.
fn row(channel: &Channel) -> Value {
    json!({
        "name": channel.name,
        "kind": channel.rules.kind,
        "enabled": channel.rules.enabled,
        "stream": channel.rules.stream,
        "secrets": channel.secrets,
        "updated_at": channel.updated_at,
    })
}

const COLUMNS: &[&str] = &["name", "kind", "enabled", "stream", "secrets", "updated_at"];
