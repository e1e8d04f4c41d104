//! How PostgreSQL takes what it has no type for: unsigned numbers, and arrays of arrays.

use std::fmt::Display;

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

/// An array in PostgreSQL's text form, of what needs no quotes there, such as ids: arrays of arrays can't be unnested row by
/// row.
pub fn array<T: Display>(items: impl IntoIterator<Item = T>) -> String {
    let items: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
    format!("{{{}}}", items.join(","))
}
