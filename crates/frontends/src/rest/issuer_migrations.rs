//! `/issuer-migrations`: moving what one issuer signed to another.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use domain::id::{CertificateId, MigrationId};
use domain::issuer_migration::{
    ItemState, MigrationCounts, MigrationState, NamedItem, Pace, Readiness,
};
use lifecycle::issuer_migration::{MigrationView, PlanRequest};
use protocols::rest::issuer_migration as wire;
use protocols::rest::page::{Page, PageQuery};
use serde::Serialize;

use super::Verbs;
use super::access::Operator;
use super::extract::{Body, Named, created};
use super::failure::Failure;
use super::listing::{Everything, Listing};
use super::names::Names;
use super::search::read;
use super::translate::inward;

/// Plan a migration: a dry run that changes nothing
///
/// It says how many certificates renew by themselves, how many need a person, how many are pinned, and
/// which profiles would route to the new issuer.
#[utoipa::path(post, path = "/api/v1/issuer-migrations/plan", tag = "issuers",
    request_body = wire::MigrateIssuer,
    responses((status = 200, description = "What it would do", body = wire::MigrationPlan)))]
pub(crate) async fn plan(
    State(verbs): State<Verbs>,
    operator: Operator,
    Body(request): Body<wire::MigrateIssuer>,
) -> Result<Json<wire::MigrationPlan>, Failure> {
    let request = asked(&verbs, &operator, request).await?;
    let plan = verbs.plan_issuer_migration(request).await?;
    Ok(Json(wire::MigrationPlan {
        readiness: wire::MigrationReadiness {
            automatic: plan.count(Readiness::Automatic),
            person: plan.count(Readiness::Person),
            pinned: plan.count(Readiness::Pinned),
        },
        waves: plan.waves,
        profiles: plan.routes.into_iter().map(|route| route.profile).collect(),
    }))
}

/// Begin a migration: profiles are routed to the new issuer, and clients told wave by wave to renew
#[utoipa::path(post, path = "/api/v1/issuer-migrations", tag = "issuers",
    request_body = wire::MigrateIssuer,
    responses((status = 201, description = "The migration", body = wire::IssuerMigration)))]
pub(crate) async fn begin(
    State(verbs): State<Verbs>,
    operator: Operator,
    Body(request): Body<wire::MigrateIssuer>,
) -> Result<Response, Failure> {
    let request = asked(&verbs, &operator, request).await?;
    let view = verbs
        .begin_issuer_migration(request, &operator.caller())
        .await?;
    let body = render(&verbs, view).await?;
    Ok(created(
        format!("/api/v1/issuer-migrations/{}", body.id),
        &body,
    ))
}

/// Migrations, newest first
#[utoipa::path(get, path = "/api/v1/issuer-migrations", tag = "issuers", params(PageQuery),
    responses((status = 200, description = "A page of migrations", body = Page<wire::IssuerMigration>)))]
pub(crate) async fn list(
    State(verbs): State<Verbs>,
    listing: Listing<Everything, MigrationId>,
) -> Result<Json<Page<wire::IssuerMigration>>, Failure> {
    let found = verbs
        .list_issuer_migrations(listing.after.clone(), listing.rows())
        .await?;
    let mut views = Vec::with_capacity(found.len());
    for migration in found {
        if let Some(view) = verbs.issuer_migration(&migration.id).await? {
            views.push(render(&verbs, view).await?);
        }
    }
    Ok(Json(listing.page(
        views,
        |view| view.id.clone(),
        |view| view,
    )))
}

/// One migration, and how far it is
#[utoipa::path(get, path = "/api/v1/issuer-migrations/{id}", tag = "issuers",
    params(("id" = String, Path, description = "Id of the migration")),
    responses((status = 200, description = "The migration", body = wire::IssuerMigration)))]
pub(crate) async fn show(
    State(verbs): State<Verbs>,
    Named(id): Named<MigrationId>,
) -> Result<Json<wire::IssuerMigration>, Failure> {
    let view = verbs.issuer_migration(&id).await?;
    let view = view.ok_or_else(|| Failure::not_found(format!("there is no migration {id}")))?;
    Ok(Json(render(&verbs, view).await?))
}

/// The certificates of a migration, and what became of each
#[utoipa::path(get, path = "/api/v1/issuer-migrations/{id}/items", tag = "issuers",
    params(("id" = String, Path, description = "Id of the migration"), PageQuery,
        wire::MigrationItemQuery),
    responses((status = 200, description = "A page of certificates", body = Page<wire::MigrationItem>)))]
pub(crate) async fn items(
    State(verbs): State<Verbs>,
    Named(id): Named<MigrationId>,
    listing: Listing<wire::MigrationItemQuery, CertificateId>,
) -> Result<Json<Page<wire::MigrationItem>>, Failure> {
    let state: Option<ItemState> = listing
        .filter
        .state
        .map(|state| inward(&state))
        .transpose()?;
    let found = verbs
        .issuer_migration_items(&id, state, listing.after.clone(), listing.rows())
        .await?;
    Ok(Json(listing.page(
        found,
        |found| found.item.certificate.to_string(),
        render_item,
    )))
}

/// Pull nothing more forward until it is resumed
#[utoipa::path(post, path = "/api/v1/issuer-migrations/{id}/pause", tag = "issuers",
    params(("id" = String, Path, description = "Id of the migration")),
    responses((status = 200, description = "The migration", body = wire::IssuerMigration)))]
pub(crate) async fn pause(
    State(verbs): State<Verbs>,
    operator: Operator,
    Named(id): Named<MigrationId>,
) -> Result<Json<wire::IssuerMigration>, Failure> {
    let view = verbs
        .pause_issuer_migration(&id, &operator.caller())
        .await?;
    Ok(Json(render(&verbs, view).await?))
}

/// Go on with the next wave, whatever became of the one before
#[utoipa::path(post, path = "/api/v1/issuer-migrations/{id}/resume", tag = "issuers",
    params(("id" = String, Path, description = "Id of the migration")),
    responses((status = 200, description = "The migration", body = wire::IssuerMigration)))]
pub(crate) async fn resume(
    State(verbs): State<Verbs>,
    operator: Operator,
    Named(id): Named<MigrationId>,
) -> Result<Json<wire::IssuerMigration>, Failure> {
    let view = verbs
        .resume_issuer_migration(&id, &operator.caller())
        .await?;
    Ok(Json(render(&verbs, view).await?))
}

/// Put the profiles back and tell no client any more to renew
///
/// What was renewed stays renewed: both issuers' certificates are good.
#[utoipa::path(post, path = "/api/v1/issuer-migrations/{id}/rollback", tag = "issuers",
    params(("id" = String, Path, description = "Id of the migration")),
    responses((status = 200, description = "The migration", body = wire::IssuerMigration)))]
pub(crate) async fn roll_back(
    State(verbs): State<Verbs>,
    operator: Operator,
    Named(id): Named<MigrationId>,
) -> Result<Json<wire::IssuerMigration>, Failure> {
    let view = verbs
        .roll_back_issuer_migration(&id, &operator.caller())
        .await?;
    Ok(Json(render(&verbs, view).await?))
}

async fn asked(
    verbs: &Verbs,
    operator: &Operator,
    request: wire::MigrateIssuer,
) -> Result<PlanRequest, Failure> {
    let names = Names::load(verbs).await?;
    let fields = verbs.fields().await?;
    let query = request.filter.unwrap_or_default();
    Ok(PlanRequest {
        from: request.from,
        to: request.to,
        filter: read(query, &names, &fields, operator, verbs.now())?.filter,
        pin_field: request.pin_field,
        pace: Pace {
            wave_size: request.wave_size,
            wave_seconds: request.wave_seconds,
            stop_above_percent: request.stop_above_percent,
        },
    })
}

async fn render(verbs: &Verbs, view: MigrationView) -> Result<wire::IssuerMigration, Failure> {
    let names = Names::load(verbs).await?;
    let migration = view.migration;
    let readiness = |wanted: Readiness| {
        let found = view.readiness.iter().find(|(of, _)| *of == wanted);
        found.map_or(0, |(_, count)| *count)
    };
    Ok(wire::IssuerMigration {
        id: migration.id.to_string(),
        from: names.issuer(&migration.from),
        to: names.issuer(&migration.to),
        state: migration.state.name().to_owned(),
        reason: match &migration.state {
            MigrationState::Paused { reason } => Some(reason.clone()),
            MigrationState::Running
            | MigrationState::RollingBack
            | MigrationState::RolledBack
            | MigrationState::Finished => None,
        },
        wave: migration.wave,
        wave_started_at: migration.wave_started_at,
        wave_size: migration.pace.wave_size,
        wave_seconds: migration.pace.wave_seconds,
        stop_above_percent: migration.pace.stop_above_percent,
        readiness: wire::MigrationReadiness {
            automatic: readiness(Readiness::Automatic),
            person: readiness(Readiness::Person),
            pinned: readiness(Readiness::Pinned),
        },
        progress: render_counts(view.counts),
        wave_progress: render_counts(view.wave),
        profiles: migration
            .routes_before
            .into_iter()
            .map(|route| route.profile)
            .collect(),
        created_at: migration.created_at,
        finished_at: migration.finished_at,
    })
}

fn render_counts(counts: MigrationCounts) -> wire::MigrationProgress {
    wire::MigrationProgress {
        waiting: counts.waiting,
        pulled: counts.pulled,
        renewed: counts.renewed,
        late: counts.late,
        left: counts.left,
    }
}

fn render_item(NamedItem { item, names }: NamedItem) -> wire::MigrationItem {
    wire::MigrationItem {
        certificate: item.certificate.to_string(),
        names,
        readiness: word(&item.readiness),
        state: word(&item.state),
        wave: item.wave,
        successor: item.successor.map(|id| id.to_string()),
    }
}

/// The word that a kind is written as.
fn word(kind: &impl Serialize) -> String {
    let written = serde_json::to_value(kind).unwrap_or_default();
    written.as_str().unwrap_or_default().to_owned()
}
