//! `/notification-deliveries`: messages on their way, those that were given up, another try.

use std::collections::HashMap;

use axum::Json;
use axum::extract::State;
use domain::id::{ChannelId, DeliveryId};
use domain::notification::delivery::{Delivery, DeliveryState};
use lifecycle::DeliveryFilter;
use protocols::rest::notification as wire;
use protocols::rest::page::{Page, PageQuery};

use super::Verbs;
use super::access::Operator;
use super::extract::Named;
use super::failure::Failure;
use super::listing::Listing;

/// Deliveries, newest first; `?state=dead` is the dead-letter list
#[utoipa::path(get, path = "/api/v1/notification-deliveries", tag = "notifications",
    params(PageQuery, wire::DeliveryQuery),
    responses((status = 200, description = "A page of deliveries", body = Page<wire::Delivery>)))]
pub(crate) async fn list(
    State(verbs): State<Verbs>,
    mut listing: Listing<wire::DeliveryQuery, DeliveryId>,
) -> Result<Json<Page<wire::Delivery>>, Failure> {
    let query = std::mem::take(&mut listing.filter);
    let names = Names::load(&verbs).await?;
    let channel = match &query.channel {
        None => None,
        Some(name) => match names.id(name) {
            Some(id) => Some(id),
            // Nothing ever went over a channel that is not there.
            None => return Ok(Json(listing.page(Vec::new(), id, |row| names.render(row)))),
        },
    };
    let filter = DeliveryFilter {
        channel,
        state: query.state.map(read_state),
        object: query.object,
    };
    let found = verbs
        .list_deliveries(filter, listing.after.clone(), listing.rows())
        .await?;
    Ok(Json(listing.page(found, id, |row| names.render(row))))
}

/// One delivery
#[utoipa::path(get, path = "/api/v1/notification-deliveries/{id}", tag = "notifications",
    params(("id" = String, Path, description = "Id of the delivery")),
    responses((status = 200, description = "The delivery", body = wire::Delivery)))]
pub(crate) async fn show(
    State(verbs): State<Verbs>,
    Named(id): Named<DeliveryId>,
) -> Result<Json<wire::Delivery>, Failure> {
    let found = verbs.delivery(&id).await?;
    let delivery = found.ok_or_else(|| unknown(&id))?;
    Ok(Json(Names::load(&verbs).await?.render(delivery)))
}

/// Send a delivery again that was given up, or that arrived
#[utoipa::path(post, path = "/api/v1/notification-deliveries/{id}/resend", tag = "notifications",
    params(("id" = String, Path, description = "Id of the delivery")),
    responses((status = 200, description = "It is on its way, with the id it had", body = wire::Delivery),
        (status = 409, description = "It is on its way anyhow")))]
pub(crate) async fn resend(
    State(verbs): State<Verbs>,
    operator: Operator,
    Named(id): Named<DeliveryId>,
) -> Result<Json<wire::Delivery>, Failure> {
    match verbs.resend_delivery(&id, &operator.caller()).await? {
        None => Err(unknown(&id)),
        Some(false) => Err(Failure::conflict(format!(
            "{id} is on its way; it is tried again by itself"
        ))),
        Some(true) => {
            let delivery = verbs.delivery(&id).await?.ok_or_else(|| unknown(&id))?;
            Ok(Json(Names::load(&verbs).await?.render(delivery)))
        }
    }
}

/// Send everything again that a channel gave up
#[utoipa::path(post, path = "/api/v1/notification-channels/{name}/resend", tag = "notifications",
    params(("name" = String, Path, description = "Name of the channel")),
    responses((status = 200, description = "How many are on their way", body = wire::Resent)))]
pub(crate) async fn resend_all(
    State(verbs): State<Verbs>,
    operator: Operator,
    Named(name): Named<String>,
) -> Result<Json<wire::Resent>, Failure> {
    let resent = verbs.resend_all(&name, &operator.caller()).await?;
    let deliveries = resent
        .ok_or_else(|| Failure::not_found(format!("there is no notification channel `{name}`")))?;
    Ok(Json(wire::Resent { deliveries }))
}

fn unknown(id: &DeliveryId) -> Failure {
    Failure::not_found(format!("there is no delivery {id}"))
}

fn id(delivery: &Delivery) -> String {
    delivery.id.to_string()
}

fn read_state(state: wire::DeliveryState) -> DeliveryState {
    match state {
        wire::DeliveryState::Waiting => DeliveryState::Waiting,
        wire::DeliveryState::Delivered => DeliveryState::Delivered,
        wire::DeliveryState::Dead => DeliveryState::Dead,
    }
}

/// What channels are called.
struct Names(HashMap<ChannelId, String>);

impl Names {
    async fn load(verbs: &Verbs) -> Result<Self, Failure> {
        let channels = verbs.channels().await?;
        let names = channels
            .into_iter()
            .map(|channel| (channel.id, channel.name));
        Ok(Self(names.collect()))
    }

    fn id(&self, name: &str) -> Option<ChannelId> {
        let mut found = self.0.iter().filter(|(_, known)| *known == name);
        found.next().map(|(id, _)| id.clone())
    }

    fn render(&self, delivery: Delivery) -> wire::Delivery {
        let channel = match self.0.get(&delivery.channel_id) {
            Some(name) => name.clone(),
            None => delivery.channel_id.to_string(),
        };
        let waits = delivery.state == DeliveryState::Waiting;
        wire::Delivery {
            id: delivery.id.to_string(),
            channel,
            event: delivery.event_id.to_string(),
            object: delivery.object,
            state: match delivery.state {
                DeliveryState::Waiting => wire::DeliveryState::Waiting,
                DeliveryState::Delivered => wire::DeliveryState::Delivered,
                DeliveryState::Dead => wire::DeliveryState::Dead,
            },
            attempts: delivery.attempts,
            next_at: waits.then_some(delivery.next_at),
            last_error: delivery.last_error,
            created_at: delivery.created_at,
            updated_at: delivery.updated_at,
        }
    }
}
