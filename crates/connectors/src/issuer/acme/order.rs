//! An order on its way (RFC 8555 section 7.4): made once, then looked at until something comes of it.
//! Nothing here sleeps; what has to wait says for how long.

use std::time::Duration;

use domain::certificate::Chain;
use domain::issuer::{AcmeConfig, IssueError, SigningRequest};
use pki::certificate::Certificate;
use pki::name::GeneralName;
use protocols::acme::finalize::Finalize;
use protocols::acme::identifier::Identifier;
use protocols::acme::order::{NewOrder, Order, OrderStatus};
use protocols::acme::problem::ProblemType;

use super::account::Account;
use super::client::{AcmeClient, AcmeError, Reply, Signer};
use super::handle::Handle;

/// As often as a CA is asked that does not say how often.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);

/// What became of an order, as far as it can be driven now.
pub(super) enum Progress {
    Issued(Chain),
    /// Authorizations are outstanding.
    Authorize(Order),
    Wait(Duration),
    /// Nothing will come of it.
    Failed(Order),
}

/// What the CA is asked for: exactly the names that were decided.
pub(super) fn new_order(
    request: &SigningRequest,
    config: &AcmeConfig,
) -> Result<NewOrder, IssueError> {
    let names = &request.content.subject_alt_names;
    let identifiers = names.iter().map(|name| match name {
        GeneralName::Dns(name) => Ok(Identifier::dns(name.clone())),
        GeneralName::Ip(address) => Ok(Identifier::ip(*address)),
        GeneralName::Email(_)
        | GeneralName::Uri(_)
        | GeneralName::Directory(_)
        | GeneralName::Other { .. } => Err(IssueError::Refused(
            "an ACME CA certifies DNS names and IP addresses only; route other names to another issuer"
                .to_owned(),
        )),
    });
    Ok(NewOrder {
        identifiers: identifiers.collect::<Result<_, _>>()?,
        not_before: None,
        not_after: config.sends_not_after.then_some(request.content.not_after),
        replaces: request.replaces.as_ref().map(ToString::to_string),
        profile: config.profile.clone(),
    })
}

/// Makes the order; its URL has to be durable before anything else happens.
pub(super) async fn create(
    client: &AcmeClient,
    account: &Account,
    order: &NewOrder,
) -> Result<String, AcmeError> {
    let url = client.directory().await?.new_order.clone();
    let reply = client.post(Signer::Account(account), &url, order).await?;
    reply.location()
}

/// Takes the order as far as it goes without waiting.
pub(super) async fn advance(
    client: &AcmeClient,
    account: &Account,
    handle: &Handle,
    config: &AcmeConfig,
) -> Result<Progress, IssueError> {
    let mut reply = client.get(account, &handle.order).await?;
    let mut order: Order = reply.json()?;
    if order.status == OrderStatus::Ready {
        reply = finalize(client, account, handle, &order).await?;
        order = reply.json()?;
    }
    match order.status {
        OrderStatus::Pending => Ok(Progress::Authorize(order)),
        OrderStatus::Ready | OrderStatus::Processing => {
            Ok(Progress::Wait(reply.retry_after().unwrap_or(PATIENCE)))
        }
        OrderStatus::Valid => {
            let url = order
                .certificate
                .ok_or(AcmeError::Lacks("the certificate's URL"))?;
            let preferred = config.preferred_chain.as_deref();
            Ok(Progress::Issued(
                download(client, account, &url, preferred).await?,
            ))
        }
        OrderStatus::Invalid => Ok(Progress::Failed(order)),
    }
}

async fn finalize(
    client: &AcmeClient,
    account: &Account,
    handle: &Handle,
    order: &Order,
) -> Result<Reply, AcmeError> {
    let body = Finalize {
        csr: handle.csr.clone(),
    };
    let sent = client
        .post(Signer::Account(account), &order.finalize, &body)
        .await;
    match sent {
        // An answer that was lost on its way: the CA has the CSR already.
        Err(error) if error.kind() == Some(&ProblemType::OrderNotReady) => {
            client.get(account, &handle.order).await
        }
        sent => sent,
    }
}

/// The certificate with the chain that is preferred, or the CA's own choice (RFC 8555 section 7.4.2).
async fn download(
    client: &AcmeClient,
    account: &Account,
    url: &str,
    preferred: Option<&str>,
) -> Result<Chain, AcmeError> {
    let reply = client.get(account, url).await?;
    let chain = chain(&reply)?;
    let Some(preferred) = preferred else {
        return Ok(chain);
    };
    if ends_at(&chain, preferred) {
        return Ok(chain);
    }
    for alternate in reply.alternates() {
        let other = self::chain(&client.get(account, &alternate).await?)?;
        if ends_at(&other, preferred) {
            return Ok(other);
        }
    }
    tracing::warn!(
        preferred_chain = preferred,
        "the CA offers no such chain; its own choice is taken"
    );
    Ok(chain)
}

fn chain(reply: &Reply) -> Result<Chain, AcmeError> {
    let certificates = pki::pem::decode_all(pki::pem::CERTIFICATE, &reply.body);
    let certificates = certificates
        .ok()
        .filter(|certificates| !certificates.is_empty());
    let certificates = certificates.ok_or(AcmeError::Lacks("a certificate in PEM"))?;
    Ok(Chain::new(certificates))
}

/// Whether the topmost certificate was issued by the CA of that common name.
fn ends_at(chain: &Chain, common_name: &str) -> bool {
    let topmost = chain.certificates().last();
    topmost
        .and_then(|der| Certificate::from_der(der).ok())
        .is_some_and(|top| top.issuer.common_name() == Some(common_name))
}
