//! dns-01 by an acme-dns server: `_acme-challenge` of the names points (CNAME) to a label there, and
//! one request sets what it says. The server keeps the last two values and forgets by itself.

use std::sync::Arc;

use async_trait::async_trait;
use domain::issuer::response::ProofPlace;
use http::{HeaderName, Method, StatusCode};
use serde_json::json;

use super::{ChallengeSolver, Proof, SolveError, SolverPorts};
use crate::net::excerpt;
use crate::net::json::JsonService;

struct AcmeDns {
    service: JsonService,
    subdomain: String,
}

pub(super) fn open(
    url: &str,
    (username, subdomain): (&str, &str),
    trust_anchors: Option<&str>,
    ports: &SolverPorts,
) -> Result<Arc<dyn ChallengeSolver>, String> {
    let (http, url) = ports.service(url, trust_anchors)?;
    let password = ports.secret("password")?;
    let service = JsonService::new(http, url)
        .with_secret_header(HeaderName::from_static("x-api-user"), username)?
        .with_secret_header(HeaderName::from_static("x-api-key"), password)?;
    Ok(Arc::new(AcmeDns {
        service,
        subdomain: subdomain.to_owned(),
    }))
}

#[async_trait]
impl ChallengeSolver for AcmeDns {
    fn place(&self) -> ProofPlace {
        ProofPlace::Dns01
    }

    async fn put(&self, proof: &Proof) -> Result<(), SolveError> {
        let label = proof.name.split('.').next().unwrap_or_default();
        if !label.eq_ignore_ascii_case(&self.subdomain) {
            return Err(SolveError::Refused(format!(
                "the record would be {}, which is not the registration {}: make _acme-challenge of \
                 the name a CNAME of the registration's full name",
                proof.name, self.subdomain
            )));
        }
        let body = json!({"subdomain": self.subdomain, "txt": proof.value});
        let host = self.service.host();
        let answer = self
            .service
            .send(Method::POST, "update", Some(&body))
            .await
            .map_err(|error| SolveError::Unavailable(error.to_string()))?;
        let text = match answer.status {
            status if status.is_success() => return Ok(()),
            StatusCode::UNAUTHORIZED => format!("{host} does not accept user name and password"),
            status => format!("{host} answered {status}: {}", excerpt(&answer.body)),
        };
        Err(SolveError::of_status(answer.status, text))
    }

    async fn remove(&self, _: &Proof) -> Result<(), SolveError> {
        Ok(())
    }

    async fn check(&self) -> Result<String, SolveError> {
        let host = self.service.host();
        let answer = self
            .service
            .send(Method::GET, "health", None)
            .await
            .map_err(|error| SolveError::Unavailable(error.to_string()))?;
        match answer.status.is_success() {
            true => Ok(format!(
                "{host} answers; whether it accepts the password shows with the first record"
            )),
            false => {
                let text = format!("{host} answered {}", answer.status);
                Err(SolveError::of_status(answer.status, text))
            }
        }
    }
}
