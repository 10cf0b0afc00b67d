//! The configuration: one TOML file, every key overridable by environment, a few by flags.
//!
//! This is the only place that reads the environment. [`examine`] finds everything that is wrong at
//! once; [`Config::load`] refuses to start on any of it.

mod ca;
mod check;
mod database;
mod effective;
mod email;
mod example;
pub mod keys;
mod layers;
mod operation;
mod problem;
mod reader;
mod server;
mod sign_in;
mod suggest;
mod url;
mod validation;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

pub use ca::{Authority, Ca, KeyStore, Pin, Pkcs11, Seal, Token};
pub use database::{Database, DatabaseTarget};
pub use effective::{Effective, MASK};
pub use email::{Dkim, EmailChallenge, MailServer};
pub use example::example;
pub use layers::Origin;
pub use operation::{Acme, Limits, Log, LogFormat, Metrics, Retention};
pub use problem::{ConfigError, Problem, Severity};
pub use server::{Server, Tls};
pub use sign_in::{ClientCertificates, SignIn};
pub use url::{BaseUrl, BaseUrlError};
pub use validation::Validation;

use layers::Layers;
use reader::Reader;

/// The whole configuration, parsed: what it holds is fit for use.
#[derive(Clone, Debug)]
pub struct Config {
    /// `[server]`
    pub server: Server,
    /// `[database]`
    pub database: Database,
    /// `[validation]`
    pub validation: Validation,
    /// `[ca]`
    pub ca: Ca,
    /// `[seal]`
    pub seal: Seal,
    /// `[acme]`
    pub acme: Acme,
    /// `[email_challenge]`
    pub email_challenge: Option<EmailChallenge>,
    /// `[sign_in]`
    pub sign_in: SignIn,
    /// `[limits]`
    pub limits: Limits,
    /// `[log]`
    pub log: Log,
    /// `[metrics]`
    pub metrics: Metrics,
    /// `[retention]`
    pub retention: Retention,
}

/// What a configuration is made from.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// The TOML file.
    pub file: Option<PathBuf>,
    /// Names and values of the environment.
    pub environment: Vec<(String, String)>,
    /// The flag `--data`.
    pub data: Option<PathBuf>,
    /// The flag `--listen`.
    pub listen: Option<String>,
}

/// A configuration with everything there is to say about it.
#[derive(Debug)]
pub struct Report {
    /// The configuration, with defaults in place of what did not parse.
    pub config: Config,
    /// Each key with its value and origin.
    pub effective: Vec<Effective>,
    /// Errors and warnings.
    pub problems: Vec<Problem>,
}

impl Sources {
    /// A file and flags over this process's environment.
    pub fn of_process(
        file: Option<PathBuf>,
        data: Option<PathBuf>,
        listen: Option<String>,
    ) -> Self {
        // A variable that is not UTF-8 cannot be one of ours with a usable value.
        let environment = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        Self {
            file,
            environment,
            data,
            listen,
        }
    }

    fn layers(self) -> Layers {
        let mut layers = Layers::defaults();
        if let Some(file) = &self.file {
            layers.file(file);
        }
        layers.environment(self.environment);
        if let Some(data) = &self.data {
            layers.flag("server.data_dir", "--data", &data.to_string_lossy());
        }
        if let Some(listen) = &self.listen {
            layers.flag("server.listen", "--listen", listen);
        }
        layers
    }
}

/// Reads a configuration and tells everything about it.
pub fn examine(sources: Sources) -> Report {
    report(sources.layers())
}

fn report(mut layers: Layers) -> Report {
    let mut problems = std::mem::take(&mut layers.problems);
    let mut reader = Reader::new(&layers);
    let config = Config::read(&mut reader);
    check::check(&mut reader, &config);
    problems.append(&mut reader.problems);
    Report {
        effective: effective::effective(&layers, &config),
        config,
        problems,
    }
}

impl Report {
    /// Whether the server would start.
    pub fn is_usable(&self) -> bool {
        !self
            .problems
            .iter()
            .any(|problem| problem.severity == Severity::Error)
    }

    /// The configuration, or what is wrong with it.
    pub fn into_config(self) -> Result<Config, ConfigError> {
        if self.is_usable() {
            Ok(self.config)
        } else {
            Err(ConfigError(self.problems))
        }
    }
}

impl Config {
    /// Reads a configuration that can be used.
    pub fn load(sources: Sources) -> Result<Self, ConfigError> {
        examine(sources).into_config()
    }

    /// The configuration of a TOML text over the defaults.
    pub fn from_toml(text: &str) -> Result<Self, ConfigError> {
        let mut layers = Layers::defaults();
        layers.text(Path::new("certwright.toml"), text);
        report(layers).into_config()
    }

    /// What it is where nobody sets anything.
    pub fn unset() -> Self {
        report(Layers::defaults()).config
    }

    fn read(reader: &mut Reader<'_>) -> Self {
        let server = Server::read(reader);
        let data_dir = server.data_dir.clone();
        Self {
            server,
            database: Database::read(reader, &data_dir),
            validation: Validation::read(reader),
            ca: Ca::read(reader),
            seal: Seal::read(reader, &data_dir),
            acme: Acme::read(reader),
            email_challenge: EmailChallenge::read(reader),
            sign_in: SignIn::read(reader),
            limits: Limits::read(reader),
            log: Log::read(reader),
            metrics: Metrics::read(reader),
            retention: Retention::read(reader),
        }
    }
}

impl Default for Config {
    /// What an empty file and an empty environment make.
    fn default() -> Self {
        Self::read(&mut Reader::new(&Layers::defaults()))
    }
}
