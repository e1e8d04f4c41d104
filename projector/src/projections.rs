//! The projections: each turns events into rows of one read model, inside one transaction.
//!
//! The order matters: sources first (they decide by version what is new at all), then what is composed
//! from them. To add a read model, add its file here and call it in [`project`].

pub mod categories;
pub mod insights;
pub mod merchandising;
pub mod products;
pub mod sources;
pub mod tenants;

use eventlog::Event;
use schemas::{
    Timestamp,
    ids::{CategoryId, ProductId, TenantId},
};
use sqlx::PgConnection;
use std::collections::{BTreeMap, BTreeSet};

/// What accompanies a document down the road: the newest event behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// When that event was recorded.
    pub event_time: Timestamp,
    /// The request behind it.
    pub correlation_id: String,
    /// Its trace.
    pub traceparent: Option<String>,
}

/// What has to be composed anew.
#[derive(Debug, Clone, Default)]
pub struct Touched {
    /// Products, each with the newest event behind the change.
    pub products: BTreeMap<(TenantId, ProductId), Origin>,
    /// Categories, by tenant.
    pub categories: BTreeMap<TenantId, (BTreeSet<CategoryId>, Option<Origin>)>,
    /// Reports of shoppers that have not been added yet, by their places in the batch.
    pub reports: Vec<usize>,
}

impl Touched {
    /// Adds a product; the newer origin stays.
    pub fn product(&mut self, tenant: TenantId, product: ProductId, origin: &Origin) {
        let known = self.products.entry((tenant, product)).or_insert_with(|| origin.clone());
        if known.event_time < origin.event_time {
            *known = origin.clone();
        }
    }
}

/// An event that can't be applied, by its place in the batch, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Index into the events.
    pub index: usize,
    /// A sentence.
    pub reason: String,
}

/// Applies events in order and composes what they touch; gives those that can't be applied, with which
/// the later events of the same key are left out too.
///
/// # Errors
/// The database's; then nothing of this may be kept.
pub async fn project(
    connection: &mut PgConnection,
    events: &[Event],
    now: Timestamp,
) -> Result<Vec<Refused>, sqlx::Error> {
    let (mut touched, refused) = sources::apply(connection, events).await?;
    tenants::project(connection, events).await?;
    merchandising::project(connection, events).await?;
    insights::project(connection, touched.reports.iter().map(|index| &events[*index])).await?;
    categories::project(connection, &mut touched).await?;
    products::project(connection, &touched.products, now).await?;
    Ok(refused)
}
