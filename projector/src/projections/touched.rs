//! What has to be composed anew, and why.

use eventlog::Event;
use schemas::{
    Timestamp,
    ids::{CategoryId, ProductId, TenantId},
};
use std::collections::{BTreeMap, BTreeSet};

/// What accompanies a document through the pipeline: the newest event behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// When that event was recorded.
    pub event_time: Timestamp,
    /// The request behind it.
    pub correlation_id: String,
    /// Its trace.
    pub traceparent: Option<String>,
}

impl Origin {
    /// The origin of what an event changes.
    #[must_use]
    pub fn of(event: &Event) -> Self {
        Self {
            event_time: event.envelope.time,
            correlation_id: event.envelope.correlation_id.clone(),
            traceparent: event.envelope.traceparent.clone(),
        }
    }
}

/// What has to be composed anew.
#[derive(Debug, Clone, Default)]
pub struct Touched {
    /// Products, each with the newest event behind the change.
    pub products: BTreeMap<(TenantId, ProductId), Origin>,
    /// Categories, by tenant.
    pub categories: BTreeMap<TenantId, (BTreeSet<CategoryId>, Option<Origin>)>,
}

impl Touched {
    /// Adds a product; the newer origin stays.
    pub fn product(&mut self, tenant: TenantId, product: ProductId, origin: &Origin) {
        let known = self.products.entry((tenant, product)).or_insert_with(|| origin.clone());
        if known.event_time < origin.event_time {
            *known = origin.clone();
        }
    }

    /// Adds a category.
    pub fn category(&mut self, tenant: TenantId, category: CategoryId, origin: Origin) {
        let (ids, newest) = self.categories.entry(tenant).or_default();
        ids.insert(category);
        *newest = Some(origin);
    }
}
