//! The answer of a search.

use crate::{
    freshness::Verdict,
    request::{mark, took_ms},
    steering::Shown,
};
use ::search::searcher::{Mode, SearchAnswer};
use axum::{
    Json,
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use std::time::Instant;

/// What was found, as it is answered.
pub fn in_json(found: &SearchAnswer, mode: Mode, generation: &str, data_version: u64, shown: &Shown) -> Value {
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

/// An answer with how long it took and how fresh it is.
pub fn answer(body: &Value, verdict: &Verdict, began: Instant) -> Response {
    let mut body = body.clone();
    body["took_ms"] = took_ms(began).into();
    if let Verdict::Stale(served) = verdict {
        body["consistency"] = json!({"state": "stale", "behind": served});
    }
    mark(Json(body).into_response(), verdict)
}
