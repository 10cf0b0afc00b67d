//! `/enrollment-passwords`: what opens EST labels and SCEP services.

use std::collections::HashMap;

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use domain::enrolling::{EnrollmentPassword, EntryPoint, NewTerms, Protocol};
use domain::id::{EnrollmentPasswordId, EntryPointId};
use domain::permission::Permission;
use lifecycle::enrolling::passwords::NewEnrollmentPassword;
use pki::time::Timestamp;
use protocols::rest::enrollment_password as wire;
use protocols::rest::metadata::texts;
use protocols::rest::page::{Page, PageQuery};

use super::Verbs;
use super::access::Operator;
use super::entry_points::seen;
use super::extract::{Body, Named, created};
use super::failure::Failure;
use super::listing::Listing;
use super::names::Names;
use super::terms::{read_terms, shown_names, status};

/// Enrollment passwords, newest first
#[utoipa::path(get, path = "/api/v1/enrollment-passwords", tag = "enrolling",
    params(wire::EnrollmentPasswordFilter, PageQuery),
    responses((status = 200, description = "A page of passwords, without their secrets",
        body = Page<wire::EnrollmentPassword>)))]
pub(crate) async fn list(
    State(verbs): State<Verbs>,
    operator: Operator,
    listing: Listing<wire::EnrollmentPasswordFilter, EnrollmentPasswordId>,
) -> Result<Json<Page<wire::EnrollmentPassword>>, Failure> {
    let filter = &listing.filter;
    let point = match (&filter.est_label, &filter.scep_service) {
        (None, None) => None,
        _ => {
            let named = (filter.est_label.as_deref(), filter.scep_service.as_deref());
            Some(named_point(&verbs, &operator, named).await?.id)
        }
    };
    let words = Words::load(&verbs).await?;
    let found = verbs
        .list_enrollment_passwords(
            operator.visible(Permission::EnrollingRead),
            point,
            listing.after.clone(),
            listing.rows(),
        )
        .await?;
    Ok(Json(listing.page(
        found,
        |password| password.id.to_string(),
        |password| words.render(&password),
    )))
}

/// One enrollment password, without its secret
#[utoipa::path(get, path = "/api/v1/enrollment-passwords/{id}", tag = "enrolling",
    params(("id" = String, Path, description = "Id of the password")),
    responses((status = 200, description = "The password", body = wire::EnrollmentPassword)))]
pub(crate) async fn show(
    State(verbs): State<Verbs>,
    operator: Operator,
    Named(id): Named<EnrollmentPasswordId>,
) -> Result<Json<wire::EnrollmentPassword>, Failure> {
    let password = require(&verbs, &operator, Permission::EnrollingRead, &id).await?;
    Ok(Json(Words::load(&verbs).await?.render(&password)))
}

/// Make an enrollment password; its secret is shown this once
#[utoipa::path(post, path = "/api/v1/enrollment-passwords", tag = "enrolling",
    request_body = wire::CreateEnrollmentPassword,
    responses((status = 201, description = "The password and its secret",
        body = wire::CreatedEnrollmentPassword)))]
pub(crate) async fn create(
    State(verbs): State<Verbs>,
    operator: Operator,
    Body(request): Body<wire::CreateEnrollmentPassword>,
) -> Result<Response, Failure> {
    let named = (
        request.est_label.as_deref(),
        request.scep_service.as_deref(),
    );
    let point = named_point(&verbs, &operator, named).await?;
    let needed = Permission::EnrollingWrite;
    let team = match (&point.team_id, request.team.as_deref()) {
        // What a team owns is opened by that team.
        (Some(team), None) => Some(team.clone()),
        (_, wanted) => verbs.choose_team(operator.rights(), needed, wanted).await?,
    };
    operator.require_shared(needed, team.as_ref(), || {
        Failure::forbidden("you make no passwords for that team")
    })?;
    if point.team_id.is_some() && point.team_id != team {
        return Err(Failure::invalid(
            "`team`: the entry point is another team's; leave it out",
        ));
    }
    let made = verbs
        .create_enrollment_password(&point, read(request, team)?, &operator.caller())
        .await?;
    let password = Words::load(&verbs).await?.render(&made.password);
    let path = format!("/api/v1/enrollment-passwords/{}", password.id);
    let secret = made.secret.expose().to_owned();
    Ok(created(
        path,
        &wire::CreatedEnrollmentPassword { password, secret },
    ))
}

/// Revoke an enrollment password; what was asked for with it and waits is given up
#[utoipa::path(post, path = "/api/v1/enrollment-passwords/{id}/revoke", tag = "enrolling",
    params(("id" = String, Path, description = "Id of the password")),
    responses((status = 200, description = "Revoked", body = wire::EnrollmentPassword)))]
pub(crate) async fn revoke(
    State(verbs): State<Verbs>,
    operator: Operator,
    Named(id): Named<EnrollmentPasswordId>,
) -> Result<Json<wire::EnrollmentPassword>, Failure> {
    require(&verbs, &operator, Permission::EnrollingWrite, &id).await?;
    verbs
        .revoke_enrollment_password(&id, &operator.caller())
        .await?;
    let password = require(&verbs, &operator, Permission::EnrollingRead, &id).await?;
    Ok(Json(Words::load(&verbs).await?.render(&password)))
}

async fn require(
    verbs: &Verbs,
    operator: &Operator,
    needed: Permission,
    id: &EnrollmentPasswordId,
) -> Result<EnrollmentPassword, Failure> {
    let unknown = || Failure::not_found(format!("there is no enrollment password {id}"));
    let found = verbs.enrollment_password(id).await?;
    let password = found.ok_or_else(unknown)?;
    operator.require(needed, password.terms.team_id.as_ref(), unknown)?;
    Ok(password)
}

async fn named_point(
    verbs: &Verbs,
    operator: &Operator,
    named: (Option<&str>, Option<&str>),
) -> Result<EntryPoint, Failure> {
    let (protocol, name) = match named {
        (Some(label), None) => (Protocol::Est, label),
        (None, Some(service)) => (Protocol::Scep, service),
        (None, None) | (Some(_), Some(_)) => {
            return Err(Failure::invalid(
                "name one entry point: `est_label` or `scep_service`",
            ));
        }
    };
    let found = seen(verbs, operator, protocol, name).await;
    found.map_err(|failure| Failure::invalid(failure.detail().to_owned()))
}

fn read(
    request: wire::CreateEnrollmentPassword,
    team: Option<domain::id::TeamId>,
) -> Result<NewEnrollmentPassword, Failure> {
    let terms = read_terms(
        &request.allowed_names,
        request.max_uses,
        request.lifetime_seconds,
        team,
    )?;
    Ok(NewEnrollmentPassword {
        name: request.name,
        username: request.username,
        terms: NewTerms {
            metadata: texts(request.metadata),
            ..terms
        },
    })
}

/// What a password is rendered with: the names of what it points at, and the time.
struct Words {
    names: Names,
    points: HashMap<EntryPointId, (Protocol, String)>,
    now: Timestamp,
}

impl Words {
    async fn load(verbs: &Verbs) -> Result<Self, Failure> {
        let mut points = HashMap::new();
        for protocol in [Protocol::Est, Protocol::Scep] {
            let found = verbs.list_entry_points(protocol).await?;
            points.extend(found.into_iter().map(|p| (p.id, (protocol, p.name))));
        }
        Ok(Self {
            names: Names::load(verbs).await?,
            points,
            now: verbs.now(),
        })
    }

    fn render(&self, password: &EnrollmentPassword) -> wire::EnrollmentPassword {
        let (point, terms) = (self.points.get(&password.entry_point), &password.terms);
        let protocol = point.map_or(Protocol::Est, |(protocol, _)| *protocol);
        wire::EnrollmentPassword {
            id: password.id.to_string(),
            name: password.name.clone(),
            status: status(terms, self.now),
            protocol: match protocol {
                Protocol::Est => wire::EntryProtocol::Est,
                Protocol::Scep => wire::EntryProtocol::Scep,
            },
            entry_point: point.map_or_else(
                || password.entry_point.to_string(),
                |(_, name)| name.clone(),
            ),
            username: password.username.clone(),
            allowed_names: shown_names(&terms.allowed_names),
            max_uses: terms.max_uses,
            uses: terms.uses,
            metadata: terms.metadata.clone(),
            team: terms.team_id.as_ref().map(|id| self.names.team(id)),
            expires_at: terms.expires_at,
            revoked_at: terms.revoked_at,
            last_used_at: terms.last_used_at,
            created_at: terms.created_at,
        }
    }
}
