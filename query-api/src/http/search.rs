//! `GET /v1/search`.

use super::{
    Refusal,
    context::{ReadContext, mark},
};
use crate::{
    App,
    cache::Key,
    freshness::{Hop, Verdict},
    metrics::Outcome,
    queries::search::{self, Mode},
};
use axum::{
    Json,
    extract::{RawQuery, State},
    response::{IntoResponse, Response},
};
use serde_json::json;
use std::{sync::Arc, time::Instant};

mod filter;
mod parameters;

use parameters::Asked;

/// Find products.
///
/// Filters are repeatable and must all hold: `filter=brand:Canon,HP`, `filter=price:1000..20000` (minor
/// units), `filter=available:true`, `filter=category:laptops` (with everything below),
/// `filter=attr.color:red` or `filter=attr.weight:1..2`. A value in double quotes may hold commas.
#[utoipa::path(get, path = "/v1/search", tag = "search",
    params(
        ("q" = Option<String>, Query, description = "What the shopper typed, up to 512 characters; everything matches an empty text"),
        ("mode" = Option<String>, Query, description = "lexical (default), semantic or hybrid"),
        ("filter" = Option<Vec<String>>, Query, description = "Conditions, see above"),
        ("facets" = Option<String>, Query, description = "Comma separated: brand, category, available, attr.<name>"),
        ("facet_limit" = Option<u32>, Query, description = "Most values of a facet, 1 to 100, default 10"),
        ("sort" = Option<String>, Query, description = "relevance (default), price, -price, title, released, -released"),
        ("currency" = Option<String>, Query, description = "Currency of price filters and sorting, default USD"),
        ("limit" = Option<usize>, Query, description = "Hits on the page, 0 to 100, default 20"),
        ("offset" = Option<usize>, Query, description = "Hits to leave out, up to 10000"),
    ),
    responses((status = 200, description = "`total`, `hits`, `facets`, `mode`, `generation`, `took_ms`; `corrections` where words that no product holds were read as others", body = Object), (status = 400, description = "A parameter is wrong; `errors` says which, and where", body = Object), (status = 503, description = "The index is not loaded, or there is no model for semantic search", body = Object)))]
pub async fn search(
    State(app): State<App>,
    context: ReadContext,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    let began = Instant::now();
    let Asked { mode, request } = parameters::read(context.tenant, query.as_deref().unwrap_or_default())?;
    let hop = if mode == Mode::Lexical { Hop::Index } else { Hop::Vectors };
    let verdict = context.wait(&app, hop).await?;
    let handle = app.index.get().ok_or_else(Refusal::no_index)?;
    let (generation, snapshot) = (handle.manifest().generation.clone(), handle.snapshot());
    let data_version = snapshot.data_version;
    // Vectors change without a commit of the index, so that only answers by words can be kept.
    let key = (mode == Mode::Lexical).then(|| Key {
        tenant: context.tenant,
        request: format!("search {request:?}"),
        generation: generation.clone(),
        data_version,
    });
    if let Some(key) = &key {
        let kept = app.cache.get(key).await;
        let outcome = if kept.is_some() { "hit" } else { "miss" };
        app.metrics.cache.get_or_create(&Outcome { outcome }).inc();
        if let Some(kept) = kept {
            return Ok(answer(&kept, &verdict, began));
        }
    }
    let found = search::run(&app, snapshot, mode, request).await?;
    let mut body = json!({
        "total": found.total,
        "hits": found.hits,
        "facets": found.facets,
        "mode": mode,
        "generation": generation,
        "data_version": data_version,
    });
    if !found.corrections.is_empty() {
        body["corrections"] = json!(found.corrections);
    }
    if let Some(degraded) = found.degraded {
        body["degraded"] = degraded.into();
    }
    let body = Arc::new(body);
    if let Some(key) = key {
        app.cache.put(key, body.clone()).await;
    }
    Ok(answer(&body, &verdict, began))
}

fn answer(body: &serde_json::Value, verdict: &Verdict, began: Instant) -> Response {
    let mut body = body.clone();
    #[expect(clippy::cast_precision_loss, reason = "milliseconds for people")]
    let took_ms = began.elapsed().as_micros() as f64 / 1e3;
    body["took_ms"] = took_ms.into();
    if let Verdict::Stale(served) = verdict {
        body["consistency"] = json!({"state": "stale", "behind": served});
    }
    mark(Json(body).into_response(), verdict)
}
