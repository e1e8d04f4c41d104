//! What transactions of several shares of a feed may not touch at once. Each transaction says so before it applies
//! anything, right after it has moved its checkpoint, and all in one order: so none of them waits for another in a ring.
//!
//! Things are held by bucket, so that a transaction over very many has a bounded number of locks. Two things in one bucket
//! wait for each other now and then; that is all. The locks end with the transaction.

use sqlx::PgConnection;
use std::collections::BTreeMap;

/// Buckets of a kind of things. Of 64 shares each may have all, and PostgreSQL has room for them.
const BUCKETS: u64 = 61;

/// What a transaction is about to touch, of one kind.
#[derive(Debug, Clone)]
pub struct Holds {
    kind: &'static str,
    /// Whether each is held alone.
    buckets: BTreeMap<u64, bool>,
}

impl Holds {
    /// Of nothing yet.
    #[must_use]
    pub const fn of(kind: &'static str) -> Self {
        Self { kind, buckets: BTreeMap::new() }
    }

    /// A thing that others may use as well, but nobody change.
    pub fn shared(&mut self, thing: &[u8]) {
        self.buckets.entry(bucket(thing)).or_default();
    }

    /// A thing that nobody else may use or change.
    pub fn alone(&mut self, thing: &[u8]) {
        self.buckets.insert(bucket(thing), true);
    }

    /// Takes them, waiting for those who have them, until the transaction ends. Live views and those that are built beside
    /// them don't wait for each other.
    ///
    /// # Errors
    /// The database's.
    pub async fn take(&self, transaction: &mut PgConnection) -> Result<(), sqlx::Error> {
        if self.buckets.is_empty() {
            return Ok(());
        }
        sqlx::query(
            "SELECT CASE WHEN alone THEN pg_advisory_xact_lock(key) ELSE pg_advisory_xact_lock_shared(key) END
             FROM (SELECT alone, hashtextextended(concat_ws(':', 'souk', current_schema(), $1::text, bucket), 0) AS key
                   FROM unnest($2::bigint[], $3::bool[]) WITH ORDINALITY AS wanted(bucket, alone, turn) ORDER BY turn) AS locks",
        )
        .bind(self.kind)
        .bind(self.buckets.keys().map(|bucket| i64::try_from(*bucket).unwrap_or_default()).collect::<Vec<_>>())
        .bind(self.buckets.values().copied().collect::<Vec<_>>())
        .execute(transaction)
        .await?;
        Ok(())
    }
}

/// The bucket of a thing, the same in every process and release (FNV-1a).
fn bucket(thing: &[u8]) -> u64 {
    let hash = thing
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3));
    hash % BUCKETS
}

/// Lets the transactions of all shares of a feed go on beside each other, or one of them alone. Whoever is alone sees all
/// that the others have done, and they see what it did.
///
/// # Errors
/// The database's.
pub async fn gate(transaction: &mut PgConnection, feed: &str, alone: bool) -> Result<(), sqlx::Error> {
    let function = if alone { "pg_advisory_xact_lock" } else { "pg_advisory_xact_lock_shared" };
    let sql = format!("SELECT {function}(hashtextextended('souk:gate:' || $1, 0))");
    sqlx::query(sqlx::AssertSqlSafe(sql)).bind(feed).execute(transaction).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thing_has_the_same_bucket_everywhere() {
        assert_eq!((bucket(b""), bucket(b"a"), bucket(b"foobar")), (60, 36, 7));
    }

    #[test]
    fn who_needs_a_thing_alone_has_it_alone_whatever_came_first() {
        let mut holds = Holds::of("things");
        holds.alone(b"a");
        holds.shared(b"a");
        holds.shared(b"foobar");
        holds.alone(b"foobar");
        assert_eq!(holds.buckets, BTreeMap::from([(7, true), (36, true)]));
    }
}
