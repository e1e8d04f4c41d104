//! Cursors: pages of the index as it was when the first page was asked for.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use moka::future::Cache as Moka;
use search::{query::MAX_OFFSET, reader::Snapshot};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr, time::Duration};

/// How long an index stays as it was for a cursor that is not used.
const KEPT: Duration = Duration::from_secs(120);
/// States of the index that are kept for cursors.
const STATES: u64 = 32;

/// States of the index that cursors point to, by generation and data version.
pub type Kept = Moka<(String, u64), Snapshot>;

/// An empty store.
#[must_use]
pub fn kept() -> Kept {
    Moka::builder().max_capacity(STATES).time_to_idle(KEPT).build()
}

/// A place in a list of hits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// The generation.
    #[serde(rename = "g")]
    pub generation: String,
    /// The state of the index.
    #[serde(rename = "v")]
    pub data_version: u64,
    /// Hits before the page.
    #[serde(rename = "o")]
    pub offset: usize,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(serde_json::to_vec(self).map_err(|_| fmt::Error)?))
    }
}

impl FromStr for Cursor {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok();
        let cursor: Option<Self> = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let cursor = cursor.ok_or("this is no cursor; `*` begins, and `next` of an answer goes on")?;
        if cursor.offset > MAX_OFFSET {
            return Err(format!("cursors reach {MAX_OFFSET} hits; narrow the search to see others"));
        }
        Ok(cursor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_back() {
        let cursor = Cursor { generation: "g1".to_owned(), data_version: 7, offset: 40 };
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
        assert!("nonsense".parse::<Cursor>().is_err());
    }
}
