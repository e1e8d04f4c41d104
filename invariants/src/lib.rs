//! What has to hold of orders, stock, money and uses of promotions in the write database, each rule with the statement that finds
//! what breaks it.
//!
//! A job of write-api looks now and then, `./souk invariants` when it is asked; see docs/guides/invariants.md.

mod write;

pub use write::ALL;

use serde::Serialize;
use sqlx::PgConnection;

/// What breaks an invariant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Offenders {
    /// How many.
    pub count: i64,
    /// The first of them, by its text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first: Option<String>,
}

impl Offenders {
    /// Counts what was found.
    pub fn of(found: impl IntoIterator<Item = String>) -> Self {
        let (mut count, mut first) = (0, None::<String>);
        for one in found {
            count += 1;
            if first.as_ref().is_none_or(|first| one < *first) {
                first = Some(one);
            }
        }
        Self { count, first }
    }
}

/// Something that has to hold.
#[derive(Debug, Clone, Copy)]
pub struct Invariant {
    /// A word for metrics, such as `ledger_balanced`.
    pub key: &'static str,
    /// What has to hold, in words.
    pub name: &'static str,
    /// Gives a text for each offender.
    sql: &'static str,
}

impl Invariant {
    /// What breaks it now.
    ///
    /// # Errors
    /// The database's.
    pub async fn look(&self, connection: &mut PgConnection) -> Result<Offenders, sqlx::Error> {
        Ok(Offenders::of(sqlx::query_scalar::<_, String>(self.sql).fetch_all(connection).await?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn offenders_are_counted_and_the_first_by_its_text_is_named() {
        let found = Offenders::of(["two".to_owned(), "one".to_owned()]);
        assert_eq!(found, Offenders { count: 2, first: Some("one".to_owned()) });
        assert_eq!(Offenders::of(Vec::new()), Offenders::default());
    }

    #[test]
    fn every_invariant_has_a_word_of_its_own() {
        let keys: BTreeSet<&str> = ALL.iter().map(|invariant| invariant.key).collect();
        assert_eq!(keys.len(), ALL.len());
        let is_word = |key: &str| key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        assert!(keys.into_iter().all(is_word));
    }
}
