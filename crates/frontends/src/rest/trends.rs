//! `/certificates/trends`: the inventory by day.

use axum::Json;
use axum::extract::State;
use domain::permission::Permission;
use pki::time::Timestamp;
use protocols::rest::inventory as wire;

use super::Verbs;
use super::access::Operator;
use super::extract::Parameters;
use super::failure::Failure;
use super::names::Names;

/// What ends on the days to come, and what came in on the days past
///
/// Figures of the certificates that the requester sees, by day in UTC.
#[utoipa::path(get, path = "/api/v1/certificates/trends", tag = "certificates",
    params(wire::TrendsQuery),
    responses((status = 200, description = "The days", body = wire::InventoryTrends)))]
pub(crate) async fn show(
    State(verbs): State<Verbs>,
    operator: Operator,
    Parameters(query): Parameters<wire::TrendsQuery>,
) -> Result<Json<wire::InventoryTrends>, Failure> {
    let ahead = within("ahead", query.ahead.unwrap_or(90), 400)?;
    let back = within("back", query.back.unwrap_or(30), 90)?;
    let visible = operator.visible(Permission::CertificatesRead);
    let names = Names::load(&verbs).await?;
    let trends = verbs.certificate_trends(&visible, ahead, back).await?;
    let count = |number: i64| u64::try_from(number).unwrap_or(0);
    Ok(Json(wire::InventoryTrends {
        at: trends.at,
        ending: trends
            .ending
            .into_iter()
            .map(|(day, number)| wire::DayCount {
                day: date(day),
                count: count(number),
            })
            .collect(),
        arrived: trends
            .arrived
            .into_iter()
            .map(|(arrival, number)| wire::Arrivals {
                day: date(arrival.day),
                issuer: arrival.issuer.map(|id| names.issuer(&id)),
                profile: arrival.profile.map(|id| names.profile(&id)),
                team: arrival.team.map(|id| names.team(&id)),
                origin: arrival.origin.to_owned(),
                protocol: arrival.protocol.map(str::to_owned),
                count: count(number),
            })
            .collect(),
    }))
}

fn within(name: &str, days: u16, most: u16) -> Result<u16, Failure> {
    match (1..=most).contains(&days) {
        true => Ok(days),
        false => Err(Failure::invalid(format!("`{name}` is 1 to {most} days"))),
    }
}

fn date(day: i64) -> String {
    let midnight = Timestamp::from_seconds(day.saturating_mul(86_400));
    midnight.civil().date().to_string()
}
