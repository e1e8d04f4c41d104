//! The `Idempotency-Key` header.

use super::problem::ApiError;
use crate::pipeline::idempotency::Key;
use axum::http::request::Parts;
use sha2::{Digest, Sha256};

const HEADER: &str = "idempotency-key";
/// Response header: the command was carried out before.
pub(crate) const REPLAYED: &str = "idempotency-replayed";

/// The key of a request, if it has one: up to 200 visible ASCII characters.
pub(crate) fn key_of(parts: &Parts) -> Result<Option<String>, ApiError> {
    let Some(value) = parts.headers.get(HEADER) else { return Ok(None) };
    let key = value.to_str().unwrap_or_default();
    if key.is_empty() || key.len() > 200 || !key.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(ApiError::unreadable("Idempotency-Key", "1 to 200 visible ASCII characters are allowed"));
    }
    Ok(Some(key.to_owned()))
}

/// The key with what identifies the request: method, path, expected version and body.
pub(crate) fn guard(key: String, parts: &Parts, body: &[u8]) -> Key {
    let mut hasher = Sha256::new();
    let version = parts.headers.get(axum::http::header::IF_MATCH).map_or(&b""[..], |value| value.as_bytes());
    for part in [parts.method.as_str().as_bytes(), parts.uri.path().as_bytes(), version, body] {
        hasher.update(part.len().to_le_bytes());
        hasher.update(part);
    }
    Key { key, request_hash: hasher.finalize().to_vec() }
}
