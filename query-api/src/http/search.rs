//! `GET` and `POST /v1/search`: one search; `POST /v1/search/multi`: many in one request.

use crate::{
    app::App,
    cache::Key,
    cursor::Cursor,
    freshness::{Hop, Verdict},
    metrics::Outcome,
    problem::Refusal,
    queries::search::{self, Found, Mode},
    request::{ReadContext, mark, took_ms},
    steering::Shown,
};
use ::search::reader::{IndexHandle, Snapshot};
use axum::{
    Json,
    extract::{RawQuery, State, rejection::JsonRejection},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

mod body;
pub mod parameters;
mod steered;

pub use body::{FacetBody, FacetSettings, SearchBody, text};
use steered::Steered;
pub use steered::steer;

/// What one search may take before it is answered with what it has.
const BUDGET: Duration = Duration::from_secs(2);
/// Most searches of one request.
const MOST_SEARCHES: usize = 20;
/// Constant of reciprocal rank fusion (Cormack, Clarke, Buettcher, 2009).
const RANK_CONSTANT: f32 = 60.0;

/// Find products.
///
/// Filters are repeatable and must all hold; each is in the filter language: `filter=brand:Canon,HP`,
/// `filter=price:1000..20000 AND NOT attr.color:red`, `filter=category:laptops OR attr.weight<1.5`,
/// `filter=attr.hdmi:*`, `filter=variant(attr.size:XL AND attr.color:"dark blue")`. Prices are in minor units.
#[utoipa::path(get, path = "/v1/search", tag = "search",
    params(
        ("q" = Option<String>, Query, description = "What the shopper typed, up to 512 characters; everything matches an empty text"),
        ("mode" = Option<String>, Query, description = "lexical (default), semantic or hybrid"),
        ("filter" = Option<Vec<String>>, Query, description = "Conditions, see above"),
        ("facets" = Option<String>, Query, description = "`*` for those that suit the search, or comma separated: brand, category, price, available, product_type, attr.<name>"),
        ("facet_limit" = Option<u32>, Query, description = "Most values of a facet, 1 to 100, default 10"),
        ("sort" = Option<String>, Query, description = "relevance (default), price, -price, title, released, -released, attr.<name>, -attr.<name>"),
        ("currency" = Option<String>, Query, description = "Currency of price filters and sorting, default USD"),
        ("limit" = Option<usize>, Query, description = "Hits on the page, 0 to 100, default 20"),
        ("offset" = Option<usize>, Query, description = "Hits to leave out, up to 10000"),
        ("cursor" = Option<String>, Query, description = "`*` to begin, then the `next` of the page before"),
        ("typing" = Option<bool>, Query, description = "The last word may be the beginning of one"),
        ("understand" = Option<bool>, Query, description = "Whether brands, prices, exclusions and the like are read out of the text, default true"),
        ("highlight" = Option<bool>, Query, description = "Titles and descriptions with the words marked, safe to put into HTML"),
        ("explain" = Option<bool>, Query, description = "Where each hit's score comes from"),
        ("steering" = Option<bool>, Query, description = "Whether staff's rules, synonyms and popularity apply, default true"),
        ("generation" = Option<String>, Query, description = "For staff: another generation that is open, such as one that is not promoted yet"),
        ("ranking.{name}" = Option<f64>, Query, description = "A ranking setting to try"),
    ),
    responses((status = 200, description = "`total`, `hits`, `facets`, `mode`, `generation`, `took_ms`; where they apply `corrections`, `understood`, `relaxed`, `next`, `rules`, `redirect`, `banners`, `degraded`, `partial` (the time was up); with `explain` `index_offsets`, up to where the index has the document topic", body = Object), (status = 400, description = "A parameter is wrong; `errors` says which, and where", body = Object), (status = 503, description = "The index is not loaded, or there is no model for semantic search", body = Object)))]
pub async fn search(
    State(app): State<App>,
    context: ReadContext,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    let body = parameters::read(query.as_deref().unwrap_or_default())?;
    let began = Instant::now();
    let (found, verdict) = one(&app, &context, &body).await?;
    Ok(answer(&found, &verdict, began))
}

/// Find products, asked in JSON.
#[utoipa::path(post, path = "/v1/search", tag = "search", request_body = SearchBody,
    responses((status = 200, description = "As for GET", body = Object), (status = 400, description = "A field is wrong; `errors` says which, and where", body = Object)))]
pub async fn search_json(
    State(app): State<App>,
    context: ReadContext,
    body: Result<Json<SearchBody>, JsonRejection>,
) -> Result<Response, Refusal> {
    let Json(body) = body?;
    let began = Instant::now();
    let (found, verdict) = one(&app, &context, &body).await?;
    Ok(answer(&found, &verdict, began))
}

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
        let (found, verdict) = one(&app, &context, search).await.map_err(|mut refusal| {
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
        let hits = federated(&results, body.limit.unwrap_or(20).min(body::MAX_LIMIT));
        json!({"hits": hits, "totals": results.iter().map(|result| result["total"].clone()).collect::<Vec<_>>()})
    } else {
        json!({"results": results.iter().map(|result| Value::clone(result)).collect::<Vec<_>>()})
    };
    Ok(answer(&answered, &worst, began))
}

/// Runs one search and counts how it went, by the generation that answered.
async fn one(app: &App, context: &ReadContext, body: &SearchBody) -> Result<(Arc<Value>, Verdict), Refusal> {
    let handle = match &body.generation {
        None => app.index.choose(body.client.as_deref().unwrap_or(&body.q)).ok_or_else(Refusal::no_index)?,
        Some(_) if !context.staff => {
            return Err(Refusal::parameter("generation", "only staff choose; send the staff key as a bearer token"));
        }
        Some(name) => app
            .index
            .named(name)
            .ok_or_else(|| Refusal::parameter("generation", format!("no generation `{name}` is open here")))?,
    };
    let began = Instant::now();
    let outcome = one_of(app, context, body, &handle).await;
    let failed = outcome.as_ref().is_err_and(|refusal| refusal.0.status >= 500);
    let empty = outcome.as_ref().is_ok_and(|(found, _)| found["total"] == 0);
    app.index.recorder.count(&handle.manifest().generation, began.elapsed(), failed, empty);
    outcome
}

/// Runs one search in a generation, or takes its answer from the cache.
async fn one_of(
    app: &App,
    context: &ReadContext,
    body: &SearchBody,
    handle: &IndexHandle,
) -> Result<(Arc<Value>, Verdict), Refusal> {
    let mode = body.mode.unwrap_or(Mode::Lexical);
    let mut request = body.request(context.tenant)?;
    let hop = if mode == Mode::Lexical { Hop::Index } else { Hop::Vectors };
    let verdict = context.wait_for(app, hop, Some(handle)).await?;
    let handle = app.index.newest(handle);
    let (generation, mut snapshot) = (handle.manifest().generation.clone(), handle.snapshot());
    let mut moved = false;
    if let Some(cursor) = body.cursor.as_deref().filter(|cursor| *cursor != "*") {
        let cursor: Cursor = cursor.parse().map_err(|reason: String| Refusal::parameter("cursor", reason))?;
        request.offset = cursor.offset;
        match app.cursors.get(&(cursor.generation.clone(), cursor.data_version)).await {
            Some(kept) => snapshot = kept,
            None => moved = cursor.generation != generation || cursor.data_version != snapshot.data_version,
        }
    }
    request.deadline = Some(Instant::now() + BUDGET);
    let Steered { shown, stamp, degraded } = steer(app, context, body, &snapshot, &mut request).await?;
    let data_version = snapshot.data_version;
    // Vectors change without a commit of the index, so that only answers by words can be kept.
    let key = (mode == Mode::Lexical).then(|| Key {
        tenant: context.tenant,
        request: format!("search {} {stamp} {:?}", serde_json::to_string(body).unwrap_or_default(), shown.rules),
        generation: generation.clone(),
        data_version,
    });
    if let Some(key) = &key {
        let kept = app.cache.get(key).await;
        let outcome = if kept.is_some() { "hit" } else { "miss" };
        app.metrics.cache.get_or_create(&Outcome { outcome }).inc();
        if let Some(kept) = kept {
            app.metrics.searched(total(&kept));
            return Ok((kept, verdict));
        }
    }
    if body.facets == [FacetBody::Name("*".to_owned())] {
        let shop = &shown.facet_display;
        let display = if shop.is_empty() { &snapshot.manifest.bundle.facets } else { shop };
        request.facets = search::facets(app, &snapshot, &request, display).await?;
    }
    let end = request.offset + request.limit;
    let found = search::run(app, snapshot.clone(), mode, request).await?;
    let offsets = body.explain.then(|| serde_json::from_str::<Value>(&snapshot.offsets).unwrap_or_default());
    let mut answer = in_json(&found, mode, &generation, data_version, &shown);
    if body.cursor.is_some() && end < found.total && !found.hits.is_empty() {
        answer["next"] = next(app, &generation, snapshot, end).await.into();
    }
    if let Some(offsets) = offsets {
        answer["index_offsets"] = offsets;
    }
    let moved = moved.then(|| "the index of the page before is gone: this page is of the present one".to_owned());
    let lost: Vec<String> = [found.degraded.map(str::to_owned), degraded, moved].into_iter().flatten().collect();
    if !lost.is_empty() {
        answer["degraded"] = lost.join("; ").into();
    }
    app.metrics.searched(total(&answer));
    let answer = Arc::new(answer);
    // What was cut short may be whole the next time.
    if let Some(key) = key.filter(|_| !found.partial) {
        app.cache.put(key, answer.clone()).await;
    }
    Ok((answer, verdict))
}

/// How many hits an answer tells of.
fn total(answer: &Value) -> usize {
    answer["total"].as_u64().and_then(|total| usize::try_from(total).ok()).unwrap_or_default()
}

/// The cursor of the next page; the index stays as it is for those who hold it.
async fn next(app: &App, generation: &str, snapshot: Snapshot, offset: usize) -> String {
    let cursor = Cursor { generation: generation.to_owned(), data_version: snapshot.data_version, offset };
    app.cursors.insert((cursor.generation.clone(), cursor.data_version), snapshot).await;
    cursor.to_string()
}

fn in_json(found: &Found, mode: Mode, generation: &str, data_version: u64, shown: &Shown) -> Value {
    let mut body = json!({
        "total": found.total,
        "hits": found.hits,
        "facets": found.facets,
        "mode": mode,
        "generation": generation,
        "data_version": data_version,
    });
    if let (Value::Object(body), Ok(Value::Object(shown))) = (&mut body, serde_json::to_value(shown)) {
        body.extend(shown);
    }
    if !found.corrections.is_empty() {
        body["corrections"] = json!(found.corrections);
    }
    if !found.understood.is_empty() {
        body["understood"] = json!(found.understood);
    }
    if found.partial {
        body["partial"] = true.into();
    }
    if let Some(relaxed) = found.relaxed {
        body["relaxed"] = json!(relaxed);
    }
    body
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

fn answer(body: &Value, verdict: &Verdict, began: Instant) -> Response {
    let mut body = body.clone();
    body["took_ms"] = took_ms(began).into();
    if let Verdict::Stale(served) = verdict {
        body["consistency"] = json!({"state": "stale", "behind": served});
    }
    mark(Json(body).into_response(), verdict)
}
