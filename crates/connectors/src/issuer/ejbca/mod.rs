//! EJBCA by its REST interface (`/ejbca/ejbca-rest-api/v1/…`) over mutual TLS.
//!
//! Each enrollment is an end entity of its own, named after it. Before anything is asked for, the CA is
//! asked what it has under that name, so that a crash never makes two certificates of one request.

mod list;
mod wire;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use aws_lc_rs::hmac;
use data_encoding::HEXLOWER;
use domain::certificate::Chain;
use domain::issuer::{
    Abilities, Aspect, CheckReport, ConnectError, EjbcaConfig, FetchChain, HealthCheck, Issuance,
    IssueError, Issuer, IssuerSecrets, Outcome, RevocationError, RevocationRequest, SigningRequest,
};
use http::{Method, StatusCode};
use pki::certificate::Certificate;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use self::wire::{
    Authorities, Authority, Enrolled, ErrorBody, Found, decode, failure, reason, request_id,
};
use super::environment::Environment;
use super::remote::{self, RemoteCa};
use crate::net::excerpt;
use crate::net::json::{Answer, JsonService, escape};
use crate::net::trust::Identity;

/// As often as an approval on the other side is asked after.
const PATIENCE: Duration = Duration::from_secs(60);

/// Talks to one CA of an EJBCA.
pub struct EjbcaConnector {
    config: EjbcaConfig,
    chain: Chain,
    service: JsonService,
    code: SecretString,
    code_is_given: bool,
    /// The community edition has no search.
    cannot_search: AtomicBool,
}

/// An enrollment that people on the other side decide about.
#[derive(Serialize, Deserialize)]
struct Handle {
    request: u64,
    username: String,
}

impl EjbcaConnector {
    /// A connector; it connects to nothing yet.
    pub fn new(
        issuer: &Issuer,
        config: &EjbcaConfig,
        secrets: &IssuerSecrets,
        environment: &Environment,
    ) -> Result<Self, ConnectError> {
        let key = secrets.require("client_key")?;
        let identity = Identity::new(&config.client_certificate, key);
        let anchors = config.trust_anchors.as_deref();
        let (http, url) = environment.service(&config.url, anchors, Some(&identity))?;
        let given = secrets.get("enrollment_code");
        Ok(Self {
            config: config.clone(),
            chain: issuer.chain().clone(),
            service: JsonService::new(http, url),
            code: given.unwrap_or(key).clone(),
            code_is_given: given.is_some(),
            cannot_search: AtomicBool::new(false),
        })
    }

    /// The password of an end entity: the same on every node and after a restart.
    fn code(&self, username: &str) -> Zeroizing<String> {
        let secret = self.code.expose_secret();
        if self.code_is_given {
            return Zeroizing::new(secret.to_owned());
        }
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        let tag = hmac::sign(&key, format!("enrollment code of {username}").as_bytes());
        Zeroizing::new(HEXLOWER.encode(tag.as_ref()).chars().take(40).collect())
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Answer, IssueError> {
        let sent = self.service.send(method, path, body).await;
        sent.map_err(|error| remote::unanswered(&error))
    }

    /// A certificate of this end entity with this key, if there is one already.
    async fn find(
        &self,
        username: &str,
        request: &SigningRequest,
    ) -> Result<Option<Chain>, IssueError> {
        if self.cannot_search.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let body = json!({
            "max_number_of_results": 10,
            "criteria": [{"property": "QUERY", "value": username, "operation": "EQUAL"}],
        });
        let answer = self
            .send(Method::POST, "v1/certificate/search", Some(&body))
            .await?;
        match answer.status {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND | StatusCode::FORBIDDEN | StatusCode::NOT_IMPLEMENTED => {
                self.cannot_search.store(true, Ordering::Relaxed);
                return Ok(None);
            }
            _ => return Err(failure(&answer)),
        }
        let found: Found = answer.json().map_err(IssueError::Unavailable)?;
        let wanted = request.content.public_key.spki_sha256();
        for candidate in &found.certificates {
            let der = candidate.der()?;
            let same = Certificate::from_der(&der).is_ok_and(|one| one.spki_sha256 == wanted);
            if same {
                return self.complete(vec![der]).await.map(Some);
            }
        }
        Ok(None)
    }

    async fn enroll(
        &self,
        username: String,
        request: &SigningRequest,
    ) -> Result<Issuance, IssueError> {
        let body = json!({
            "certificate_request": pki::pem::encode(pki::pem::CERTIFICATE_REQUEST, &request.csr_der),
            "certificate_profile_name": self.config.certificate_profile,
            "end_entity_profile_name": self.config.end_entity_profile,
            "certificate_authority_name": self.config.ca_name,
            "username": username,
            "password": self.code(&username).as_str(),
            "include_chain": true,
        });
        let answer = self
            .send(Method::POST, "v1/certificate/pkcs10enroll", Some(&body))
            .await?;
        self.outcome(&answer, |request| Handle { request, username })
            .await
    }

    async fn outcome(
        &self,
        answer: &Answer,
        handle: impl FnOnce(u64) -> Handle + Send,
    ) -> Result<Issuance, IssueError> {
        match answer.status {
            StatusCode::OK | StatusCode::CREATED => {
                let enrolled: Enrolled = answer.json().map_err(IssueError::Unavailable)?;
                let mut certificates = vec![enrolled.der()?];
                for upper in &enrolled.certificate_chain {
                    certificates.push(decode(upper)?);
                }
                Ok(Issuance::Issued(self.complete(certificates).await?))
            }
            StatusCode::ACCEPTED => {
                let told: ErrorBody = answer.json().map_err(IssueError::Unavailable)?;
                let id = request_id(&told.error_message).ok_or_else(|| {
                    IssueError::Refused(format!(
                        "the CA waits for an approval and does not say under which number: {}",
                        excerpt(told.error_message.as_bytes())
                    ))
                })?;
                remote::pending(&handle(id), PATIENCE)
            }
            _ => Err(failure(answer)),
        }
    }

    /// A leaf that came alone gets the CA's own certificates above it.
    async fn complete(&self, mut certificates: Vec<Vec<u8>>) -> Result<Chain, IssueError> {
        if certificates.len() == 1 {
            let upper = match self.chain.certificates() {
                [] => self.fetch_chain().await?,
                _ => self.chain.clone(),
            };
            certificates.extend_from_slice(upper.certificates());
        }
        remote::chain_of(certificates)
    }

    async fn authority(&self) -> Result<Authority, IssueError> {
        self.named(self.authorities().await?)
    }

    /// The CAs that the client certificate opens.
    async fn authorities(&self) -> Result<Authorities, IssueError> {
        let answer = self.send(Method::GET, "v1/ca", None).await?;
        if !answer.status.is_success() {
            return Err(failure(&answer));
        }
        answer.json().map_err(IssueError::Unavailable)
    }

    /// Of these the one that the settings name.
    fn named(&self, all: Authorities) -> Result<Authority, IssueError> {
        let mut names = Vec::new();
        for authority in all.certificate_authorities {
            if authority.name == self.config.ca_name {
                return Ok(authority);
            }
            names.push(authority.name);
        }
        Err(IssueError::Refused(format!(
            "there is no CA {} that this client may see; it sees {}",
            self.config.ca_name,
            excerpt(names.join(", ").as_bytes())
        )))
    }
}

#[async_trait]
impl RemoteCa for EjbcaConnector {
    async fn issue(&self, request: &SigningRequest) -> Result<Issuance, IssueError> {
        let username = format!("{}{}", self.config.username_prefix, request.enrollment);
        match self.find(&username, request).await? {
            Some(chain) => Ok(Issuance::Issued(chain)),
            None => self.enroll(username, request).await,
        }
    }

    async fn poll(&self, handle: &str) -> Result<Issuance, IssueError> {
        let handle: Handle = remote::noted(handle)?;
        let path = format!("v1/certificate/{}/finalize", handle.request);
        let body = json!({
            "response_format": "DER",
            "password": self.code(&handle.username).as_str(),
        });
        let answer = self.send(Method::POST, &path, Some(&body)).await?;
        if answer.status == StatusCode::ACCEPTED {
            return remote::pending(&handle, PATIENCE);
        }
        self.outcome(&answer, |_| handle).await
    }

    async fn revoke(&self, request: &RevocationRequest) -> Result<(), RevocationError> {
        let certificate = Certificate::from_der(&request.certificate)
            .map_err(|error| RevocationError::Refused(error.to_string()))?;
        let issuer = certificate.issuer.to_string();
        let serial = pki_hex(&request.serial);
        let path = format!(
            "v1/certificate/{}/{serial}/revoke?reason={}",
            escape(&issuer),
            reason(request.reason)
        );
        let answer = self.send(Method::PUT, &path, None).await?;
        match answer.status {
            status if status.is_success() => Ok(()),
            // It is revoked already.
            StatusCode::CONFLICT => Ok(()),
            _ => Err(failure(&answer).into()),
        }
    }

    fn abilities(&self) -> Abilities<'_> {
        Abilities::usual(self).and_lists(self)
    }
}

fn pki_hex(serial: &pki::serial::Serial) -> String {
    data_encoding::HEXUPPER.encode(serial.as_be_octets())
}

#[async_trait]
impl FetchChain for EjbcaConnector {
    async fn fetch_chain(&self) -> Result<Chain, IssueError> {
        let authority = self.authority().await?;
        let path = format!(
            "v1/ca/{}/certificate/download",
            escape(&authority.subject_dn)
        );
        let answer = self.send(Method::GET, &path, None).await?;
        match answer.status.is_success() {
            true => remote::chain_of_pem(&answer.body),
            false => Err(failure(&answer)),
        }
    }
}

#[async_trait]
impl HealthCheck for EjbcaConnector {
    async fn check(&self) -> CheckReport {
        let mut report = CheckReport::default();
        match self.send(Method::GET, "v1/ca/status", None).await {
            Ok(answer) if answer.status.is_success() => {
                report.passed(Aspect::Reach, format!("{} answers", self.service.host()));
            }
            Ok(answer) => report.failed(Aspect::Reach, failure(&answer).to_string()),
            Err(error) => {
                report.failed(Aspect::Reach, error.to_string());
                let rest = [Aspect::Credentials, Aspect::Rights];
                report.skipped(&rest, "EJBCA was not reached");
                return report;
            }
        }
        match self.authorities().await {
            Ok(all) => {
                report.passed(Aspect::Credentials, "EJBCA accepts the client certificate");
                match self.named(all) {
                    Ok(authority) => {
                        let text = format!("the CA {} may be used", authority.name);
                        report.passed(Aspect::Rights, text);
                    }
                    Err(error) => report.failed(Aspect::Rights, error.to_string()),
                }
            }
            Err(error) => {
                report.failed(Aspect::Credentials, error.to_string());
                report.skipped(&[Aspect::Rights], "EJBCA did not let us in");
            }
        }
        report.note(
            Aspect::DryRun,
            Outcome::Skipped,
            "EJBCA has no request that comes to nothing; profiles show with the first certificate",
        );
        report
    }
}
