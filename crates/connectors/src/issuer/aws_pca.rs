//! AWS Private CA by its JSON interface (`X-Amz-Target: ACMPrivateCA.…`).
//!
//! A request is taken at once and answered with an ARN, which is made durable before the certificate is
//! asked for. The idempotency token of a request is made of the enrollment's id.

use std::time::Duration;

use async_trait::async_trait;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use data_encoding::HEXLOWER;
use domain::certificate::Chain;
use domain::issuer::{
    Abilities, Aspect, AwsPcaConfig, CheckReport, ConnectError, FetchChain, HealthCheck, Issuance,
    IssueError, IssuerSecrets, Outcome, RevocationError, RevocationRequest, SigningRequest,
};
use http::header::CONTENT_TYPE;
use http::{HeaderName, Method};
use pki::revocation::RevocationReason;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use super::environment::Environment;
use super::remote::{self, RemoteCa};
use crate::net::aws::{AwsCredentials, AwsError, AwsService};
use crate::net::excerpt;
use crate::net::json::Answer;

/// The service signs within seconds.
const PATIENCE: Duration = Duration::from_secs(3);

/// Talks to one private CA.
pub struct AwsPcaConnector {
    config: AwsPcaConfig,
    service: AwsService,
    algorithm: OnceCell<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Described {
    certificate_authority: Authority,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Authority {
    status: String,
    certificate_authority_configuration: AuthorityConfiguration,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AuthorityConfiguration {
    signing_algorithm: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Requested {
    certificate_arn: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Certificates {
    certificate: String,
    /// A root has none.
    certificate_chain: Option<String>,
}

/// An error as the service tells it.
struct Fault {
    /// The name after `#`: `ThrottlingException`.
    kind: String,
    text: String,
    meaning: fn(String) -> IssueError,
}

impl From<Fault> for IssueError {
    fn from(fault: Fault) -> Self {
        (fault.meaning)(fault.text)
    }
}

impl From<AwsError> for Fault {
    fn from(error: AwsError) -> Self {
        let error = match error {
            AwsError::Service(error) => remote::unanswered(&error),
            AwsError::Signing(text) => IssueError::NotReached(text),
        };
        let (text, meaning): (_, fn(String) -> IssueError) = match error {
            IssueError::NotReached(text) => (text, IssueError::NotReached),
            other => (other.to_string(), IssueError::Unavailable),
        };
        Self {
            kind: String::new(),
            text,
            meaning,
        }
    }
}

impl AwsPcaConnector {
    /// A connector; it connects to nothing yet.
    pub fn new(
        config: &AwsPcaConfig,
        secrets: &IssuerSecrets,
        environment: &Environment,
    ) -> Result<Self, ConnectError> {
        let regional = format!("https://acm-pca.{}.amazonaws.com", config.region);
        let url = config.url.as_deref().unwrap_or(&regional);
        let anchors = config.trust_anchors.as_deref();
        let (http, base) = environment.service(url, anchors, None)?;
        let service = AwsService {
            http,
            base,
            region: config.region.clone(),
            service: "acm-pca",
            credentials: AwsCredentials {
                access_key_id: config.access_key_id.clone(),
                secret_access_key: secrets.require("secret_access_key")?.clone(),
                session_token: secrets.get("session_token").cloned(),
            },
            clock: std::sync::Arc::clone(&environment.clock),
        };
        Ok(Self {
            config: config.clone(),
            service,
            algorithm: OnceCell::new(),
        })
    }

    async fn call<T: DeserializeOwned>(&self, operation: &str, body: Value) -> Result<T, Fault> {
        let target = format!("ACMPrivateCA.{operation}");
        let headers = [
            (CONTENT_TYPE, "application/x-amz-json-1.1"),
            (HeaderName::from_static("x-amz-target"), target.as_str()),
        ];
        let body = body.to_string().into_bytes();
        let sent = self.service.send(Method::POST, "", &headers, body).await;
        let passing = |text: String| Fault {
            kind: String::new(),
            text,
            meaning: IssueError::Unavailable,
        };
        let answer = sent?;
        if !answer.status.is_success() {
            return Err(fault(&answer));
        }
        // Some operations answer with nothing at all.
        match answer.body.is_empty() {
            true => serde_json::from_value(Value::Null).map_err(|e| passing(e.to_string())),
            false => answer.json().map_err(passing),
        }
    }

    async fn describe(&self) -> Result<Authority, Fault> {
        let arn = &self.config.certificate_authority_arn;
        let body = json!({"CertificateAuthorityArn": arn});
        let described: Described = self.call("DescribeCertificateAuthority", body).await?;
        Ok(described.certificate_authority)
    }

    /// What the CA signs with, unless the settings say it.
    async fn algorithm(&self) -> Result<String, Fault> {
        if let Some(algorithm) = &self.config.signing_algorithm {
            return Ok(algorithm.clone());
        }
        let look = async || {
            let authority = self.describe().await?;
            Ok(authority
                .certificate_authority_configuration
                .signing_algorithm)
        };
        self.algorithm.get_or_try_init(look).await.cloned()
    }

    async fn ask(&self, request: &SigningRequest) -> Result<String, Fault> {
        let csr = pki::pem::encode(pki::pem::CERTIFICATE_REQUEST, &request.csr_der);
        let id = digest(&SHA256, request.enrollment.as_str().as_bytes());
        let token: String = HEXLOWER.encode(id.as_ref()).chars().take(32).collect();
        let mut body = json!({
            "CertificateAuthorityArn": self.config.certificate_authority_arn,
            "Csr": STANDARD.encode(csr),
            "SigningAlgorithm": self.algorithm().await?,
            "Validity": {"Type": "ABSOLUTE", "Value": request.content.not_after.seconds()},
            "IdempotencyToken": token,
        });
        if let Some(template) = &self.config.template_arn {
            body["TemplateArn"] = json!(template);
        }
        let requested: Requested = self.call("IssueCertificate", body).await?;
        Ok(requested.certificate_arn)
    }
}

fn fault(answer: &Answer) -> Fault {
    #[derive(Deserialize)]
    struct Told {
        #[serde(rename = "__type", default)]
        kind: String,
        #[serde(alias = "Message", default)]
        message: String,
    }
    let told: Option<Told> = answer.json().ok();
    let kind = told.as_ref().map_or("", |told| &told.kind);
    let kind = kind.rsplit('#').next().unwrap_or_default().to_owned();
    let meaning = match kind.as_str() {
        // Turned away at the door: the service's limits, and a clock, a permission or a CA's state that
        // somebody is about to mend.
        "ThrottlingException"
        | "Throttling"
        | "TooManyRequestsException"
        | "LimitExceededException"
        | "RequestExpired"
        | "ExpiredTokenException"
        | "InvalidStateException"
        | "UnrecognizedClientException"
        | "InvalidSignatureException"
        | "AccessDeniedException" => IssueError::NotReached,
        "RequestInProgressException" => IssueError::Unavailable,
        _ if answer.status.is_server_error() => IssueError::Unavailable,
        _ => IssueError::Refused,
    };
    let text = match told.filter(|told| !told.kind.is_empty()) {
        Some(told) => format!("AWS answered {kind}: {}", excerpt(told.message.as_bytes())),
        None => format!("AWS answered {}: {}", answer.status, excerpt(&answer.body)),
    };
    Fault {
        kind,
        text,
        meaning,
    }
}

fn chain(certificates: &Certificates) -> Result<Chain, IssueError> {
    let upper = certificates
        .certificate_chain
        .as_deref()
        .unwrap_or_default();
    remote::chain_of_pem(format!("{}\n{upper}", certificates.certificate).as_bytes())
}

fn reason(reason: RevocationReason) -> Result<&'static str, RevocationError> {
    Ok(match reason {
        RevocationReason::Unspecified => "UNSPECIFIED",
        RevocationReason::KeyCompromise => "KEY_COMPROMISE",
        RevocationReason::CaCompromise => "CERTIFICATE_AUTHORITY_COMPROMISE",
        RevocationReason::AffiliationChanged => "AFFILIATION_CHANGED",
        RevocationReason::Superseded => "SUPERSEDED",
        RevocationReason::CessationOfOperation => "CESSATION_OF_OPERATION",
        RevocationReason::PrivilegeWithdrawn => "PRIVILEGE_WITHDRAWN",
        RevocationReason::AaCompromise => "A_A_COMPROMISE",
        RevocationReason::CertificateHold | RevocationReason::RemoveFromCrl => {
            return Err(RevocationError::Refused(
                "AWS Private CA knows no suspension; revoke for another reason".to_owned(),
            ));
        }
    })
}

#[async_trait]
impl RemoteCa for AwsPcaConnector {
    async fn issue(&self, request: &SigningRequest) -> Result<Issuance, IssueError> {
        Ok(Issuance::Pending {
            handle: self.ask(request).await?,
            poll_after: Duration::from_millis(1),
        })
    }

    async fn poll(&self, handle: &str) -> Result<Issuance, IssueError> {
        let body = json!({
            "CertificateAuthorityArn": self.config.certificate_authority_arn,
            "CertificateArn": handle,
        });
        match self.call::<Certificates>("GetCertificate", body).await {
            Ok(certificates) => Ok(Issuance::Issued(chain(&certificates)?)),
            Err(fault) if fault.kind == "RequestInProgressException" => Ok(Issuance::Pending {
                handle: handle.to_owned(),
                poll_after: PATIENCE,
            }),
            Err(fault) => Err(fault.into()),
        }
    }

    async fn revoke(&self, request: &RevocationRequest) -> Result<(), RevocationError> {
        let octets = request.serial.as_be_octets().iter();
        let serial: Vec<String> = octets.map(|octet| format!("{octet:02x}")).collect();
        let body = json!({
            "CertificateAuthorityArn": self.config.certificate_authority_arn,
            "CertificateSerial": serial.join(":"),
            "RevocationReason": reason(request.reason)?,
        });
        match self.call::<Value>("RevokeCertificate", body).await {
            Ok(_) => Ok(()),
            Err(fault) if fault.kind == "RequestAlreadyProcessedException" => Ok(()),
            Err(fault) => Err(IssueError::from(fault).into()),
        }
    }

    fn abilities(&self) -> Abilities<'_> {
        Abilities::usual(self)
    }
}

#[async_trait]
impl FetchChain for AwsPcaConnector {
    async fn fetch_chain(&self) -> Result<Chain, IssueError> {
        let arn = &self.config.certificate_authority_arn;
        let body = json!({"CertificateAuthorityArn": arn});
        let certificates: Certificates = self
            .call("GetCertificateAuthorityCertificate", body)
            .await?;
        chain(&certificates)
    }
}

#[async_trait]
impl HealthCheck for AwsPcaConnector {
    async fn check(&self) -> CheckReport {
        let mut report = CheckReport::default();
        match self.describe().await {
            Ok(authority) => {
                report.passed(Aspect::Reach, format!("{} answers", self.service.host()));
                report.passed(Aspect::Credentials, "AWS accepts the access key");
                match authority.status.as_str() {
                    "ACTIVE" => report.passed(Aspect::Rights, "the CA is active"),
                    status => report.failed(Aspect::Rights, format!("the CA is {status}")),
                }
            }
            Err(fault) => note_fault(&mut report, &fault),
        }
        report.note(
            Aspect::DryRun,
            Outcome::Skipped,
            "AWS Private CA has no request that comes to nothing",
        );
        report
    }
}

/// What an error says about which aspect.
fn note_fault(report: &mut CheckReport, fault: &Fault) {
    let aspect = match fault.kind.as_str() {
        "" => Aspect::Reach,
        "AccessDeniedException" | "ResourceNotFoundException" | "InvalidArnException" => {
            Aspect::Rights
        }
        _ => Aspect::Credentials,
    };
    for passed in [Aspect::Reach, Aspect::Credentials] {
        if passed < aspect {
            report.passed(passed, "AWS answers");
        }
    }
    report.failed(aspect, fault.text.clone());
}
