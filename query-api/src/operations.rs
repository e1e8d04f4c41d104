//! Where operations are passed on to.

use axum::http::HeaderMap;

/// Where operations go.
#[derive(Debug, Clone)]
pub struct Operations {
    /// The address of `reindex serve`, such as `http://127.0.0.1:8084`.
    pub url: String,
    /// The header with the administrators' key: `reindex serve` knows no accounts.
    pub key: HeaderMap,
    /// The client.
    pub http: reqwest::Client,
}
