//! Meilisearch, by its documented API (meilisearch.com/docs/reference/api: indexes, settings, documents, tasks,
//! search).

use super::{
    engine::{Answer, PAGE},
    http,
    product::Product,
    queries::{FACETS, Kind, Query},
};
use crate::BenchError;
use reqwest::{Method, RequestBuilder};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// Documents in one request.
const CHUNK: usize = 5_000;
/// How long an index may take to be made.
const PATIENCE: Duration = Duration::from_secs(1_800);
/// How often a task is looked at.
const LOOK: Duration = Duration::from_millis(100);

/// A server, and an index that only this uses.
#[derive(Debug)]
pub(crate) struct Meilisearch {
    pub(crate) http: reqwest::Client,
    pub(crate) base: String,
    pub(crate) key: String,
    pub(crate) index: String,
}

#[derive(Deserialize)]
struct Accepted {
    #[serde(rename = "taskUid")]
    task: u64,
}

#[derive(Deserialize)]
struct Task {
    status: String,
    error: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Found {
    hits: Vec<Hit>,
    estimated_total_hits: Option<u64>,
    /// Counted to the end, where the page is asked for by its number.
    total_hits: Option<u64>,
    #[serde(default)]
    facet_distribution: BTreeMap<String, BTreeMap<String, u64>>,
}

#[derive(Deserialize)]
struct Hit {
    id: String,
}

impl Meilisearch {
    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}/{path}", self.base)).bearer_auth(&self.key)
    }

    pub(crate) async fn load(&self, products: &[Product]) -> Result<(), BenchError> {
        let made = self.request(Method::POST, "indexes").json(&json!({"uid": self.index, "primaryKey": "id"}));
        self.done("making an index", made).await?;
        let settings = json!({
            "searchableAttributes": ["title", "brand", "part_number", "product_type", "description"],
            "filterableAttributes": FACETS,
        });
        let set = self.request(Method::PATCH, &format!("indexes/{}/settings", self.index)).json(&settings);
        self.done("settings", set).await?;
        for chunk in products.chunks(CHUNK) {
            let added = self.request(Method::POST, &format!("indexes/{}/documents", self.index)).json(&chunk);
            self.done("an import", added).await?;
        }
        Ok(())
    }

    /// Sends a change and waits until its task has ended.
    async fn done(&self, what: &'static str, request: RequestBuilder) -> Result<(), BenchError> {
        let Accepted { task } = http::json(what, request).await?;
        let began = Instant::now();
        loop {
            let state: Task = http::json(what, self.request(Method::GET, &format!("tasks/{task}"))).await?;
            let reason = match state.status.as_str() {
                "succeeded" => return Ok(()),
                "failed" | "canceled" => state.error.map_or(state.status, |error| error.to_string()),
                _ if began.elapsed() > PATIENCE => format!("task {task} is still {}", state.status),
                _ => {
                    tokio::time::sleep(LOOK).await;
                    continue;
                }
            };
            return Err(BenchError::Service { what, url: self.base.clone(), reason });
        }
    }

    pub(crate) async fn search(&self, query: &Query, kind: Kind) -> Result<Answer, BenchError> {
        let mut body = json!({"q": query.text, "limit": PAGE, "attributesToRetrieve": ["id"]});
        if kind == Kind::Filtered {
            body["filter"] = has_brand(&query.brand).into();
            body["facets"] = json!(FACETS);
        }
        self.ask(&body).await
    }

    pub(crate) async fn count(&self, brand: &str) -> Result<u64, BenchError> {
        // Only with pages by number it counts to the end.
        Ok(self.ask(&json!({"q": "", "filter": has_brand(brand), "hitsPerPage": 1, "page": 1})).await?.total)
    }

    async fn ask(&self, body: &Value) -> Result<Answer, BenchError> {
        let request = self.request(Method::POST, &format!("indexes/{}/search", self.index));
        let found: Found = http::json("a search", request.json(body)).await?;
        Ok(Answer {
            ids: found.hits.into_iter().map(|hit| hit.id).collect(),
            total: found.total_hits.or(found.estimated_total_hits).unwrap_or_default(),
            facets: found.facet_distribution,
        })
    }

    pub(crate) async fn remove(&self) -> Result<(), BenchError> {
        self.done("removing an index", self.request(Method::DELETE, &format!("indexes/{}", self.index))).await
    }
}

fn has_brand(brand: &str) -> String {
    format!("brand = \"{}\"", brand.replace('\\', "\\\\").replace('"', "\\\""))
}
