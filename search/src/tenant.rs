//! One tenant's part of an index that many share.

use crate::{IndexError, schema::Fields, segments::Segments};
use schemas::{Uuid, ids::TenantId};
use std::collections::HashMap;
use tantivy::{
    Term,
    collector::Count,
    query::{BooleanQuery, Occur, Query, TermQuery},
    schema::IndexRecordOption,
};

impl Fields {
    /// The term that the live documents of a tenant have, and no others.
    #[must_use]
    pub fn tenant_term(&self, tenant: TenantId) -> Term {
        Term::from_field_text(self.tenant, &tenant.to_string())
    }
}

impl Segments {
    /// The tenants that have documents here, with how many; those that were replaced and not merged away count, too.
    ///
    /// # Errors
    /// The engine's.
    pub(crate) fn tenants(&self) -> Result<Vec<(u64, TenantId)>, IndexError> {
        let mut counts: HashMap<TenantId, u64> = HashMap::new();
        for segment in self.searcher.segment_readers() {
            let inverted = segment.inverted_index(self.fields.tenant)?;
            let mut terms = inverted.terms().stream()?;
            while let Some((term, info)) = terms.next() {
                let tenant = std::str::from_utf8(term).ok().and_then(|text| text.parse::<Uuid>().ok());
                let Some(tenant) = tenant else { continue };
                *counts.entry(TenantId(tenant)).or_default() += u64::from(info.doc_freq);
            }
        }
        Ok(counts.into_iter().map(|(tenant, count)| (count, tenant)).collect())
    }

    /// How many live documents a tenant has.
    ///
    /// # Errors
    /// The engine's.
    pub(crate) fn documents_of(&self, tenant: TenantId) -> Result<u64, IndexError> {
        let own = self.searcher.search(&holding(&self.fields.tenant_term(tenant)), &Count)?;
        Ok(own as u64)
    }
}

/// A term as a query without positions.
pub(crate) fn holding(term: &Term) -> Box<dyn Query> {
    Box::new(TermQuery::new(term.clone(), IndexRecordOption::Basic))
}

/// What a query matches among the documents of a tenant, who is given by their term.
pub(crate) fn within(tenant: &Term, query: Box<dyn Query>) -> BooleanQuery {
    BooleanQuery::new(vec![(Occur::Must, query), (Occur::Must, holding(tenant))])
}
