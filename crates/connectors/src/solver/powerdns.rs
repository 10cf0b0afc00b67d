//! dns-01 by the HTTP API of the PowerDNS authoritative server (`/api/v1/servers/…/zones/…`).
//!
//! Its `REPLACE` knows whole record sets only, so the set is read, changed and written; changes of
//! one node go one after the other.

use std::sync::Arc;

use async_trait::async_trait;
use domain::issuer::response::ProofPlace;
use http::{HeaderName, Method, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::Mutex;

use super::{ChallengeSolver, Proof, SolveError, SolverPorts, TTL_SECONDS, ancestors};
use crate::net::excerpt;
use crate::net::json::{Answer, JsonService, escape};

struct PowerDns {
    service: JsonService,
    server_id: String,
    changing: Mutex<()>,
}

#[derive(Deserialize)]
struct Zone {
    #[serde(default)]
    rrsets: Vec<RecordSet>,
}

#[derive(Deserialize)]
struct RecordSet {
    name: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    records: Vec<Content>,
}

#[derive(Clone, PartialEq, Deserialize, Serialize)]
struct Content {
    content: String,
    #[serde(default)]
    disabled: bool,
}

pub(super) fn open(
    url: &str,
    server_id: &str,
    trust_anchors: Option<&str>,
    ports: &SolverPorts,
) -> Result<Arc<dyn ChallengeSolver>, String> {
    let (http, url) = ports.service(url, trust_anchors)?;
    let key = ports.secret("api_key")?;
    let service = JsonService::new(http, url)
        .with_secret_header(HeaderName::from_static("x-api-key"), key)?;
    Ok(Arc::new(PowerDns {
        service,
        server_id: server_id.to_owned(),
        changing: Mutex::new(()),
    }))
}

#[async_trait]
impl ChallengeSolver for PowerDns {
    fn place(&self) -> ProofPlace {
        ProofPlace::Dns01
    }

    async fn put(&self, proof: &Proof) -> Result<(), SolveError> {
        self.change(proof, |records, content| {
            let is_there = records.contains(&content);
            if !is_there {
                records.push(content);
            }
            !is_there
        })
        .await
    }

    async fn remove(&self, proof: &Proof) -> Result<(), SolveError> {
        self.change(proof, |records, content| {
            let before = records.len();
            records.retain(|record| *record != content);
            records.len() != before
        })
        .await
    }

    async fn check(&self) -> Result<String, SolveError> {
        let answer = self.send(Method::GET, &self.server_path(), None).await?;
        match answer.status.is_success() {
            true => Ok(format!("{} accepts the API key", self.service.host())),
            false => Err(self.failure(&answer)),
        }
    }
}

impl PowerDns {
    async fn change(
        &self,
        proof: &Proof,
        change: impl FnOnce(&mut Vec<Content>, Content) -> bool + Send,
    ) -> Result<(), SolveError> {
        let _changing = self.changing.lock().await;
        let (zone, found) = self.zone_of(&proof.name).await?;
        let name = format!("{}.", proof.name);
        let mut records: Vec<Content> = found
            .rrsets
            .into_iter()
            .filter(|set| set.kind == "TXT" && set.name.eq_ignore_ascii_case(&name))
            .flat_map(|set| set.records)
            .collect();
        let content = Content {
            content: format!("\"{}\"", proof.value),
            disabled: false,
        };
        if !change(&mut records, content) {
            return Ok(());
        }
        let set = match records.is_empty() {
            true => json!({"name": name, "type": "TXT", "changetype": "DELETE"}),
            false => json!({
                "name": name, "type": "TXT", "ttl": TTL_SECONDS, "changetype": "REPLACE",
                "records": records,
            }),
        };
        let body = json!({"rrsets": [set]});
        let answer = self
            .send(Method::PATCH, &self.path(&zone), Some(&body))
            .await?;
        match answer.status.is_success() {
            true => Ok(()),
            false => Err(self.failure(&answer)),
        }
    }

    /// The zone with a name's TXT records: the nearest that the server has.
    async fn zone_of(&self, name: &str) -> Result<(String, Zone), SolveError> {
        for candidate in ancestors(name) {
            let path = format!("{}?rrset_name={name}.&rrset_type=TXT", self.path(candidate));
            let answer = self.send(Method::GET, &path, None).await?;
            match answer.status {
                StatusCode::OK => {
                    let zone = answer.json().map_err(SolveError::Unavailable)?;
                    return Ok((candidate.to_owned(), zone));
                }
                StatusCode::NOT_FOUND | StatusCode::UNPROCESSABLE_ENTITY => {}
                _ => return Err(self.failure(&answer)),
            }
        }
        Err(SolveError::Refused(format!(
            "{} has no zone for {name}",
            self.service.host()
        )))
    }

    fn path(&self, zone: &str) -> String {
        format!("{}/zones/{}.", self.server_path(), escape(zone))
    }

    fn server_path(&self) -> String {
        format!("api/v1/servers/{}", escape(&self.server_id))
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&serde_json::Value>,
    ) -> Result<Answer, SolveError> {
        self.service
            .send(method, path, body)
            .await
            .map_err(|error| SolveError::Unavailable(error.to_string()))
    }

    fn failure(&self, answer: &Answer) -> SolveError {
        let host = self.service.host();
        let text = match answer.status {
            StatusCode::UNAUTHORIZED => format!("{host} does not accept the API key"),
            status => format!("{host} answered {status}: {}", excerpt(&answer.body)),
        };
        SolveError::of_status(answer.status, text)
    }
}
