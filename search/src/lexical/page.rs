//! What a page's hits show beside their cards.

use super::{Searched, explain};
use crate::{
    IndexError,
    highlight::Marker,
    plan::filter::VariantCondition,
    query::{Hit, ScorePart},
    reader::Snapshot,
    statistics::Profile,
};
use schemas::{filter::Filter, ids::VariantId, money::Currency};
use std::sync::Arc;
use tantivy::DocAddress;

/// Adds to hits what a request asks for beside their cards; made once for all of them.
pub(super) struct Dressing<'s, 'a> {
    searched: &'s Searched<'a>,
    conditions: Vec<VariantCondition>,
    marker: Option<Marker>,
    /// For explanations, if kinds had a say in the order.
    profiles: Option<Vec<Arc<Profile>>>,
}

impl<'s, 'a> Dressing<'s, 'a> {
    pub fn new(searched: &'s Searched<'a>) -> Result<Self, IndexError> {
        let (plan, request) = (&searched.plan, searched.request);
        let of_kind = request.explain && searched.reordered();
        Ok(Self {
            searched,
            conditions: request.filter.as_ref().map_or_else(Vec::new, |filter| conditions(filter, request.currency)),
            marker: request.highlight.then(|| Marker::new(searched.snapshot, &plan.marked, request.typing)),
            profiles: of_kind.then(|| searched.profiles()).transpose()?,
        })
    }

    pub fn put_on(&mut self, hit: &mut Hit, at: DocAddress) -> Result<(), IndexError> {
        let (snapshot, plan) = (self.searched.snapshot, &self.searched.plan);
        hit.matching_variants = variants(snapshot, &self.conditions, at);
        if let Some(marker) = &mut self.marker {
            hit.highlights = marker.highlights(snapshot, at, &hit.card)?;
        }
        if self.searched.request.explain {
            hit.doc_version = snapshot.version_at(at)?;
            hit.explanation.extend(explain::parts(snapshot, plan, at)?);
            if let Some(profiles) = &self.profiles {
                let part = "kind: how well its attributes go with the words".to_owned();
                hit.explanation.push(ScorePart { part, score: self.searched.kind(profiles, at)? });
            }
        }
        Ok(())
    }
}

/// The conditions on one variant in a filter, those outside of `NOT`.
fn conditions(filter: &Filter, currency: Currency) -> Vec<VariantCondition> {
    match filter {
        Filter::All(parts) | Filter::Any(parts) => parts.iter().flat_map(|part| conditions(part, currency)).collect(),
        Filter::Variant(part) => vec![VariantCondition::new(part.as_ref().clone(), currency)],
        Filter::Not(_) | Filter::Is(..) => Vec::new(),
    }
}

fn variants(snapshot: &Snapshot, conditions: &[VariantCondition], at: DocAddress) -> Vec<VariantId> {
    let segment = snapshot.segments.searcher.segment_reader(at.segment_ord);
    let matching = conditions.iter().flat_map(|condition| condition.matching(segment, at.doc_id));
    let mut ids: Vec<_> = matching.map(|variant| variant.id).collect();
    ids.sort();
    ids.dedup();
    ids
}

impl Searched<'_> {
    /// Adds what the request asks for beside the cards to a page that was found in another way.
    ///
    /// # Errors
    /// The engine's.
    pub fn finish(&self, hits: &mut [Hit]) -> Result<(), IndexError> {
        if !self.request.highlight && !self.request.explain {
            return Ok(());
        }
        let mut dressing = Dressing::new(self)?;
        for hit in hits {
            if let Some(at) = self.snapshot.address_of(self.request.tenant, hit.card.id)? {
                dressing.put_on(hit, at)?;
            }
        }
        Ok(())
    }
}
