//! The form of an index, by which releases are ordered.

use crate::{analyzer, bundle};
use serde_json::Value;

/// The form of an index: what a program must know to read and write it. A later release has a higher one, or the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Format {
    /// The version of the schema.
    pub schema: u32,
    /// The version of what makes terms of texts.
    pub analyzer: u32,
}

impl Format {
    /// This program's.
    #[must_use]
    pub const fn current() -> Self {
        Self { schema: bundle::SCHEMA_VERSION, analyzer: analyzer::ANALYZER_VERSION }
    }

    /// A manifest's, also of another release whose manifest can't be read as a whole; none if it names none.
    #[must_use]
    pub fn of(manifest: &Value) -> Option<Self> {
        let number = |value: &Value| value.as_u64().and_then(|number| u32::try_from(number).ok());
        let Some(bundle) = manifest.get("bundle") else {
            // Manifests of the first release name a schema and no bundle.
            return Some(Self { schema: number(manifest.get("schema_version")?)?, analyzer: 0 });
        };
        Some(Self {
            schema: number(bundle.get("schema_version")?)?,
            analyzer: number(bundle.get("analyzer")?.get("version")?)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generation::Manifest;
    use serde_json::json;

    #[test]
    fn releases_are_ordered_whatever_else_their_manifests_say() {
        let current = Manifest::current("g1", schemas::Timestamp::UNIX_EPOCH);
        let mut later = serde_json::to_value(&current).expect("a value");
        assert_eq!(Format::of(&later), Some(Format::current()));
        later["bundle"]["schema_version"] = json!(bundle::SCHEMA_VERSION + 1);
        later["bundle"]["of_a_later_release"] = json!([1]);
        assert!(Format::of(&later) > Some(Format::current()));
        let first = Format::of(&json!({"generation": "g1", "schema_version": 1}));
        assert!(first.is_some() && first < Some(Format::current()));
        assert_eq!(Format::of(&json!({"generation": "g1"})), None);
    }
}
