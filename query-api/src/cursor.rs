//! Cursors: pages of the index as it was when the first page was asked for.
//!
//! A cursor names the state of the index that its pages are of: the generation, and how far it has read the document
//! topic. That is the same on every node, so that another node goes on with the same state, or says that it can't.

mod kept;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
pub use kept::Kept;
use search::{
    offsets::{of_topics, to_json},
    query::MAX_OFFSET,
    reader::Snapshot,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{fmt, str::FromStr};

/// A state of the index, the same on every node.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct State {
    /// The generation.
    #[serde(rename = "g")]
    generation: String,
    /// Stands for how far it has read each partition of the document topic. A cursor of an earlier release has none.
    #[serde(rename = "s", default)]
    read: String,
}

impl State {
    /// The name of a state.
    #[must_use]
    pub fn of(snapshot: &Snapshot) -> Self {
        let hash = Sha256::digest(to_json(&of_topics(&snapshot.next_offsets())));
        Self { generation: snapshot.manifest.generation.clone(), read: URL_SAFE_NO_PAD.encode(&hash[..12]) }
    }

    /// The generation that it is a state of.
    #[must_use]
    pub fn generation(&self) -> &str {
        &self.generation
    }
}

/// A place in a list of hits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// The state of the index.
    #[serde(flatten)]
    pub state: State,
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
impl Cursor {
    /// Of a state that no index has.
    pub fn example(offset: usize) -> Self {
        Self { state: State { generation: "g1".to_owned(), read: "abc".to_owned() }, offset }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[A-Za-z0-9_=-]{0,120}", json in "\\{.{0,60}\\}") {
            let _ = text.parse::<Cursor>();
            // What is in it may be anything, too.
            if let Ok(cursor) = URL_SAFE_NO_PAD.encode(&json).parse::<Cursor>() {
                prop_assert!(cursor.offset <= MAX_OFFSET);
            }
        }

        #[test]
        fn what_is_written_is_read(generation in ".{0,40}", read in ".{0,20}", offset in 0..=MAX_OFFSET) {
            let cursor = Cursor { state: State { generation, read }, offset };
            prop_assert_eq!(cursor.to_string().parse(), Ok(cursor));
        }
    }

    #[test]
    fn a_cursor_is_read_back() {
        let cursor = Cursor::example(40);
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
        assert!("nonsense".parse::<Cursor>().is_err());
    }

    #[test]
    fn a_cursor_of_the_release_before_names_a_state_that_nobody_has() {
        let text = URL_SAFE_NO_PAD.encode(br#"{"g":"g1","v":4294967297,"o":40}"#);
        let cursor: Cursor = text.parse().expect("a cursor");
        assert_eq!((cursor.state.read.as_str(), cursor.offset), ("", 40));
    }
}
