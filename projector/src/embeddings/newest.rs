//! The texts that were written last, while a backlog of older ones waits: what staff have just changed, and a search with
//! its token waits for, is not behind an import of yesterday. The backlog finds their vectors there and passes over them.

use search::document::SearchDocument;
use sqlx::{PgConnection, Row};

/// How far the newest texts have been taken.
#[derive(Debug, Default)]
pub struct Newest {
    /// The highest version that was taken.
    taken: i64,
}

impl Newest {
    /// The documents of the views that were written since the last time, the newest of them; older ones are left to the
    /// backlog.
    ///
    /// # Errors
    /// The database's.
    pub async fn take(
        &mut self,
        connection: &mut PgConnection,
        most: usize,
    ) -> Result<Vec<SearchDocument>, sqlx::Error> {
        let rows = sqlx::query(
            "SELECT doc_version, body FROM documents WHERE doc_version > $1 AND NOT deleted ORDER BY doc_version DESC LIMIT $2",
        )
        .bind(self.taken)
        .bind(i64::try_from(most).unwrap_or(i64::MAX))
        .fetch_all(connection)
        .await?;
        if let Some(newest) = rows.first() {
            self.taken = newest.try_get("doc_version")?;
        }
        let read = |row: &sqlx::postgres::PgRow| {
            let body: String = row.try_get("body")?;
            serde_json::from_str(&body).map_err(|error| sqlx::Error::Decode(Box::new(error)))
        };
        rows.iter().map(read).collect()
    }
}
