//! An order on its way (RFC 8555 section 7.4): made once, then looked at until something comes of it.
//! Nothing here sleeps; what has to wait says for how long.

use std::time::Duration;

use domain::certificate::Chain;
use domain::issuer::{AcmeConfig, IssueError, SigningRequest};
use pki::certificate::Certificate;
use pki::csr::Csr;
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
/// More requests for the same names at the same time have another reason than chance.
const MOST_LOST: u8 = 20;

/// What became of an order, as far as it can be driven now.
pub(super) enum Progress {
    Issued(Chain),
    /// Authorizations are outstanding.
    Authorize(Order),
    Wait(Duration),
    /// Nothing will come of it.
    Failed(Order),
    /// The CA took the CSR of another request, which it had given the same order.
    Lost(Order),
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
    handle: &mut Handle,
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
            let url = order.certificate.clone();
            let url = url.ok_or(AcmeError::Lacks("the certificate's URL"))?;
            let preferred = config.preferred_chain.as_deref();
            let chain = download(client, account, &url, preferred).await?;
            Ok(match is_lost(handle, &chain) {
                true => Progress::Lost(order),
                false => Progress::Issued(chain),
            })
        }
        OrderStatus::Invalid => Ok(Progress::Failed(order)),
    }
}

/// Some CAs answer a second request for the same names with the order that waits already, and take the
/// first CSR that comes. Where ours was taken, a certificate for another key is a lie and nothing else.
fn is_lost(handle: &Handle, chain: &Chain) -> bool {
    let leaf = chain.certificates().first();
    let leaf = leaf.and_then(|der| Certificate::from_der(der).ok());
    let own = Csr::accepted(&handle.csr.0);
    let is_others = matches!((leaf, own), (Some(leaf), Ok(own))
        if leaf.spki_sha256 != own.public_key.spki_sha256());
    is_others && !handle.finalized && handle.lost < MOST_LOST
}

/// The same names with nothing that belongs to the request which got the old order.
pub(super) fn anew(order: &Order, config: &AcmeConfig) -> NewOrder {
    NewOrder {
        identifiers: order.identifiers.clone(),
        not_before: None,
        not_after: order.not_after.filter(|_| config.sends_not_after),
        replaces: None,
        profile: config.profile.clone(),
    }
}

async fn finalize(
    client: &AcmeClient,
    account: &Account,
    handle: &mut Handle,
    order: &Order,
) -> Result<Reply, AcmeError> {
    let body = Finalize {
        csr: handle.csr.clone(),
    };
    let sent = client
        .post(Signer::Account(account), &order.finalize, &body)
        .await;
    match sent {
        // The CA has a CSR already: ours, whose answer was lost on its way, or that of another request.
        Err(error) if error.kind() == Some(&ProblemType::OrderNotReady) => {
            client.get(account, &handle.order).await
        }
        Ok(reply) => {
            handle.finalized = true;
            Ok(reply)
        }
        Err(error) => Err(error),
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
