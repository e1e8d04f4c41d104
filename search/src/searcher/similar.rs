//! Products like a product.

use super::{SearchError, Searcher, VectorSource};
use crate::{
    lexical,
    query::{Hit, SearchRequest},
    reader::Snapshot,
};
use schemas::ids::{ProductId, TenantId};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// By what similar products were found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = SimilarBy)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// By the vector of the product.
    Vectors,
    /// By the words of its title: it has no vector yet.
    Words,
}

/// Products like a product.
#[derive(Debug, Clone, PartialEq)]
pub struct Similar {
    /// They, the most similar first.
    pub hits: Vec<Hit>,
    /// By what they were found.
    pub by: By,
}

impl Searcher {
    /// Up to `limit` products like a product; none if it is not in the index.
    ///
    /// # Errors
    /// [`SearchError`].
    pub async fn similar(
        &self,
        snapshot: &Snapshot,
        tenant: TenantId,
        id: ProductId,
        limit: usize,
        vectors: &impl VectorSource,
    ) -> Result<Option<Similar>, SearchError> {
        let everything = SearchRequest { understand: false, ..SearchRequest::text(tenant, "", 1) };
        let (of, ask) = (snapshot.clone(), everything.clone());
        let found = self.blocking(move || lexical::by_ids(&of, &ask, &[id])).await?.pop();
        let Some(product) = found else { return Ok(None) };
        let snapshot = snapshot.clone();
        let Some(vector) = vectors.product_vector(tenant, snapshot.model(), id).await? else {
            let like = SearchRequest { text: product.card.title, limit: limit + 1, ..everything };
            let mut hits = self.blocking(move || lexical::search(&snapshot, &like)).await?.hits;
            hits.retain(|hit| hit.card.id != id);
            hits.truncate(limit);
            return Ok(Some(Similar { hits, by: By::Words }));
        };
        // One more, since it is its own best match, and some that are no longer published.
        let near = vectors.nearest(tenant, snapshot.model(), &vector, limit * 2 + 1, None).await?;
        let hits = self.blocking(move || {
            let ids: Vec<ProductId> = near.iter().map(|(id, _)| *id).collect();
            let mut cards: HashMap<ProductId, Hit> =
                lexical::by_ids(&snapshot, &everything, &ids)?.into_iter().map(|hit| (hit.card.id, hit)).collect();
            let others = near.into_iter().filter(|(near, _)| *near != id);
            Ok(others.filter_map(|(id, score)| cards.remove(&id).map(|hit| Hit { score, ..hit })).take(limit).collect())
        });
        Ok(Some(Similar { hits: hits.await?, by: By::Vectors }))
    }
}
