//! `certwright enrollment`: passes through the issuance pipeline.

use clap::{Args, Subcommand};
use pki::time::Timestamp;
use protocols::rest::enroll::CancelEnrollment;
use protocols::rest::enrollment::{Enrollment, EnrollmentQuery, EnrollmentStatus};

use super::Context;
use super::client::Client;
use super::exit::Failure;
use super::output;
use super::paging::{self, Paging};

/// Arguments of `certwright enrollment`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  certwright enrollment list --status failed
  certwright enrollment show enr_…")]
pub struct EnrollmentCommand {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List enrollments, newest first
    #[command(after_help = "Example:
  certwright enrollment list --status rejected")]
    List {
        /// rejected, awaiting-approval, approved, signing, awaiting-issuer, issued, failed, cancelled,
        /// denied or expired
        #[arg(long, value_parser = status)]
        status: Option<EnrollmentStatus>,
        /// Only what changed at this instant or later
        #[arg(long, value_name = "TIME")]
        changed_since: Option<Timestamp>,
        #[command(flatten)]
        paging: Paging,
    },
    /// Withdraw a request that is not issued yet
    #[command(after_help = "Example:
  certwright enrollment cancel enr_06ek9q3v5c8m2k7t1r4x0z9w8y --reason 'asked for the wrong name'")]
    Cancel {
        /// Id of the enrollment
        id: String,
        /// For the audit trail
        #[arg(long)]
        reason: Option<String>,
    },
    /// Show one enrollment
    #[command(after_help = "Example:
  certwright enrollment show enr_06ek9q3v5c8m2k7t1r4x0z9w8y")]
    Show {
        /// Id of the enrollment
        id: String,
    },
}

fn status(text: &str) -> Result<EnrollmentStatus, String> {
    serde_json::from_value(text.into()).map_err(|_| {
        "it is rejected, awaiting-approval, approved, signing, awaiting-issuer, issued, failed, \
         cancelled, denied or expired"
            .to_owned()
    })
}

impl EnrollmentCommand {
    /// Runs the command.
    pub async fn run(self, context: &Context) -> Result<(), Failure> {
        let client = Client::new(context)?;
        match self.verb {
            Verb::List {
                status,
                changed_since,
                paging,
            } => {
                let query = EnrollmentQuery {
                    status,
                    changed_since,
                };
                let page = client
                    .list::<Enrollment>(&["enrollments"], &query, &paging)
                    .await?;
                let columns = [
                    "id",
                    "status",
                    "profile",
                    "issuer",
                    "certificate",
                    "created_at",
                    "reason",
                ];
                paging::print(context, &columns, &page)
            }
            Verb::Cancel { id, reason } => {
                let path = ["enrollments", &id, "cancel"];
                let body = CancelEnrollment { reason };
                let shown: Enrollment = client.post(&path, &body).await?;
                Ok(output::print(context.output, &shown)?)
            }
            Verb::Show { id } => {
                let shown: Enrollment = client.get(&["enrollments", &id]).await?;
                Ok(output::print(context.output, &shown)?)
            }
        }
    }
}
