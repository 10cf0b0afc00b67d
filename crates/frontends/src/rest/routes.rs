//! The list of routes: what there is, and the permission that each asks for.

use axum::routing::MethodRouter;
use domain::token::Permission;
use utoipa::openapi::RefOr;
use utoipa::openapi::path::{PathItem, Paths};
use utoipa::openapi::schema::Schema;
use utoipa_axum::router::UtoipaMethodRouter;
use utoipa_axum::routes;

use super::{
    Verbs, accounts, audit, certificates, directories, download, eab_keys, enrollments,
    issuer_setup, issuers, orders, profiles, tokens,
};

/// One method of one path.
pub(crate) struct Route {
    pub(crate) permission: Permission,
    pub(crate) path: String,
    pub(crate) item: PathItem,
    pub(crate) schemas: Vec<(String, RefOr<Schema>)>,
    pub(crate) handler: MethodRouter<Verbs>,
}

/// Every route there is.
pub(crate) fn all() -> Vec<Route> {
    use Permission::{Administer, Operate, Read};
    [
        (Read, routes!(certificates::list)),
        (Read, routes!(certificates::show)),
        (Read, routes!(download::download)),
        (Operate, routes!(certificates::revoke)),
        (Read, routes!(enrollments::list)),
        (Read, routes!(enrollments::show)),
        (Read, routes!(issuers::list)),
        (Read, routes!(issuers::show)),
        (Operate, routes!(issuers::set_state)),
        (Operate, routes!(issuers::refresh_crl)),
        // A CA that somebody brings along decides what everybody trusts.
        (Administer, routes!(issuer_setup::import)),
        (Administer, routes!(issuer_setup::request)),
        (Read, routes!(issuer_setup::show_request)),
        (Administer, routes!(issuer_setup::install)),
        (Read, routes!(profiles::list)),
        (Read, routes!(profiles::show)),
        (Operate, routes!(profiles::put)),
        (Read, routes!(directories::list)),
        (Read, routes!(directories::show)),
        (Operate, routes!(directories::put)),
        (Read, routes!(accounts::list)),
        (Read, routes!(accounts::show)),
        (Operate, routes!(accounts::revoke)),
        (Read, routes!(orders::list)),
        (Read, routes!(orders::show)),
        (Read, routes!(eab_keys::list)),
        (Read, routes!(eab_keys::show)),
        (Operate, routes!(eab_keys::create)),
        (Operate, routes!(eab_keys::revoke)),
        (Read, routes!(audit::list)),
        (Read, routes!(audit::export)),
        (Read, routes!(audit::key)),
        (Administer, routes!(tokens::list)),
        (Administer, routes!(tokens::create)),
        (Administer, routes!(tokens::revoke)),
    ]
    .into_iter()
    .flat_map(|(permission, parts)| route(permission, parts))
    .collect()
}

fn route(
    permission: Permission,
    (schemas, paths, handler): UtoipaMethodRouter<Verbs>,
) -> Option<Route> {
    let Paths { paths, .. } = paths;
    let (path, item) = paths.into_iter().next()?;
    Some(Route {
        permission,
        path,
        item,
        schemas,
        handler,
    })
}
