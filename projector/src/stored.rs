//! Versions as PostgreSQL keeps them: it has no unsigned numbers.

/// A version for a column.
#[must_use]
pub fn version(version: u64) -> i64 {
    i64::try_from(version).unwrap_or(i64::MAX)
}

/// A version out of a column, where it is above zero.
#[must_use]
pub fn read_version(version: i64) -> u64 {
    u64::try_from(version).unwrap_or_default()
}
