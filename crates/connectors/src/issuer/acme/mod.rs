//! A CA that speaks ACME (RFC 8555). One account there serves all clients here: their CSRs are
//! forwarded, and what the CA wants proven is proven by us.
//!
//! The client is our own, on the types that our server speaks with: it goes through the guarded dialer,
//! keeps the times a CA asks for, and stops wherever it would have to wait.

mod account;
mod advice;
mod authorize;
mod check;
mod client;
mod handle;
mod limits;
mod order;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::certificate::Chain;
use domain::clock::Clock;
use domain::issuer::acme::AcmeSolver;
use domain::issuer::{
    Abilities, AcmeConfig, ConnectError, Issuance, IssueError, Issuer, IssuerSecrets,
    RevocationError, RevocationRequest, SigningRequest, Tidy,
};
use pki::revocation::RevocationReason;
use pki::time::Timestamp;
use protocols::acme::base64url::Base64Url;
use protocols::acme::order::NewOrder;
use protocols::acme::problem::ProblemType;
use protocols::acme::revocation::Revocation;

use self::account::{Account, Accounts, account_is_unknown};
use self::advice::is_about_predecessor;
use self::authorize::Authorizer;
use self::client::{AcmeClient, AcmeError, Signer};
use self::handle::Handle;
use self::limits::{Limits, Of};
use self::order::Progress;
use super::environment::Environment;
use super::remote::{NO_END, RemoteCa};
use crate::solver::{self, SolverPorts};

/// The order is durable when this is over, and not before.
const AT_ONCE: Duration = Duration::from_millis(1);
/// An order that is not through by then has failed, or its enrollment is gone.
const ABANDONED_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// Talks to one ACME CA.
pub struct AcmeConnector {
    config: AcmeConfig,
    clock: Arc<dyn Clock>,
    client: AcmeClient,
    accounts: Accounts,
    authorizer: Authorizer,
    limits: Limits,
}

impl AcmeConnector {
    /// A connector; it connects to nothing yet.
    pub fn new(
        issuer: &Issuer,
        config: &AcmeConfig,
        secrets: &IssuerSecrets,
        environment: &Environment,
    ) -> Result<Self, ConnectError> {
        let anchors = config.trust_anchors.as_deref();
        let (http, _) = environment.service(&config.directory_url, anchors, None)?;
        // The directory's URL is used as it was written: a slash at its end is part of it.
        let directory = config
            .directory_url
            .parse()
            .map_err(|error: url::ParseError| ConnectError::Settings(error.to_string()))?;
        let clock = Arc::clone(&environment.clock);
        let (solver, propagation) = solver(config, secrets, environment)?;
        Ok(Self {
            config: config.clone(),
            client: AcmeClient::new(http, directory, Arc::clone(&clock)),
            accounts: Accounts::new(
                issuer.id.clone(),
                config,
                secrets.get("eab_hmac_key"),
                Arc::clone(&environment.state),
            ),
            authorizer: Authorizer {
                issuer: issuer.id.clone(),
                solver,
                propagation,
                responses: Arc::clone(&environment.responses),
                resolver: Arc::clone(&environment.resolver),
                clock: Arc::clone(&clock),
            },
            limits: Limits::new(
                issuer.id.clone(),
                config.orders_per_hour,
                Arc::clone(&environment.state),
            ),
            clock,
        })
    }

    async fn order(&self, order: &NewOrder) -> Result<String, IssueError> {
        let names: Vec<&str> = order.identifiers.iter().map(|i| i.value.as_str()).collect();
        let names = names.join(", ");
        let now = self.clock.now();
        self.limits.admit(&names, now).await?;
        let mut order = order.clone();
        if order.replaces.is_some() {
            let directory = self.client.directory().await.map_err(IssueError::from)?;
            order.replaces = order.replaces.filter(|_| directory.renewal_info.is_some());
        }
        let account = self.accounts.get(&self.client).await?;
        let mut made = order::create(&self.client, &account, &order).await;
        if let Err(error) = &made
            && account_is_unknown(error)
        {
            self.accounts.forget().await?;
            let account = self.accounts.get(&self.client).await?;
            // An account that is new has no predecessors.
            order.replaces = None;
            made = order::create(&self.client, &account, &order).await;
        }
        if let Err(error) = &made
            && order.replaces.take().is_some()
            && is_about_predecessor(error)
        {
            made = order::create(&self.client, &account, &order).await;
        }
        match made {
            Ok(url) => Ok(url),
            Err(error) => Err(self.refused(&names, error).await),
        }
    }

    async fn refused(&self, names: &str, error: AcmeError) -> IssueError {
        if error.kind() == Some(&ProblemType::Unauthorized) {
            // Not the names are refused but the account that all share, which somebody can mend.
            return IssueError::Unavailable(error.to_string());
        }
        if !error.is_limit() && error.retry_after().is_none() {
            return error.into();
        }
        let (now, text) = (self.clock.now(), error.to_string());
        let of = Of::refused_order(names, &text);
        self.limits.note(of, error.retry_after(), text, now).await
    }

    /// Goes on with an order, unless the CA takes nothing at all now; that it does not is learnt here.
    async fn go_on(&self, handle: &mut Handle) -> Result<Issuance, IssueError> {
        self.limits.admit_request(self.clock.now()).await?;
        match self.advance(handle).await {
            Err(IssueError::Throttled { text, after }) => {
                let now = self.clock.now();
                Err(self.limits.note(Of::Requests, Some(after), text, now).await)
            }
            other => other,
        }
    }

    async fn advance(&self, handle: &mut Handle) -> Result<Issuance, IssueError> {
        let account = self.accounts.get(&self.client).await?;
        match order::advance(&self.client, &account, handle, &self.config).await? {
            Progress::Issued(chain) => Ok(Issuance::Issued(chain)),
            Progress::Wait(wait) => handle.pending(wait),
            Progress::Lost(order) => {
                tracing::info!(
                    order = handle.order,
                    "the CA gave the order to another request, too"
                );
                let anew = order::anew(&order, &self.config);
                handle.move_to(self.order(&anew).await?);
                handle.pending(AT_ONCE)
            }
            Progress::Failed(order) => {
                let explained = self.authorizer.explain(&self.client, &account, &order);
                Err(explained.await)
            }
            Progress::Authorize(order) => {
                let wait = self.authorizer.work(&self.client, &account, &order, handle);
                let wait = wait.await?;
                handle.pending(wait)
            }
        }
    }

    async fn send_revocation(
        &self,
        account: &Account,
        certificate: &[u8],
        reason: RevocationReason,
    ) -> Result<(), AcmeError> {
        let url = self.client.directory().await?.revoke_cert.clone();
        let code = i64::from(u8::from(reason));
        let body = Revocation {
            certificate: Base64Url(certificate.to_vec()),
            reason: (reason != RevocationReason::Unspecified).then_some(code),
        };
        let sent = self.client.post(Signer::Account(account), &url, &body);
        match sent.await {
            Err(error) if error.kind() == Some(&ProblemType::AlreadyRevoked) => Ok(()),
            sent => sent.map(drop),
        }
    }
}

/// No order was made, or one that nobody knows of: it comes to nothing, so another CA may be asked.
fn unordered(error: IssueError) -> IssueError {
    match error {
        IssueError::Unavailable(text) => IssueError::NotReached(text),
        other => other,
    }
}

type Solver = Option<Arc<dyn solver::ChallengeSolver>>;

fn solver(
    config: &AcmeConfig,
    secrets: &IssuerSecrets,
    environment: &Environment,
) -> Result<(Solver, Duration), ConnectError> {
    match &config.solver {
        AcmeSolver::None => Ok((None, Duration::ZERO)),
        AcmeSolver::Http01 => Ok((Some(solver::responder()), Duration::ZERO)),
        AcmeSolver::Dns01 {
            provider,
            propagation_seconds,
        } => {
            let ports = SolverPorts {
                environment: environment.clone(),
                secrets: secrets.clone(),
            };
            let opened = solver::open(provider, &ports).map_err(ConnectError::Settings)?;
            Ok((Some(opened), Duration::from_secs(*propagation_seconds)))
        }
    }
}

#[async_trait]
impl RemoteCa for AcmeConnector {
    fn admits(&self, request: &SigningRequest) -> Result<(), IssueError> {
        order::new_order(request, &self.config).map(drop)
    }

    async fn issue(&self, request: &SigningRequest) -> Result<Issuance, IssueError> {
        let order = order::new_order(request, &self.config)?;
        let url = self.order(&order).await.map_err(unordered)?;
        Handle::new(url, &request.csr_der).pending(AT_ONCE)
    }

    async fn poll(&self, handle: &str) -> Result<Issuance, IssueError> {
        let mut handle = Handle::read(handle)?;
        let outcome = self.go_on(&mut handle).await;
        match &outcome {
            Ok(Issuance::Pending { .. })
            | Err(
                IssueError::Unavailable(_)
                | IssueError::NotReached(_)
                | IssueError::Throttled { .. },
            ) => {}
            Ok(Issuance::Issued(_)) | Err(IssueError::Refused(_) | IssueError::Lint(_)) => {
                self.authorizer.clear(&handle.order).await;
            }
        }
        outcome
    }

    async fn revoke(&self, request: &RevocationRequest) -> Result<(), RevocationError> {
        let account = self
            .accounts
            .get(&self.client)
            .await
            .map_err(IssueError::from)?;
        let sent = self
            .send_revocation(&account, &request.certificate, request.reason)
            .await;
        match sent {
            // Some CAs take few reasons; that it is revoked matters more than why.
            Err(error) if error.kind() == Some(&ProblemType::BadRevocationReason) => {
                let plain = RevocationReason::Unspecified;
                self.send_revocation(&account, &request.certificate, plain)
                    .await?;
            }
            sent => sent?,
        }
        Ok(())
    }

    fn not_after(&self, _: &Chain) -> Timestamp {
        // Which of its keys will sign, and until when that one may, is the CA's to know.
        NO_END
    }

    fn abilities(&self) -> Abilities<'_> {
        Abilities {
            health: Some(self),
            tidy: Some(self),
            renewal: Some(self),
            ..Abilities::default()
        }
    }
}

#[async_trait]
impl Tidy for AcmeConnector {
    async fn tidy(&self) {
        self.authorizer.clear_abandoned(ABANDONED_AFTER).await;
    }
}
