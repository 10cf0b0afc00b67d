//! The list of routes: what there is, and what each asks for.
//!
//! A route stands in [`everywhere`] until its handler looks at teams; then it may go to [`by_team`].

use axum::routing::MethodRouter;
use domain::permission::Permission;
use utoipa::openapi::RefOr;
use utoipa::openapi::path::{PathItem, Paths};
use utoipa::openapi::schema::Schema;
use utoipa_axum::router::UtoipaMethodRouter;
use utoipa_axum::routes;

use super::needs::Needs;
use super::{
    Verbs, accounts, alerts, approvals, audit, blocked_keys, bulk, certificate_import,
    certificates, channels, client_certificates, cmp_endpoints, cmp_secrets, delegations,
    deliveries, directories, download, eab_keys, enroll, enrollment_passwords, enrollments,
    entry_points, event_stream, grants, held_keys, inventory, issuer_migrations, issuer_setup,
    issuers, me, metadata, metadata_fields, notification_rules, orders, owners, passkeys,
    profile_explain, profile_presets, profile_versions, profiles, proofs, remote_issuers, roles,
    saved_searches, sessions, sign_on, sign_on_providers, teams, tokens, trends, users,
};

/// One method of one path.
pub(crate) struct Route {
    pub(crate) needs: Needs,
    pub(crate) path: String,
    pub(crate) item: PathItem,
    pub(crate) schemas: Vec<(String, RefOr<Schema>)>,
    pub(crate) handler: MethodRouter<Verbs>,
}

/// Every route there is.
pub(crate) fn all() -> Vec<Route> {
    let everywhere = everywhere().into_iter();
    let by_team = by_team().into_iter();
    let for_all = [
        (Needs::Credential, routes!(me::show)),
        (Needs::Credential, routes!(event_stream::watch)),
    ];
    everywhere
        .map(|(permission, parts)| (Needs::Everywhere(permission), parts))
        .chain(by_team.map(|(permission, parts)| (Needs::SomeTeam(permission), parts)))
        .chain(for_all)
        .chain(
            of_oneself()
                .into_iter()
                .map(|parts| (Needs::Session, parts)),
        )
        .chain(
            before_sign_in()
                .into_iter()
                .map(|parts| (Needs::Nobody, parts)),
        )
        .flat_map(|(needs, parts)| route(needs, parts))
        .collect()
}

type Parts = UtoipaMethodRouter<Verbs>;

/// What is about no team's objects: the permission has to be held everywhere.
fn everywhere() -> Vec<(Permission, Parts)> {
    use Permission as P;
    vec![
        (P::IssuersOperate, routes!(issuers::set_state)),
        (P::IssuersOperate, routes!(issuers::refresh_crl)),
        (P::IssuersOperate, routes!(remote_issuers::test)),
        (P::IssuersAdminister, routes!(issuers::set_limits)),
        (P::IssuersOperate, routes!(issuers::sync)),
        (P::IssuersRead, routes!(issuer_migrations::plan)),
        // It changes what profiles route to and tells clients to renew.
        (P::IssuersAdminister, routes!(issuer_migrations::begin)),
        (P::IssuersRead, routes!(issuer_migrations::list)),
        (P::IssuersRead, routes!(issuer_migrations::show)),
        (P::IssuersRead, routes!(issuer_migrations::items)),
        (P::IssuersAdminister, routes!(issuer_migrations::pause)),
        (P::IssuersAdminister, routes!(issuer_migrations::resume)),
        (P::IssuersAdminister, routes!(issuer_migrations::roll_back)),
        // A CA that somebody brings along decides what everybody trusts.
        (P::IssuersAdminister, routes!(issuer_setup::import)),
        (P::IssuersAdminister, routes!(remote_issuers::create)),
        (P::IssuersAdminister, routes!(remote_issuers::update)),
        (P::IssuersAdminister, routes!(issuer_setup::request)),
        (P::IssuersRead, routes!(issuer_setup::show_request)),
        (P::IssuersAdminister, routes!(issuer_setup::install)),
        // Who says what is passed to a CA says what leaves the house.
        (P::IssuersAdminister, routes!(metadata::tell_issuer)),
        (P::PolicyWrite, routes!(metadata_fields::put)),
        (P::PolicyWrite, routes!(metadata_fields::retire)),
        (P::NotificationsRead, routes!(channels::list)),
        (P::NotificationsRead, routes!(channels::show)),
        (P::NotificationsWrite, routes!(channels::put)),
        (P::NotificationsWrite, routes!(channels::delete)),
        (P::NotificationsWrite, routes!(channels::test)),
        (P::NotificationsRead, routes!(channels::kinds)),
        (P::NotificationsWrite, routes!(channels::preview)),
        (P::NotificationsRead, routes!(notification_rules::list)),
        (P::NotificationsRead, routes!(notification_rules::show)),
        (P::NotificationsWrite, routes!(notification_rules::put)),
        (P::NotificationsWrite, routes!(notification_rules::delete)),
        (P::NotificationsRead, routes!(deliveries::list)),
        (P::NotificationsRead, routes!(deliveries::show)),
        (P::NotificationsWrite, routes!(deliveries::resend)),
        (P::NotificationsWrite, routes!(deliveries::resend_all)),
        // A key is blocked for every team.
        (P::CertificatesRead, routes!(blocked_keys::list)),
        (P::CertificatesRead, routes!(blocked_keys::show)),
        (P::CertificatesRevoke, routes!(blocked_keys::block)),
        (P::PolicyWrite, routes!(blocked_keys::unblock)),
        (P::AuditRead, routes!(audit::list)),
        (P::AuditRead, routes!(audit::export)),
        (P::AuditRead, routes!(audit::key)),
        (P::AccessAdminister, routes!(teams::delete)),
        (P::AccessAdminister, routes!(roles::put)),
        (P::AccessAdminister, routes!(roles::delete)),
        (P::AccessRead, routes!(client_certificates::list)),
        (P::AccessRead, routes!(client_certificates::show)),
        (P::AccessAdminister, routes!(client_certificates::create)),
        (P::AccessAdminister, routes!(client_certificates::delete)),
        (P::AccessRead, routes!(sign_on_providers::list)),
        (P::AccessRead, routes!(sign_on_providers::show)),
        (P::AccessAdminister, routes!(sign_on_providers::put)),
        (P::AccessAdminister, routes!(sign_on_providers::delete)),
        (P::AccessRead, routes!(users::list_locks)),
        (P::AccessAdminister, routes!(users::lift_lock)),
    ]
}

/// What is open to those who hold the permission in a team, too: the handlers look at the team of
/// each object. Issuers and built-in roles are everybody's to see.
fn by_team() -> Vec<(Permission, Parts)> {
    use Permission as P;
    vec![
        (P::CertificatesRead, routes!(certificates::list)),
        (P::CertificatesRead, routes!(inventory::summary)),
        (P::CertificatesRead, routes!(inventory::count)),
        (P::CertificatesRead, routes!(trends::show)),
        (P::CertificatesRead, routes!(inventory::export)),
        (P::CertificatesImport, routes!(certificate_import::import)),
        (P::CertificatesRead, routes!(saved_searches::list)),
        (P::CertificatesRead, routes!(saved_searches::show)),
        (P::CertificatesRead, routes!(saved_searches::create)),
        (P::CertificatesRead, routes!(saved_searches::replace)),
        (P::CertificatesRead, routes!(saved_searches::delete)),
        (P::CertificatesRead, routes!(certificates::show)),
        (P::CertificatesRead, routes!(download::download)),
        (P::CertificatesRequest, routes!(enroll::renew)),
        (P::CertificatesRequest, routes!(enroll::rekey)),
        (P::CertificatesRevoke, routes!(certificates::revoke)),
        (P::CertificatesEdit, routes!(owners::certificate)),
        (P::CertificatesRead, routes!(metadata::of_certificate)),
        (P::CertificatesEdit, routes!(metadata::change_certificate)),
        (P::CertificatesRequest, routes!(enroll::enroll)),
        (P::CertificatesRead, routes!(enrollments::list)),
        (P::CertificatesRead, routes!(enrollments::show)),
        (P::CertificatesRequest, routes!(enrollments::cancel)),
        (P::CertificatesRequest, routes!(held_keys::fetch)),
        (P::CertificatesRead, routes!(alerts::list)),
        (P::CertificatesRead, routes!(alerts::show)),
        (P::CertificatesEdit, routes!(alerts::acknowledge)),
        (P::ApprovalsRead, routes!(approvals::list)),
        (P::ApprovalsRead, routes!(approvals::show)),
        (P::ApprovalsDecide, routes!(approvals::approve)),
        (P::ApprovalsDecide, routes!(approvals::deny)),
        (P::ApprovalsDecide, routes!(approvals::decide)),
        (P::ApprovalsDecide, routes!(approvals::link)),
        (P::ApprovalsRead, routes!(delegations::list)),
        (P::ApprovalsDecide, routes!(delegations::create)),
        (P::ApprovalsDecide, routes!(delegations::end)),
        (P::IssuersRead, routes!(issuers::list)),
        (P::IssuersRead, routes!(issuers::show)),
        (P::IssuersRead, routes!(remote_issuers::kinds)),
        (P::PolicyRead, routes!(metadata_fields::list)),
        (P::PolicyRead, routes!(metadata_fields::show)),
        (P::PolicyRead, routes!(profiles::list)),
        (P::PolicyRead, routes!(profiles::show)),
        (P::PolicyWrite, routes!(profiles::put)),
        (P::PolicyWrite, routes!(owners::profile)),
        (P::PolicyRead, routes!(profile_presets::list)),
        (P::PolicyRead, routes!(profile_versions::list)),
        (P::PolicyRead, routes!(profile_versions::show)),
        (P::PolicyRead, routes!(profile_versions::changes)),
        (P::PolicyRead, routes!(profile_explain::explain)),
        (P::AcmeRead, routes!(directories::list)),
        (P::AcmeRead, routes!(directories::show)),
        // What is planned asks for its own permission on top, certificate by certificate.
        (P::CertificatesRequest, routes!(bulk::plan)),
        (P::CertificatesRead, routes!(bulk::list)),
        (P::CertificatesRead, routes!(bulk::show)),
        (P::CertificatesRead, routes!(bulk::items)),
        (P::CertificatesRequest, routes!(bulk::run)),
        (P::CertificatesRequest, routes!(bulk::pause)),
        (P::CertificatesRequest, routes!(bulk::resume)),
        (P::CertificatesRequest, routes!(bulk::cancel)),
        (P::AcmeWrite, routes!(directories::put)),
        (P::AcmeWrite, routes!(owners::directory)),
        (P::AcmeRead, routes!(accounts::list)),
        (P::AcmeRead, routes!(accounts::show)),
        (P::AcmeWrite, routes!(accounts::revoke)),
        (P::AcmeRead, routes!(metadata::of_account)),
        (P::AcmeWrite, routes!(metadata::change_account)),
        (P::AcmeRead, routes!(orders::list)),
        (P::AcmeRead, routes!(orders::show)),
        (P::AcmeRead, routes!(eab_keys::list)),
        (P::AcmeRead, routes!(eab_keys::show)),
        (P::AcmeWrite, routes!(eab_keys::create)),
        (P::AcmeWrite, routes!(eab_keys::revoke)),
        (P::AcmeWrite, routes!(owners::eab_key)),
        (P::AcmeRead, routes!(metadata::of_eab_key)),
        (P::AcmeWrite, routes!(metadata::change_eab_key)),
        (P::EnrollingRead, routes!(entry_points::list_labels)),
        (P::EnrollingRead, routes!(entry_points::show_label)),
        (P::EnrollingWrite, routes!(entry_points::put_label)),
        (P::EnrollingWrite, routes!(entry_points::delete_label)),
        (P::EnrollingRead, routes!(entry_points::list_services)),
        (P::EnrollingRead, routes!(entry_points::show_service)),
        (P::EnrollingWrite, routes!(entry_points::put_service)),
        (P::EnrollingWrite, routes!(entry_points::delete_service)),
        (P::EnrollingRead, routes!(enrollment_passwords::list)),
        (P::EnrollingRead, routes!(enrollment_passwords::show)),
        (P::EnrollingWrite, routes!(enrollment_passwords::create)),
        (P::EnrollingWrite, routes!(enrollment_passwords::revoke)),
        (P::EnrollingRead, routes!(cmp_endpoints::list)),
        (P::EnrollingRead, routes!(cmp_endpoints::show)),
        (P::EnrollingWrite, routes!(cmp_endpoints::put)),
        (P::EnrollingWrite, routes!(cmp_endpoints::delete)),
        (P::EnrollingRead, routes!(cmp_secrets::list)),
        (P::EnrollingRead, routes!(cmp_secrets::show)),
        (P::EnrollingWrite, routes!(cmp_secrets::create)),
        (P::EnrollingWrite, routes!(cmp_secrets::revoke)),
        (P::AccessRead, routes!(teams::list)),
        (P::AccessRead, routes!(teams::show)),
        (P::AccessAdminister, routes!(teams::put)),
        (P::AccessRead, routes!(roles::list)),
        (P::AccessRead, routes!(roles::show)),
        (P::AccessRead, routes!(roles::permissions)),
        (P::AccessRead, routes!(grants::list)),
        (P::AccessAdminister, routes!(grants::create)),
        (P::AccessAdminister, routes!(grants::withdraw)),
        (P::AccessRead, routes!(tokens::list)),
        (P::AccessAdminister, routes!(tokens::create)),
        (P::AccessAdminister, routes!(tokens::revoke)),
        (P::AccessRead, routes!(users::list)),
        (P::AccessRead, routes!(users::show)),
        (P::AccessAdminister, routes!(users::invite)),
        (P::AccessAdminister, routes!(users::disable)),
        (P::AccessAdminister, routes!(users::enable)),
        (P::AccessAdminister, routes!(users::reset)),
        (P::AccessAdminister, routes!(users::delete)),
    ]
}

/// What somebody who signed in does about themselves.
fn of_oneself() -> Vec<Parts> {
    vec![
        routes!(sessions::show),
        routes!(sessions::sign_out),
        routes!(sessions::list),
        routes!(sessions::end),
        routes!(sessions::end_others),
        routes!(proofs::reauthenticate),
        routes!(proofs::change_password),
        routes!(proofs::begin_totp),
        routes!(proofs::confirm_totp),
        routes!(proofs::remove_totp),
        routes!(proofs::replace_recovery_codes),
        routes!(passkeys::list),
        routes!(passkeys::challenge_registration),
        routes!(passkeys::register),
        routes!(passkeys::remove),
    ]
}

/// What is open to those who are yet to sign in.
fn before_sign_in() -> Vec<Parts> {
    vec![
        routes!(sessions::sign_in),
        routes!(proofs::set_up),
        routes!(passkeys::challenge_sign_in),
        routes!(passkeys::sign_in),
        routes!(sign_on::choices),
        routes!(sign_on::depart),
        routes!(sign_on::arrive),
    ]
}

fn route(needs: Needs, (schemas, paths, handler): Parts) -> Option<Route> {
    let Paths { paths, .. } = paths;
    let (path, item) = paths.into_iter().next()?;
    Some(Route {
        needs,
        path,
        item,
        schemas,
        handler,
    })
}
