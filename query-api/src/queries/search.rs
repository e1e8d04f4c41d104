//! A search in one of the three modes, over one snapshot of the index.

use crate::App;
use schemas::ids::ProductId;
use search::{
    IndexError,
    embed::EmbedError,
    fuse, lexical,
    query::{Correction, FacetCounts, Filter, Hit, SearchRequest, Sort},
    reader::Snapshot,
    vector,
};
use std::{collections::HashMap, sync::Arc};

/// How hits are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// By words.
    Lexical,
    /// By vectors.
    Semantic,
    /// By both, fused.
    Hybrid,
}

/// What was found.
#[derive(Debug)]
pub struct Found {
    /// How many products match.
    pub total: usize,
    /// The page.
    pub hits: Vec<Hit>,
    /// The facets asked for.
    pub facets: Vec<FacetCounts>,
    /// Words that were read as others.
    pub corrections: Vec<Correction>,
    /// What could not be done as asked.
    pub degraded: Option<&'static str>,
}

/// A search can't be answered.
#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    /// The index.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// The vectors.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// The model.
    #[error(transparent)]
    Model(#[from] EmbedError),
    /// There is no model, and the mode needs one.
    #[error("semantic search is not available: no embedding model is configured or it is still being loaded")]
    NoModel,
    /// A search panicked or was cancelled.
    #[error("the search was broken off: {0}")]
    Broken(String),
}

/// Runs a search.
///
/// # Errors
/// [`SearchError`].
pub async fn run(app: &App, snapshot: Snapshot, mode: Mode, request: SearchRequest) -> Result<Found, SearchError> {
    // Without words there is nothing to embed, and another order needs no scores.
    let effective =
        if request.text.trim().is_empty() || request.sort != Sort::Relevance { Mode::Lexical } else { mode };
    if effective == Mode::Lexical {
        return words(app, snapshot, request, None).await;
    }
    let Some(query) = app.vectors.of(request.text.trim()).await? else {
        return match mode {
            Mode::Hybrid => {
                words(app, snapshot, request, Some("vectors are not available: found by words alone")).await
            }
            _ => Err(SearchError::NoModel),
        };
    };
    let (wanted, model) = (snapshot.ranking.candidates, search::embed::MODEL_ID);
    let near = vector::nearest(&app.pool, request.tenant, model, &query, wanted).await?;
    blocking(app, move || fused(&snapshot, effective, &request, &near)).await
}

async fn words(
    app: &App,
    snapshot: Snapshot,
    request: SearchRequest,
    degraded: Option<&'static str>,
) -> Result<Found, SearchError> {
    let answer = blocking(app, move || lexical::search(&snapshot, &request)).await?;
    Ok(Found {
        total: answer.total,
        hits: answer.hits,
        facets: answer.facets,
        corrections: answer.corrections,
        degraded,
    })
}

/// Candidates of both sides that pass the filters, fused, and the page of them that was asked for.
fn fused(
    snapshot: &Snapshot,
    mode: Mode,
    request: &SearchRequest,
    near: &[(ProductId, f32)],
) -> Result<Found, IndexError> {
    let ids: Vec<ProductId> = near.iter().map(|(id, _)| *id).collect();
    let mut cards: HashMap<ProductId, Hit> =
        lexical::by_ids(snapshot, request, &ids)?.into_iter().map(|hit| (hit.card.id, hit)).collect();
    let near: Vec<(ProductId, f32)> = near.iter().filter(|(id, _)| cards.contains_key(id)).copied().collect();
    let (ranked, total, corrections) = if mode == Mode::Semantic {
        let total = near.len();
        (near, total, Vec::new())
    } else {
        let plain = SearchRequest {
            offset: 0,
            limit: snapshot.ranking.candidates.min(search::query::MAX_LIMIT),
            facets: vec![],
            ..request.clone()
        };
        let found = lexical::search(snapshot, &plain)?;
        let words: Vec<(ProductId, f32)> = found.hits.iter().map(|hit| (hit.card.id, hit.score)).collect();
        cards.extend(found.hits.into_iter().map(|hit| (hit.card.id, hit)));
        let ranked = fuse::convex(&words, &near, snapshot.ranking.lexical_share);
        // Everything the words match, and what only the vectors found.
        let total = found.total.max(ranked.len());
        (ranked, total, found.corrections)
    };
    let facets = if request.facets.is_empty() {
        Vec::new()
    } else {
        let mut filters = request.filters.clone();
        filters.push(Filter::Ids(ranked.iter().map(|(id, _)| *id).collect()));
        lexical::facets_of(snapshot, &SearchRequest { text: String::new(), filters, ..request.clone() })?
    };
    let page = ranked.into_iter().skip(request.offset).take(request.limit);
    let hits = page.filter_map(|(id, score)| cards.remove(&id).map(|hit| Hit { score, ..hit })).collect();
    Ok(Found { total, hits, facets, corrections, degraded: None })
}

/// Runs index work on a thread of its own, a bounded number at a time.
async fn blocking<T: Send + 'static>(
    app: &App,
    work: impl FnOnce() -> Result<T, IndexError> + Send + 'static,
) -> Result<T, SearchError> {
    let permit = Arc::clone(&app.search_permits)
        .acquire_owned()
        .await
        .map_err(|error| SearchError::Broken(error.to_string()))?;
    let span = tracing::Span::current();
    let run = move || {
        let _permit = permit;
        span.in_scope(work)
    };
    Ok(tokio::task::spawn_blocking(run).await.map_err(|error| SearchError::Broken(error.to_string()))??)
}
