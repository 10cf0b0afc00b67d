//! dns-01 by Amazon Route 53 (`/2013-04-01/hostedzone/…/rrset`).
//!
//! A change replaces a whole record set, so the set is read, changed and written; changes of one node go
//! one after the other.

use std::sync::Arc;

use async_trait::async_trait;
use domain::issuer::response::ProofPlace;
use http::Method;
use http::header::CONTENT_TYPE;
use secrecy::SecretString;
use tokio::sync::Mutex;

use super::{ChallengeSolver, Proof, SolveError, SolverPorts, TTL_SECONDS, ancestors};
use crate::net::aws::{AwsCredentials, AwsService};
use crate::net::excerpt;

/// Route 53 is one service for the world, and signatures name this region.
const ENDPOINT: &str = "https://route53.amazonaws.com";
const REGION: &str = "us-east-1";

struct Route53 {
    service: AwsService,
    zone_id: Option<String>,
    changing: Mutex<()>,
}

pub(super) fn open(
    access_key_id: &str,
    hosted_zone_id: Option<&str>,
    url: Option<&str>,
    ports: &SolverPorts,
) -> Result<Arc<dyn ChallengeSolver>, String> {
    let (http, base) = ports.service(url.unwrap_or(ENDPOINT), None)?;
    let secret = ports.secret("secret_access_key")?;
    Ok(Arc::new(Route53 {
        service: AwsService {
            http,
            base,
            region: REGION.to_owned(),
            service: "route53",
            credentials: AwsCredentials {
                access_key_id: access_key_id.to_owned(),
                secret_access_key: SecretString::from(secret),
                session_token: None,
            },
            clock: Arc::clone(&ports.environment.clock),
        },
        zone_id: hosted_zone_id.map(bare_id),
        changing: Mutex::new(()),
    }))
}

/// Ids are written with and without `/hostedzone/` in front.
fn bare_id(id: &str) -> String {
    id.rsplit('/').next().unwrap_or_default().to_owned()
}

#[async_trait]
impl ChallengeSolver for Route53 {
    fn place(&self) -> ProofPlace {
        ProofPlace::Dns01
    }

    async fn put(&self, proof: &Proof) -> Result<(), SolveError> {
        self.change(proof, true).await
    }

    async fn remove(&self, proof: &Proof) -> Result<(), SolveError> {
        self.change(proof, false).await
    }

    async fn check(&self) -> Result<String, SolveError> {
        let path = match &self.zone_id {
            Some(id) => format!("2013-04-01/hostedzone/{id}"),
            None => "2013-04-01/hostedzone?maxitems=5".to_owned(),
        };
        let answer = self.send(Method::GET, &path, String::new()).await?;
        let names = elements(&answer, "Name").join(", ");
        Ok(format!("the access key sees the zones {names}"))
    }
}

impl Route53 {
    async fn change(&self, proof: &Proof, present: bool) -> Result<(), SolveError> {
        let _changing = self.changing.lock().await;
        let zone = self.zone(&proof.name).await?;
        let before = self.values(&zone, &proof.name).await?;
        let value = format!("\"{}\"", proof.value);
        if before.contains(&value) == present {
            return Ok(());
        }
        let mut after = before.clone();
        after.retain(|other| *other != value);
        if present {
            after.push(value);
        }
        let body = match after.is_empty() {
            // A deletion has to repeat what is deleted.
            true => batch("DELETE", &proof.name, &before),
            false => batch("UPSERT", &proof.name, &after),
        };
        let path = format!("2013-04-01/hostedzone/{zone}/rrset");
        self.send(Method::POST, &path, body).await.map(drop)
    }

    async fn zone(&self, name: &str) -> Result<String, SolveError> {
        if let Some(id) = &self.zone_id {
            return Ok(id.clone());
        }
        for candidate in ancestors(name) {
            let path = format!("2013-04-01/hostedzonesbyname?dnsname={candidate}.&maxitems=10");
            let answer = self.send(Method::GET, &path, String::new()).await?;
            let wanted = format!("{candidate}.");
            let found = elements(&answer, "HostedZone").into_iter().find(|zone| {
                let is_public = !zone.contains("<PrivateZone>true");
                is_public && elements(zone, "Name").first() == Some(&wanted.as_str())
            });
            if let Some(id) = found.and_then(|zone| elements(zone, "Id").first().copied()) {
                return Ok(bare_id(id));
            }
        }
        Err(SolveError::Refused(format!(
            "the access key sees no public hosted zone for {name}"
        )))
    }

    /// The strings of a name's TXT record set as they are written there.
    async fn values(&self, zone: &str, name: &str) -> Result<Vec<String>, SolveError> {
        let path = format!("2013-04-01/hostedzone/{zone}/rrset?maxitems=1&name={name}.&type=TXT");
        let answer = self.send(Method::GET, &path, String::new()).await?;
        let sets = elements(&answer, "ResourceRecordSet");
        let own = sets.into_iter().find(|set| {
            let named = elements(set, "Name").first().copied().unwrap_or_default();
            named.trim_end_matches('.').eq_ignore_ascii_case(name)
                && elements(set, "Type").first() == Some(&"TXT")
        });
        let values = own.map(|set| elements(set, "Value")).unwrap_or_default();
        Ok(values.into_iter().map(unescape).collect())
    }

    async fn send(&self, method: Method, path: &str, body: String) -> Result<String, SolveError> {
        let answer = self
            .service
            .send(
                method,
                path,
                &[(CONTENT_TYPE, "text/xml")],
                body.into_bytes(),
            )
            .await
            .map_err(|error| SolveError::Unavailable(error.to_string()))?;
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        if answer.status.is_success() {
            return Ok(text);
        }
        let code = elements(&text, "Code").first().copied().unwrap_or_default();
        let message = elements(&text, "Message").first().copied().unwrap_or(&text);
        let told = format!(
            "{} answered {} {code}: {}",
            self.service.host(),
            answer.status,
            excerpt(message.as_bytes())
        );
        // An earlier change that is not done yet, and throttling, are told with 400.
        let passing = matches!(
            code,
            "PriorRequestNotComplete" | "Throttling" | "ThrottlingException"
        );
        match passing {
            true => Err(SolveError::Unavailable(told)),
            false => Err(SolveError::of_status(answer.status, told)),
        }
    }
}

fn batch(action: &str, name: &str, values: &[String]) -> String {
    let records: String = values
        .iter()
        .map(|value| {
            let value = escape(value);
            format!("<ResourceRecord><Value>{value}</Value></ResourceRecord>")
        })
        .collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
         <ChangeResourceRecordSetsRequest xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\">\
         <ChangeBatch><Changes><Change><Action>{action}</Action><ResourceRecordSet>\
         <Name>{}.</Name><Type>TXT</Type><TTL>{TTL_SECONDS}</TTL>\
         <ResourceRecords>{records}</ResourceRecords></ResourceRecordSet></Change></Changes></ChangeBatch>\
         </ChangeResourceRecordSetsRequest>",
        escape(name)
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

fn unescape(text: &str) -> String {
    text.replace("&quot;", "\"")
        .replace("&#34;", "\"")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
}

/// The contents of the elements of a name, in order. Answers of this API are plain: no attributes but on
/// the outermost element, no comments, and no element within one of its own name.
fn elements<'a>(xml: &'a str, name: &str) -> Vec<&'a str> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let mut found = Vec::new();
    let mut rest = xml;
    while let Some((_, after)) = rest.split_once(open.as_str()) {
        let Some((content, behind)) = after.split_once(close.as_str()) else {
            break;
        };
        found.push(content.trim());
        rest = behind;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_set_is_read_as_it_is_written() {
        let values = vec!["\"a\"".to_owned(), "\"b&c\"".to_owned()];
        let xml = batch("UPSERT", "_acme-challenge.example.com", &values);
        assert_eq!(elements(&xml, "Name"), ["_acme-challenge.example.com."]);
        let read: Vec<String> = elements(&xml, "Value").into_iter().map(unescape).collect();
        assert_eq!(read, values);
        assert_eq!(elements("<Value>a", "Value"), Vec::<&str>::new());
    }
}
