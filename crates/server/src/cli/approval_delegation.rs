//! `certwright approval delegate` and its kind: who is away, and who decides meanwhile.

use clap::Args;
use pki::time::Timestamp;
use protocols::rest::approval::{CreateDelegation, Delegation, DelegationQuery};

use super::Context;
use super::client::Client;
use super::exit::Failure;
use super::output;
use super::paging::{self, Paging};

/// Arguments of `certwright approval delegate`.
#[derive(Debug, Args)]
pub struct Absent {
    /// Who decides meanwhile: the id of a user or a token; nobody without it
    #[arg(long, value_name = "ID")]
    to: Option<String>,
    /// When you are back: 2027-01-10T08:00:00Z
    #[arg(long, value_name = "TIME")]
    until: Timestamp,
    /// When you leave; now without it
    #[arg(long, value_name = "TIME")]
    from: Option<Timestamp>,
    /// Why
    #[arg(long, default_value = "")]
    reason: String,
    /// Who is away, where that is somebody else; takes an administrator
    #[arg(long, value_name = "ID")]
    principal: Option<String>,
}

/// Arguments of `certwright approval undelegate`.
#[derive(Debug, Args)]
pub struct Return {
    /// Id of the delegation
    id: String,
}

impl Absent {
    /// Notes the absence.
    pub async fn run(self, client: &Client, context: &Context) -> Result<(), Failure> {
        let body = CreateDelegation {
            principal: self.principal,
            delegate: self.to,
            reason: self.reason,
            starts_at: self.from,
            ends_at: self.until,
        };
        let made: Delegation = client.post(&["approval-delegations"], &body).await?;
        Ok(output::print(context.output, &made)?)
    }
}

impl Return {
    /// Ends it.
    pub async fn run(self, client: &Client) -> Result<(), Failure> {
        client.delete(&["approval-delegations", &self.id]).await
    }
}

/// Lists absences and delegations.
pub async fn list(
    client: &Client,
    context: &Context,
    in_force: bool,
    paging: &Paging,
) -> Result<(), Failure> {
    let query = DelegationQuery {
        in_force,
        ..DelegationQuery::default()
    };
    let page = client
        .list::<Delegation>(&["approval-delegations"], &query, paging)
        .await?;
    paging::print(context, COLUMNS, &page)
}

const COLUMNS: &[&str] = &[
    "id",
    "principal",
    "delegate",
    "starts_at",
    "ends_at",
    "is_in_force",
    "reason",
];
