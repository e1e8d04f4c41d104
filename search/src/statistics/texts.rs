//! The figures BM25 is made of, of one tenant alone: what others sell must not change how its products rank.

use super::{IndexError, documents, remembered};
use crate::{
    segments::Segments,
    tenant::{holding, within},
};
use schemas::ids::TenantId;
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};
use tantivy::{Searcher, Term, collector::Count, schema::Field};

/// Terms whose counts are remembered.
const TERMS: usize = 50_000;

/// Whether no segment knows another tenant.
fn alone(segments: &Segments, tenant: &Term) -> Result<bool, IndexError> {
    for segment in segments.searcher.segment_readers() {
        let tenants = segment.inverted_index(tenant.field())?;
        let own = usize::from(tenants.get_term_info(tenant)?.is_some());
        if tenants.terms().num_terms() > own {
            return Ok(false);
        }
    }
    Ok(true)
}

/// How many products a tenant has, how long their texts are, and how many hold a term.
#[derive(Debug)]
pub struct TextStatistics {
    tenant: Term,
    documents: u64,
    /// Whether the index holds this tenant alone: then its own counts are the tenant's.
    alone: bool,
    averages: HashMap<Field, f32>,
    holding: Mutex<HashMap<Term, u64>>,
}

impl TextStatistics {
    /// Counts a tenant's products and the lengths of their texts.
    pub(super) fn collect(segments: &Segments, tenant: TenantId) -> Result<Self, IndexError> {
        let tenant = segments.fields.tenant_term(tenant);
        let mut averages = HashMap::new();
        let (mut own, mut all) = (0_u64, 0_u64);
        for field in [segments.fields.text, segments.fields.code] {
            // Lengths are kept in steps; the exact sum over all tenants sets the scale.
            let (mut own_tokens, mut all_tokens, mut exact) = (0_u64, 0_u64, 0_u64);
            (own, all) = (0, 0);
            for segment in segments.searcher.segment_readers() {
                let lengths = segment.get_fieldnorms_reader(field)?;
                exact += segment.inverted_index(field)?.total_num_tokens();
                all += u64::from(segment.max_doc());
                all_tokens += (0..segment.max_doc()).map(|doc| u64::from(lengths.fieldnorm(doc))).sum::<u64>();
                documents(segment, &tenant, |doc| {
                    own += 1;
                    own_tokens += u64::from(lengths.fieldnorm(doc));
                })?;
            }
            #[expect(clippy::cast_precision_loss, reason = "an average")]
            let average = own_tokens as f64 / own.max(1) as f64 * (exact as f64 / all_tokens.max(1) as f64);
            #[expect(clippy::cast_possible_truncation, reason = "an average")]
            averages.insert(field, (average as f32).max(1.0));
        }
        let alone = alone(segments, &tenant)?;
        // What was replaced counts among the documents where it counts among those that hold a term.
        let documents = if alone { all } else { own };
        Ok(Self { tenant, documents, alone, averages, holding: Mutex::default() })
    }

    /// Counts what others have counted, as far as it is remembered: whoever asks for it next does not wait.
    pub(super) fn prefetch(&self, searcher: &Searcher, others: &Self) -> tantivy::Result<()> {
        remembered(&others.holding).iter().try_for_each(|term| self.holding(searcher, term).map(|_| ()))
    }

    /// The term of the tenant's documents.
    #[must_use]
    pub const fn tenant(&self) -> &Term {
        &self.tenant
    }

    /// How many products there are.
    #[must_use]
    pub const fn documents(&self) -> u64 {
        self.documents
    }

    /// The mean length of a field, in terms.
    #[must_use]
    pub fn average(&self, field: Field) -> f32 {
        self.averages.get(&field).copied().unwrap_or(1.0)
    }

    /// How many of the tenant's products hold a term.
    ///
    /// # Errors
    /// The engine's.
    pub fn holding(&self, searcher: &Searcher, term: &Term) -> tantivy::Result<u64> {
        let everywhere = searcher.doc_freq(term)?;
        if self.alone || everywhere == 0 {
            return Ok(everywhere);
        }
        if let Some(known) = self.holding.lock().unwrap_or_else(PoisonError::into_inner).get(term) {
            return Ok(*known);
        }
        let count = searcher.search(&within(&self.tenant, holding(term)), &Count)? as u64;
        let mut holding = self.holding.lock().unwrap_or_else(PoisonError::into_inner);
        if holding.len() >= TERMS {
            holding.clear();
        }
        holding.insert(term.clone(), count);
        Ok(count)
    }
}
