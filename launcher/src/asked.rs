//! A request to write-api or query-api, and its answer as a person is told it.

use crate::{LaunchError, key::KeyArgs};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::Value;
use std::time::Duration;

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// A request to a server, with the key.
///
/// # Errors
/// If the client can't be built.
pub(crate) fn request(key: &KeyArgs, method: Method, server: &str, path: &str) -> Result<RequestBuilder, LaunchError> {
    let client = Client::builder().timeout(PATIENCE).default_headers(key.headers(&[server])).build();
    let client = client.map_err(|error| LaunchError::Other(error.to_string()))?;
    Ok(client.request(method, format!("{server}{path}")))
}

/// Sends a request; gives the JSON of the answer.
///
/// # Errors
/// What the server said, or that it does not answer, as a sentence.
pub(crate) async fn answer(request: RequestBuilder, server: &str) -> Result<Value, LaunchError> {
    let silent = |error: reqwest::Error| LaunchError::Other(format!("{server} does not answer: {error}"));
    let answer = request.send().await.map_err(silent)?;
    let (status, body) = (answer.status(), answer.json::<Value>().await.unwrap_or_default());
    if status.is_success() {
        return Ok(body);
    }
    let errors = body["errors"].as_array().into_iter().flatten().filter_map(|error| error["detail"].as_str());
    let said: Vec<&str> = body["title"].as_str().into_iter().chain(body["detail"].as_str()).chain(errors).collect();
    Err(LaunchError::Other(format!("{status}: {}", said.join(": "))))
}
