//! Keys.

use axum::http::{HeaderMap, HeaderValue, header};
use sha2::{Digest, Sha256};

/// The key that a request carries as `Authorization: Bearer <key>`. None if there is no such header; an empty text if
/// it can't be read as one.
#[must_use]
pub fn sent(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?;
    let text = value.to_str().unwrap_or_default().trim();
    let (scheme, key) = text.split_once(' ').unwrap_or((text, ""));
    Some(if scheme.eq_ignore_ascii_case("bearer") { key.trim() } else { "" })
}

/// The header by which a client sends a key, if it has one that a header can carry.
#[must_use]
pub fn header(key: Option<&str>) -> HeaderMap {
    let value = key.and_then(|key| HeaderValue::from_str(&format!("Bearer {}", key.trim())).ok());
    let sent = value.map(|mut value| {
        // Not to be shown where headers are logged.
        value.set_sensitive(true);
        (header::AUTHORIZATION, value)
    });
    HeaderMap::from_iter(sent)
}

/// The key of the installation's administrators, by its digest.
#[derive(Debug, Clone)]
pub struct AdminKey(Option<[u8; 32]>);

impl AdminKey {
    /// Of the key that is set, if one is; without one there is no administrator.
    #[must_use]
    pub fn new(key: Option<&str>) -> Self {
        Self(key.map(str::trim).filter(|key| !key.is_empty()).map(digest))
    }

    /// Whether this is it. Digests are compared, so that the time tells nothing of the key.
    #[must_use]
    pub fn is(&self, sent: &str) -> bool {
        self.0 == Some(digest(sent))
    }
}

fn digest(key: &str) -> [u8; 32] {
    Sha256::digest(key).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(value: &'static str) -> Option<String> {
        let headers = HeaderMap::from_iter([(header::AUTHORIZATION, HeaderValue::from_static(value))]);
        sent(&headers).map(str::to_owned)
    }

    #[test]
    fn a_key_stands_behind_bearer() {
        assert_eq!(sent(&HeaderMap::new()), None);
        for (header, key) in
            [("Bearer abc", "abc"), ("bearer  abc ", "abc"), ("Basic YTpi", ""), ("Bearer", ""), ("", "")]
        {
            assert_eq!(of(header).as_deref(), Some(key), "{header}");
        }
        let unreadable = HeaderValue::from_bytes(b"Bearer \xe9").expect("bytes");
        assert_eq!(sent(&HeaderMap::from_iter([(header::AUTHORIZATION, unreadable)])), Some(""));
    }

    #[test]
    fn no_key_is_no_administrator() {
        for none in [None, Some(""), Some("  ")] {
            assert!(!AdminKey::new(none).is(""), "{none:?}");
        }
        let key = AdminKey::new(Some("secret\n"));
        assert!(key.is("secret") && !key.is("Secret") && !key.is(""));
    }
}
