//! A report as it is sent. Members that are not known are left out and not refused, unlike everywhere
//! else: clients of User Behavior Insights send more than souk counts.

use crate::{contexts::insights::domain::Report, http::json, pipeline::Rejection};
use schemas::{
    Timestamp, Uuid,
    events::{
        InsightsEvent,
        insights::{ActedObject, ActedPosition, ClientActed, ClientSearched, EventAttributes},
    },
    ids::ProductId,
    problem::FieldError,
};
use serde::Deserialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// One line of a body: a search, or what somebody did with its hits.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
#[expect(
    dead_code,
    reason = "read by the OpenAPI macros only: what is wrong inside of a tagged value can't be pointed at"
)]
pub(super) enum ReportInput {
    /// Somebody searched.
    Query(QueryInput),
    /// Somebody did something.
    Event(EventInput),
}

/// Somebody searched.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct QueryInput {
    /// Tells this report from every other; follows from what it says, if absent.
    record_id: Option<Uuid>,
    /// The search; what follows from it names it.
    query_id: String,
    /// The browser or device.
    client_id: String,
    /// Where it was searched, such as `web`.
    application: Option<String>,
    /// What was typed, at most 512 characters.
    user_query: String,
    /// What else was asked for, at most 4 KiB.
    #[serde(default)]
    #[schema(value_type = Object)]
    query_attributes: BTreeMap<String, serde_json::Value>,
    /// The products that were shown, at most 100; empty where there were none, absent where that is not known.
    #[schema(value_type = Option<Vec<Uuid>>)]
    query_response_hit_ids: Option<Vec<ProductId>>,
    /// When, by the client's clock.
    #[schema(value_type = String, format = DateTime)]
    timestamp: Timestamp,
    /// The experiment and its arm that ranked the hits, as `<experiment>/<arm>`.
    arm: Option<String>,
}

/// Somebody did something.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct EventInput {
    /// Tells this report from every other; follows from what it says, if absent.
    record_id: Option<Uuid>,
    /// `impression`, `click`, `add_to_cart`, `purchase` or a lower_snake word of the shop's own.
    action_name: String,
    /// The search it follows from.
    query_id: Option<String>,
    /// The browser or device.
    client_id: String,
    /// The visit.
    session_id: Option<String>,
    /// The shopper, if known.
    user_id: Option<String>,
    /// When, by the client's clock.
    #[schema(value_type = String, format = DateTime)]
    timestamp: Timestamp,
    /// In words, at most 1,000 characters.
    message: Option<String>,
    /// With what, and where that stood.
    #[serde(default)]
    event_attributes: AttributesInput,
}

/// With what something was done, and where that stood.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub(super) struct AttributesInput {
    /// The product; needed for the four actions that are counted.
    object: Option<ObjectInput>,
    /// Its place among the hits.
    position: Option<PositionInput>,
}

/// A product.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct ObjectInput {
    /// souk's id of it.
    #[schema(value_type = Uuid)]
    object_id: ProductId,
    /// `product_id`.
    object_id_field: Option<String>,
}

/// A place.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct PositionInput {
    /// From 1.
    ordinal: Option<u32>,
}

#[derive(Deserialize)]
struct Tag {
    r#type: String,
}

/// Reads a report that came at this time, and the id it was given.
pub(super) fn read(text: &[u8], now: Timestamp) -> Result<(Report, Option<Uuid>), Rejection> {
    let (event, given) = match json::read::<Tag>(text)?.r#type.as_str() {
        "query" => searched(json::read(text)?),
        "event" => acted(json::read(text)?),
        _ => return Err(Rejection::unreadable(vec![FieldError::new("/type", "`query` or `event` is expected")])),
    };
    Ok((Report::parse(event, now).map_err(Rejection::invalid)?, given))
}

fn searched(input: QueryInput) -> (InsightsEvent, Option<Uuid>) {
    let event = InsightsEvent::Searched(ClientSearched {
        record_id: Uuid::nil(),
        client_id: input.client_id,
        query_id: input.query_id,
        application: input.application,
        user_query: input.user_query,
        query_attributes: input.query_attributes,
        query_response_hit_ids: input.query_response_hit_ids,
        timestamp: input.timestamp,
        arm: input.arm,
    });
    (event, input.record_id)
}

fn acted(input: EventInput) -> (InsightsEvent, Option<Uuid>) {
    let object = input.event_attributes.object.map(|object| ActedObject {
        object_id: object.object_id,
        object_id_field: object.object_id_field.unwrap_or_else(|| "product_id".to_owned()),
    });
    let ordinal = input.event_attributes.position.and_then(|position| position.ordinal);
    let position = ordinal.map(|ordinal| ActedPosition { ordinal });
    let event = InsightsEvent::Acted(ClientActed {
        record_id: Uuid::nil(),
        action_name: input.action_name,
        query_id: input.query_id,
        client_id: input.client_id,
        session_id: input.session_id,
        user_id: input.user_id,
        timestamp: input.timestamp,
        message: input.message,
        event_attributes: EventAttributes { object, position },
    });
    (event, input.record_id)
}
