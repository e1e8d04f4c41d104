//! Scoped search keys: what a shop's server makes of a search key, without asking souk, for one visitor.
//!
//! ```text
//! souk_scoped_<id of the search key>.<parameters>.<signature>
//! parameters = base64url of JSON, such as {"filter": "attr.group:b2b", "expires_at": 1790000000, "max_hits": 50}
//! signature  = base64url of HMAC-SHA256(signing key, "<id>.<parameters>")
//! signing key = SHA-256 of "scoped keys of " and the search key
//! ```
//!
//! The id is written without hyphens. base64url has no padding.

use crate::key::{self, KnownKey};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use schemas::{
    Timestamp, Utc, Uuid,
    filter::{self, Filter},
};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// What every scoped key begins with.
const PREFIX: &str = "souk_scoped_";
/// What the hash of a signing key begins with.
const PURPOSE: &str = "scoped keys of ";
/// The longest scoped key, in bytes.
const MOST_BYTES: usize = 8_192;

/// The key that scoped keys of a search key are signed with.
#[must_use]
pub fn signing_key(search_key: &str) -> key::Digest {
    Sha256::new().chain_update(PURPOSE).chain_update(search_key).finalize().into()
}

/// What a scoped key lets its holder do less than the search key.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scope {
    /// Products that are not met by it are not there, in the language of filters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// From when on it is none any more, in seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<i64>,
    /// Most hits on a page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_hits: Option<usize>,
}

/// A scope that was read and signed by whoever has the search key.
#[derive(Debug, Clone, PartialEq)]
pub struct Restriction {
    /// What products have to meet.
    pub filter: Option<Filter>,
    /// Most hits on a page.
    pub max_hits: Option<usize>,
    /// The whole of it as text, to tell answers of one scope from those of another.
    pub text: String,
}

/// Why a text is no scoped key, or none any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// It is not written like one.
    #[error("it is not written like a scoped key")]
    Malformed,
    /// It was not signed with the key that it names.
    #[error("the signature is wrong")]
    Forged,
    /// Its parameters can't be read, or its filter can't.
    #[error("its parameters can't be read")]
    Unreadable,
    /// It has expired.
    #[error("it has expired")]
    Over,
}

/// Makes a scoped key.
///
/// # Errors
/// The filter's, so that nobody hands out a key that opens nothing.
pub fn make(search_key: &str, id: Uuid, scope: &Scope) -> Result<String, String> {
    if let Some(text) = &scope.filter {
        filter::parse(text).map_err(|error| format!("the filter can't be read: {}", error.reason))?;
    }
    let parameters = BASE64_URL_SAFE_NO_PAD.encode(serde_json::to_vec(scope).map_err(|error| error.to_string())?);
    let signed = format!("{}.{parameters}", id.simple());
    let signature = BASE64_URL_SAFE_NO_PAD.encode(mac(&signing_key(search_key), &signed).finalize().into_bytes());
    let made = format!("{PREFIX}{signed}.{signature}");
    if made.len() > MOST_BYTES {
        return Err(format!("a scoped key has at most {MOST_BYTES} bytes, this one has {}", made.len()));
    }
    Ok(made)
}

fn mac(signing_key: &key::Digest, signed: &str) -> Hmac<Sha256> {
    // A key that is shorter than a block is filled up with zeros (RFC 2104, 2).
    let mut block = [0; 64];
    block[..signing_key.len()].copy_from_slice(signing_key);
    let mut mac = Hmac::<Sha256>::new(&block.into());
    mac.update(signed.as_bytes());
    mac
}

/// The parts of a scoped key, none of them checked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parts<'a> {
    /// The search key it says to be of.
    pub(crate) id: Uuid,
    signed: &'a str,
    parameters: &'a str,
    signature: &'a str,
}

/// Takes a text apart, if it is written like a scoped key.
pub(crate) fn parts(text: &str) -> Option<Parts<'_>> {
    let rest = text.strip_prefix(PREFIX).filter(|_| text.len() <= MOST_BYTES)?;
    let (signed, signature) = rest.rsplit_once('.')?;
    let (id, parameters) = signed.split_once('.')?;
    let id = Uuid::try_parse(id).ok().filter(|_| id.len() == 32)?;
    Some(Parts { id, signed, parameters, signature })
}

impl Parts<'_> {
    /// What it restricts to, if the key that it names has signed it.
    pub(crate) fn verified(self, of: &KnownKey, now: Timestamp) -> Result<Restriction, Invalid> {
        let signing_key = of.signing_key.ok_or(Invalid::Forged)?;
        let signature = BASE64_URL_SAFE_NO_PAD.decode(self.signature).map_err(|_| Invalid::Malformed)?;
        // Compares in the same time whatever is wrong.
        mac(&signing_key, self.signed).verify_slice(&signature).map_err(|_| Invalid::Forged)?;
        let json = BASE64_URL_SAFE_NO_PAD.decode(self.parameters).map_err(|_| Invalid::Unreadable)?;
        let scope: Scope = serde_json::from_slice(&json).map_err(|_| Invalid::Unreadable)?;
        if scope.expires_at.is_some_and(|at| at <= now.timestamp()) {
            return Err(Invalid::Over);
        }
        let filter = scope.filter.as_deref().map(filter::parse).transpose().map_err(|_| Invalid::Unreadable)?;
        let text = serde_json::to_string(&(&scope.filter, scope.max_hits)).map_err(|_| Invalid::Unreadable)?;
        Ok(Restriction { filter, max_hits: scope.max_hits, text })
    }
}

/// What is read of a text that is to be a scoped key of this key, for tests that feed it anything.
///
/// # Errors
/// [`Invalid`]
pub fn read(text: &str, of: &KnownKey) -> Result<Restriction, Invalid> {
    parts(text).ok_or(Invalid::Malformed)?.verified(of, Utc::now())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use schemas::{events::access::KeyKind, ids::TenantId};

    const ID: Uuid = Uuid::from_u128(0x0199_a3b4_5c6d_7e8f_9a0b_1c2d_3e4f_5a6b);

    fn search_key() -> String {
        key::text(KeyKind::Search, [9; 32])
    }

    fn known() -> KnownKey {
        KnownKey {
            id: ID,
            tenant: TenantId(Uuid::nil()),
            kind: KeyKind::Search,
            permissions: Vec::new(),
            signing_key: Some(signing_key(&search_key())),
            expires_at: None,
        }
    }

    fn scope(filter: &str) -> Scope {
        Scope { filter: Some(filter.to_owned()), ..Scope::default() }
    }

    #[test]
    fn a_scoped_key_says_what_it_restricts_to() {
        let key = make(&search_key(), ID, &Scope { max_hits: Some(5), ..scope("brand:HP") }).expect("made");
        let read = read(&key, &known()).expect("read");
        assert_eq!(read.filter.map(|filter| filter.to_string()).as_deref(), Some("brand:HP"));
        assert_eq!(read.max_hits, Some(5));
    }

    /// What is documented, so that clients in other languages can be held against it.
    #[test]
    fn the_format_never_changes() {
        let key = make("souk_search_x", ID, &scope("brand:HP")).expect("made");
        let (parts, signature) = key.rsplit_once('.').expect("a signature");
        assert_eq!(parts, "souk_scoped_0199a3b45c6d7e8f9a0b1c2d3e4f5a6b.eyJmaWx0ZXIiOiJicmFuZDpIUCJ9");
        assert_eq!(signature, "itR4QqGFNgUvIRdAY-CMqQNrOndjMSmf4VI_t31jmWQ", "as the guide's Python makes it");
    }

    #[test]
    fn whatever_was_changed_is_refused() {
        let key = make(&search_key(), ID, &scope("brand:HP")).expect("made");
        let (rest, signature) = key.rsplit_once('.').expect("parts");
        let (head, _) = rest.rsplit_once('.').expect("parts");
        let wider = BASE64_URL_SAFE_NO_PAD.encode("{}");
        assert_eq!(read(&format!("{head}.{wider}.{signature}"), &known()), Err(Invalid::Forged));
        assert_eq!(read(&format!("{rest}."), &known()), Err(Invalid::Forged));
        assert_eq!(read(&key, &KnownKey { signing_key: None, ..known() }), Err(Invalid::Forged));
        let of_another = make(&key::text(KeyKind::Search, [8; 32]), ID, &scope("brand:HP")).expect("made");
        assert_eq!(read(&of_another, &known()), Err(Invalid::Forged));
        let over = Scope { expires_at: Some(1), ..Scope::default() };
        assert_eq!(read(&make(&search_key(), ID, &over).expect("made"), &known()), Err(Invalid::Over));
        assert!(make(&search_key(), ID, &scope("brand:")).is_err());
    }

    #[test]
    fn a_parameter_that_is_not_known_opens_nothing() {
        let parameters = BASE64_URL_SAFE_NO_PAD.encode(r#"{"filters": "brand:HP"}"#);
        let signed = format!("{}.{parameters}", ID.simple());
        let signature = mac(&signing_key(&search_key()), &signed).finalize().into_bytes();
        let key = format!("{PREFIX}{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature));
        assert_eq!(read(&key, &known()), Err(Invalid::Unreadable));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "(souk_scoped_)?([0-9a-f]{32})?\\PC{0,80}") {
            prop_assert!(read(&text, &known()).is_err());
        }

        #[test]
        fn no_byte_of_a_scoped_key_can_be_changed(at in 12_usize..120, to in "[A-Za-z0-9_.-]") {
            let key = make(&search_key(), ID, &scope("brand:HP")).expect("made");
            prop_assume!(at < key.len() && key[at..=at] != to);
            // The last character of a base64 text has bits that say nothing.
            prop_assume!(at + 1 < key.len());
            let mut changed = key;
            changed.replace_range(at..=at, &to);
            prop_assert!(read(&changed, &known()).is_err());
        }
    }
}
