//! The `Idempotency-Key` header.

use super::problem::ApiError;
use crate::pipeline::idempotency::Key;
use axum::{
    extract::Query,
    http::{header, request::Parts},
};
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

/// The key of a single request with what identifies it.
pub(crate) fn guard(key: &str, parts: &Parts, body: &[u8]) -> Key {
    Key { key: name_of_request(key), request_hash: fingerprint(parts, body) }
}

/// The key of one chunk of a stream with what identifies it. Each chunk has a key of its own, made of the stream's and its
/// number.
pub(crate) fn guard_chunk(key: &str, number: u64, parts: &Parts, text: &[u8]) -> Key {
    Key { key: format!("{key}#{number}"), request_hash: fingerprint(parts, text) }
}

/// The name under which the key of a single request is kept: the key, and a space behind one that looks like a chunk's. No
/// key that is sent has a space, so the two never meet.
fn name_of_request(key: &str) -> String {
    let number = key.rsplit_once('#').map(|(_, number)| number).unwrap_or_default();
    let is_like_a_chunk = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    if is_like_a_chunk { format!("{key} ") } else { key.to_owned() }
}

/// All that changes what a request does: method, path, expected version, body, and the parameters of the query.
fn fingerprint(parts: &Parts, body: &[u8]) -> Vec<u8> {
    let mut hasher = Sha256::new();
    let version = parts.headers.get(header::IF_MATCH).map_or(&b""[..], |value| value.as_bytes());
    let mut add = |part: &[u8]| {
        hasher.update(part.len().to_le_bytes());
        hasher.update(part);
    };
    for part in [parts.method.as_str().as_bytes(), parts.uri.path().as_bytes(), version, body] {
        add(part);
    }
    // Without parameters it is as it was before they counted: what was kept then is still found.
    for (name, value) in parameters(parts) {
        add(name.as_bytes());
        add(value.as_bytes());
    }
    hasher.finalize().to_vec()
}

/// The parameters of the query in one order. The tenant is not among them: it has keys of its own.
fn parameters(parts: &Parts) -> Vec<(String, String)> {
    let Ok(Query(mut parameters)) = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri) else {
        return Vec::new();
    };
    parameters.retain(|(name, _)| name != "tenant");
    parameters.sort_unstable();
    parameters
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Request;

    fn parts(uri: &str, version: &str) -> Parts {
        let request = Request::builder().method("POST").uri(uri).header(header::IF_MATCH, version).body(());
        request.expect("a request").into_parts().0
    }

    #[test]
    fn all_that_changes_what_a_request_does_is_in_its_fingerprint() {
        let of = |uri: &str, version: &str, body: &str| fingerprint(&parts(uri, version), body.as_bytes());
        let one = of("/v1/products/bulk?on_error=stop&a=b", "\"1\"", "x");
        for same in ["/v1/products/bulk?a=b&on_error=stop", "/v1/products/bulk?a=b&on_error=stop&tenant=demo"] {
            assert_eq!(of(same, "\"1\"", "x"), one, "{same}");
        }
        for other in [
            of("/v1/products/bulk?on_error=skip&a=b", "\"1\"", "x"),
            of("/v1/products/bulk?a=b", "\"1\"", "x"),
            of("/v1/products/bulk", "\"1\"", "x"),
            of("/v1/prices/bulk?on_error=stop&a=b", "\"1\"", "x"),
            of("/v1/products/bulk?on_error=stop&a=b", "\"2\"", "x"),
            of("/v1/products/bulk?on_error=stop&a=b", "\"1\"", "y"),
        ] {
            assert_ne!(other, one);
        }
    }

    #[test]
    fn a_request_and_a_chunk_never_have_one_name() {
        let (parts, body) = (parts("/v1/products", "*"), b"");
        for key in ["abc#0", "abc#17", "#0"] {
            let (stream, number) = key.rsplit_once('#').expect("a number");
            let chunk = guard_chunk(stream, number.parse().expect("a number"), &parts, body);
            assert_eq!(chunk.key, key);
            assert_ne!(guard(key, &parts, body).key, key);
        }
        for key in ["abc", "abc#", "#", "abc#x", "abc#0x", "0"] {
            assert_eq!(guard(key, &parts, body).key, key, "as it was kept before");
        }
    }
}
