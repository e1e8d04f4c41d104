//! One tenant's part of an index that many share.

use crate::schema::Fields;
use schemas::ids::TenantId;
use tantivy::{
    Term,
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

/// A term as a query without positions.
pub(crate) fn holding(term: &Term) -> Box<dyn Query> {
    Box::new(TermQuery::new(term.clone(), IndexRecordOption::Basic))
}

/// What a query matches among the documents of a tenant, who is given by their term.
pub(crate) fn within(tenant: &Term, query: Box<dyn Query>) -> BooleanQuery {
    BooleanQuery::new(vec![(Occur::Must, query), (Occur::Must, holding(tenant))])
}
