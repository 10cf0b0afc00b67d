//! `/cmp/secrets`: shared secrets of CMP endpoints.

use std::collections::HashMap;

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use domain::cmp::CmpSecret;
use domain::enrolling::NewTerms;
use domain::id::{CmpSecretId, EntryPointId, TeamId};
use domain::permission::Permission;
use lifecycle::cmp::secrets::{CmpSecretError, NewCmpSecret};
use pki::time::Timestamp;
use protocols::rest::cmp as wire;
use protocols::rest::metadata::texts;
use protocols::rest::page::{Page, PageQuery};

use super::Verbs;
use super::access::Operator;
use super::extract::{Body, Named, created};
use super::failure::Failure;
use super::listing::Listing;
use super::names::Names;
use super::terms::{read_terms, shown_names, status};

/// Shared secrets of CMP, newest first
#[utoipa::path(get, path = "/api/v1/cmp/secrets", tag = "enrolling",
    params(wire::CmpSecretFilter, PageQuery),
    responses((status = 200, description = "A page of secrets", body = Page<wire::CmpSecret>)))]
pub(crate) async fn list(
    State(verbs): State<Verbs>,
    operator: Operator,
    listing: Listing<wire::CmpSecretFilter, CmpSecretId>,
) -> Result<Json<Page<wire::CmpSecret>>, Failure> {
    let visible = operator.visible(Permission::EnrollingRead);
    let endpoint = match &listing.filter.endpoint {
        None => None,
        Some(name) => {
            let found = verbs.list_cmp_endpoints().await?;
            let seen = found.into_iter().find(|endpoint| {
                endpoint.name == *name && visible.shows_shared(endpoint.team_id.as_ref())
            });
            // A filter that names nothing would find nothing, and hide that it is misspelt.
            let seen = seen.ok_or_else(|| {
                let name: String = name.chars().take(80).collect();
                Failure::invalid(format!("there is no CMP endpoint `{name}`"))
            })?;
            Some(seen.id)
        }
    };
    let (shown, now) = (Shown::load(&verbs).await?, verbs.now());
    let found = verbs
        .list_cmp_secrets(endpoint, visible, listing.after.clone(), listing.rows())
        .await?;
    Ok(Json(listing.page(
        found,
        |secret| secret.id.to_string(),
        |secret| shown.render(&secret, now),
    )))
}

/// One shared secret, without what is secret of it
#[utoipa::path(get, path = "/api/v1/cmp/secrets/{id}", tag = "enrolling",
    params(("id" = String, Path, description = "Id of the secret")),
    responses((status = 200, description = "The secret's details", body = wire::CmpSecret)))]
pub(crate) async fn show(
    State(verbs): State<Verbs>,
    operator: Operator,
    Named(id): Named<CmpSecretId>,
) -> Result<Json<wire::CmpSecret>, Failure> {
    let secret = require(&verbs, &operator, Permission::EnrollingRead, &id).await?;
    let shown = Shown::load(&verbs).await?;
    Ok(Json(shown.render(&secret, verbs.now())))
}

/// Make a shared secret for a CMP endpoint; it is shown this once
#[utoipa::path(post, path = "/api/v1/cmp/secrets", tag = "enrolling",
    request_body = wire::CreateCmpSecret,
    responses(
        (status = 201, description = "The reference and the secret", body = wire::CreatedCmpSecret),
    ))]
pub(crate) async fn create(
    State(verbs): State<Verbs>,
    operator: Operator,
    Body(request): Body<wire::CreateCmpSecret>,
) -> Result<Response, Failure> {
    let team = verbs
        .choose_team(
            operator.rights(),
            Permission::EnrollingWrite,
            request.team.as_deref(),
        )
        .await?;
    let visible = operator.visible(Permission::EnrollingRead);
    let endpoints = verbs.list_cmp_endpoints().await?.into_iter();
    let named = endpoints
        .filter(|found| visible.shows_shared(found.team_id.as_ref()))
        .find(|found| found.name == request.endpoint);
    let Some(endpoint) = named else {
        let name: String = request.endpoint.chars().take(80).collect();
        return Err(Failure::invalid(format!(
            "there is no CMP endpoint `{name}`"
        )));
    };
    let made = verbs
        .create_cmp_secret(&endpoint, read(request, team)?, &operator.caller())
        .await?;
    let shown = Shown::load(&verbs).await?;
    let details = shown.render(&made.secret, verbs.now());
    let path = format!("/api/v1/cmp/secrets/{}", details.id);
    let secret = made.shared.to_string();
    Ok(created(path, &wire::CreatedCmpSecret { details, secret }))
}

/// Revoke a shared secret; certificates that were issued with it stay
#[utoipa::path(post, path = "/api/v1/cmp/secrets/{id}/revoke", tag = "enrolling",
    params(("id" = String, Path, description = "Id of the secret")),
    responses((status = 200, description = "Revoked", body = wire::CmpSecret)))]
pub(crate) async fn revoke(
    State(verbs): State<Verbs>,
    operator: Operator,
    Named(id): Named<CmpSecretId>,
) -> Result<Json<wire::CmpSecret>, Failure> {
    require(&verbs, &operator, Permission::EnrollingWrite, &id).await?;
    verbs.revoke_cmp_secret(&id, &operator.caller()).await?;
    let secret = verbs.cmp_secret(&id).await?.ok_or_else(|| unknown(&id))?;
    let shown = Shown::load(&verbs).await?;
    Ok(Json(shown.render(&secret, verbs.now())))
}

async fn require(
    verbs: &Verbs,
    operator: &Operator,
    needed: Permission,
    id: &CmpSecretId,
) -> Result<CmpSecret, Failure> {
    let secret = verbs.cmp_secret(id).await?.ok_or_else(|| unknown(id))?;
    operator.require(needed, secret.terms.team_id.as_ref(), || unknown(id))?;
    Ok(secret)
}

fn unknown(id: &CmpSecretId) -> Failure {
    Failure::not_found(format!("there is no shared secret {id}"))
}

fn read(request: wire::CreateCmpSecret, team: Option<TeamId>) -> Result<NewCmpSecret, Failure> {
    let terms = read_terms(
        &request.allowed_names,
        request.max_uses,
        request.lifetime_seconds,
        team,
    )?;
    Ok(NewCmpSecret {
        name: request.name,
        reference: request.reference,
        terms: NewTerms {
            metadata: texts(request.metadata),
            ..terms
        },
    })
}

/// What secrets are shown with.
struct Shown {
    names: Names,
    endpoints: HashMap<EntryPointId, String>,
}

impl Shown {
    async fn load(verbs: &Verbs) -> Result<Self, Failure> {
        let endpoints = verbs.list_cmp_endpoints().await?;
        Ok(Self {
            names: Names::load(verbs).await?,
            endpoints: endpoints
                .into_iter()
                .map(|endpoint| (endpoint.id, endpoint.name))
                .collect(),
        })
    }

    fn render(&self, secret: &CmpSecret, now: Timestamp) -> wire::CmpSecret {
        let (endpoint, terms) = (self.endpoints.get(&secret.endpoint), &secret.terms);
        wire::CmpSecret {
            id: secret.id.to_string(),
            name: secret.name.clone(),
            reference: secret.reference.clone(),
            status: status(terms, now),
            endpoint: endpoint.map_or_else(|| secret.endpoint.to_string(), Clone::clone),
            allowed_names: shown_names(&terms.allowed_names),
            max_uses: terms.max_uses,
            uses: terms.uses,
            team: terms.team_id.as_ref().map(|id| self.names.team(id)),
            metadata: terms.metadata.clone(),
            expires_at: terms.expires_at,
            revoked_at: terms.revoked_at,
            last_used_at: terms.last_used_at,
            created_at: terms.created_at,
        }
    }
}

impl From<CmpSecretError> for Failure {
    fn from(error: CmpSecretError) -> Self {
        match error {
            CmpSecretError::Store(error) => error.into(),
            CmpSecretError::Seal(error) => Self::internal(&error),
            CmpSecretError::Metadata(violations) => Self::rejected(&violations),
            CmpSecretError::ReferenceInUse(_) => Self::conflict(error.to_string()),
            CmpSecretError::NoName | CmpSecretError::BadReference | CmpSecretError::NoUse => {
                Self::invalid(error.to_string())
            }
        }
    }
}
