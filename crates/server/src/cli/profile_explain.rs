//! `certwright profile explain`: what would be decided on a request, rule by rule.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use protocols::rest::profile::{
    ExplainRequest, Explanation, KeyEvidence, KeyEvidenceKind, Outcome, Verdict,
};
use serde_json::{Value, json};

use super::Context;
use super::client::Client;
use super::exit::Failure;
use super::files;
use super::lifetime::Lifetime;
use super::output::{self, Format};

/// Arguments of `certwright profile explain`.
#[derive(Debug, Args)]
pub struct Explain {
    /// Name of the profile
    profile: String,
    /// Names to ask for: hosts, addresses, mailboxes, URIs; without any, those of the CSR
    names: Vec<String>,
    /// File with a CSR in PEM; without one a key that the profile takes is assumed
    #[arg(long, value_name = "FILE")]
    csr: Option<PathBuf>,
    /// Subject beside the CSR's
    #[arg(long, value_name = "DN")]
    subject: Option<String>,
    /// Lifetime that is shorter than the profile's, like 30d or 12h
    #[arg(long, value_name = "TIME")]
    validity: Option<Lifetime>,
    /// Metadata that would come with the request; repeatable
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    metadata: Vec<(String, String)>,
    /// Team that would own the certificate
    #[arg(long)]
    team: Option<String>,
    /// How the private key is protected: attestation, supplied-device, cloud-service or witness
    #[arg(long, value_name = "KIND=REFERENCE", value_parser = key_evidence)]
    key_evidence: Option<KeyEvidence>,
    /// Version of the profile; without it the current one
    #[arg(long)]
    version: Option<u32>,
}

impl Explain {
    /// Runs the command. What would be refused is exit code 1.
    pub async fn run(self, context: &Context) -> Result<(), Failure> {
        let client = Client::new(context)?;
        let csr = self.csr.as_deref().map(files::read_text).transpose()?;
        let request = ExplainRequest {
            csr,
            names: self.names,
            subject: self.subject,
            validity_seconds: self.validity.map(|Lifetime(seconds)| seconds),
            not_before: None,
            not_after: None,
            key_evidence: self.key_evidence,
            metadata: self.metadata.into_iter().collect::<BTreeMap<_, _>>(),
            team: self.team,
            version: self.version,
        };
        let path = ["profiles", self.profile.as_str(), "explain"];
        let explanation: Explanation = client.post(&path, &request).await?;
        print(context, &explanation)?;
        match explanation.verdict {
            Verdict::Approved => Ok(()),
            Verdict::Rejected => Err(Failure::refused("this would be refused")),
            Verdict::Unavailable => Err(Failure::refused("nobody could sign this")),
        }
    }
}

fn print(context: &Context, explanation: &Explanation) -> Result<(), Failure> {
    if context.output == Format::Json {
        output::print(context.output, explanation)?;
        return Ok(());
    }
    let rows: Vec<Value> = explanation
        .steps
        .iter()
        .map(|step| {
            let message = match &step.fix {
                Some(fix) => format!("{}; {fix}", step.message),
                None => step.message.clone(),
            };
            json!({ "rule": step.rule, "outcome": word(step.outcome), "message": message })
        })
        .collect();
    output::print_columns(context.output, &["outcome", "rule", "message"], &rows)?;
    if let Some(certificate) = &explanation.certificate {
        output::print_text("\n")?;
        output::print(context.output, certificate)?;
    }
    Ok(())
}

fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Passed => "passed",
        Outcome::Failed => "FAILED",
        Outcome::NotApplicable => "-",
    }
}

/// `kind=reference`.
pub(super) fn key_evidence(text: &str) -> Result<KeyEvidence, String> {
    let (kind, reference) = text.split_once('=').ok_or("write KIND=REFERENCE")?;
    let kind: KeyEvidenceKind =
        serde_json::from_value(Value::from(kind)).map_err(|error| error.to_string())?;
    Ok(KeyEvidence {
        kind,
        reference: reference.to_owned(),
        attested: None,
    })
}

fn pair(text: &str) -> Result<(String, String), &'static str> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}
