//! A request to write-api or query-api, and its answer as a person is told it.

use crate::LaunchError;
use reqwest::RequestBuilder;
use serde_json::Value;

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
