//! Which documents are sent next.

use crate::turns::{Outbox, Room};

/// What a document is made of in its outbox.
const COLUMNS: &str = "tenant_id, product_id, doc_version, event_time, correlation_id, traceparent";

/// The query for what waits, the oldest versions first, with the documents.
#[must_use]
pub fn in_order(room: Room) -> String {
    let next = format!("SELECT {COLUMNS}, 1 AS turn FROM document_outbox ORDER BY doc_version LIMIT {}", room.events);
    with_documents(&next, room)
}

/// The same with the shops in turn, for an outbox with more in it than one round takes.
#[must_use]
pub fn in_turn(room: Room) -> String {
    let outbox = Outbox { table: "document_outbox", columns: COLUMNS, waiting: "true", order: "doc_version" };
    with_documents(&outbox.in_turn(room.events), room)
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
