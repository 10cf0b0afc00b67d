//! `/me`: who the caller is, and what it may do.

use axum::Json;
use axum::extract::State;
use domain::access::{Principal, Visibility};
use domain::permission::Permission;
use protocols::rest::me as wire;

use super::Verbs;
use super::access::Operator;
use super::extract::Parameters;
use super::failure::Failure;
use super::grants::held;
use super::listing::Everything;
use super::names::Names;

/// Who I am, which roles I hold where, and what they add up to
#[utoipa::path(get, path = "/api/v1/me", tag = "access",
    responses((status = 200, description = "The caller", body = wire::Me)))]
pub(crate) async fn show(
    State(verbs): State<Verbs>,
    operator: Operator,
    Parameters(Everything {}): Parameters<Everything>,
) -> Result<Json<wire::Me>, Failure> {
    let names = Names::load(&verbs).await?;
    let rights = operator.rights();
    let permissions = Permission::ALL.iter().copied();
    let held_permission = |permission: Permission| {
        let teams = match rights.visible(permission) {
            Visibility::All => Vec::new(),
            Visibility::Teams(teams) => teams.iter().map(|team| names.team(team)).collect(),
        };
        wire::HeldPermission {
            permission: permission.to_string(),
            everywhere: rights.allows(permission, None),
            teams,
        }
    };
    Ok(Json(wire::Me {
        kind: match operator.principal() {
            Principal::User(_) => wire::CallerKind::User,
            Principal::Token(_) => wire::CallerKind::Token,
        },
        id: operator.principal().to_string(),
        name: operator.name().to_owned(),
        roles: held(rights.roles(), &names),
        permissions: permissions
            .filter(|permission| rights.allows_somewhere(*permission))
            .map(held_permission)
            .collect(),
    }))
}
