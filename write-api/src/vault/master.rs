//! Master keys, which wrap the keys of persons. They come from the outside and are kept nowhere.

use super::{DataKey, KEY_BYTES, VaultError, open, random, seal};
use crate::config::Secret;
use clap::builder::ValueParserFactory;
use openssl::error::ErrorStack;
use std::{fmt, str::FromStr};

/// The longest id, in bytes.
const MOST_ID_BYTES: usize = 32;

/// Why a text doesn't give master keys. It tells where, never what stands there.
#[derive(Debug, thiserror::Error)]
pub enum BadMasterKeys {
    /// There is none.
    #[error("there is no master key")]
    None,
    /// An entry isn't an id and a key.
    #[error("master key {0} is not written ID:KEY")]
    NoKey(usize),
    /// An id is none.
    #[error("the id of master key {0} doesn't have 1 to 32 characters of a-z, 0-9, '_' and '-'")]
    Id(usize),
    /// A key is none.
    #[error("master key {0} doesn't have 64 hexadecimal digits")]
    Key(usize),
    /// Two have one id.
    #[error("the id of master key {0} is that of an earlier one")]
    Twice(usize),
    /// There is no chance to be had for making one.
    #[error("OpenSSL refused")]
    Failed(#[from] ErrorStack),
}

#[derive(Clone)]
struct MasterKey {
    id: String,
    key: DataKey,
}

/// Keys that wrap others. The first wraps; all unwrap, so that one follows another without anything being lost.
#[derive(Clone)]
pub struct MasterKeys {
    current: MasterKey,
    earlier: Vec<MasterKey>,
}

impl fmt::Debug for MasterKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.all().map(|key| &key.id)).finish()
    }
}

impl ValueParserFactory for MasterKeys {
    type Parser = Secret<Self>;

    fn value_parser() -> Secret<Self> {
        Secret::default()
    }
}

impl FromStr for MasterKeys {
    type Err = BadMasterKeys;

    /// Reads `ID:KEY[,ID:KEY...]`, each key of 64 hexadecimal digits. White space around an entry doesn't matter.
    fn from_str(text: &str) -> Result<Self, BadMasterKeys> {
        if text.trim().is_empty() {
            return Err(BadMasterKeys::None);
        }
        let mut keys: Vec<MasterKey> = Vec::new();
        for (number, entry) in (1..).zip(text.split(',')) {
            let (id, key) = entry.trim().split_once(':').ok_or(BadMasterKeys::NoKey(number))?;
            if !is_id(id) {
                return Err(BadMasterKeys::Id(number));
            }
            if keys.iter().any(|earlier| earlier.id == id) {
                return Err(BadMasterKeys::Twice(number));
            }
            let mut bytes = [0; KEY_BYTES];
            hex::decode_to_slice(key, &mut bytes).map_err(|_| BadMasterKeys::Key(number))?;
            keys.push(MasterKey { id: id.to_owned(), key: DataKey(bytes) });
        }
        let mut keys = keys.into_iter();
        let current = keys.next().ok_or(BadMasterKeys::None)?;
        Ok(Self { current, earlier: keys.collect() })
    }
}

impl MasterKeys {
    /// Whether one of them is one byte over and over, as somebody types it who tries something out.
    #[must_use]
    pub fn are_guessable(&self) -> bool {
        self.all().any(|MasterKey { key: DataKey(bytes), .. }| bytes.iter().all(|byte| *byte == bytes[0]))
    }

    /// The text of one new master key with this id, as it is read.
    ///
    /// # Errors
    /// [`BadMasterKeys::Id`], [`BadMasterKeys::Failed`]
    pub fn generate_text(id: &str) -> Result<String, BadMasterKeys> {
        if !is_id(id) {
            return Err(BadMasterKeys::Id(1));
        }
        let key: [u8; KEY_BYTES] = random()?;
        Ok(format!("{id}:{}", hex::encode(key)))
    }

    /// The id of the key that wraps.
    #[must_use]
    pub fn current_id(&self) -> &str {
        &self.current.id
    }

    /// Wraps a key for a context with the first master key.
    ///
    /// # Errors
    /// [`VaultError::Failed`]
    pub fn wrap(&self, context: &str, key: &DataKey) -> Result<String, VaultError> {
        let MasterKey { id, key: master } = &self.current;
        Ok(format!("{id}.{}", seal(&master.0, context, &key.0)?))
    }

    /// Unwraps a key that was wrapped for this context.
    ///
    /// # Errors
    /// [`VaultError::UnknownMasterKey`], [`VaultError::Damaged`]
    pub fn unwrap(&self, context: &str, wrapped: &str) -> Result<DataKey, VaultError> {
        let (id, sealed) = parts(wrapped).ok_or(VaultError::Damaged)?;
        let master = self.all().find(|key| key.id == id);
        let master = master.ok_or_else(|| VaultError::UnknownMasterKey { id: id.to_owned() })?;
        let key = open(&master.key.0, context, sealed)?;
        key.try_into().map(DataKey).map_err(|_| VaultError::Damaged)
    }

    fn all(&self) -> impl Iterator<Item = &MasterKey> {
        std::iter::once(&self.current).chain(&self.earlier)
    }
}

/// The id of the master key that a key says to be wrapped with, if it is written like a wrapped key: one that isn't
/// [`MasterKeys::current_id`] is to be wrapped anew.
#[must_use]
pub fn wrapped_by(wrapped: &str) -> Option<&str> {
    parts(wrapped).map(|(id, _)| id)
}

fn parts(wrapped: &str) -> Option<(&str, &str)> {
    wrapped.split_once('.').filter(|(id, _)| is_id(id))
}

fn is_id(id: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_');
    (1..=MOST_ID_BYTES).contains(&id.len()) && id.bytes().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(id: &str, digit: &str) -> String {
        format!("{id}:{}", digit.repeat(64))
    }

    fn keys(text: &str) -> MasterKeys {
        text.parse().expect("master keys")
    }

    #[test]
    fn a_key_is_unwrapped_by_the_master_key_that_wrapped_it() {
        let [old, new] = [text("2025", "a"), text("2026", "b")];
        let key = DataKey::generate().expect("a key");
        let wrapped = keys(&old).wrap("person 1", &key).expect("wrapped");
        assert_eq!(wrapped_by(&wrapped), Some("2025"));
        let both = keys(&format!("{new},\n {old}\n"));
        assert_eq!(both.current_id(), "2026");
        let unwrapped = both.unwrap("person 1", &wrapped).expect("unwrapped");
        assert_eq!(unwrapped.0, key.0);
        assert!(matches!(both.unwrap("person 2", &wrapped), Err(VaultError::Damaged)));
        let unknown = keys(&new).unwrap("person 1", &wrapped);
        assert!(matches!(unknown, Err(VaultError::UnknownMasterKey { id }) if id == "2025"));
        let anew = both.wrap("person 1", &unwrapped).expect("wrapped");
        assert_eq!(wrapped_by(&anew), Some(both.current_id()));
        assert_eq!(keys(&new).unwrap("person 1", &anew).expect("unwrapped").0, key.0);
        let other = keys(&text("2025", "c"));
        assert!(matches!(other.unwrap("person 1", &wrapped), Err(VaultError::Damaged)));
    }

    #[test]
    fn what_is_wrong_with_master_keys_is_told_without_them() {
        let [good, secret] = [text("a", "7"), "7".repeat(64)];
        for (bad, reason) in [
            (String::new(), "there is no master key"),
            (" \n".to_owned(), "there is no master key"),
            (secret.clone(), "master key 1 is not written ID:KEY"),
            (format!("{good},"), "master key 2 is not written ID:KEY"),
            (format!("{good},{secret}:b"), "the id of master key 2 doesn't have"),
            (format!("A:{secret}"), "the id of master key 1 doesn't have"),
            (format!(":{secret}"), "the id of master key 1 doesn't have"),
            (format!("a:{secret}7"), "master key 1 doesn't have 64"),
            (format!("a: {secret}"), "master key 1 doesn't have 64"),
            (format!("{good},a:{secret}"), "the id of master key 2 is that of an earlier one"),
        ] {
            let error = bad.parse::<MasterKeys>().expect_err("refused");
            assert!(error.to_string().starts_with(reason), "{error}");
            assert!(!format!("{error:?} {error}").contains("777"), "{error:?}");
        }
        assert_eq!(format!("{:?}", keys(&good)), r#"["a"]"#);
    }

    #[test]
    fn a_master_key_that_is_made_is_read() {
        let [one, other] = [0; 2].map(|_| MasterKeys::generate_text("k-1_x").expect("made"));
        assert_ne!(one, other);
        assert_eq!(keys(&one).current_id(), "k-1_x");
        for bad in ["", "A", "a.b", "a:b", &"a".repeat(33)] {
            assert!(matches!(MasterKeys::generate_text(bad), Err(BadMasterKeys::Id(1))), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn no_byte_of_a_wrapped_key_can_be_changed(at in any::<prop::sample::Index>(), to in "[A-Za-z0-9_.=-]?") {
            let both = keys(&format!("{},{}", text("k1", "a"), text("k2", "b")));
            let mut changed = both.wrap("context", &DataKey([7; KEY_BYTES])).expect("wrapped");
            let at = at.index(changed.len());
            prop_assume!(changed[at..=at] != to);
            changed.replace_range(at..=at, &to);
            let refused = both.unwrap("context", &changed).expect_err("refused");
            let is_told = matches!(refused, VaultError::Damaged | VaultError::UnknownMasterKey { .. });
            prop_assert!(is_told, "{refused}");
        }
    }
}
