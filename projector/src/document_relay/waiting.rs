//! Which documents are sent next.

use crate::ahead::Room;

/// What a document is made of in its outbox.
const COLUMNS: &str = "tenant_id, product_id, doc_version, event_time, correlation_id, traceparent";

/// The query for what waits, the oldest versions first, with the documents.
#[must_use]
pub fn in_order(room: Room) -> String {
    let next = format!("SELECT {COLUMNS}, 1 AS turn FROM document_outbox ORDER BY doc_version LIMIT {}", room.events);
    with_documents(&next, room)
}

/// The same with the shops in turn, for an outbox with more in it than one round takes: the oldest document of each shop,
/// then the second of each. The shops are found by one step in the index for each, however much each has waiting.
#[must_use]
pub fn in_turn(room: Room) -> String {
    let next_shop = |after: &str| format!("SELECT tenant_id FROM document_outbox {after} ORDER BY tenant_id LIMIT 1");
    let (first, next) = (next_shop(""), next_shop("WHERE tenant_id > shops.tenant_id"));
    let turns = format!(
        "WITH RECURSIVE shops AS (
           ({first}) UNION ALL SELECT ({next}) FROM shops WHERE tenant_id IS NOT NULL
         )
         SELECT own.* FROM shops CROSS JOIN LATERAL (
           SELECT {COLUMNS}, row_number() OVER (ORDER BY doc_version) AS turn FROM (
             SELECT {COLUMNS} FROM document_outbox WHERE tenant_id = shops.tenant_id
             ORDER BY doc_version LIMIT (SELECT greatest(16, 4 * {events} / count(*)) FROM shops)) AS oldest) AS own
         ORDER BY turn, doc_version LIMIT {events}",
        events = room.events
    );
    with_documents(&turns, room)
}

/// What was chosen with its documents, as much as there is room for.
fn with_documents(chosen: &str, Room { bytes, .. }: Room) -> String {
    format!(
        "SELECT * FROM (
           SELECT o.tenant_id, o.product_id, d.doc_version, d.body, o.event_time, o.correlation_id, o.traceparent,
                  o.turn, o.doc_version AS version,
                  sum(octet_length(d.body)) OVER (ORDER BY o.turn, o.doc_version) - octet_length(d.body) AS bytes_before
           FROM ({chosen}) AS o
           JOIN documents d USING (tenant_id, product_id)) AS next
         WHERE bytes_before < {bytes} ORDER BY turn, version"
    )
}
