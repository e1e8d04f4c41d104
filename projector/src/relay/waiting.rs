//! What of an outbox is sent next.

use crate::ahead::Room;
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

/// The same with the shops in turn, for an outbox with more in it than one round takes: the first event of each shop, then
/// the second of each. The order of each shop's own events stays. The shops are found by one step in the index for each,
/// however much each has waiting.
#[must_use]
pub fn in_turn(context: Context, Room { events, bytes }: Room) -> String {
    let next_shop = |after: &str| {
        format!("SELECT tenant_id FROM {context}.outbox WHERE published_at IS NULL {after} ORDER BY tenant_id LIMIT 1")
    };
    let (first, next) = (next_shop(""), next_shop("AND tenant_id > shops.tenant_id"));
    format!(
        "WITH RECURSIVE shops AS (
           ({first}) UNION ALL SELECT ({next}) FROM shops WHERE tenant_id IS NOT NULL
         ), own AS (
           SELECT next.* FROM shops CROSS JOIN LATERAL (
             SELECT {COLUMNS}, row_number() OVER (ORDER BY id) AS turn FROM (
               SELECT {COLUMNS} FROM {context}.outbox WHERE published_at IS NULL AND tenant_id = shops.tenant_id
               ORDER BY id LIMIT (SELECT greatest(16, 4 * {events} / count(*)) FROM shops)) AS own) AS next
         )
         SELECT {COLUMNS}, turn FROM (
           SELECT *, sum(octet_length(payload)) OVER (ORDER BY turn, id) - octet_length(payload) AS bytes_before
           FROM (SELECT * FROM own ORDER BY turn, id LIMIT {events}) AS next) AS next
         WHERE bytes_before < {bytes} ORDER BY turn, id"
    )
}
