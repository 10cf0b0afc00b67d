//! A CA behind a program of the operator's; `docs/connectors/command.md` is its contract.

mod run;
mod wire;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use domain::certificate::Chain;
use domain::issuer::{
    Abilities, Aspect, CheckReport, CommandConfig, ConnectError, FetchChain, HealthCheck, Issuance,
    IssueError, Issuer, IssuerSecrets, Outcome, RevocationError, RevocationRequest, SigningRequest,
};
use pki::pem;

use self::run::Program;
use self::wire::{Answer, Call, Operation};
use super::{Environment, RemoteCa};

/// Runs the program once for each question.
pub struct CommandConnector {
    issuer: String,
    program: Program,
    settings: BTreeMap<String, String>,
    secrets: IssuerSecrets,
    chain: Chain,
}

impl CommandConnector {
    /// A connector whose program is in the directory of commands. Whether it is there is looked at when
    /// it is run: it may be put there later.
    pub fn new(
        issuer: &Issuer,
        config: &CommandConfig,
        secrets: IssuerSecrets,
        environment: &Environment,
    ) -> Result<Self, ConnectError> {
        let Some(directory) = &environment.commands else {
            return Err(ConnectError::Settings(
                "this server runs no programs; name their directory as `ca.command_directory` in its \
                 configuration"
                    .to_owned(),
            ));
        };
        Ok(Self {
            issuer: issuer.name.clone(),
            program: Program {
                directory: directory.clone(),
                name: config.program.clone(),
                time_limit: Duration::from_secs(config.time_limit_seconds),
            },
            settings: config.settings.clone(),
            secrets,
            chain: issuer.chain().clone(),
        })
    }

    async fn ask(&self, operation: Operation<'_>) -> Result<Answer, IssueError> {
        let call = Call::new(&self.issuer, &self.settings, &self.secrets, operation);
        let question = call
            .to_json()
            .map_err(|error| IssueError::Refused(error.to_string()))?;
        let output = self.program.run(&question, &self.secrets).await?;
        serde_json::from_slice(&output).map_err(|error| {
            IssueError::Unavailable(format!(
                "the program `{}` did not answer as agreed: {error}",
                self.program.name
            ))
        })
    }

    fn unexpected(&self, answer: &Answer) -> IssueError {
        IssueError::Unavailable(format!(
            "the program `{}` answered `{}`, which fits no such question",
            self.program.name,
            answer.name()
        ))
    }

    fn issuance(&self, answer: Answer) -> Result<Issuance, IssueError> {
        match answer {
            Answer::Issued { chain } => Ok(Issuance::Issued(self.complete(certificates(&chain)?))),
            Answer::Pending {
                handle,
                poll_after_seconds,
            } => Ok(Issuance::Pending {
                handle,
                poll_after: Duration::from_secs(poll_after_seconds),
            }),
            Answer::Refused { message } => Err(IssueError::Refused(message)),
            Answer::Unavailable { message } => Err(IssueError::Unavailable(message)),
            Answer::NotReached { message } => Err(IssueError::NotReached(message)),
            answer @ (Answer::Done | Answer::Checked { .. }) => Err(self.unexpected(&answer)),
        }
    }

    /// A program that gives the certificate alone relies on the chain that the operator gave.
    fn complete(&self, chain: Chain) -> Chain {
        match chain.certificates() {
            [leaf] => self.chain.with_leaf(leaf.clone()),
            _ => chain,
        }
    }
}

#[async_trait]
impl RemoteCa for CommandConnector {
    async fn issue(&self, request: &SigningRequest) -> Result<Issuance, IssueError> {
        let answer = self.ask(Operation::issue(request)).await?;
        self.issuance(answer)
    }

    async fn poll(&self, handle: &str) -> Result<Issuance, IssueError> {
        let answer = self.ask(Operation::Poll { handle }).await?;
        self.issuance(answer)
    }

    async fn revoke(&self, request: &RevocationRequest) -> Result<(), RevocationError> {
        let answer = self.ask(Operation::revoke(request)).await?;
        match answer {
            Answer::Done => Ok(()),
            Answer::Refused { message } => Err(RevocationError::Refused(message)),
            Answer::Unavailable { message } | Answer::NotReached { message } => {
                Err(RevocationError::Unavailable(message))
            }
            answer @ (Answer::Issued { .. } | Answer::Pending { .. } | Answer::Checked { .. }) => {
                Err(self.unexpected(&answer).into())
            }
        }
    }

    fn abilities(&self) -> Abilities<'_> {
        Abilities::usual(self)
    }
}

#[async_trait]
impl HealthCheck for CommandConnector {
    async fn check(&self) -> CheckReport {
        let mut report = CheckReport::default();
        match self.ask(Operation::Check).await {
            Ok(Answer::Checked { findings, .. }) => {
                report.passed(Aspect::Reach, "the program answers");
                report.findings.extend(findings);
            }
            Ok(Answer::Refused { message }) => report.failed(Aspect::Rights, message),
            Ok(Answer::Unavailable { message } | Answer::NotReached { message }) => {
                report.failed(Aspect::Reach, message);
            }
            Ok(answer) => report.failed(Aspect::Reach, self.unexpected(&answer).to_string()),
            Err(error) => report.failed(Aspect::Reach, error.to_string()),
        }
        report.note(
            Aspect::DryRun,
            Outcome::Skipped,
            "a program has no way to sign on trial",
        );
        report
    }
}

#[async_trait]
impl FetchChain for CommandConnector {
    async fn fetch_chain(&self) -> Result<Chain, IssueError> {
        match self.ask(Operation::Check).await? {
            Answer::Checked {
                chain: Some(chain), ..
            } => certificates(&chain),
            // It need not tell; then what the operator gave is what is known.
            _ => Ok(self.chain.clone()),
        }
    }
}

fn certificates(text: &str) -> Result<Chain, IssueError> {
    let found = pem::decode_all(pem::CERTIFICATE, text.as_bytes()).map_err(|error| {
        IssueError::Unavailable(format!("the program's `chain` is no PEM: {error}"))
    })?;
    match found.is_empty() {
        true => Err(IssueError::Unavailable(
            "the program's `chain` holds no certificate".to_owned(),
        )),
        false => Ok(Chain::new(found)),
    }
}

/// Where a program is, if it is fit to be run: a file of its own in the directory, which only its
/// owner may change. Whoever may write settings may not thereby choose any program of the machine.
fn located(directory: &Path, name: &str) -> Result<PathBuf, IssueError> {
    use std::os::unix::fs::PermissionsExt;
    let path = directory.join(name);
    let unfit = |reason: &str| IssueError::NotReached(format!("the program `{name}` {reason}"));
    let real = path
        .canonicalize()
        .map_err(|_| unfit("is not in the directory of commands"))?;
    let home = directory
        .canonicalize()
        .map_err(|_| unfit("has no directory: `ca.command_directory` is not there"))?;
    if real.parent() != Some(home.as_path()) {
        return Err(unfit("leads out of the directory of commands"));
    }
    let facts = real.metadata().map_err(|_| unfit("cannot be looked at"))?;
    let mode = facts.permissions().mode();
    if !facts.is_file() || mode & 0o111 == 0 {
        return Err(unfit("is not executable"));
    }
    if mode & 0o022 != 0 {
        return Err(unfit(
            "may be changed by others than its owner; chmod go-w it",
        ));
    }
    Ok(real)
}
