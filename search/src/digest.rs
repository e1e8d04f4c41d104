//! A digest of what an index holds, to compare it with a rebuild. Versions are left out: a rebuild
//! counts them anew.

use crate::{IndexError, reader::Snapshot};
use sha2::{Digest, Sha256};
use tantivy::{TantivyDocument, schema::Value};

/// Live documents and the SHA-256 over their keys and cards, in key order.
///
/// # Errors
/// The engine's.
pub fn of(snapshot: &Snapshot) -> Result<(u64, String), IndexError> {
    let mut cards = Vec::new();
    for segment in snapshot.searcher.segment_readers() {
        let store = segment.get_store_reader(1)?;
        let Some(keys) = segment.fast_fields().str("key")? else { continue };
        for doc in segment.doc_ids_alive() {
            let record: TantivyDocument = store.get(doc)?;
            let Some(card) = record.get_first(snapshot.fields.card).and_then(|value| value.as_str().map(str::to_owned))
            else {
                continue;
            };
            let mut key = String::new();
            if let Some(ord) = keys.term_ords(doc).next() {
                keys.ord_to_str(ord, &mut key)?;
            }
            cards.push((key, card));
        }
    }
    cards.sort();
    let mut hash = Sha256::new();
    for (key, card) in &cards {
        hash.update(key.as_bytes());
        hash.update([0]);
        hash.update(card.as_bytes());
        hash.update([0]);
    }
    let hex = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok((cards.len() as u64, hex))
}
