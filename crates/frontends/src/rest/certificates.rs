//! `/certificates`: the inventory.

use axum::Json;
use axum::extract::State;
use domain::certificate::{CertificateStatus, InventoryCertificate, Origin};
use domain::id::CertificateId;
use domain::permission::Permission;
use domain::renewal;
use lifecycle::CertificateCursor;
use lifecycle::revocation::RevocationSigner;
use pki::time::Timestamp;
use protocols::rest::certificate as wire;
use protocols::rest::page::{Page, PageQuery};

use super::Verbs;
use super::access::Operator;
use super::extract::{Body, Named};
use super::failure::Failure;
use super::key_evidence;
use super::listing::Listing;
use super::names::Names;
use super::search;

/// Certificates, newest first or as `sort` says
///
/// All filters have to fit. `q` takes search terms: `expires<30d team:web billing=4711 "exact words"`.
/// `metadata.<field>=<value>` finds those with that value of a field of custom metadata; there may
/// be one such parameter for each field.
#[utoipa::path(get, path = "/api/v1/certificates", tag = "certificates",
    params(PageQuery, wire::CertificateQuery),
    responses((status = 200, description = "A page of certificates", body = Page<wire::Certificate>)))]
pub(crate) async fn list(
    State(verbs): State<Verbs>,
    operator: Operator,
    mut listing: Listing<wire::CertificateQuery, CertificateCursor>,
) -> Result<Json<Page<wire::Certificate>>, Failure> {
    let (names, now) = (Names::load(&verbs).await?, verbs.now());
    let query = std::mem::take(&mut listing.filter);
    let fields = verbs.fields().await?;
    let asked = search::read(query, &names, &fields, &operator, now)?;
    search::check_cursor(asked.sort, listing.after.as_ref())?;
    let found = verbs
        .search_certificates(
            asked.filter,
            asked.sort,
            listing.after.clone(),
            listing.rows(),
        )
        .await?;
    Ok(Json(listing.page(
        found,
        |found| found.cursor.to_string(),
        |found| render(&found.certificate, &names, now),
    )))
}

/// One certificate
#[utoipa::path(get, path = "/api/v1/certificates/{id}", tag = "certificates",
    params(("id" = String, Path, description = "Id of the certificate")),
    responses((status = 200, description = "The certificate", body = wire::Certificate)))]
pub(crate) async fn show(
    State(verbs): State<Verbs>,
    operator: Operator,
    Named(id): Named<CertificateId>,
) -> Result<Json<wire::Certificate>, Failure> {
    find(&verbs, &operator, Permission::CertificatesRead, &id).await?;
    Ok(Json(shown(&verbs, &id).await?))
}

/// Revoke a certificate, for good
#[utoipa::path(post, path = "/api/v1/certificates/{id}/revoke", tag = "certificates",
    params(("id" = String, Path, description = "Id of the certificate")),
    request_body = wire::RevokeRequest,
    responses((status = 200, description = "Revoked; the next CRL and OCSP answers say so",
        body = wire::Certificate)))]
pub(crate) async fn revoke(
    State(verbs): State<Verbs>,
    operator: Operator,
    Named(id): Named<CertificateId>,
    Body(request): Body<wire::RevokeRequest>,
) -> Result<Json<wire::Certificate>, Failure> {
    find(&verbs, &operator, Permission::CertificatesRevoke, &id).await?;
    let signer = RevocationSigner::Operator(operator.name());
    verbs
        .revoke_by_id(&id, request.reason, signer, &operator.caller())
        .await?;
    Ok(Json(shown(&verbs, &id).await?))
}

pub(super) async fn shown(verbs: &Verbs, id: &CertificateId) -> Result<wire::Certificate, Failure> {
    let certificate = verbs.certificate(id).await?.ok_or_else(|| unknown(id))?;
    let enrollment = match &certificate.enrollment_id {
        Some(enrollment) => verbs.enrollment(enrollment).await?,
        None => None,
    };
    let evidence = enrollment.and_then(|enrollment| enrollment.key_evidence);
    Ok(wire::Certificate {
        key_evidence: evidence.as_ref().map(key_evidence::render),
        ..render(&certificate, &Names::load(verbs).await?, verbs.now())
    })
}

pub(super) async fn find(
    verbs: &Verbs,
    operator: &Operator,
    needed: Permission,
    id: &CertificateId,
) -> Result<InventoryCertificate, Failure> {
    let found = verbs.certificate(id).await?.ok_or_else(|| unknown(id))?;
    operator.require(needed, found.team_id.as_ref(), || unknown(id))?;
    Ok(found)
}

pub(super) fn unknown(id: &CertificateId) -> Failure {
    Failure::not_found(format!("there is no certificate {id}"))
}

pub(super) fn render(
    certificate: &InventoryCertificate,
    names: &Names,
    now: Timestamp,
) -> wire::Certificate {
    let text = |id: &CertificateId| id.to_string();
    wire::Certificate {
        id: certificate.id.to_string(),
        status: render_status(certificate.status(now)),
        names: certificate.names.clone(),
        key_evidence: None,
        subject: certificate.subject.clone(),
        serial: certificate.serial.clone(),
        fingerprint: certificate.fingerprint,
        not_before: certificate.not_before,
        not_after: certificate.not_after,
        key_kind: certificate.key_kind.clone(),
        weak_key: certificate.is_weak,
        issuer: certificate.issuer_id.as_ref().map(|id| names.issuer(id)),
        issuer_name: certificate.issuer_name.clone(),
        origin: match certificate.origin {
            Origin::Issued => wire::CertificateOrigin::Issued,
            Origin::Discovered => wire::CertificateOrigin::Discovered,
            Origin::Imported => wire::CertificateOrigin::Imported,
        },
        profile: certificate.profile_id.as_ref().map(|id| names.profile(id)),
        profile_version: certificate.profile_version,
        account: certificate.account_id.as_ref().map(ToString::to_string),
        directory: certificate
            .directory_id
            .as_ref()
            .map(|id| names.directory(id)),
        enrollment: certificate.enrollment_id.as_ref().map(ToString::to_string),
        replaces: certificate.replaces.as_ref().map(text),
        replaced_by: certificate.replaced_by.as_ref().map(text),
        team: certificate.team_id.as_ref().map(|id| names.team(id)),
        metadata: certificate.metadata.clone(),
        revocation: certificate.revocation.map(|revocation| wire::Revocation {
            at: revocation.at,
            reason: revocation.reason,
        }),
        renewal: render_window(certificate, names, now),
        created_at: certificate.created_at,
    }
}

/// One that was replaced is not renewed again, one of somebody else not by us.
fn render_window(
    certificate: &InventoryCertificate,
    names: &Names,
    now: Timestamp,
) -> Option<wire::RenewalWindow> {
    let is_ours = certificate.enrollment_id.is_some() && certificate.replaced_by.is_none();
    let window = renewal::suggest(
        certificate.not_before,
        certificate.not_after,
        certificate.revocation.is_some(),
        certificate
            .profile_id
            .as_ref()
            .and_then(|id| names.renewal_rules(id)),
        now,
    );
    is_ours.then_some(wire::RenewalWindow {
        start: window.start,
        end: window.end,
        due: now >= window.start,
    })
}

fn render_status(status: CertificateStatus) -> wire::CertificateStatus {
    match status {
        CertificateStatus::NotYetValid => wire::CertificateStatus::NotYetValid,
        CertificateStatus::Valid => wire::CertificateStatus::Valid,
        CertificateStatus::Expired => wire::CertificateStatus::Expired,
        CertificateStatus::Revoked => wire::CertificateStatus::Revoked,
    }
}
