//! Rows that the database gives as JSON, each read into its type.

use sqlx::types::Json;

/// The rows without what made them readable.
#[must_use]
pub fn plain<T>(rows: Vec<Json<T>>) -> Vec<T> {
    rows.into_iter().map(|Json(row)| row).collect()
}
