//! One whole issuance (RFC 8555 section 7.1, figure 1), timed step by step.

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::client::{AcmeError, Client, json, location};
use crate::csr::{Csr, dns_name};
use crate::der;
use crate::jws::base64url;
use crate::message::Answer;
use crate::responder::http::Tokens;

/// Pauses between two polls double until there.
const LONGEST_PAUSE: Duration = Duration::from_millis(64);

/// The steps that are timed, in the order a flow takes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// `newOrder`.
    Order,
    /// Reading an authorization.
    Authorization,
    /// Answering a challenge.
    Challenge,
    /// From then until the authorization is seen to be valid.
    Validation,
    /// Sending the CSR.
    Finalize,
    /// From then until the order is seen to be valid; nothing where the server issues at once.
    Issuance,
    /// Downloading the chain.
    Download,
}

impl Step {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Order,
        Self::Authorization,
        Self::Challenge,
        Self::Validation,
        Self::Finalize,
        Self::Issuance,
        Self::Download,
    ];

    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Order => "new-order",
            Self::Authorization => "authorization",
            Self::Challenge => "challenge",
            Self::Validation => "validation",
            Self::Finalize => "finalize",
            Self::Issuance => "issuance",
            Self::Download => "download",
        }
    }
}

/// What a flow brought.
pub struct Issued {
    /// How long it took.
    pub timing: Timing,
    /// The certificate and its issuers, PEM.
    pub chain: Vec<u8>,
}

/// How long a flow and its steps took.
#[derive(Default)]
pub struct Timing {
    /// Each occurrence of each step; a flow with several names has several authorizations.
    pub steps: Vec<(Step, Duration)>,
    /// From the first octet sent to the certificate checked.
    pub whole: Duration,
}

impl Timing {
    fn lap(&mut self, step: Step, since: &mut Instant) {
        let now = Instant::now();
        self.steps.push((step, now - *since));
        *since = now;
    }
}

#[derive(Deserialize)]
struct Order {
    status: String,
    #[serde(default)]
    authorizations: Vec<String>,
    finalize: String,
    certificate: Option<String>,
    error: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
struct Authorization {
    status: String,
    #[serde(default)]
    challenges: Vec<Challenge>,
}

#[derive(Deserialize)]
struct Challenge {
    #[serde(rename = "type")]
    kind: String,
    url: String,
    #[serde(default)]
    token: String,
    error: Option<Box<RawValue>>,
}

/// Gets one certificate for `names`.
pub async fn issue(
    client: &mut Client,
    tokens: &Tokens,
    names: &[String],
) -> Result<Issued, AcmeError> {
    let mut timing = Timing::default();
    let start = Instant::now();
    let mut lap = start;

    let answer = client
        .post(&client.directory().new_order, &order_payload(names))
        .await?;
    let order_url = location(&answer)?;
    let mut order: Order = json(&answer)?;
    timing.lap(Step::Order, &mut lap);

    for url in std::mem::take(&mut order.authorizations) {
        authorize(client, tokens, &url, &mut timing, &mut lap).await?;
    }

    let csr = Csr::generate(names)?;
    let payload = format!(r#"{{"csr":"{}"}}"#, base64url(&csr.der));
    lap = Instant::now();
    order = json(&client.post(&order.finalize, &payload).await?)?;
    timing.lap(Step::Finalize, &mut lap);

    let certificate = issued(client, &order_url, order).await?;
    timing.lap(Step::Issuance, &mut lap);
    let chain = client.get(&certificate).await?;
    timing.lap(Step::Download, &mut lap);
    check_certificate(&chain, &csr, names)?;
    timing.whole = start.elapsed();
    Ok(Issued {
        timing,
        chain: chain.body,
    })
}

fn order_payload(names: &[String]) -> String {
    let identifiers: Vec<String> = names
        .iter()
        .map(|name| format!(r#"{{"type":"dns","value":"{name}"}}"#))
        .collect();
    format!(r#"{{"identifiers":[{}]}}"#, identifiers.join(","))
}

/// Proves control over one name with http-01 (RFC 8555 section 8.3).
async fn authorize(
    client: &mut Client,
    tokens: &Tokens,
    url: &str,
    timing: &mut Timing,
    lap: &mut Instant,
) -> Result<(), AcmeError> {
    let authorization: Authorization = json(&client.get(url).await?)?;
    timing.lap(Step::Authorization, lap);
    if authorization.status == "valid" {
        // Would make a flow shorter than a flow is: every name is new, so no authorization can be old.
        return Err(AcmeError::Malformed(
            "a new name's authorization is already valid: turn validation and no reuse on",
        ));
    }
    let challenge = authorization
        .challenges
        .into_iter()
        .find(|challenge| challenge.kind == "http-01")
        .ok_or(AcmeError::Malformed("there is no http-01 challenge"))?;

    tokens.add(&challenge.token, client.thumbprint());
    let outcome = validate(client, &challenge, url, timing, lap).await;
    tokens.remove(&challenge.token);
    outcome
}

async fn validate(
    client: &mut Client,
    challenge: &Challenge,
    authorization_url: &str,
    timing: &mut Timing,
    lap: &mut Instant,
) -> Result<(), AcmeError> {
    client.post(&challenge.url, "{}").await?;
    timing.lap(Step::Challenge, lap);
    let mut pause = Pause(client.poll_pause);
    loop {
        let authorization: Authorization = json(&client.get(authorization_url).await?)?;
        match authorization.status.as_str() {
            "valid" => break,
            "pending" | "processing" => pause.wait().await,
            _ => return Err(refused_authorization(authorization)),
        }
    }
    timing.lap(Step::Validation, lap);
    Ok(())
}

fn refused_authorization(authorization: Authorization) -> AcmeError {
    let mut errors = authorization.challenges.into_iter().flat_map(|c| c.error);
    AcmeError::Ended {
        object: "authorization",
        status: authorization.status,
        detail: detail(errors.next()),
    }
}

/// The certificate's URL, as soon as there is one.
async fn issued(client: &mut Client, url: &str, mut order: Order) -> Result<String, AcmeError> {
    let mut pause = Pause(client.poll_pause);
    loop {
        match (order.status.as_str(), order.certificate) {
            ("valid", Some(certificate)) => return Ok(certificate),
            ("ready" | "processing", _) => {}
            (_, _) => {
                return Err(AcmeError::Ended {
                    object: "order",
                    status: order.status,
                    detail: detail(order.error),
                });
            }
        }
        pause.wait().await;
        order = json(&client.get(url).await?)?;
    }
}

fn detail(error: Option<Box<RawValue>>) -> String {
    error.map_or_else(String::new, |error| error.get().to_owned())
}

/// The leaf carries the key and the names of the request. Looking for their encodings is as telling here as parsing,
/// and a tenth of the work.
fn check_certificate(chain: &Answer, csr: &Csr, names: &[String]) -> Result<(), AcmeError> {
    let leaf = leaf(&chain.body).ok_or(AcmeError::Malformed("the chain is not PEM"))?;
    if !der::contains(&leaf, &csr.spki) {
        return Err(AcmeError::Certificate("it has another key"));
    }
    if !names
        .iter()
        .all(|name| der::contains(&leaf, &dns_name(name)))
    {
        return Err(AcmeError::Certificate("a name is missing"));
    }
    Ok(())
}

fn leaf(pem: &[u8]) -> Option<Vec<u8>> {
    let pem = std::str::from_utf8(pem).ok()?;
    let (_, rest) = pem.split_once("-----BEGIN CERTIFICATE-----")?;
    let (body, _) = rest.split_once("-----END CERTIFICATE-----")?;
    let body: String = body.split_ascii_whitespace().collect();
    STANDARD.decode(body).ok()
}

/// Growing pauses between polls. The flow's deadline ends the loops that use it.
struct Pause(Duration);

impl Pause {
    async fn wait(&mut self) {
        tokio::time::sleep(self.0).await;
        self.0 = (self.0 * 2).min(LONGEST_PAUSE.max(self.0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(der: &[u8]) -> Answer {
        let body = STANDARD.encode(der);
        let (first, second) = body.split_at(64);
        let pem = format!(
            "-----BEGIN CERTIFICATE-----\n{first}\n{second}\n-----END CERTIFICATE-----\n\
             -----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
        );
        Answer::new(200, pem)
    }

    #[test]
    fn a_leaf_with_another_key_or_without_a_name_is_not_what_was_ordered() {
        let names = ["a.example.com".to_owned()];
        let csr = Csr::generate(&names).unwrap();
        // The request itself contains the key and the name, as the certificate would.
        let answer = chain(&csr.der);
        assert!(check_certificate(&answer, &csr, &names).is_ok());
        let other = Csr::generate(&names).unwrap();
        assert!(check_certificate(&answer, &other, &names).is_err());
        let names = ["b.example.com".to_owned()];
        assert!(check_certificate(&answer, &csr, &names).is_err());
    }
}
