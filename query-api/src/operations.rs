//! Where operations are passed on to, and who may ask for them.

use axum::http::{HeaderMap, header};
use sha2::{Digest, Sha256};

/// Where operations go, and who may ask for them.
#[derive(Debug, Clone)]
pub struct Operations {
    /// The staff key.
    pub key: Option<String>,
    /// The address of `reindex serve`, such as `http://127.0.0.1:8084`.
    pub url: String,
    /// The client.
    pub http: reqwest::Client,
}

impl Operations {
    /// Whether the headers carry the staff key. The hashes are compared, so that the time tells nothing of the key.
    #[must_use]
    pub fn is_staff(&self, headers: &HeaderMap) -> bool {
        let sent = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let sent = sent.and_then(|text| text.strip_prefix("Bearer "));
        match (sent, &self.key) {
            (Some(sent), Some(key)) => Sha256::digest(sent.trim()) == Sha256::digest(key),
            _ => false,
        }
    }
}
