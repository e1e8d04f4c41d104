//! The end of a shop's trail, signed, so that it can be kept where nobody who writes the database comes.

use crate::{LaunchError, secret, settings::Settings};
use hmac::{Hmac, KeyInit, Mac};
use schemas::{Timestamp, Uuid};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use std::path::Path;

/// Number and digest of the last entry of a shop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The shop.
    pub tenant: Uuid,
    /// The number of the entry.
    pub number: i64,
    /// Its digest, in hexadecimal digits.
    pub digest: String,
    /// When it was exported.
    pub at: Timestamp,
    /// HMAC-SHA256 (RFC 2104) over the fields above, a line each, in hexadecimal digits.
    pub signature: String,
    /// Whether the signature is right, as far as it was looked at.
    #[serde(skip)]
    pub is_genuine: bool,
}

impl Head {
    /// Signs an end.
    ///
    /// # Errors
    /// If the key is none.
    pub fn signed(tenant: Uuid, number: i64, digest: String, at: Timestamp, key: &[u8]) -> Result<Self, LaunchError> {
        let mut head = Self { tenant, number, digest, at, signature: String::new(), is_genuine: true };
        head.signature = hex::encode(head.seal(key)?.finalize().into_bytes());
        Ok(head)
    }

    /// The line of an export.
    ///
    /// # Errors
    /// If it has no JSON form, which is a defect.
    pub fn line(&self) -> Result<String, LaunchError> {
        serde_json::to_string(self).map_err(|error| LaunchError::Other(error.to_string()))
    }

    fn seal(&self, key: &[u8]) -> Result<Hmac<Sha256>, LaunchError> {
        let wrong = |error| LaunchError::Other(format!("the key of the audit: {error}"));
        let mut mac = Hmac::<Sha256>::new_from_slice(key).map_err(wrong)?;
        let Self { tenant, number, digest, at, .. } = self;
        mac.update(format!("{tenant}\n{number}\n{digest}\n{}\n", at.timestamp_micros()).as_bytes());
        Ok(mac)
    }

    fn verified(mut self, key: &[u8]) -> Result<Self, LaunchError> {
        let signature = hex::decode(&self.signature).unwrap_or_default();
        self.is_genuine = self.seal(key)?.verify_slice(&signature).is_ok();
        Ok(self)
    }

    #[cfg(test)]
    pub(super) fn of(number: i64, digest: &str) -> Self {
        let at = schemas::Utc::now();
        let (tenant, digest) = (Uuid::nil(), digest.to_owned());
        Self { tenant, number, digest, at, signature: String::new(), is_genuine: true }
    }
}

/// The key of an installation, drawn the first time.
///
/// # Errors
/// If its file can't be read or made.
pub(super) fn key(settings: &Settings) -> Result<Vec<u8>, LaunchError> {
    let path = settings.data_folder()?.join("audit.key");
    if !path.exists() {
        secret::keep(&path, &format!("{}{}", secret::draw()?, secret::draw()?))?;
    }
    let key = std::fs::read(&path).map_err(LaunchError::folder(&path))?;
    Ok(key.trim_ascii().to_vec())
}

/// Heads of a file, with whether each was signed here.
///
/// # Errors
/// If the file can't be read, or a line is no head.
pub(super) fn read(path: &Path, settings: &Settings) -> Result<Vec<Head>, LaunchError> {
    let text = std::fs::read_to_string(path).map_err(LaunchError::folder(path))?;
    let key = key(settings)?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let head = |(number, line): (usize, &str)| {
        let head: Head = serde_json::from_str(line).map_err(|error| {
            LaunchError::Other(format!("{}, line {}: no exported head: {error}", path.display(), number + 1))
        })?;
        head.verified(&key)
    };
    lines.map(head).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use schemas::Utc;

    #[test]
    fn a_head_that_was_changed_is_not_genuine() {
        let head = Head::signed(Uuid::nil(), 7, "ab".to_owned(), Utc::now(), b"key").expect("signed");
        let read: Head = serde_json::from_str(&head.line().expect("a line")).expect("read");
        assert!(read.clone().verified(b"key").expect("a key").is_genuine);
        assert!(!read.clone().verified(b"other").expect("a key").is_genuine);
        for other in [
            Head { number: 6, ..read.clone() },
            Head { digest: "ac".to_owned(), ..read.clone() },
            Head { tenant: Uuid::max(), ..read.clone() },
            Head { signature: "no".to_owned(), ..read },
        ] {
            assert!(!other.clone().verified(b"key").expect("a key").is_genuine, "{other:?}");
        }
    }
}
