//! `certwright enrollment-password`: what opens EST labels and SCEP services.

use clap::{Args, Subcommand};
use protocols::rest::enrollment_password::{
    CreateEnrollmentPassword, CreatedEnrollmentPassword, EnrollmentPassword,
    EnrollmentPasswordFilter,
};

use super::Context;
use super::client::Client;
use super::exit::Failure;
use super::lifetime::Lifetime;
use super::metadata::{self, Given};
use super::output;
use super::paging::{self, Paging};

/// Arguments of `certwright enrollment-password`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  certwright enrollment-password create --name 'printer 17' --est-label printers --uses 1 --lifetime 7d
  certwright enrollment-password create --name phones --scep-service phones --allow .phones.example.org
  certwright enrollment-password revoke pwd_…")]
pub struct EnrollmentPasswordCommand {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List passwords, newest first
    #[command(after_help = "Example:
  certwright enrollment-password list --est-label printers")]
    List {
        #[command(flatten)]
        point: Point,
        #[command(flatten)]
        paging: Paging,
    },
    /// Show one password, without its secret
    #[command(after_help = "Example:
  certwright enrollment-password show pwd_06ek9q3v5c8m2k7t1r4x0z9w8y")]
    Show {
        /// Id of the password
        id: String,
    },
    /// Make a password; its secret is shown this once
    #[command(after_help = "Example:
  certwright enrollment-password create --name 'printer 17' --est-label printers --uses 1 \\
    --allow printer-17.example.org --lifetime 7d --metadata cost_center=4711")]
    Create(Create),
    /// Revoke a password; what was asked for with it and waits is given up
    #[command(after_help = "Example:
  certwright enrollment-password revoke pwd_06ek9q3v5c8m2k7t1r4x0z9w8y")]
    Revoke {
        /// Id of the password
        id: String,
    },
}

/// Where the password is shown.
#[derive(Debug, Args)]
#[group(multiple = false)]
struct Point {
    /// Of this EST label
    #[arg(long, value_name = "NAME")]
    est_label: Option<String>,
    /// Of this SCEP service
    #[arg(long, value_name = "NAME")]
    scep_service: Option<String>,
}

#[derive(Debug, Args)]
struct Create {
    /// Which device or batch it is for
    #[arg(long)]
    name: String,
    #[command(flatten)]
    point: Point,
    /// A user name that has to come with it over HTTP Basic
    #[arg(long)]
    username: Option<String>,
    /// Names that may be asked for: host.example.org, .example.org, 192.0.2.0/24; repeatable
    #[arg(long = "allow", value_name = "PATTERN")]
    allowed_names: Vec<String>,
    /// How many enrollments it opens; any number without it
    #[arg(long = "uses", value_name = "NUMBER")]
    max_uses: Option<u32>,
    /// Custom metadata that enrollments with it inherit; repeatable
    #[arg(long, value_name = "FIELD=VALUE")]
    metadata: Vec<Given>,
    /// How long it opens anything: 90d, 12h; for ever without it
    #[arg(long)]
    lifetime: Option<Lifetime>,
    /// For this team: what is enrolled with it is the team's
    #[arg(long)]
    team: Option<String>,
}

impl EnrollmentPasswordCommand {
    /// Runs the command.
    pub async fn run(self, context: &Context) -> Result<(), Failure> {
        let client = Client::new(context)?;
        match self.verb {
            Verb::List { point, paging } => {
                let filter = EnrollmentPasswordFilter {
                    est_label: point.est_label,
                    scep_service: point.scep_service,
                };
                let page = client
                    .list::<EnrollmentPassword>(&["enrollment-passwords"], &filter, &paging)
                    .await?;
                paging::print(context, COLUMNS, &page)
            }
            Verb::Show { id } => {
                let path = ["enrollment-passwords", &id];
                let shown: EnrollmentPassword = client.get(&path).await?;
                Ok(output::print(context.output, &shown)?)
            }
            Verb::Create(create) => {
                let path = ["enrollment-passwords"];
                let made: CreatedEnrollmentPassword = client.create(&path, &create.body()).await?;
                let columns = [
                    "id",
                    "secret",
                    "name",
                    "entry_point",
                    "max_uses",
                    "expires_at",
                ];
                Ok(output::print_columns(context.output, &columns, &made)?)
            }
            Verb::Revoke { id } => {
                let path = ["enrollment-passwords", &id, "revoke"];
                let revoked: EnrollmentPassword = client.act(&path, &()).await?;
                Ok(output::print(context.output, &revoked)?)
            }
        }
    }
}

impl Create {
    fn body(self) -> CreateEnrollmentPassword {
        CreateEnrollmentPassword {
            name: self.name,
            est_label: self.point.est_label,
            scep_service: self.point.scep_service,
            username: self.username,
            allowed_names: self.allowed_names,
            max_uses: self.max_uses,
            metadata: metadata::given(&self.metadata),
            lifetime_seconds: self.lifetime.map(|lifetime| lifetime.0),
            team: self.team,
        }
    }
}

const COLUMNS: &[&str] = &[
    "id",
    "name",
    "status",
    "protocol",
    "entry_point",
    "uses",
    "max_uses",
    "team",
    "allowed_names",
    "expires_at",
];
