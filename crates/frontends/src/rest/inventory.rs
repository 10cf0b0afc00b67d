//! `/certificates/summary`, `/count`, `/export`: the inventory as a whole.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use domain::certificate::{Figures, Origin};
use domain::permission::Permission;
use futures::stream::{self, Stream};
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use http::{HeaderValue, Uri};
use lifecycle::{CertificateCursor, Lifecycle, StoreError};
use protocols::rest::certificate::CertificateQuery;
use protocols::rest::inventory as wire;

use super::Verbs;
use super::access::Operator;
use super::extract::Parameters;
use super::failure::Failure;
use super::listing::{Everything, filter_of, take_out};
use super::names::Names;
use super::search::{self, Asked};
use super::{certificates, table};

/// Figures of all certificates that the requester sees
///
/// Each figure is what the list would count at this moment with the same filter.
#[utoipa::path(get, path = "/api/v1/certificates/summary", tag = "certificates",
    responses((status = 200, description = "The figures", body = wire::InventorySummary)))]
pub(crate) async fn summary(
    State(verbs): State<Verbs>,
    operator: Operator,
    Parameters(Everything {}): Parameters<Everything>,
) -> Result<Json<wire::InventorySummary>, Failure> {
    let names = Names::load(&verbs).await?;
    let visible = operator.visible(Permission::CertificatesRead);
    let summary = verbs.inventory_summary(&visible).await?;
    let by = |name: Option<String>, figures: Figures| wire::Slice {
        name,
        figures: render(figures),
    };
    let by_issuer = summary.by_issuer.iter();
    let by_profile = summary.by_profile.iter();
    let by_team = summary.by_team.iter();
    Ok(Json(wire::InventorySummary {
        at: summary.at,
        all: render(summary.all),
        failed_requests: summary.failed_lately,
        weak_key: render(summary.weak),
        by_issuer: by_issuer
            .map(|(id, figures)| by(id.as_ref().map(|id| names.issuer(id)), *figures))
            .collect(),
        by_profile: by_profile
            .map(|(id, figures)| by(id.as_ref().map(|id| names.profile(id)), *figures))
            .collect(),
        by_team: by_team
            .map(|(id, figures)| by(id.as_ref().map(|id| names.team(id)), *figures))
            .collect(),
        by_key_kind: summary
            .by_key_kind
            .into_iter()
            .map(|(kind, figures)| by(Some(kind), figures))
            .collect(),
        by_origin: summary
            .by_origin
            .map(|(origin, figures)| by(Some(origin_name(origin).to_owned()), figures))
            .into(),
    }))
}

/// How many certificates fit the filters of the list
#[utoipa::path(get, path = "/api/v1/certificates/count", tag = "certificates",
    params(CertificateQuery),
    responses((status = 200, description = "The number", body = wire::Count)))]
pub(crate) async fn count(
    State(verbs): State<Verbs>,
    operator: Operator,
    uri: Uri,
) -> Result<Json<wire::Count>, Failure> {
    let asked = asked(&verbs, &operator, uri.query().unwrap_or_default()).await?;
    let count = verbs.count_certificates(asked.filter).await?;
    Ok(Json(wire::Count { count }))
}

/// All certificates that fit the filters of the list, as a table or as JSON lines
#[utoipa::path(get, path = "/api/v1/certificates/export", tag = "certificates",
    params(wire::ExportQuery, CertificateQuery),
    responses((status = 200, description = "The certificates",
        content((String = "text/csv"), (String = "application/jsonl")))))]
pub(crate) async fn export(
    State(verbs): State<Verbs>,
    operator: Operator,
    uri: Uri,
) -> Result<Response, Failure> {
    let (format, filter) = take_out(uri.query().unwrap_or_default(), "format");
    let format = read_format(format.as_deref())?;
    let asked = asked(&verbs, &operator, &filter).await?;
    let names = Names::load(&verbs).await?;
    let body = Body::from_stream(lines(verbs, asked, Arc::new(names), format));
    let file = format!(
        "attachment; filename=\"certificates.{}\"",
        format.extension()
    );
    let content_type = HeaderValue::from_static(format.media_type());
    let mut response = ([(CONTENT_TYPE, content_type)], body).into_response();
    // Letters and a dot.
    if let Ok(value) = HeaderValue::from_str(&file) {
        response.headers_mut().insert(CONTENT_DISPOSITION, value);
    }
    Ok(response)
}

/// The filters of the list, without a page.
async fn asked(verbs: &Verbs, operator: &Operator, query: &str) -> Result<Asked, Failure> {
    let query: CertificateQuery = filter_of(query)?;
    let names = Names::load(verbs).await?;
    let fields = verbs.fields().await?;
    search::read(query, &names, &fields, operator, verbs.now())
}

/// Where the writer of an export stands.
enum At {
    Begin,
    After(Option<CertificateCursor>),
    End,
}

const PAGE: u32 = 500;

/// The lines of an export, read page by page as the client takes them. What comes into the inventory
/// meanwhile may or may not be in it.
fn lines(
    lifecycle: Arc<Lifecycle>,
    asked: Asked,
    names: Arc<Names>,
    format: wire::ExportFormat,
) -> impl Stream<Item = Result<Bytes, StoreError>> + Send {
    let now = lifecycle.now();
    stream::try_unfold(At::Begin, move |at| {
        let (lifecycle, names) = (Arc::clone(&lifecycle), Arc::clone(&names));
        let (filter, sort) = (asked.filter.clone(), asked.sort);
        async move {
            let after = match at {
                At::Begin => match format {
                    wire::ExportFormat::Jsonl => None,
                    wire::ExportFormat::Csv => {
                        return Ok(Some((Bytes::from(table::header()), At::After(None))));
                    }
                },
                At::After(after) => after,
                At::End => return Ok(None),
            };
            let page = lifecycle
                .search_certificates(filter, sort, after, PAGE)
                .await?;
            let next = match page.last() {
                Some(last) if page.len() == PAGE as usize => At::After(Some(last.cursor.clone())),
                Some(_) | None => At::End,
            };
            let mut text = Vec::new();
            for found in &page {
                let certificate = certificates::render(&found.certificate, &names, now);
                match format {
                    wire::ExportFormat::Csv => table::write(&mut text, &certificate),
                    wire::ExportFormat::Jsonl => {
                        // Unwrap safety: texts, numbers and lists are JSON; a Vec takes any octet.
                        serde_json::to_writer(&mut text, &certificate).expect("a line is JSON");
                        text.push(b'\n');
                    }
                }
            }
            Ok(Some((Bytes::from(text), next)))
        }
    })
}

fn read_format(text: Option<&str>) -> Result<wire::ExportFormat, Failure> {
    match text {
        None | Some("csv") => Ok(wire::ExportFormat::Csv),
        Some("jsonl") => Ok(wire::ExportFormat::Jsonl),
        Some(_) => Err(Failure::invalid("`format` is csv or jsonl")),
    }
}

fn render(figures: Figures) -> wire::Figures {
    wire::Figures {
        total: figures.total,
        valid: figures.valid,
        not_yet_valid: figures.not_yet_valid,
        expired: figures.expired,
        revoked: figures.revoked,
        expiring_7_days: figures.expiring_7_days,
        expiring_30_days: figures.expiring_30_days,
        expiring_90_days: figures.expiring_90_days,
    }
}

fn origin_name(origin: Origin) -> &'static str {
    match origin {
        Origin::Issued => "issued",
        Origin::Discovered => "discovered",
        Origin::Imported => "imported",
    }
}
