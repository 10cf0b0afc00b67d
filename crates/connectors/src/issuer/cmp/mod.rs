//! A CA with a CMP server, asked as a registration authority (RFC 9483 section 5.2) or with a shared
//! secret: p10cr, ir or cr, polling, confirmation, rr and genm.

mod check;
mod credentials;
mod exchange;
mod issue;

use std::sync::Arc;

use async_trait::async_trait;
use domain::certificate::Chain;
use domain::clock::Clock;
use domain::issuer::{
    Abilities, CmpConfig, ConnectError, FetchChain, Issuance, IssueError, Issuer, IssuerSecrets,
    RevocationError, RevocationRequest, SigningRequest,
};
use pki::certificate::Certificate;
use pki::crmf::IssuerAndSerial;
use pki::name::{DistinguishedName, GeneralName};
use pki::random::Random;
use protocols::cmp::{Body, FailInfo, Info, RevocationWish, info_type};

use super::{Environment, IssuerHttp, PlainHttp, RemoteCa};
use credentials::{Credentials, Trusted};
use issue::order;

/// A CA behind CMP.
pub struct CmpConnector {
    config: CmpConfig,
    http: IssuerHttp,
    credentials: Credentials,
    /// Whose signatures on answers are believed.
    trusted: Trusted,
    recipient: Vec<u8>,
    chain: Chain,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
}

impl CmpConnector {
    /// A connector for these settings and secrets. Nothing is sent yet.
    pub fn new(
        issuer: &Issuer,
        config: &CmpConfig,
        secrets: &IssuerSecrets,
        environment: &Environment,
    ) -> Result<Self, ConnectError> {
        let anchors = config.trust_anchors.as_deref();
        // RFC 9811 section 5: messages protect themselves.
        let http = environment.http(anchors, None, PlainHttp::Allowed)?;
        let name = match &config.recipient {
            Some(text) => DistinguishedName::parse(text)
                .map_err(|error| ConnectError::Settings(format!("recipient: {error}")))?,
            None => DistinguishedName::empty(),
        };
        Ok(Self {
            http,
            credentials: Credentials::new(config, secrets)?,
            trusted: Trusted::new(config)?,
            recipient: GeneralName::Directory(name).to_der().unwrap_or_default(),
            chain: issuer.chain().clone(),
            clock: Arc::clone(&environment.clock),
            random: Arc::clone(&environment.random),
            config: config.clone(),
        })
    }
}

#[async_trait]
impl RemoteCa for CmpConnector {
    async fn issue(&self, request: &SigningRequest) -> Result<Issuance, IssueError> {
        self.ask(request).await
    }

    async fn poll(&self, handle: &str) -> Result<Issuance, IssueError> {
        self.ask_again(handle).await
    }

    async fn revoke(&self, request: &RevocationRequest) -> Result<(), RevocationError> {
        let certificate = Certificate::from_der(&request.certificate)
            .map_err(|error| RevocationError::Refused(error.to_string()))?;
        let named = IssuerAndSerial {
            issuer: certificate.issuer,
            serial: certificate.serial,
        };
        let wish = RevocationWish::new(named, request.reason);
        let body = Body::Revocation(Box::new(wish));
        let answer = self.exchange(self.header(self.fresh()), &body).await?;
        let status = match answer.body {
            Body::RevocationAnswer(answer) => answer.status,
            Body::Error(status) => status,
            _ => return Err(unexpected().into()),
        };
        let is_done = status.is_granted() || status.failures.contains(&FailInfo::CertRevoked);
        match is_done {
            true => Ok(()),
            false => Err(issue::refusal(&status).into()),
        }
    }

    fn abilities(&self) -> Abilities<'_> {
        Abilities::usual(self)
    }
}

#[async_trait]
impl FetchChain for CmpConnector {
    /// RFC 9483 section 4.3.1: genm with caCerts.
    async fn fetch_chain(&self) -> Result<Chain, IssueError> {
        let ask = Body::GeneralRequest(vec![Info::new(&info_type::CA_CERTS, None)]);
        let answer = self.exchange(self.header(self.fresh()), &ask).await?;
        let infos = match answer.body {
            Body::GeneralResponse(infos) => infos,
            Body::Error(status) => return Err(issue::refusal(&status)),
            _ => return Err(unexpected()),
        };
        let told = infos.iter().find(|info| info.is(&info_type::CA_CERTS));
        let certificates = match told {
            Some(info) if info.value.is_some() => info.elements().map_err(malformed)?,
            Some(_) | None => {
                return Err(IssueError::Refused(
                    "the CMP server does not tell the CA's certificates".to_owned(),
                ));
            }
        };
        let certificates: Vec<Certificate> = certificates
            .iter()
            .map(|der| Certificate::from_der(der))
            .collect::<Result<_, _>>()
            .map_err(malformed)?;
        order(&certificates).ok_or_else(|| {
            IssueError::Refused("the CMP server tells no certificate of a CA".to_owned())
        })
    }
}

fn malformed(error: impl std::fmt::Display) -> IssueError {
    IssueError::Unavailable(format!("the CMP server's answer cannot be read: {error}"))
}

fn unexpected() -> IssueError {
    IssueError::Unavailable("the CMP server answers with another message than was asked for".into())
}
