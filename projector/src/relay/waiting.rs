//! What of an outbox is sent next.

use crate::turns::{Outbox, Room};
use schemas::topics::Context;

/// What an event is made of in an outbox.
pub const COLUMNS: &str =
    "id, event_id, tenant_id, event_type, aggregate, aggregate_id, version, partition_id, payload,
                           occurred_at, correlation_id, causation_id, traceparent";

/// The query for what waits in a context's outbox in its order.
#[must_use]
pub fn in_order(context: Context, Room { events, bytes }: Room) -> String {
    format!(
        "SELECT {COLUMNS} FROM (
           SELECT *, sum(octet_length(payload)) OVER (ORDER BY id) - octet_length(payload) AS bytes_before
           FROM (SELECT {COLUMNS} FROM {context}.outbox WHERE published_at IS NULL ORDER BY id LIMIT {events}) AS next) AS next
         WHERE bytes_before < {bytes} ORDER BY id"
    )
}

/// The same with the shops in turn, for an outbox with more in it than one round takes.
#[must_use]
pub fn in_turn(context: Context, Room { events, bytes }: Room) -> String {
    let table = format!("{context}.outbox");
    let outbox = Outbox { table: &table, columns: COLUMNS, waiting: "published_at IS NULL", order: "id" };
    format!(
        "SELECT {COLUMNS}, turn FROM (
           SELECT *, sum(octet_length(payload)) OVER (ORDER BY turn, id) - octet_length(payload) AS bytes_before
           FROM ({}) AS next) AS next
         WHERE bytes_before < {bytes} ORDER BY turn, id",
        outbox.in_turn(events)
    )
}
