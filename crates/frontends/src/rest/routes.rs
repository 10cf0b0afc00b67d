//! The list of routes: what there is, and the permission that each asks for.

use axum::routing::MethodRouter;
use domain::permission::Permission;
use utoipa::openapi::RefOr;
use utoipa::openapi::path::{PathItem, Paths};
use utoipa::openapi::schema::Schema;
use utoipa_axum::router::UtoipaMethodRouter;
use utoipa_axum::routes;

use super::{
    Verbs, accounts, audit, bulk, certificates, directories, download, eab_keys, enroll,
    enrollments, held_keys, issuer_setup, issuers, orders, profiles, tokens,
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
    use Permission as P;
    [
        (P::CertificatesRead, routes!(certificates::list)),
        (P::CertificatesRead, routes!(certificates::show)),
        (P::CertificatesRead, routes!(download::download)),
        (P::CertificatesRequest, routes!(enroll::renew)),
        (P::CertificatesRequest, routes!(enroll::rekey)),
        (P::CertificatesRevoke, routes!(certificates::revoke)),
        // What is planned asks for its own permission on top, certificate by certificate.
        (P::CertificatesRequest, routes!(bulk::plan)),
        (P::CertificatesRead, routes!(bulk::list)),
        (P::CertificatesRead, routes!(bulk::show)),
        (P::CertificatesRead, routes!(bulk::items)),
        (P::CertificatesRequest, routes!(bulk::run)),
        (P::CertificatesRequest, routes!(bulk::pause)),
        (P::CertificatesRequest, routes!(bulk::resume)),
        (P::CertificatesRequest, routes!(bulk::cancel)),
        (P::CertificatesRequest, routes!(enroll::enroll)),
        (P::CertificatesRead, routes!(enrollments::list)),
        (P::CertificatesRead, routes!(enrollments::show)),
        (P::CertificatesRequest, routes!(enrollments::cancel)),
        (P::CertificatesRequest, routes!(held_keys::fetch)),
        (P::IssuersRead, routes!(issuers::list)),
        (P::IssuersRead, routes!(issuers::show)),
        (P::IssuersOperate, routes!(issuers::set_state)),
        (P::IssuersOperate, routes!(issuers::refresh_crl)),
        // A CA that somebody brings along decides what everybody trusts.
        (P::IssuersAdminister, routes!(issuer_setup::import)),
        (P::IssuersAdminister, routes!(issuer_setup::request)),
        (P::IssuersRead, routes!(issuer_setup::show_request)),
        (P::IssuersAdminister, routes!(issuer_setup::install)),
        (P::PolicyRead, routes!(profiles::list)),
        (P::PolicyRead, routes!(profiles::show)),
        (P::PolicyWrite, routes!(profiles::put)),
        (P::AcmeRead, routes!(directories::list)),
        (P::AcmeRead, routes!(directories::show)),
        (P::AcmeWrite, routes!(directories::put)),
        (P::AcmeRead, routes!(accounts::list)),
        (P::AcmeRead, routes!(accounts::show)),
        (P::AcmeWrite, routes!(accounts::revoke)),
        (P::AcmeRead, routes!(orders::list)),
        (P::AcmeRead, routes!(orders::show)),
        (P::AcmeRead, routes!(eab_keys::list)),
        (P::AcmeRead, routes!(eab_keys::show)),
        (P::AcmeWrite, routes!(eab_keys::create)),
        (P::AcmeWrite, routes!(eab_keys::revoke)),
        (P::AuditRead, routes!(audit::list)),
        (P::AuditRead, routes!(audit::export)),
        (P::AuditRead, routes!(audit::key)),
        (P::AccessRead, routes!(tokens::list)),
        (P::AccessAdminister, routes!(tokens::create)),
        (P::AccessAdminister, routes!(tokens::revoke)),
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
