//! `POST /v1/search/multi`: many searches in one request.

use super::{SearchBody, answer::answer, body::MAX_LIMIT, run::run};
use crate::{app::App, freshness::Verdict, problem::Refusal, request::ReadContext};
use axum::{
    Json,
    extract::{State, rejection::JsonRejection},
    response::Response,
};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{sync::Arc, time::Instant};

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
#[utoipa::path(post, path = "/v1/search/multi", tag = "search", request_body = MultiBody,
    responses((status = 200, description = "`results`, each as of one search; federated: `hits`, each with the number of the `search` it comes from", body = Object), (status = 400, description = "A field is wrong", body = Object)))]
pub async fn multi(
    State(app): State<App>,
    context: ReadContext,
    body: Result<Json<MultiBody>, JsonRejection>,
) -> Result<Response, Refusal> {
    let Json(body) = body?;
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
    let answered = if body.federated {
        let hits = federated(&results, body.limit.unwrap_or(20).min(MAX_LIMIT));
        json!({"hits": hits, "totals": results.iter().map(|result| result["total"].clone()).collect::<Vec<_>>()})
    } else {
        json!({"results": results.iter().map(|result| Value::clone(result)).collect::<Vec<_>>()})
    };
    Ok(answer(&answered, &worst, began))
}

/// Merges lists of hits by reciprocal rank; a product in several counts for all of them.
fn federated(results: &[Arc<Value>], limit: usize) -> Vec<Value> {
    let mut merged: Vec<(f32, Value)> = Vec::new();
    for (search, result) in results.iter().enumerate() {
        for (rank, hit) in (1_u16..).zip(result["hits"].as_array().into_iter().flatten()) {
            let score = 1.0 / (RANK_CONSTANT + f32::from(rank));
            match merged.iter_mut().find(|(_, known)| known["id"] == hit["id"]) {
                Some((sum, _)) => *sum += score,
                None => {
                    let mut hit = hit.clone();
                    hit["search"] = search.into();
                    merged.push((score, hit));
                }
            }
        }
    }
    merged.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    merged.into_iter().take(limit).map(|(score, hit)| with_score(hit, score)).collect()
}

fn with_score(mut hit: Value, score: f32) -> Value {
    hit["score"] = score.into();
    hit
}
