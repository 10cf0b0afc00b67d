//! The command line: `certwright <noun> <verb>`.
//!
//! A new noun is a file beside this one with a `clap::Args` type and a `run`, a line in [`Command`]
//! and a line in [`Command::run`]; the compiler asks for the latter.

pub mod account;
pub mod alert;
pub mod apply;
pub mod approval;
mod approval_delegation;
pub mod audit;
pub mod backup;
pub mod certificate;
mod certificate_bulk;
mod certificate_export;
mod certificate_filters;
mod certificate_import;
mod certificate_search;
mod certificate_summary;
pub mod channel;
pub mod client;
pub mod client_certificate;
pub mod cmp;
pub mod completions;
pub mod config;
pub mod delivery;
pub mod directory;
pub mod eab;
pub mod enroll;
pub mod enrollment;
pub mod enrollment_password;
mod entry_point;
pub mod est_label;
pub mod exit;
pub mod field;
mod files;
pub mod grant;
pub mod issuer;
mod issuer_migrate;
mod issuer_remote;
pub mod key;
mod lifetime;
mod local;
pub mod login;
pub mod me;
pub mod metadata;
pub mod notification_rule;
pub mod order;
mod ordered;
pub mod output;
mod paging;
pub mod profile;
mod profile_explain;
mod profile_history;
mod profile_trust;
pub mod renew;
pub mod role;
mod rules;
pub mod saved;
pub mod saved_search;
pub mod scep_service;
pub mod sign_on;
pub mod team;
pub mod token;
pub mod user;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use secrecy::SecretString;

use config::{ConfigArgs, ConfigCommand};
use exit::{Exit, Failure};
use output::Format;

/// A certificate authority and certificate lifecycle manager in one binary.
#[derive(Debug, Parser)]
#[command(
    name = "certwright",
    version,
    arg_required_else_help = true,
    after_help = "Exit codes:
  0 done, 1 refused by policy or state, 2 wrong usage, 3 not found, 4 server or network failure

Examples:
  certwright serve --data ./data
  certwright token create --data ./data --role administrator --name me
  certwright certificate list --suffix example.org"
)]
pub struct Cli {
    #[command(flatten)]
    context: Context,
    #[command(subcommand)]
    command: Command,
}

/// What every command knows: the form of answers, and the server it talks to.
#[derive(Clone, Debug, Args)]
pub struct Context {
    /// Form of the answer
    #[arg(long, value_enum, default_value_t, global = true)]
    pub output: Format,
    /// Server that commands talk to
    #[arg(long, value_name = "URL", env = "CERTWRIGHT_URL", global = true)]
    pub url: Option<String>,
    /// API token
    #[arg(
        long,
        value_name = "TOKEN",
        env = "CERTWRIGHT_TOKEN",
        hide_env_values = true,
        global = true
    )]
    pub token: Option<SecretString>,
    /// Why a change is made, for the audit trail
    #[arg(long, value_name = "TEXT", global = true)]
    pub why: Option<String>,
    /// Root certificate to trust, as the server writes it to DATA/root.pem
    #[arg(long, value_name = "FILE", env = "CERTWRIGHT_CA", global = true)]
    pub ca: Option<PathBuf>,
}

/// All commands.
#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server
    Serve(Serve),
    /// Show, check or explain the configuration
    Config(ConfigCommand),
    /// Remember a server and a token
    Login(login::Login),
    /// Get a certificate, with a key born here, a CSR, or a key made on the server
    Enroll(Box<enroll::EnrollCommand>),
    /// Renew a certificate and put it where the old one is
    Renew(Box<renew::RenewCommand>),
    /// Make the server's configuration what files say
    Apply(apply::Apply),
    /// Certificates: list, find, export, revoke, bulk actions
    Certificate(certificate::CertificateCommand),
    /// Keys that are never certified again
    Key(key::KeyCommand),
    /// Searches that are kept, for oneself or for a team
    SavedSearch(saved_search::SavedSearchCommand),
    /// Issuers: the CAs that sign
    Issuer(issuer::IssuerCommand),
    /// Profiles: what may be issued
    Profile(profile::ProfileCommand),
    /// Fields of custom metadata
    Field(field::FieldCommand),
    /// ACME directories and their rules
    Directory(directory::DirectoryCommand),
    /// ACME accounts
    Account(account::AccountCommand),
    /// ACME orders, and why they failed
    Order(order::OrderCommand),
    /// External account binding keys
    Eab(eab::EabCommand),
    /// EST labels: where clients of RFC 7030 come in
    EstLabel(est_label::EstLabelCommand),
    /// SCEP services: where clients of RFC 8894 come in
    ScepService(scep_service::ScepServiceCommand),
    /// Passwords that open EST labels and SCEP services
    EnrollmentPassword(enrollment_password::EnrollmentPasswordCommand),
    /// What waits for people: show, approve, deny
    Approval(approval::ApprovalCommand),
    /// Passes through the issuance pipeline
    Enrollment(enrollment::EnrollmentCommand),
    /// Notification channels: ways to people and programs outside
    Channel(channel::ChannelCommand),
    /// Which events go to which channels
    NotificationRule(notification_rule::NotificationRuleCommand),
    /// Messages on their way, and those that were given up
    Delivery(delivery::DeliveryCommand),
    /// Certificates that end without a successor
    Alert(alert::AlertCommand),
    /// The event log: list, export, verify
    Audit(audit::AuditCommand),
    /// Who I am, and what I may do
    Me(me::MeCommand),
    /// Teams: who owns what
    Team(team::TeamCommand),
    /// Roles and the permissions they consist of
    Role(role::RoleCommand),
    /// Who holds which role where
    Grant(grant::GrantCommand),
    /// API tokens
    Token(token::TokenCommand),
    /// Users: invite, disable, reset, unlock
    User(user::UserCommand),
    /// OpenID Connect providers that people sign in with
    SignOn(sign_on::SignOnCommand),
    /// Client certificates that stand for tokens
    ClientCertificate(client_certificate::ClientCertificateCommand),
    /// CMP endpoints and their shared secrets
    Cmp(cmp::CmpCommand),
    /// Write a backup, on the server's machine
    Backup(backup::Backup),
    /// Restore a backup into an empty database, on the server's machine
    Restore(backup::Restore),
    /// Print a shell's completion script
    Completions(completions::Completions),
    /// Write manual pages
    Man(completions::Man),
}

impl Command {
    async fn run(self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::Serve(serve) => serve.run().await,
            Self::Config(config) => config.run(context.output),
            Self::Login(login) => login.run(context).await,
            Self::Enroll(enroll) => enroll.run(context).await,
            Self::Renew(renew) => renew.run(context).await,
            Self::Apply(apply) => apply.run(context).await,
            Self::Certificate(certificate) => certificate.run(context).await,
            Self::Key(key) => key.run(context).await,
            Self::SavedSearch(search) => search.run(context).await,
            Self::Issuer(issuer) => issuer.run(context).await,
            Self::Profile(profile) => profile.run(context).await,
            Self::Field(field) => field.run(context).await,
            Self::Directory(directory) => directory.run(context).await,
            Self::Account(account) => account.run(context).await,
            Self::Order(order) => order.run(context).await,
            Self::Eab(eab) => eab.run(context).await,
            Self::EstLabel(label) => label.run(context).await,
            Self::ScepService(service) => service.run(context).await,
            Self::EnrollmentPassword(password) => password.run(context).await,
            Self::Approval(approval) => approval.run(context).await,
            Self::Enrollment(enrollment) => enrollment.run(context).await,
            Self::Channel(channel) => channel.run(context).await,
            Self::NotificationRule(rule) => rule.run(context).await,
            Self::Delivery(delivery) => delivery.run(context).await,
            Self::Alert(alert) => alert.run(context).await,
            Self::Audit(audit) => audit.run(context).await,
            Self::Me(me) => me.run(context).await,
            Self::Team(team) => team.run(context).await,
            Self::Role(role) => role.run(context).await,
            Self::Grant(grant) => grant.run(context).await,
            Self::Token(token) => token.run(context).await,
            Self::User(user) => user.run(context).await,
            Self::SignOn(sign_on) => sign_on.run(context).await,
            Self::ClientCertificate(certificate) => certificate.run(context).await,
            Self::Cmp(cmp) => cmp.run(context).await,
            Self::Backup(backup) => backup.run(context).await,
            Self::Restore(restore) => restore.run(context).await,
            Self::Completions(completions) => completions.run(),
            Self::Man(man) => man.run(),
        }
    }
}

/// Arguments of `certwright serve`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  certwright serve                                  # ./data, https://localhost:8443
  certwright serve --data /var/lib/certwright --listen 0.0.0.0:443
  CERTWRIGHT_DATABASE__URL=postgres://certwright@db/certwright certwright serve")]
struct Serve {
    #[command(flatten)]
    from: ConfigArgs,
}

impl Serve {
    async fn run(self) -> Result<(), Failure> {
        let config = self.from.load()?;
        crate::listener::raise_descriptor_limit();
        Ok(crate::serve::run(config).await?)
    }
}

/// Parses the process's arguments, runs the command and says how it ended.
pub async fn run() -> ExitCode {
    let cli = Cli::parse();
    let exit = match cli.command.run(&cli.context).await {
        Ok(()) => Exit::Done,
        Err(failure) if is_closed_pipe(&failure) => Exit::Done,
        Err(failure) => {
            report(&failure);
            failure.exit
        }
    };
    exit.into()
}

#[expect(
    clippy::print_stderr,
    reason = "a command's error belongs on standard error"
)]
fn report(failure: &Failure) {
    eprintln!("certwright: {failure}");
}

/// `certwright … | head` is not a failure.
fn is_closed_pipe(failure: &Failure) -> bool {
    failure
        .error
        .downcast_ref::<std::io::Error>()
        .is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    /// One of its own would take the other's value, or end in a panic.
    #[test]
    fn no_command_has_an_argument_of_the_name_of_a_global_one() {
        fn visit(command: &clap::Command, globals: &[clap::Arg]) {
            let own = command.get_arguments().filter(|arg| !arg.is_global_set());
            for arg in own {
                let twin = globals.iter().find(|global| {
                    global.get_id() == arg.get_id()
                        || arg.get_long().is_some() && global.get_long() == arg.get_long()
                });
                assert!(twin.is_none(), "{}: {}", command.get_name(), arg.get_id());
            }
            for verb in command.get_subcommands() {
                visit(verb, globals);
            }
        }
        let command = Cli::command();
        let globals = command.get_arguments().filter(|arg| arg.is_global_set());
        visit(&command, &globals.cloned().collect::<Vec<_>>());
    }

    #[test]
    fn every_command_shows_an_example() {
        fn visit(command: &clap::Command, path: &str) {
            let path = format!("{path} {}", command.get_name());
            let help = command.get_after_help().map(ToString::to_string);
            assert!(
                help.is_some_and(|help| help.contains("Example")),
                "{path} has no example"
            );
            for verb in command.get_subcommands() {
                visit(verb, &path);
            }
        }
        visit(&Cli::command(), "");
    }

    #[test]
    fn a_token_is_not_shown_by_debug_output() {
        let cli = Cli::parse_from(["certwright", "--token", "cw_canary", "config"]);
        assert!(!format!("{cli:?}").contains("cw_canary"));
    }

    #[test]
    fn the_manual_names_every_command_with_its_verbs() {
        let manual = include_str!("../../../../docs/cli.md");
        let commands = manual
            .lines()
            .filter(|line| line.starts_with("| `certwright "));
        for command in Cli::command().get_subcommands() {
            let name = command.get_name();
            let forms = [
                format!("certwright {name}`"),
                format!("certwright {name} "),
                format!("`{name}`"),
            ];
            let line = commands
                .clone()
                .find(|line| forms.iter().any(|form| line.contains(form)))
                .unwrap_or_else(|| panic!("docs/cli.md does not name {name}"));
            for verb in command.get_subcommands() {
                let verb = verb.get_name();
                assert!(
                    line.contains(&format!("{verb}`")),
                    "docs/cli.md does not name {name} {verb}"
                );
            }
        }
    }
}
