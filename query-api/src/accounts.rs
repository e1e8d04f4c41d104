//! write-api, as query-api reaches it: what people with accounts want is passed on, and which keys were used is told.

use access::guard::Used;
use axum::http::HeaderMap;
use reqwest::{Client, Url, redirect::Policy};
use serde_json::{Value, json};
use std::time::Duration;

/// write-api, as this process reaches it.
#[derive(Debug, Clone)]
pub struct WriteApi {
    /// Its address, such as `http://127.0.0.1:8080`.
    pub url: Url,
    /// The client.
    pub http: Client,
}

/// How often write-api is told which keys were used.
const EVERY: Duration = Duration::from_secs(30);

/// Tells write-api which keys were used here, for as long as this process runs: query-api writes nothing itself.
pub async fn tell_used(write_api: WriteApi, key: HeaderMap, used: Used) {
    let mut url = write_api.url.clone();
    url.set_path(&format!("{}/v1/keys/used", write_api.url.path().trim_end_matches('/')));
    loop {
        tokio::time::sleep(EVERY).await;
        let keys: Vec<Value> =
            used.take().into_iter().map(|(tenant, key)| json!({"tenant_id": tenant.uuid(), "key_id": key})).collect();
        if keys.is_empty() {
            continue;
        }
        let request = write_api.http.post(url.clone()).timeout(EVERY).headers(key.clone());
        let told = request.json(&json!({"keys": keys})).send().await.and_then(reqwest::Response::error_for_status);
        if let Err(error) = told {
            tracing::warn!(%error, "write-api could not be told which keys were used");
        }
    }
}

impl WriteApi {
    /// At an address.
    #[must_use]
    pub fn at(url: Url) -> Self {
        // The shop's host goes on as it came. Over HTTP/2 the address would name another one beside it.
        let client = Client::builder().http1_only().no_proxy().redirect(Policy::none());
        let http = client.build().unwrap_or_else(|error| {
            tracing::error!(%error, "a client can't be made with its settings; that without any is taken");
            Client::new()
        });
        Self { url, http }
    }
}
