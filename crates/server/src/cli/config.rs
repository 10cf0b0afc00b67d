//! `certwright config`: what the configuration is, what is wrong with it, what it could be.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::exit::Failure;
use super::output::{self, Format};
use crate::config::{self, Problem, Severity, Sources};

/// Where the configuration comes from, for `serve` and `config`.
#[derive(Clone, Debug, Default, Args)]
pub struct ConfigArgs {
    /// Configuration file (TOML); every key has a default
    #[arg(long, value_name = "FILE", env = "CERTWRIGHT_CONFIG", global = true)]
    config: Option<PathBuf>,
    /// Data directory, as server.data_dir
    #[arg(long, value_name = "DIR", global = true)]
    data: Option<PathBuf>,
    /// Address to listen on, as server.listen
    #[arg(long, value_name = "ADDRESS:PORT", global = true)]
    listen: Option<String>,
}

impl ConfigArgs {
    /// These flags over this process's environment.
    pub fn sources(self) -> Sources {
        Sources::of_process(self.config, self.data, self.listen)
    }

    /// Whether a command that can work here or over the network is meant to work here.
    pub fn is_local(&self, context: &super::Context) -> bool {
        self.data.is_some() || (self.config.is_some() && context.url.is_none())
    }

    /// The configuration, or a refusal that lists all that is wrong.
    pub fn load(self) -> Result<config::Config, Failure> {
        config::Config::load(self.sources())
            .map_err(|error| Failure::new(super::exit::Exit::Refused, error))
    }
}

/// Arguments of `certwright config`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  certwright config                                # each value and where it comes from
  certwright config --config certwright.toml check
  CERTWRIGHT_SERVER__LISTEN=0.0.0.0:443 certwright config --output json
  certwright config example > certwright.toml")]
pub struct ConfigCommand {
    #[command(flatten)]
    from: ConfigArgs,
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Clone, Copy, Debug, Subcommand)]
enum Verb {
    /// Say what is wrong and how to mend it; exit code 1 if the server would not start
    #[command(after_help = "Example:
  certwright config check --config /etc/certwright/certwright.toml")]
    Check,
    /// Print a commented file with every key at its default
    #[command(after_help = "Example:
  certwright config example > certwright.toml")]
    Example,
}

impl ConfigCommand {
    /// Runs the command.
    pub fn run(self, format: Format) -> Result<(), Failure> {
        match self.verb {
            None => show(self.from.sources(), format),
            Some(Verb::Check) => check(self.from.sources(), format),
            Some(Verb::Example) => Ok(output::print_text(&config::example())?),
        }
    }
}

fn show(sources: Sources, format: Format) -> Result<(), Failure> {
    let report = config::examine(sources);
    output::print_columns(
        format,
        &["key", "value", "origin", "first_start_only"],
        &report.effective,
    )?;
    // The values above are then not what was asked for; say so even if nobody ran `check`.
    report.into_config().map(drop).map_err(Failure::refused)
}

fn check(sources: Sources, format: Format) -> Result<(), Failure> {
    let report = config::examine(sources);
    match format {
        Format::Json => output::print(format, &report.problems)?,
        Format::Table => output::print_text(&in_words(&report.problems))?,
    }
    match errors(&report.problems) {
        0 => Ok(()),
        1 => Err(Failure::refused("the configuration has an error")),
        count => Err(Failure::refused(format!(
            "the configuration has {count} errors"
        ))),
    }
}

fn in_words(problems: &[Problem]) -> String {
    let lines = problems.iter().map(|problem| format!("{problem}\n"));
    match errors(problems) {
        0 => lines
            .chain(["The configuration is fine.\n".to_owned()])
            .collect(),
        _ => lines.collect(),
    }
}

fn errors(problems: &[Problem]) -> usize {
    let is_error = |problem: &&Problem| problem.severity == Severity::Error;
    problems.iter().filter(is_error).count()
}
