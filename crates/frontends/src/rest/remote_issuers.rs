//! `/issuers`: CAs elsewhere, configured, changed and looked at.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use domain::issuer::{ConnectorConfig, ConnectorKind, Finding, Outcome, SettingForm, SettingRule};
use http::HeaderMap;
use lifecycle::operator::remote_issuers::RemoteIssuer;
use protocols::rest::issuer::Issuer;
use protocols::rest::page::Page;
use protocols::rest::remote_issuer as wire;
use secrecy::SecretString;
use serde_json::{Map, Value};

use super::Verbs;
use super::access::Operator;
use super::etag;
use super::extract::{Body, Named, Parameters, created};
use super::failure::Failure;
use super::issuers::{find, shown};
use super::listing::Everything;

/// Configure a CA elsewhere; nothing is asked of it yet
///
/// Its kind says which settings and secrets there are. A test says whether it works, and fetches its
/// certificates where it has a way to be asked.
#[utoipa::path(post, path = "/api/v1/issuers", tag = "issuers",
    request_body = wire::CreateIssuer,
    responses((status = 201, description = "The issuer; profiles may route to it", body = Issuer)))]
pub(crate) async fn create(
    State(verbs): State<Verbs>,
    operator: Operator,
    Body(request): Body<wire::CreateIssuer>,
) -> Result<Response, Failure> {
    let kind: ConnectorKind = request
        .kind
        .parse()
        .map_err(|error| Failure::invalid(format!("`kind`: {error}")))?;
    let remote = RemoteIssuer {
        connector: connector(kind, request.settings)?,
        secrets: request
            .secrets
            .into_iter()
            .map(|(name, secret)| (name, Some(secret.0)))
            .collect(),
        certificates: request
            .certificates
            .as_deref()
            .map(certificates)
            .transpose()?,
    };
    let issuer = verbs
        .create_issuer(&request.name, remote, &operator.caller())
        .await?;
    let body = shown(&verbs, &issuer).await?;
    Ok(created(format!("/api/v1/issuers/{}", issuer.name), &body))
}

/// Change a CA elsewhere
///
/// Settings that are given stand in the place of all there were; secrets that are not given stay,
/// unless they would be sent to another place than before.
#[utoipa::path(put, path = "/api/v1/issuers/{name}", tag = "issuers",
    params(
        ("name" = String, Path, description = "Name of the issuer"),
        ("If-Match" = Option<String>, Header, description = "The ETag of what is changed"),
    ),
    request_body = wire::UpdateIssuer,
    responses((status = 200, description = "The issuer as it is now", body = Issuer,
        headers(("ETag" = String, description = "Names this version")))))]
pub(crate) async fn update(
    State(verbs): State<Verbs>,
    operator: Operator,
    Named(name): Named<String>,
    headers: HeaderMap,
    Body(request): Body<wire::UpdateIssuer>,
) -> Result<impl IntoResponse, Failure> {
    let expected = etag::expected_time(&headers)?;
    let known = find(&verbs, &name).await?;
    let connector = match request.settings {
        Some(settings) => connector(known.connector.kind(), settings)?,
        None => known.connector,
    };
    let secrets = request.secrets.into_iter();
    let remote = RemoteIssuer {
        connector,
        secrets: secrets
            .map(|(name, secret)| (name, secret.map(|secret| -> SecretString { secret.0 })))
            .collect(),
        certificates: request
            .certificates
            .as_deref()
            .map(certificates)
            .transpose()?,
    };
    let issuer = verbs
        .update_issuer(&name, remote, expected, &operator.caller())
        .await?;
    let tag = etag::tag(issuer.updated_at.millis());
    Ok((tag, Json(shown(&verbs, &issuer).await?)))
}

/// Look at an issuer: whether it is reached, knows us, lets us do what we have to
///
/// No certificate comes of it. What the CA says of its own certificates is kept.
#[utoipa::path(post, path = "/api/v1/issuers/{name}/test", tag = "issuers",
    params(("name" = String, Path, description = "Name of the issuer")),
    responses((status = 200, description = "What was found", body = wire::IssuerCheck)))]
pub(crate) async fn test(
    State(verbs): State<Verbs>,
    operator: Operator,
    Named(name): Named<String>,
) -> Result<Json<wire::IssuerCheck>, Failure> {
    let report = verbs.test_issuer(&name, &operator.caller()).await?;
    Ok(Json(wire::IssuerCheck {
        passed: report.is_sound(),
        findings: report.findings.into_iter().map(render_finding).collect(),
    }))
}

/// The kinds of CAs that can be configured, with the secrets they take
#[utoipa::path(get, path = "/api/v1/issuer-kinds", tag = "issuers",
    responses((status = 200, description = "The kinds", body = Page<wire::IssuerKind>)))]
pub(crate) async fn kinds(
    Parameters(Everything {}): Parameters<Everything>,
) -> Result<Json<Page<wire::IssuerKind>>, Failure> {
    let items = ConnectorKind::ALL
        .into_iter()
        .map(render_kind)
        .collect::<Result<_, _>>()?;
    Ok(Json(Page { items, next: None }))
}

fn render_kind(kind: ConnectorKind) -> Result<wire::IssuerKind, Failure> {
    Ok(wire::IssuerKind {
        name: kind.name().to_owned(),
        summary: kind.summary().to_owned(),
        secrets: kind
            .secrets()
            .iter()
            .map(|rule| wire::IssuerSecretRule {
                name: rule.name.to_owned(),
                required: rule.required,
                summary: rule.summary.to_owned(),
            })
            .collect(),
        takes_any_secret: kind.takes_any_secret(),
        further: kind.further().iter().map(render_rule).collect(),
        example: serde_json::from_str(kind.example()).map_err(|error| Failure::internal(&error))?,
    })
}

fn render_rule(rule: &SettingRule) -> wire::IssuerSettingRule {
    use wire::IssuerSettingForm as W;
    let (form, choices) = match rule.form {
        SettingForm::Text => (W::Text, &[][..]),
        SettingForm::List => (W::List, &[][..]),
        SettingForm::Pem => (W::Pem, &[][..]),
        SettingForm::Flag => (W::Flag, &[][..]),
        SettingForm::Number => (W::Number, &[][..]),
        SettingForm::Choice(words) => (W::Choice, words),
    };
    wire::IssuerSettingRule {
        name: rule.name.to_owned(),
        form,
        choices: choices.iter().copied().map(str::to_owned).collect(),
        summary: rule.summary.to_owned(),
    }
}

pub(super) fn render_finding(finding: Finding) -> wire::IssuerFinding {
    use wire::IssuerFindingOutcome as W;
    wire::IssuerFinding {
        aspect: finding.aspect.name().to_owned(),
        outcome: match finding.outcome {
            Outcome::Passed => W::Passed,
            Outcome::Warning => W::Warning,
            Outcome::Failed => W::Failed,
            Outcome::Skipped => W::Skipped,
        },
        message: finding.message,
    }
}

/// The settings of a kind, as their JSON is read.
fn connector(
    kind: ConnectorKind,
    mut settings: Map<String, Value>,
) -> Result<ConnectorConfig, Failure> {
    if kind == ConnectorKind::Embedded {
        return Err(Failure::invalid(
            "an embedded CA has no settings; use /issuers/import, or /issuers/csr",
        ));
    }
    if settings.contains_key("kind") {
        return Err(Failure::invalid("`settings` have no member `kind`"));
    }
    settings.insert("kind".to_owned(), Value::from(kind.name()));
    serde_json::from_value(Value::Object(settings))
        .map_err(|error| Failure::invalid(format!("`settings`: {error}")))
}

/// Settings without their kind; those of a CA whose key is here are nobody's to see.
pub(super) fn settings(connector: &ConnectorConfig) -> Result<Map<String, Value>, Failure> {
    if connector.embedded().is_some() {
        return Ok(Map::new());
    }
    match serde_json::to_value(connector) {
        Ok(Value::Object(mut members)) => {
            members.remove("kind");
            Ok(members)
        }
        Ok(_) => Ok(Map::new()),
        Err(error) => Err(Failure::internal(&error)),
    }
}

/// An empty text is no certificate at all.
fn certificates(pem: &str) -> Result<Vec<Vec<u8>>, Failure> {
    if pem.trim().is_empty() {
        return Ok(Vec::new());
    }
    pki::pem::decode_all(pki::pem::CERTIFICATE, pem.as_bytes())
        .map_err(|error| Failure::invalid(format!("`certificates`: {error}")))
}
