//! `/grants`: who holds which role where.

use std::collections::HashMap;

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use domain::access::{Grant, HeldRole, Principal, RoleRef};
use domain::id::GrantId;
use http::StatusCode;
use lifecycle::GrantFilter;
use lifecycle::access::grants::NewGrant;
use protocols::rest::grant as wire;
use protocols::rest::page::{Page, PageQuery};

use super::Verbs;
use super::access::{Fresh, Operator};
use super::extract::{Body, Named, created};
use super::failure::Failure;
use super::listing::Listing;
use super::names::Names;

/// Grants of roles, newest first
#[utoipa::path(get, path = "/api/v1/grants", tag = "access",
    params(PageQuery, wire::GrantQuery),
    responses((status = 200, description = "A page of grants", body = Page<wire::Grant>)))]
pub(crate) async fn list(
    State(verbs): State<Verbs>,
    operator: Operator,
    listing: Listing<wire::GrantQuery, GrantId>,
) -> Result<Json<Page<wire::Grant>>, Failure> {
    let shown = Shown::load(&verbs).await?;
    let filter = shown.filter(&listing.filter, &operator)?;
    let found = verbs
        .list_grants(
            filter,
            operator.rights(),
            listing.after.clone(),
            listing.rows(),
        )
        .await?;
    Ok(Json(listing.page(
        found,
        |grant| grant.id.to_string(),
        |grant| shown.render(&grant),
    )))
}

/// Give a role to a user or a token, everywhere or in one team
///
/// Takes every permission of the role, in the same place: nobody gives more than they have, and
/// nobody gives anything to themselves.
#[utoipa::path(post, path = "/api/v1/grants", tag = "access",
    request_body = wire::CreateGrant,
    responses((status = 201, description = "The grant; it is in force at once", body = wire::Grant)))]
pub(crate) async fn create(
    State(verbs): State<Verbs>,
    operator: Operator,
    _fresh: Fresh,
    Body(request): Body<wire::CreateGrant>,
) -> Result<Response, Failure> {
    let principal = read_principal(&request.principal)?;
    let wanted = NewGrant {
        role: request.role,
        team: request.team,
    };
    let grant = verbs
        .grant_role(principal, wanted, &operator.caller())
        .await?;
    let body = Shown::load(&verbs).await?.render(&grant);
    Ok(created(format!("/api/v1/grants/{}", body.id), &body))
}

/// Take a role away from a user or a token
#[utoipa::path(delete, path = "/api/v1/grants/{id}", tag = "access",
    params(("id" = String, Path, description = "Id of the grant")),
    responses((status = 204, description = "It is not held any more, from now on")))]
pub(crate) async fn withdraw(
    State(verbs): State<Verbs>,
    operator: Operator,
    Named(id): Named<GrantId>,
) -> Result<StatusCode, Failure> {
    verbs.withdraw_role(&id, &operator.caller()).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn read_principal(text: &str) -> Result<Principal, Failure> {
    text.parse()
        .map_err(|error| Failure::invalid(format!("`principal`: {error}")))
}

/// Names of teams and roles, to show grants with.
struct Shown {
    names: Names,
    roles: HashMap<RoleRef, String>,
}

impl Shown {
    async fn load(verbs: &Verbs) -> Result<Self, Failure> {
        let roles = verbs.roles().await?;
        let roles = roles.iter().map(|r| (r.reference(), r.name().to_owned()));
        Ok(Self {
            names: Names::load(verbs).await?,
            roles: roles.collect(),
        })
    }

    fn filter(
        &self,
        query: &wire::GrantQuery,
        operator: &Operator,
    ) -> Result<GrantFilter, Failure> {
        let role = |name: &String| {
            let found = self.roles.iter().find(|(_, known)| *known == name);
            found
                .map(|(reference, _)| reference.clone())
                .ok_or_else(|| Failure::invalid(format!("there is no role `{name}`")))
        };
        let principal = query.principal.as_deref().map(read_principal);
        let team = query.team.as_deref();
        Ok(GrantFilter {
            principal: principal.transpose()?,
            role: query.role.as_ref().map(role).transpose()?,
            team: team
                .map(|name| self.names.team_id(name, operator.rights()))
                .transpose()?,
            ..GrantFilter::default()
        })
    }

    fn render(&self, grant: &Grant) -> wire::Grant {
        let role = self.roles.get(&grant.role).cloned();
        wire::Grant {
            id: grant.id.to_string(),
            principal: grant.principal.to_string(),
            role: role.unwrap_or_else(|| grant.role.to_string()),
            team: grant.scope.team().map(|team| self.names.team(team)),
            created_at: grant.created_at,
        }
    }
}

/// Roles as they are held.
pub(super) fn held(roles: &[HeldRole], names: &Names) -> Vec<wire::HeldRole> {
    let held = roles.iter().map(|held| wire::HeldRole {
        role: held.name.clone(),
        team: held.scope.team().map(|team| names.team(team)),
    });
    held.collect()
}
