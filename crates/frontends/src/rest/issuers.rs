//! `/issuers`: the configured CAs, and how they stand.

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use domain::issuer::published::{Published, PublishedKind};
use domain::issuer::{BreakerState, Issuer, IssuerState};
use http::StatusCode;
use lifecycle::StoredCrl;
use lifecycle::inventory::sync::SyncReport;
use lifecycle::issuer_health::IssuerHealth;
use lifecycle::revocation::responder::ResponderStanding;
use lifecycle::routing::LiveFigures;
use protocols::rest::issuer as wire;
use protocols::rest::page::Page;

use super::Verbs;
use super::access::Operator;
use super::etag;
use super::extract::{Body, Named, Parameters};
use super::failure::Failure;
use super::listing::Everything;
use super::remote_issuers::{render_finding, settings};
use super::translate::{inward, outward};

/// All issuers
#[utoipa::path(get, path = "/api/v1/issuers", tag = "issuers",
    responses((status = 200, description = "The issuers", body = Page<wire::Issuer>)))]
pub(crate) async fn list(
    State(verbs): State<Verbs>,
    Parameters(Everything {}): Parameters<Everything>,
) -> Result<Json<Page<wire::Issuer>>, Failure> {
    let mut items = Vec::new();
    for issuer in verbs.list_issuers().await? {
        items.push(shown(&verbs, &issuer).await?);
    }
    Ok(Json(Page { items, next: None }))
}

/// One issuer
#[utoipa::path(get, path = "/api/v1/issuers/{name}", tag = "issuers",
    params(("name" = String, Path, description = "Name of the issuer")),
    responses((status = 200, description = "The issuer, without its secrets", body = wire::Issuer,
        headers(("ETag" = String, description = "Names this version")))))]
pub(crate) async fn show(
    State(verbs): State<Verbs>,
    Named(name): Named<String>,
) -> Result<impl IntoResponse, Failure> {
    let issuer = find(&verbs, &name).await?;
    let tag = etag::tag(issuer.updated_at.millis());
    Ok((tag, Json(shown(&verbs, &issuer).await?)))
}

/// Put an issuer into service or take it out
///
/// A retired issuer still signs CRLs and OCSP answers for the certificates it issued.
#[utoipa::path(post, path = "/api/v1/issuers/{name}/state", tag = "issuers",
    params(("name" = String, Path, description = "Name of the issuer")),
    request_body = wire::SetIssuerState,
    responses((status = 200, description = "The issuer as it is now", body = wire::Issuer)))]
pub(crate) async fn set_state(
    State(verbs): State<Verbs>,
    operator: Operator,
    Named(name): Named<String>,
    Body(request): Body<wire::SetIssuerState>,
) -> Result<Json<wire::Issuer>, Failure> {
    let active = match request.state {
        wire::WantedState::Active => true,
        wire::WantedState::Retired => false,
    };
    let issuer = verbs
        .set_issuer_active(&name, active, &operator.caller())
        .await?;
    Ok(Json(shown(&verbs, &issuer).await?))
}

/// Publish an issuer's next CRL now
#[utoipa::path(post, path = "/api/v1/issuers/{name}/crl", tag = "issuers",
    params(("name" = String, Path, description = "Name of the issuer")),
    responses((status = 200, description = "The new CRL", body = wire::Crl)))]
pub(crate) async fn refresh_crl(
    State(verbs): State<Verbs>,
    operator: Operator,
    Named(name): Named<String>,
) -> Result<Json<wire::Crl>, Failure> {
    let crl = verbs.publish_crl(&name, &operator.caller()).await?;
    Ok(Json(render_crl(&crl)))
}

/// Say how much an issuer may sign
///
/// Counted in calendar hours, days and months (UTC). A request that finds no issuer with room left waits.
#[utoipa::path(put, path = "/api/v1/issuers/{name}/limits", tag = "issuers",
    params(("name" = String, Path, description = "Name of the issuer")),
    request_body = wire::IssuerLimits,
    responses((status = 200, description = "The issuer as it is now", body = wire::Issuer)))]
pub(crate) async fn set_limits(
    State(verbs): State<Verbs>,
    operator: Operator,
    Named(name): Named<String>,
    Body(request): Body<wire::IssuerLimits>,
) -> Result<Json<wire::Issuer>, Failure> {
    let limits = inward(&request)?;
    let issuer = verbs
        .set_issuer_limits(&name, limits, &operator.caller())
        .await?;
    Ok(Json(shown(&verbs, &issuer).await?))
}

/// Look through what a CA elsewhere issued, as soon as there is time
///
/// Certificates that nobody here asked for come into the inventory; revocations that nobody here ordered
/// are noted. It happens by itself every six hours, for CAs that have a list.
#[utoipa::path(post, path = "/api/v1/issuers/{name}/sync", tag = "issuers",
    params(("name" = String, Path, description = "Name of the issuer")),
    responses((status = 202, description = "It will be looked through; the issuer says how it went"),
        (status = 409, description = "The CA has no way to list what it issued")))]
pub(crate) async fn sync(
    State(verbs): State<Verbs>,
    operator: Operator,
    Named(name): Named<String>,
) -> Result<StatusCode, Failure> {
    verbs.request_sync(&name, &operator.caller()).await?;
    Ok(StatusCode::ACCEPTED)
}

pub(super) async fn find(verbs: &Verbs, name: &str) -> Result<Issuer, Failure> {
    let found = verbs.find_issuer(name).await?;
    found.ok_or_else(|| Failure::not_found(format!("there is no issuer `{name}`")))
}

pub(super) async fn shown(verbs: &Verbs, issuer: &Issuer) -> Result<wire::Issuer, Failure> {
    let crl = verbs.latest_crl(&issuer.id).await?;
    let ocsp = match crl.is_some() {
        true => Some(render_responder(verbs.ocsp_standing(&issuer.id).await?)),
        false => None,
    };
    Ok(wire::Issuer {
        name: issuer.name.clone(),
        id: issuer.id.to_string(),
        state: match issuer.state {
            IssuerState::AwaitingCertificate => wire::IssuerState::AwaitingCertificate,
            IssuerState::Active => wire::IssuerState::Active,
            IssuerState::Retired => wire::IssuerState::Retired,
        },
        kind: issuer.connector.kind().name().to_owned(),
        is_root: issuer.is_root(),
        certificate: render_certificate(issuer.chain())?,
        crl: crl.as_deref().map(render_crl),
        ocsp,
        settings: settings(&issuer.connector)?,
        secrets: issuer
            .secrets
            .iter()
            .map(|(name, secret)| (name.clone(), secret.set_at))
            .collect(),
        limits: (!issuer.limits.is_unlimited())
            .then(|| outward(&issuer.limits))
            .transpose()?,
        live: Some(render_figures(verbs.live_figures(issuer).await?)),
        health: verbs.issuer_health(&issuer.id).await?.map(render_health),
        sync: verbs.sync_report(&issuer.id).await?.map(render_sync),
        metadata_fields: issuer.metadata_fields.clone(),
        created_at: issuer.created_at,
        updated_at: issuer.updated_at,
    })
}

fn render_figures(figures: LiveFigures) -> wire::IssuerFigures {
    let (breaker, rests_until) = match figures.breaker {
        BreakerState::Closed => ("closed", None),
        BreakerState::Open { until } => ("open", Some(until)),
        BreakerState::HalfOpen => ("half-open", None),
    };
    let (last_error_at, last_error) = figures.last_error.unzip();
    wire::IssuerFigures {
        breaker: breaker.to_owned(),
        rests_until,
        failures_in_a_row: figures.failures_in_a_row,
        share: figures.share,
        asked: figures.counts.asked,
        answered: figures.counts.answered,
        failed: figures.counts.failed,
        last_error,
        last_error_at,
        usage: figures
            .usage
            .into_iter()
            .map(|usage| wire::IssuerUsage {
                period: usage.period.name().to_owned(),
                used: usage.used,
                limit: usage.limit,
                resets_at: usage.resets_at,
            })
            .collect(),
    }
}

fn render_health(health: IssuerHealth) -> wire::IssuerHealth {
    wire::IssuerHealth {
        healthy: health.healthy,
        since: health.since,
        checked_at: health.checked_at,
        findings: health.findings.into_iter().map(render_finding).collect(),
        published: health.published.into_iter().map(render_published).collect(),
        backlog: health.backlog.oldest().map(|oldest| wire::IssuerBacklog {
            unanswered: health.backlog.unanswered,
            pending: health.backlog.pending,
            oldest,
        }),
    }
}

fn render_published(published: Published) -> wire::IssuerPublished {
    wire::IssuerPublished {
        kind: match published.kind {
            PublishedKind::Crl => "crl",
            PublishedKind::Ocsp => "ocsp",
        }
        .to_owned(),
        url: published.url,
        number: published.number,
        fresh_until: published.fresh_until,
        problem: published.problem,
        unreached_since: published.unreached_since,
    }
}

fn render_sync(report: SyncReport) -> wire::IssuerSync {
    wire::IssuerSync {
        at: report.at,
        listed: report.listed,
        discovered: report.discovered,
        revoked: report.revoked,
        unreadable: report.unreadable,
        error: report.error,
    }
}

fn render_certificate(
    chain: &domain::certificate::Chain,
) -> Result<Option<wire::CaCertificate>, Failure> {
    let Some(own) = chain.leaf() else {
        return Ok(None);
    };
    let own = own.map_err(|error| Failure::internal(&error))?;
    Ok(Some(wire::CaCertificate {
        subject: own.subject.to_string(),
        issuer: own.issuer.to_string(),
        fingerprint: own.fingerprint(),
        not_before: own.not_before,
        not_after: own.not_after,
        key_kind: own.public_key.kind().to_string(),
        chain: chain.to_pem(),
        serial: own.serial,
    }))
}

fn render_responder(standing: ResponderStanding) -> wire::Ocsp {
    wire::Ocsp {
        answers_live_seconds: standing.answers_live.as_secs(),
        responder_not_after: standing.not_after,
    }
}

fn render_crl(crl: &StoredCrl) -> wire::Crl {
    wire::Crl {
        number: crl.number,
        this_update: crl.this_update,
        next_update: crl.next_update,
        octets: crl.der.len() as u64,
    }
}
