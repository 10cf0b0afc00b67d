//! `certwright approval`: decide on what waits for people.

use clap::{Args, Subcommand};
use pki::time::Timestamp;
use protocols::rest::approval::{
    Approval, ApprovalDetails, ApprovalLink, ApprovalQuery, ApprovalSort, ApprovalStatus, Approve,
    Approver, CreateApprovalLink, DecideMany, DecidedMany, Deny, PolicyResult, Verdict,
};
use protocols::rest::enrollment::Requester;
use serde_json::{Value, json};

use super::Context;
use super::approval_delegation::{Absent, Return};
use super::client::Client;
use super::exit::Failure;
use super::output::{self, Format};
use super::paging::{self, Paging};

/// Arguments of `certwright approval`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  certwright approval list --mine
  certwright approval show apr_…
  certwright approval approve apr_… --reason 'agreed with the web team'
  certwright approval deny apr_… --reason 'the name belongs to another team'")]
pub struct ApprovalCommand {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List what waits for people, or waited
    #[command(after_help = "Examples:
  certwright approval list --mine --sort deadline
  certwright approval list --status denied --profile public")]
    List(List),
    /// Show one approval with everything that is needed to decide
    #[command(after_help = "Example:
  certwright approval show apr_06ek9q3v5c8m2k7t1r4x0z9w8y")]
    Show {
        /// Id of the approval
        id: String,
    },
    /// Approve; more people may have to agree
    #[command(after_help = "Examples:
  certwright approval approve apr_06ek9q3v5c8m2k7t1r4x0z9w8y
  certwright approval list --mine --output json | jq -r '.[].id' | xargs certwright approval approve")]
    Approve(Decide),
    /// Deny: the request ends, and whoever asked is shown the reason
    #[command(after_help = "Example:
  certwright approval deny apr_06ek9q3v5c8m2k7t1r4x0z9w8y --reason 'the name belongs to another team'")]
    Deny(Refuse),
    /// Print a one-time link by which you decide in a browser
    #[command(after_help = "Example:
  certwright approval link apr_06ek9q3v5c8m2k7t1r4x0z9w8y")]
    Link {
        /// Id of the approval
        id: String,
    },
    /// Say that you are away, and who decides meanwhile
    #[command(after_help = "Examples:
  certwright approval delegate --to usr_… --until 2027-01-10T08:00:00Z --reason holidays
  certwright approval delegate --until 2027-01-10T08:00:00Z       # away, and nobody instead")]
    Delegate(Absent),
    /// List absences and delegations
    #[command(after_help = "Example:
  certwright approval delegations --in-force")]
    Delegations {
        /// Only those that hold now
        #[arg(long)]
        in_force: bool,
        #[command(flatten)]
        paging: Paging,
    },
    /// End a delegation before its time
    #[command(after_help = "Example:
  certwright approval undelegate dlg_06ek9q3v5c8m2k7t1r4x0z9w8y")]
    Undelegate(Return),
}

#[derive(Debug, Args)]
struct List {
    /// Only those that wait for you
    #[arg(long)]
    mine: bool,
    /// pending, approved, denied, expired, cancelled or waived
    #[arg(long, value_parser = status)]
    status: Option<ApprovalStatus>,
    /// Only those that nobody decides on any more
    #[arg(long)]
    decided: bool,
    /// newest, deadline (the next to end first) or changed (what changed last first)
    #[arg(long, value_parser = sort, default_value = "newest")]
    sort: ApprovalSort,
    /// Name of a profile
    #[arg(long)]
    profile: Option<String>,
    /// Id of an enrollment
    #[arg(long)]
    enrollment: Option<String>,
    #[command(flatten)]
    paging: Paging,
}

#[derive(Debug, Args)]
struct Decide {
    /// Ids of approvals
    #[arg(required = true)]
    ids: Vec<String>,
    /// Why
    #[arg(long)]
    reason: Option<String>,
}

#[derive(Debug, Args)]
struct Refuse {
    /// Ids of approvals
    #[arg(required = true)]
    ids: Vec<String>,
    /// Why; whoever asked is shown it
    #[arg(long)]
    reason: String,
}

fn sort(text: &str) -> Result<ApprovalSort, String> {
    serde_json::from_value(text.into()).map_err(|_| "it is newest, deadline or changed".to_owned())
}

fn status(text: &str) -> Result<ApprovalStatus, String> {
    serde_json::from_value(text.into())
        .map_err(|_| "it is pending, approved, denied, expired, cancelled or waived".to_owned())
}

impl ApprovalCommand {
    /// Runs the command.
    pub async fn run(self, context: &Context) -> Result<(), Failure> {
        let client = Client::new(context)?;
        match self.verb {
            Verb::List(list) => list.run(&client, context).await,
            Verb::Show { id } => {
                let shown: ApprovalDetails = client.get(&["approvals", &id]).await?;
                show(context, &shown)
            }
            Verb::Approve(decide) => decide.run(&client, context).await,
            Verb::Deny(refuse) => refuse.run(&client, context).await,
            Verb::Link { id } => {
                let body = CreateApprovalLink {
                    verdicts: vec![Verdict::Approve, Verdict::Deny],
                };
                let link: ApprovalLink = client.post(&["approvals", &id, "link"], &body).await?;
                match context.output {
                    Format::Json => Ok(output::print(context.output, &link)?),
                    Format::Table => Ok(output::print_text(&format!("{}\n", link.url))?),
                }
            }
            Verb::Delegate(absent) => absent.run(&client, context).await,
            Verb::Delegations { in_force, paging } => {
                super::approval_delegation::list(&client, context, in_force, &paging).await
            }
            Verb::Undelegate(returned) => returned.run(&client).await,
        }
    }
}

impl List {
    async fn run(self, client: &Client, context: &Context) -> Result<(), Failure> {
        let query = ApprovalQuery {
            status: self.status,
            profile: self.profile,
            enrollment: self.enrollment,
            mine: self.mine,
            decided: self.decided,
            sort: Some(self.sort),
        };
        let page = client
            .list::<Approval>(&["approvals"], &query, &self.paging)
            .await?;
        paging::print_rows(context, COLUMNS, &page, row)
    }
}

impl Decide {
    async fn run(self, client: &Client, context: &Context) -> Result<(), Failure> {
        if let [id] = self.ids.as_slice() {
            let body = Approve {
                reason: self.reason,
            };
            let shown: ApprovalDetails = client.post(&["approvals", id, "approve"], &body).await?;
            return show(context, &shown);
        }
        many(client, context, self.ids, Verdict::Approve, self.reason).await
    }
}

impl Refuse {
    async fn run(self, client: &Client, context: &Context) -> Result<(), Failure> {
        if let [id] = self.ids.as_slice() {
            let body = Deny {
                reason: self.reason,
            };
            let shown: ApprovalDetails = client.post(&["approvals", id, "deny"], &body).await?;
            return show(context, &shown);
        }
        many(client, context, self.ids, Verdict::Deny, Some(self.reason)).await
    }
}

/// Several at once; one that is refused does not stop the others, but the command fails.
async fn many(
    client: &Client,
    context: &Context,
    approvals: Vec<String>,
    verdict: Verdict,
    reason: Option<String>,
) -> Result<(), Failure> {
    let body = DecideMany {
        approvals,
        verdict,
        reason,
    };
    let decided: DecidedMany = client.post(&["approvals", "decide"], &body).await?;
    let columns = ["approval", "status", "error"];
    output::print_columns(context.output, &columns, &decided.results)?;
    let refused = decided.results.iter().filter(|one| one.error.is_some());
    match refused.count() {
        0 => Ok(()),
        count => Err(Failure::refused(format!(
            "{count} of {} decisions were not taken",
            decided.results.len()
        ))),
    }
}

fn show(context: &Context, shown: &ApprovalDetails) -> Result<(), Failure> {
    let value = match context.output {
        Format::Json => serde_json::to_value(shown).map_err(anyhow::Error::from)?,
        Format::Table => facts(shown),
    };
    Ok(output::print_columns(context.output, FACTS, &value)?)
}

/// What people look at, line by line.
fn facts(shown: &ApprovalDetails) -> Value {
    let approval = &shown.approval;
    let last = shown.last_certificate.as_ref();
    let differences = last.map(|last| {
        let each = last.differences.iter();
        each.map(|d| format!("{}: {} (was {})", d.what, d.now, d.before))
            .collect::<Vec<_>>()
    });
    let escalation: Vec<String> = shown
        .escalation
        .iter()
        .map(|step| {
            let mark = if step.is_taken { "since" } else { "from" };
            format!("{mark} {}: {}", step.at, people(&step.to, approval))
        })
        .collect();
    let decisions: Vec<String> = approval
        .decisions
        .iter()
        .map(|decision| {
            let void = if decision.is_void { " (void)" } else { "" };
            let verdict = match decision.verdict {
                Verdict::Approve => "approved",
                Verdict::Deny => "denied",
            };
            let by = called(approval, &decision.by);
            format!("{by} {verdict} at {}{void}", decision.at)
        })
        .collect();
    let mut value = row(approval);
    let more = json!({
        "requester": requester(approval),
        "team": approval.team,
        "reasons": approval.reasons,
        "key_kind": shown.key_kind,
        "metadata": shown.metadata,
        "policy": policy(&shown.policy),
        "last_certificate": last.map(|last| &last.id),
        "differences": differences,
        "decisions": decisions,
        "escalation": escalation,
        "your_turn": match (&shown.your_turn, &shown.why_not) {
            (true, _) => "yes".to_owned(),
            (false, Some(why)) => format!("no: {why}"),
            (false, None) => "no".to_owned(),
        },
    });
    if let (Some(value), Value::Object(more)) = (value.as_object_mut(), more) {
        value.extend(more);
    }
    value
}

/// Who asked, by name where it was somebody.
fn requester(approval: &Approval) -> Value {
    match &approval.requester {
        Requester::User { user: id } | Requester::Token { token: id } => {
            called(approval, id).into()
        }
        other @ (Requester::AcmeAccount { .. } | Requester::Client { .. } | Requester::System) => {
            json!(other)
        }
    }
}

fn row(approval: &Approval) -> Value {
    let names: Vec<&str> = approval
        .identifiers
        .iter()
        .map(|identifier| identifier.value.as_str())
        .collect();
    json!({
        "id": approval.id,
        "status": approval.status,
        "names": names,
        "profile": approval.profile,
        "missing": approval.missing,
        "waits_for": people(&approval.waits_for, approval),
        "deadline_at": deadline(approval),
        "enrollment": approval.enrollment,
        "enrollment_status": approval.enrollment_status,
        "reason": approval.reason,
    })
}

/// Of what is decided nobody wants to know the deadline.
fn deadline(approval: &Approval) -> Option<Timestamp> {
    (approval.status == ApprovalStatus::Pending).then_some(approval.deadline_at)
}

/// The name of a person or program, or where it is gone, the id.
fn called<'a>(approval: &'a Approval, id: &'a str) -> &'a str {
    approval.people.get(id).map_or(id, String::as_str)
}

fn people(approvers: &[Approver], approval: &Approval) -> String {
    let texts: Vec<&str> = approvers
        .iter()
        .map(|approver| match approver {
            Approver::Role { role, .. } => role.as_str(),
            Approver::Named { principal } => called(approval, principal),
        })
        .collect();
    texts.join(", ")
}

fn policy(result: &PolicyResult) -> String {
    match result {
        PolicyResult::Allowed {
            issuer, not_after, ..
        } => format!("allowed: {issuer} would sign, until {not_after}"),
        PolicyResult::Violations { violations } => {
            let texts: Vec<&str> = violations.iter().map(|v| v.message.as_str()).collect();
            format!("not allowed: {}", texts.join("; "))
        }
        PolicyResult::Unknown { reason } => reason.clone(),
    }
}

const COLUMNS: &[&str] = &[
    "id",
    "status",
    "names",
    "profile",
    "missing",
    "waits_for",
    "deadline_at",
];

const FACTS: &[&str] = &[
    "id",
    "status",
    "your_turn",
    "names",
    "requester",
    "team",
    "profile",
    "reasons",
    "key_kind",
    "metadata",
    "policy",
    "last_certificate",
    "differences",
    "missing",
    "waits_for",
    "decisions",
    "deadline_at",
    "escalation",
    "enrollment",
    "enrollment_status",
    "reason",
];
