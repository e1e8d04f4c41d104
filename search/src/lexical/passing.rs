//! What passes the filters of a request, for a search by vectors among it.

use crate::{IndexError, plan::Plan, query::SearchRequest, reader::Snapshot, tenant::holding};
use schemas::ids::ProductId;
use tantivy::collector::{Count, DocSetCollector};

/// What passes the filters of a request.
#[derive(Debug, Clone, PartialEq)]
pub enum Passing {
    /// There are no filters.
    All,
    /// These products.
    Few(Vec<ProductId>),
    /// This share of the tenant's products.
    Many(f64),
}

/// What passes the filters of a request, those in its text included, whatever its words; by id if there are at
/// most `few`.
///
/// # Errors
/// The engine's.
pub fn passing(snapshot: &Snapshot, request: &SearchRequest, few: usize) -> Result<Passing, IndexError> {
    let plan = Plan::of_filters(snapshot, request)?;
    if plan.conditions.is_empty() && plan.base.len() == 1 {
        return Ok(Passing::All);
    }
    let filters = plan.filters();
    let found = snapshot.segments.searcher.search(&filters, &Count)?;
    if found > few {
        let all = snapshot
            .segments
            .searcher
            .search(&holding(&snapshot.segments.fields.tenant_term(request.tenant)), &Count)?;
        #[expect(clippy::cast_precision_loss, reason = "counts of documents")]
        return Ok(Passing::Many(found as f64 / all.max(1) as f64));
    }
    let mut ids = Vec::with_capacity(found);
    for at in snapshot.segments.searcher.search(&filters, &DocSetCollector)? {
        let segment = snapshot.segments.searcher.segment_reader(at.segment_ord);
        let Some(keys) = segment.fast_fields().str("key")? else { continue };
        let mut key = String::new();
        if let Some(ord) = keys.term_ords(at.doc_id).next() {
            keys.ord_to_str(ord, &mut key)?;
        }
        ids.extend(key.split_once(':').and_then(|(_, id)| id.parse::<ProductId>().ok()));
    }
    ids.sort();
    Ok(Passing::Few(ids))
}
