//! souk itself, over HTTP like the others.

use super::{
    engine::{Answer, PAGE},
    http,
    queries::{FACETS, Kind, Query},
};
use crate::BenchError;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU64, Ordering},
};

/// query-api and one of its shops.
#[derive(Debug)]
pub(crate) struct Souk {
    pub(crate) http: reqwest::Client,
    pub(crate) base: String,
    pub(crate) tenant: String,
    /// With the key of whoever asks.
    pub(crate) headers: HeaderMap,
    /// A client of its own for each search, so that no answer comes from the cache.
    pub(crate) asked: AtomicU64,
}

impl Souk {
    pub(crate) async fn search(&self, query: &Query, kind: Kind) -> Result<Answer, BenchError> {
        let mut body = json!({"q": query.text, "limit": PAGE});
        if kind == Kind::Filtered {
            body["filter"] = json!({"field": "brand", "in": [query.brand]});
            body["facets"] = json!(FACETS);
        }
        self.ask(body).await
    }

    pub(crate) async fn count(&self, brand: &str) -> Result<u64, BenchError> {
        Ok(self.ask(json!({"limit": 0, "filter": {"field": "brand", "in": [brand]}})).await?.total)
    }

    async fn ask(&self, mut body: Value) -> Result<Answer, BenchError> {
        body["client"] = format!("bench-{}-{}", std::process::id(), self.asked.fetch_add(1, Ordering::Relaxed)).into();
        let request = self.http.post(format!("{}/v1/search", self.base)).header("x-tenant-slug", &self.tenant);
        let request = request.headers(self.headers.clone());
        let found: Value = http::json("a search", request.json(&body)).await?;
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        let values = |facet: &Value| -> BTreeMap<String, u64> {
            let values = list(&facet["values"]);
            values.iter().map(|value| (text(&value["value"]), value["count"].as_u64().unwrap_or_default())).collect()
        };
        Ok(Answer {
            ids: list(&found["hits"]).iter().map(|hit| text(&hit["id"])).collect(),
            total: found["total"].as_u64().unwrap_or_default(),
            facets: list(&found["facets"]).iter().map(|facet| (text(&facet["field"]), values(facet))).collect(),
        })
    }
}
