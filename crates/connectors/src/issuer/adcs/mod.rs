//! Microsoft Active Directory Certificate Services by the pages of its web enrollment (`/certsrv`).
//!
//! The pages know no idempotency: the number of a request is durable before its certificate is fetched,
//! but of a request whose answer was lost nobody knows the number.

mod check;
mod kerberos;
mod login;
mod pages;

use std::time::Duration;

use async_trait::async_trait;
use domain::certificate::Chain;
use domain::issuer::{
    Abilities, AdcsConfig, ConnectError, FetchChain, Issuance, IssueError, Issuer, IssuerSecrets,
    SigningRequest,
};
use http::Response;
use http::header::CONTENT_TYPE;
use pki::name::GeneralName;

use self::login::{Login, Pages};
use self::pages::Disposition;
use super::environment::Environment;
use super::remote::{self, RemoteCa};
use crate::net::json::escape;

/// As often as a request that waits for a person is asked after.
const PATIENCE: Duration = Duration::from_secs(60);
const AT_ONCE: Duration = Duration::from_millis(1);

/// Talks to the pages of one CA.
pub struct AdcsConnector {
    config: AdcsConfig,
    chain: Chain,
    login: Login,
}

impl AdcsConnector {
    /// A connector; it connects to nothing yet.
    pub fn new(
        issuer: &Issuer,
        config: &AdcsConfig,
        secrets: &IssuerSecrets,
        environment: &Environment,
    ) -> Result<Self, ConnectError> {
        Ok(Self {
            config: config.clone(),
            chain: issuer.chain().clone(),
            login: Login::new(config, secrets, environment)?,
        })
    }

    fn form(&self, request: &SigningRequest) -> String {
        let csr = pki::pem::encode(pki::pem::CERTIFICATE_REQUEST, &request.csr_der);
        let mut attributes = format!("CertificateTemplate:{}", self.config.template);
        if self.config.names_as_attribute {
            let names: Vec<String> = request
                .content
                .subject_alt_names
                .iter()
                .filter_map(attribute)
                .collect();
            attributes.push_str(&format!("\r\nSAN:{}", names.join("&")));
        }
        for (name, value) in &request.metadata {
            attributes.push_str(&format!("\r\n{name}:{}", one_line(value)));
        }
        [
            ("Mode", "newreq"),
            ("CertRequest", csr.as_str()),
            ("CertAttrib", attributes.as_str()),
            ("FriendlyType", "Saved-Request Certificate"),
            ("TargetStoreFlags", "0"),
            ("SaveCert", "yes"),
        ]
        .map(|(name, value)| format!("{name}={}", escape(value)))
        .join("&")
    }

    /// The certificate of a request, if it is there.
    async fn fetch(&self, pages: &mut Pages, id: &str) -> Result<Issuance, IssueError> {
        let answer = pages
            .get(&format!("certnew.cer?ReqID={id}&Enc=b64"))
            .await?;
        if is_page(&answer) {
            let page = String::from_utf8_lossy(answer.body());
            return match pages::disposition(&page) {
                Disposition::Waiting | Disposition::Known(_) => Ok(Issuance::Pending {
                    handle: id.to_owned(),
                    poll_after: PATIENCE,
                }),
                Disposition::Denied(text) => {
                    Err(IssueError::Refused(format!("the CA says: {text}")))
                }
                Disposition::Unclear(text) => Err(unclear(&text)),
            };
        }
        let mut certificates = remote::chain_of_pem(answer.body())?.certificates().to_vec();
        let upper = match self.chain.certificates() {
            [] => authority(pages).await?,
            _ => self.chain.clone(),
        };
        certificates.extend_from_slice(upper.certificates());
        Ok(Issuance::Issued(remote::chain_of(certificates)?))
    }
}

/// Attributes stand on lines of their own: what a requester gave must not begin another one, which
/// could be names or a template.
fn one_line(value: &str) -> String {
    value.replace(char::is_control, " ")
}

/// A CA's own name for a field, where it can be the name of an attribute that decides nothing.
fn is_attribute(name: &str) -> bool {
    let decides = ["CertificateTemplate", "SAN"];
    !name.contains(':')
        && !decides
            .iter()
            .any(|own| own.eq_ignore_ascii_case(name.trim()))
}

/// A name as the attribute `SAN` writes it.
fn attribute(name: &GeneralName) -> Option<String> {
    match name {
        GeneralName::Dns(name) => Some(format!("dns={name}")),
        GeneralName::Ip(address) => Some(format!("ipaddress={address}")),
        GeneralName::Email(address) => Some(format!("email={address}")),
        GeneralName::Uri(uri) => Some(format!("url={uri}")),
        GeneralName::Directory(_) | GeneralName::Other { .. } => None,
    }
}

fn is_page(answer: &Response<Vec<u8>>) -> bool {
    let kind = answer
        .headers()
        .get(CONTENT_TYPE)
        .map(|kind| kind.as_bytes());
    kind.is_some_and(|kind| kind.starts_with(b"text/html"))
}

fn unclear(text: &str) -> IssueError {
    IssueError::Unavailable(format!(
        "the CA's page is not understood (its language has to be English): {text}"
    ))
}

/// The CA's own certificates, the newest of its own first.
async fn authority(pages: &mut Pages) -> Result<Chain, IssueError> {
    let page = pages.get("certcarc.asp").await?;
    let newest = pages::renewals(&String::from_utf8_lossy(page.body()));
    let answer = pages
        .get(&format!(
            "certnew.p7b?ReqID=CACert&Renewal={newest}&Enc=b64"
        ))
        .await?;
    let blocks = pki::pem::decode(answer.body())
        .map_err(|error| IssueError::Unavailable(format!("the CA's certificates: {error}")))?;
    let der = blocks.into_iter().next().map(|block| block.der);
    let der = der.ok_or_else(|| unclear("it has no certificates"))?;
    // A bundle in PKCS #7, or the one certificate of a root.
    let certificates = match pki::pkcs7::certificates(&der) {
        Ok(found) => found.into_iter().map(<[u8]>::to_vec).collect(),
        Err(_) => vec![der],
    };
    remote::chain_of(certificates)
}

#[async_trait]
impl RemoteCa for AdcsConnector {
    fn admits(&self, request: &SigningRequest) -> Result<(), IssueError> {
        match request.metadata.keys().find(|name| !is_attribute(name)) {
            Some(name) => Err(IssueError::Refused(format!(
                "`{name}` cannot be the name of a request attribute; choose another by `certwright \
                 issuer tell`"
            ))),
            None => Ok(()),
        }
    }

    async fn issue(&self, request: &SigningRequest) -> Result<Issuance, IssueError> {
        let mut pages = self.login.open(&self.config).await?;
        let answer = pages.post("certfnsh.asp", self.form(request)).await?;
        match pages::submitted(&String::from_utf8_lossy(answer.body())) {
            Disposition::Known(id) => Ok(Issuance::Pending {
                handle: id.to_string(),
                poll_after: AT_ONCE,
            }),
            Disposition::Denied(text) => Err(IssueError::Refused(format!("the CA says: {text}"))),
            Disposition::Waiting => Err(unclear("it waits for somebody, under no number")),
            Disposition::Unclear(text) => Err(unclear(&text)),
        }
    }

    async fn poll(&self, handle: &str) -> Result<Issuance, IssueError> {
        let mut pages = self.login.open(&self.config).await?;
        self.fetch(&mut pages, handle).await
    }

    fn abilities(&self) -> Abilities<'_> {
        Abilities::usual(self)
    }
}

#[async_trait]
impl FetchChain for AdcsConnector {
    async fn fetch_chain(&self) -> Result<Chain, IssueError> {
        let mut pages = self.login.open(&self.config).await?;
        authority(&mut pages).await
    }
}
