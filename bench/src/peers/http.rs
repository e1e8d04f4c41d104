//! Requests to an engine over HTTP: tried again while it says that it is busy, refused with what it says.

use crate::BenchError;
use reqwest::{RequestBuilder, Response, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::time::Duration;

/// How often a busy engine is asked again.
const TRIES: u32 = 6;
/// How long it is left alone the first time; twice as long each time after.
const PAUSE: Duration = Duration::from_millis(100);

/// Sends a request; 503 is an engine that is starting, loading or lagging behind, and is asked again.
pub(crate) async fn send(what: &'static str, request: RequestBuilder) -> Result<Response, BenchError> {
    let mut pause = PAUSE;
    for _ in 1..TRIES {
        let Some(again) = request.try_clone() else { break };
        let response = answered(what, again).await?;
        if response.status() != StatusCode::SERVICE_UNAVAILABLE {
            return accepted(what, response).await;
        }
        tokio::time::sleep(pause).await;
        pause *= 2;
    }
    let response = answered(what, request).await?;
    accepted(what, response).await
}

/// The same, and reads the JSON that comes back.
pub(crate) async fn json<T: DeserializeOwned>(what: &'static str, request: RequestBuilder) -> Result<T, BenchError> {
    let response = send(what, request).await?;
    let url = response.url().to_string();
    response.json().await.map_err(|error| BenchError::Service { what, url, reason: error.to_string() })
}

async fn answered(what: &'static str, request: RequestBuilder) -> Result<Response, BenchError> {
    request.send().await.map_err(|error| BenchError::Service {
        what,
        url: error.url().map(ToString::to_string).unwrap_or_default(),
        reason: format!("{error}. Is it running?"),
    })
}

async fn accepted(what: &'static str, response: Response) -> Result<Response, BenchError> {
    if response.status().is_success() {
        return Ok(response);
    }
    let (url, status) = (response.url().to_string(), response.status());
    let told = response.text().await.unwrap_or_default();
    // Typesense and Meilisearch say why in `message`, souk in `detail`.
    let body: Value = serde_json::from_str(&told).unwrap_or_default();
    let reason = body["message"].as_str().or_else(|| body["detail"].as_str()).unwrap_or(&told).to_owned();
    Err(BenchError::Service { what, url, reason: format!("{status}: {reason}") })
}
