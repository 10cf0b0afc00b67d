//! Whether the server answers, takes the token, and lets us do what we have to.

use std::collections::BTreeMap;

use async_trait::async_trait;
use domain::issuer::{Aspect, CheckReport, HealthCheck, Outcome};
use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::VaultConnector;
use super::wire::{Enveloped, Health, TokenData};
use crate::net::excerpt;

const UNSEEN: &str = "could not be looked at";

#[async_trait]
impl HealthCheck for VaultConnector {
    async fn check(&self) -> CheckReport {
        let mut report = CheckReport::default();
        if !self.check_reach(&mut report).await {
            let rest = [Aspect::Credentials, Aspect::Rights, Aspect::DryRun];
            report.skipped(&rest, UNSEEN);
        } else if !self.check_token(&mut report).await {
            report.skipped(&[Aspect::Rights, Aspect::DryRun], UNSEEN);
        } else {
            self.check_rights(&mut report).await;
            self.check_role(&mut report).await;
        }
        report
    }
}

impl VaultConnector {
    async fn check_reach(&self, report: &mut CheckReport) -> bool {
        let server = &self.client.server;
        let path = "sys/health?standbyok=true";
        let answer = server.send(&Method::GET, path, None, None::<&Value>).await;
        let response = match answer {
            Ok(response) => response,
            Err(error) => {
                let error: domain::issuer::IssueError = error.into();
                report.failed(Aspect::Reach, error.to_string());
                return false;
            }
        };
        match serde_json::from_slice::<Health>(response.body()) {
            Err(_) => {
                let said = excerpt(response.body());
                let text = format!("something answers, but it is no Vault or OpenBao: {said}");
                report.failed(Aspect::Reach, text);
                false
            }
            Ok(health) if !health.initialized => {
                report.failed(Aspect::Reach, "the server is not initialized");
                false
            }
            Ok(health) if health.sealed => {
                report.failed(Aspect::Reach, "the server is sealed; unseal it");
                false
            }
            Ok(health) => {
                let version = excerpt(health.version.as_bytes());
                report.passed(
                    Aspect::Reach,
                    format!("the server answers, version {version}"),
                );
                true
            }
        }
    }

    async fn check_token(&self, report: &mut CheckReport) -> bool {
        let found = match self.client.token().await {
            Err(error) => Err(error),
            Ok(_) => {
                self.client
                    .read::<TokenData>("auth/token/lookup-self")
                    .await
            }
        };
        match found {
            Err(error) => {
                report.failed(Aspect::Credentials, error.to_string());
                false
            }
            Ok(TokenData { ttl: 0, .. }) => {
                report.passed(Aspect::Credentials, "the token holds and has no end");
                true
            }
            Ok(TokenData {
                ttl,
                renewable: true,
            }) => {
                let text = format!("the token holds for {} and is renewed in time", span(ttl));
                report.passed(Aspect::Credentials, text);
                true
            }
            Ok(TokenData { ttl, .. }) => {
                let text = format!("the token ends in {} and cannot be renewed", span(ttl));
                report.note(Aspect::Credentials, Outcome::Warning, text);
                true
            }
        }
    }

    async fn check_rights(&self, report: &mut CheckReport) {
        let (sign, revoke) = (self.sign_path(), self.mounted("revoke"));
        let body = json!({ "paths": [sign, revoke] });
        let asked: Result<BTreeMap<String, Value>, _> =
            self.client.write("sys/capabilities-self", &body).await;
        let capabilities = match asked {
            Ok(capabilities) => capabilities,
            Err(error) => {
                let text = format!("its rights cannot be asked for: {error}");
                return report.note(Aspect::Rights, Outcome::Warning, text);
            }
        };
        let may = |path: &str| {
            let list = capabilities.get(path).and_then(Value::as_array);
            list.is_some_and(|list| {
                list.iter()
                    .any(|word| matches!(word.as_str(), Some("update" | "create" | "root")))
            })
        };
        match (may(&sign), may(&revoke)) {
            (true, true) => report.passed(Aspect::Rights, "the token may sign and revoke"),
            (true, false) => report.note(
                Aspect::Rights,
                Outcome::Warning,
                format!(
                    "the token may sign, but not revoke; its policy needs update on `{revoke}`"
                ),
            ),
            (false, _) => report.failed(
                Aspect::Rights,
                format!("the token may not sign; its policy needs update on `{sign}`"),
            ),
        }
    }

    /// The engine signs nothing on trial; a role that is there is as far as one gets.
    async fn check_role(&self, report: &mut CheckReport) {
        let path = self.mounted(&format!("roles/{}", self.config.role));
        let server = &self.client.server;
        let answer = match self.client.token().await {
            Ok(token) => {
                server
                    .send(&Method::GET, &path, Some(&token), None::<&Value>)
                    .await
            }
            Err(error) => return report.failed(Aspect::DryRun, error.to_string()),
        };
        let role = &self.config.role;
        match answer {
            Ok(response) if response.status() == StatusCode::NOT_FOUND => {
                report.failed(
                    Aspect::DryRun,
                    format!("there is no role `{role}` in the engine"),
                );
            }
            Ok(response) => match serde_json::from_slice::<Enveloped<Value>>(response.body()) {
                Ok(found) if response.status().is_success() => {
                    let stores = found.data.get("no_store") != Some(&Value::Bool(true));
                    match stores {
                        true => report.passed(Aspect::DryRun, format!("the role `{role}` is there")),
                        false => report.note(
                            Aspect::DryRun,
                            Outcome::Warning,
                            format!("the role `{role}` stores nothing: lists of the engine lack what it signs"),
                        ),
                    }
                }
                _ => report.skipped(&[Aspect::DryRun], UNSEEN),
            },
            Err(_) => report.skipped(&[Aspect::DryRun], UNSEEN),
        }
    }
}

fn span(seconds: u64) -> String {
    match seconds {
        0..7_200 => format!("{} minutes", seconds / 60),
        7_200..172_800 => format!("{} hours", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}
