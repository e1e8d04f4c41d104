//! Keys: what they look like, how they are sent, and what is known of one. A key itself is kept nowhere; it is known
//! again by its digest.

use axum::http::{HeaderMap, HeaderValue, header};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use schemas::{Timestamp, Uuid, events::access::KeyKind, ids::TenantId, permission::Permission};
use sha2::{Digest as _, Sha256};

/// What every key of a shop begins with, so that one that leaked is found by those who look for such.
const PREFIX: &str = "souk_";
/// Characters of 32 bytes in base64url.
const SECRET_CHARS: usize = 43;
/// Characters of the secret that are shown, to tell one key from another.
const HINT_CHARS: usize = 4;

/// SHA-256 of a key. A key has 256 bits of chance, so that nothing slower is needed to keep it from being guessed.
pub type Digest = [u8; 32];

/// A key of a shop, as far as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownKey {
    /// Its id.
    pub id: Uuid,
    /// The shop that it is of.
    pub tenant: TenantId,
    /// What it is for.
    pub kind: KeyKind,
    /// Of a staff key: what it may do.
    pub permissions: Vec<Permission>,
    /// Of a search key: what scoped keys that are made of it are signed with.
    pub signing_key: Option<Digest>,
    /// From when on it is none any more.
    pub expires_at: Option<Timestamp>,
}

impl KnownKey {
    /// Whether staff who have it may do this.
    #[must_use]
    pub fn may(&self, permission: Permission) -> bool {
        match self.kind {
            KeyKind::Search => false,
            KeyKind::Staff => self.permissions.contains(&permission),
            KeyKind::Owner => true,
        }
    }

    /// Whether it has expired.
    #[must_use]
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|at| at <= now)
    }
}

/// A key of a kind, of 32 bytes of chance: `souk_search_` and 43 characters.
#[must_use]
pub fn text(kind: KeyKind, secret: [u8; 32]) -> String {
    format!("{PREFIX}{kind}_{}", BASE64_URL_SAFE_NO_PAD.encode(secret))
}

/// What of a key may be shown, to tell it from others.
#[must_use]
pub fn hint(key: &str) -> &str {
    key.get(..key.len().saturating_sub(SECRET_CHARS - HINT_CHARS)).unwrap_or_default()
}

/// Whether it looks like a key of a shop: nothing else is looked up.
#[must_use]
pub fn is_well_formed(key: &str) -> bool {
    let kind_and_secret = key.strip_prefix(PREFIX).and_then(|rest| rest.split_once('_'));
    kind_and_secret.is_some_and(|(kind, secret)| {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        kind.parse::<KeyKind>().is_ok() && secret.len() == SECRET_CHARS && secret.bytes().all(is_plain)
    })
}

/// Reads a digest from its hexadecimal digits.
#[must_use]
pub fn from_hex(text: &str) -> Option<Digest> {
    let mut digest = [0; 32];
    hex::decode_to_slice(text, &mut digest).ok().map(|()| digest)
}

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
pub struct AdminKey(Option<Digest>);

impl AdminKey {
    /// Of the key that is set, if one is; without one there is no administrator.
    #[must_use]
    pub fn new(key: Option<&str>) -> Self {
        Self(key.map(str::trim).filter(|key| !key.is_empty()).map(digest))
    }

    /// Whether what was sent has this digest. Digests are compared, so that the time tells nothing of the key.
    #[must_use]
    pub fn is(&self, sent: &Digest) -> bool {
        self.0.as_ref() == Some(sent)
    }
}

/// Characters of the administrators' key that production asks for: what `openssl rand -hex 16` gives.
const LEAST_ADMIN_CHARS: usize = 32;

/// Why production does not take the key of the administrators: it is short, or one character over and over.
#[must_use]
pub fn weakness(key: Option<&str>) -> Option<String> {
    let key = key.map(str::trim).filter(|key| !key.is_empty())?;
    let first = key.chars().next();
    let is_weak = key.chars().count() < LEAST_ADMIN_CHARS || key.chars().all(|one| Some(one) == first);
    is_weak.then(|| {
        format!("--admin-key is easily guessed: at least {LEAST_ADMIN_CHARS} characters of chance are expected")
    })
}

/// The digest of a key.
#[must_use]
pub fn digest(key: &str) -> Digest {
    Sha256::digest(key).into()
}

/// The same as tables of text have it, in hexadecimal digits. With so much chance in a key, nothing slower is needed.
#[must_use]
pub fn digest_text(key: &str) -> String {
    hex::encode(digest(key))
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
    fn a_key_tells_its_kind_and_little_of_itself() {
        for kind in KeyKind::ALL {
            let key = text(kind, [255; 32]);
            assert!(is_well_formed(&key), "{key}");
            assert_eq!(hint(&key), format!("souk_{kind}_____"), "base64url of ones is underscores");
            assert_eq!(key.len(), hint(&key).len() + 39);
        }
        let good = text(KeyKind::Staff, [3; 32]);
        for bad in
            ["", "souk_", "souk_staff_", "é", &good[1..], &good[..good.len() - 1], &good.replace("staff", "root")]
        {
            assert!(!is_well_formed(bad), "{bad}");
            let _ = hint(bad);
        }
        let of_any = digest("any");
        assert_eq!(from_hex(&hex::encode(of_any)), Some(of_any));
        for bad in ["", "0", &"g".repeat(64), &"é".repeat(32)] {
            assert_eq!(from_hex(bad), None, "{bad}");
        }
    }

    #[test]
    fn production_takes_no_short_key_of_administrators() {
        for weak in ["secret", "  change-me  ", &"a".repeat(64)] {
            assert!(weakness(Some(weak)).is_some_and(|said| !said.contains(weak.trim())), "{weak}");
        }
        for none in [None, Some(" "), Some("0123456789abcdef0123456789abcdef")] {
            assert_eq!(weakness(none), None);
        }
    }

    #[test]
    fn no_key_is_no_administrator() {
        for none in [None, Some(""), Some("  ")] {
            assert!(!AdminKey::new(none).is(&digest("")), "{none:?}");
        }
        let key = AdminKey::new(Some("secret\n"));
        let is = |sent| key.is(&digest(sent));
        assert!(is("secret") && !is("Secret") && !is(""));
    }
}
