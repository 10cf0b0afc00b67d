//! `certwright user`: people, and how they come in.

use clap::{Args, Subcommand, ValueEnum};
use protocols::rest::grant::HeldRole;
use protocols::rest::page::Page;
use protocols::rest::user::{
    InviteUser, InvitedUser, LiftLockQuery, SignInLock, SignInLockKind, User,
};
use serde_json::json;

use super::Context;
use super::client::Client;
use super::exit::Failure;
use super::output::{self, Format};
use super::paging::{self, Paging};

/// Arguments of `certwright user`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  certwright user invite ada --email ada@example.org --role requester --team web
  certwright user disable ada
  certwright user reset ada")]
pub struct UserCommand {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List users, newest first
    #[command(after_help = "Example:
  certwright user list")]
    List {
        #[command(flatten)]
        paging: Paging,
    },
    /// Show one user
    #[command(after_help = "Example:
  certwright user show ada")]
    Show {
        /// Name or id of the user
        user: String,
    },
    /// Invite somebody: prints a one-time link by which they choose a password
    #[command(after_help = "Examples:
  certwright user invite ada --display-name 'Ada Lovelace' --email ada@example.org
  certwright user invite ada --role requester --team web --role auditor

Each --team belongs to the --role before it; a role without a team is held everywhere.
More roles later: certwright grant create --to usr_… --role …")]
    Invite(Invite),
    /// Keep somebody out: their sessions end at once
    #[command(after_help = "Example:
  certwright user disable ada")]
    Disable {
        /// Name or id of the user
        user: String,
    },
    /// Let somebody in again
    #[command(after_help = "Example:
  certwright user enable ada")]
    Enable {
        /// Name or id of the user
        user: String,
    },
    /// Take password, authenticator and passkeys away, and print a fresh one-time link
    #[command(after_help = "Example:
  certwright user reset ada

For who lost what they sign in with, or has not opened the first link within a week.")]
    Reset {
        /// Name or id of the user
        user: String,
    },
    /// Delete somebody with all their roles; what they did stays in the audit trail
    #[command(after_help = "Example:
  certwright user delete ada")]
    Delete {
        /// Name or id of the user
        user: String,
    },
    /// List names and addresses that have to wait after failed sign-ins
    #[command(after_help = "Example:
  certwright user locks")]
    Locks,
    /// Let a name or an address try again at once
    #[command(after_help = "Examples:
  certwright user unlock user ada
  certwright user unlock address 192.0.2.7")]
    Unlock {
        /// What to unlock
        kind: LockKind,
        /// The user name or the address, as `certwright user locks` shows it
        subject: String,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum LockKind {
    User,
    Address,
}

#[derive(Debug, Args)]
struct Invite {
    /// What the person will sign in as; an e-mail address is fine
    name: String,
    /// What others see
    #[arg(long)]
    display_name: Option<String>,
    /// For notifications
    #[arg(long)]
    email: Option<String>,
    /// A role from the first day; repeatable
    #[arg(long = "role", value_name = "ROLE")]
    roles: Vec<String>,
    /// The team in which the role before is held; repeatable, one for each role or none at all
    #[arg(long = "team", value_name = "TEAM", requires = "roles")]
    teams: Vec<String>,
}

impl UserCommand {
    /// Runs the command.
    pub async fn run(self, context: &Context) -> Result<(), Failure> {
        let client = Client::new(context)?;
        match self.verb {
            Verb::List { paging } => {
                let page = client.list::<User>(&["users"], &(), &paging).await?;
                paging::print(context, COLUMNS, &page)
            }
            Verb::Show { user } => {
                let shown: User = client.get(&["users", &user]).await?;
                Ok(output::print(context.output, &shown)?)
            }
            Verb::Invite(invite) => {
                let made: InvitedUser = client.post(&["users"], &invite.body()?).await?;
                print_link(context.output, &made)
            }
            Verb::Disable { user } => act(&client, context, &user, "disable").await,
            Verb::Enable { user } => act(&client, context, &user, "enable").await,
            Verb::Reset { user } => {
                let made: InvitedUser = client.act(&["users", &user, "reset"], &()).await?;
                print_link(context.output, &made)
            }
            Verb::Delete { user } => client.delete(&["users", &user]).await,
            Verb::Locks => {
                let locks: Page<SignInLock> = client.get(&["sign-in-locks"]).await?;
                paging::print(context, LOCK_COLUMNS, &locks)
            }
            Verb::Unlock { kind, subject } => {
                let kind = match kind {
                    LockKind::User => SignInLockKind::User,
                    LockKind::Address => SignInLockKind::Address,
                };
                let query = LiftLockQuery { kind, subject };
                client.delete_where(&["sign-in-locks"], &query).await
            }
        }
    }
}

impl Invite {
    fn body(self) -> Result<InviteUser, Failure> {
        if !self.teams.is_empty() && self.teams.len() != self.roles.len() {
            return Err(Failure::usage(
                "give a --team for each --role, or none; roles that are held everywhere can be given \
                 later with `certwright grant create`",
            ));
        }
        let teams = self
            .teams
            .into_iter()
            .map(Some)
            .chain(std::iter::repeat(None));
        let grants = self.roles.into_iter().zip(teams);
        Ok(InviteUser {
            name: self.name,
            display_name: self.display_name,
            email: self.email,
            grants: grants.map(|(role, team)| HeldRole { role, team }).collect(),
        })
    }
}

async fn act(client: &Client, context: &Context, user: &str, verb: &str) -> Result<(), Failure> {
    let changed: User = client.act(&["users", user, verb], &()).await?;
    Ok(output::print_columns(context.output, COLUMNS, &changed)?)
}

/// The link alone: it goes into a message.
fn print_link(format: Format, made: &InvitedUser) -> Result<(), Failure> {
    match format {
        Format::Json => Ok(output::print(format, &json!(made))?),
        Format::Table => {
            output::note(&format!(
                "{} ({}) chooses a password by this link; it works once, until {}",
                made.user.name, made.user.id, made.setup_expires_at
            ));
            Ok(output::print_text(&format!("{}\n", made.setup_url))?)
        }
    }
}

const COLUMNS: &[&str] = &[
    "id",
    "name",
    "display_name",
    "state",
    "provider",
    "last_sign_in_at",
];
const LOCK_COLUMNS: &[&str] = &["kind", "subject", "failures", "locked_until"];
