//! `POST /v1/search/multi`: many searches in one request.

use super::{
    SearchBody,
    answer::Circumstances,
    body::MAX_LIMIT,
    page::{SearchPage, Shared},
    run::run,
};
use crate::{
    app::App,
    freshness::Verdict,
    problem::Refusal,
    request::{JsonBody, ReadContext, ReadHeaders, ReadParameters, mark},
};
use ::search::query::Hit;
use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use std::time::Instant;

/// Most searches of one request.
const MOST_SEARCHES: usize = 20;
/// Constant of reciprocal rank fusion (Cormack, Clarke, Buettcher, 2009).
const RANK_CONSTANT: f32 = 60.0;

/// Many searches.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MultiBody {
    /// The searches, at most 20.
    searches: Vec<SearchBody>,
    /// Whether their hits are merged into one list, by reciprocal rank.
    #[serde(default)]
    federated: bool,
    /// Hits of the merged list, default 20.
    #[serde(default)]
    limit: Option<usize>,
}

/// Search many times in one request, with an answer for each, or one merged list.
#[utoipa::path(post, path = "/v1/search/multi", tag = "search", params(ReadHeaders, ReadParameters), request_body = MultiBody,
    responses((status = 200, description = "An answer for each search, or with `federated` one list of their hits", body = MultiResult), (status = 400, description = "A field is wrong; `errors` says which, of which search")))]
pub async fn multi(
    State(app): State<App>,
    context: ReadContext,
    JsonBody(body): JsonBody<MultiBody>,
) -> Result<Response, Refusal> {
    if body.searches.is_empty() || body.searches.len() > MOST_SEARCHES {
        return Err(Refusal::parameter("searches", format!("1 to {MOST_SEARCHES} searches are expected")));
    }
    let began = Instant::now();
    let (mut results, mut worst) = (Vec::new(), Verdict::Fresh);
    for (index, search) in body.searches.iter().enumerate() {
        let (found, verdict) = run(&app, &context, search).await.map_err(|mut refusal| {
            for error in &mut refusal.0.errors {
                error.pointer = format!("searches/{index}/{}", error.pointer);
            }
            refusal
        })?;
        results.push(found);
        if verdict != Verdict::Fresh {
            worst = verdict;
        }
    }
    let circumstances = Circumstances::new(&worst, began);
    let result = if body.federated {
        let hits = federated(&results, body.limit.unwrap_or(20).min(MAX_LIMIT));
        let totals = results.iter().map(|result| result.0.total).collect();
        MultiResult::Merged(MergedResult { hits, totals, circumstances })
    } else {
        MultiResult::Each(EachResult { results, circumstances })
    };
    Ok(mark(Json(result).into_response(), &worst))
}

/// The answer of many searches.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(examples(json!(MultiResult::example())))]
#[serde(untagged)]
pub enum MultiResult {
    /// With `federated`.
    Merged(MergedResult),
    /// Otherwise.
    Each(EachResult),
}

/// The hits of many searches in one list.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct MergedResult {
    /// The hits, best first.
    hits: Vec<FederatedHit>,
    /// How many products match each search.
    totals: Vec<usize>,
    #[serde(flatten)]
    circumstances: Circumstances,
}

/// An answer for each of many searches.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct EachResult {
    /// The answers in the order of the searches.
    #[schema(value_type = Vec<SearchPage>)]
    results: Vec<Shared>,
    #[serde(flatten)]
    circumstances: Circumstances,
}

/// A hit of a merged list.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct FederatedHit {
    /// The hit; its score is the sum of its reciprocal ranks.
    #[serde(flatten)]
    hit: Hit,
    /// The search that found it, counted from 0; the first of several.
    search: usize,
}

impl MultiResult {
    fn example() -> Self {
        let results = vec![Shared(SearchPage::example().into())];
        Self::Each(EachResult { results, circumstances: Circumstances::example() })
    }
}

/// Merges lists of hits by reciprocal rank; a product in several counts for all of them.
fn federated(results: &[Shared], limit: usize) -> Vec<FederatedHit> {
    let mut merged: Vec<FederatedHit> = Vec::new();
    for (search, result) in results.iter().enumerate() {
        for (rank, hit) in (1_u16..).zip(&result.0.hits) {
            let score = 1.0 / (RANK_CONSTANT + f32::from(rank));
            match merged.iter_mut().find(|known| known.hit.card.id == hit.card.id) {
                Some(known) => known.hit.score += score,
                None => merged.push(FederatedHit { hit: Hit { score, ..hit.clone() }, search }),
            }
        }
    }
    merged.sort_by(|a, b| b.hit.score.total_cmp(&a.hit.score));
    merged.truncate(limit);
    merged
}
