//! dns-01 by the API of Cloudflare (`/client/v4/zones/…/dns_records`).

use std::sync::Arc;

use async_trait::async_trait;
use domain::issuer::response::ProofPlace;
use http::Method;
use http::header::AUTHORIZATION;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{ChallengeSolver, Proof, SolveError, SolverPorts, TTL_SECONDS, ancestors};
use crate::net::excerpt;
use crate::net::json::JsonService;

const API: &str = "https://api.cloudflare.com/client/v4";
/// "An identical record already exists."
const IDENTICAL: u32 = 81058;

struct Cloudflare {
    service: JsonService,
}

/// The envelope around every answer.
#[derive(Deserialize)]
struct Envelope {
    success: bool,
    #[serde(default)]
    errors: Vec<ApiError>,
    #[serde(default)]
    result: Value,
}

#[derive(Deserialize)]
struct ApiError {
    code: u32,
    message: String,
}

#[derive(Deserialize)]
struct Zone {
    id: String,
    name: String,
}

#[derive(Deserialize)]
struct DnsRecord {
    id: String,
    content: String,
}

pub(super) fn open(
    url: Option<&str>,
    ports: &SolverPorts,
) -> Result<Arc<dyn ChallengeSolver>, String> {
    let (http, url) = ports.service(url.unwrap_or(API), None)?;
    let token = ports.secret("api_key")?;
    let service = JsonService::new(http, url)
        .with_secret_header(AUTHORIZATION, &format!("Bearer {token}"))?;
    Ok(Arc::new(Cloudflare { service }))
}

#[async_trait]
impl ChallengeSolver for Cloudflare {
    fn place(&self) -> ProofPlace {
        ProofPlace::Dns01
    }

    async fn put(&self, proof: &Proof) -> Result<(), SolveError> {
        let zone = self.zone_id(&proof.name).await?;
        let body = json!({
            "type": "TXT", "name": proof.name, "content": quoted(&proof.value), "ttl": TTL_SECONDS,
        });
        let path = format!("zones/{zone}/dns_records");
        let envelope = self.send(Method::POST, &path, Some(&body)).await?;
        match envelope.success || envelope.errors.iter().any(|e| e.code == IDENTICAL) {
            true => Ok(()),
            false => Err(self.refusal(&envelope)),
        }
    }

    async fn remove(&self, proof: &Proof) -> Result<(), SolveError> {
        let zone = self.zone_id(&proof.name).await?;
        let path = format!(
            "zones/{zone}/dns_records?type=TXT&name={}&per_page=100",
            proof.name
        );
        let found: Vec<DnsRecord> = self.result(Method::GET, &path).await?;
        for record in found {
            // The API has answered with and without the quotes that are part of the presentation.
            if record.content.trim_matches('"') == proof.value {
                let path = format!("zones/{zone}/dns_records/{}", record.id);
                self.result::<Value>(Method::DELETE, &path).await?;
            }
        }
        Ok(())
    }

    async fn check(&self) -> Result<String, SolveError> {
        let zones: Vec<Zone> = self.result(Method::GET, "zones?per_page=5").await?;
        let names: Vec<&str> = zones.iter().map(|zone| zone.name.as_str()).collect();
        match names.as_slice() {
            [] => Err(SolveError::Refused(
                "the token is accepted, but sees no zone; give it Zone:Read and DNS:Edit"
                    .to_owned(),
            )),
            names => Ok(format!(
                "the token sees {} and perhaps others",
                names.join(", ")
            )),
        }
    }
}

impl Cloudflare {
    async fn zone_id(&self, name: &str) -> Result<String, SolveError> {
        for candidate in ancestors(name).filter(|name| name.contains('.')) {
            let found: Vec<Zone> = self
                .result(Method::GET, &format!("zones?name={candidate}"))
                .await?;
            let fitting = found.into_iter().find(|zone| zone.name == candidate);
            if let Some(zone) = fitting {
                return Ok(zone.id);
            }
        }
        Err(SolveError::Refused(format!(
            "the token sees no zone at {} for {name}",
            self.service.host()
        )))
    }

    async fn result<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
    ) -> Result<T, SolveError> {
        let envelope = self.send(method, path, None).await?;
        if !envelope.success {
            return Err(self.refusal(&envelope));
        }
        serde_json::from_value(envelope.result).map_err(|_| {
            SolveError::Unavailable(format!(
                "{} answered something else than was asked for",
                self.service.host()
            ))
        })
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Envelope, SolveError> {
        let answer = self
            .service
            .send(method, path, body)
            .await
            .map_err(|error| SolveError::Unavailable(error.to_string()))?;
        let passing = answer.status.is_server_error() || answer.status.as_u16() == 429;
        if passing {
            let host = self.service.host();
            let text = format!("{host} answered {}", answer.status);
            return Err(SolveError::Unavailable(text));
        }
        answer.json().map_err(SolveError::Unavailable)
    }

    fn refusal(&self, envelope: &Envelope) -> SolveError {
        let told: Vec<String> = envelope
            .errors
            .iter()
            .map(|error| format!("{} ({})", excerpt(error.message.as_bytes()), error.code))
            .collect();
        SolveError::Refused(format!(
            "{} refused: {}",
            self.service.host(),
            told.join("; ")
        ))
    }
}

fn quoted(value: &str) -> String {
    format!("\"{value}\"")
}
