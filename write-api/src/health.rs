//! Readiness: the database answers and has the tables.

use service::{Health, shutdown::Shutdown};
use sqlx::PgPool;
use std::time::Duration;

const PART: &str = "write_database";
const EVERY: Duration = Duration::from_secs(1);

/// Looks at the database again and again until shutdown.
pub(crate) async fn watch(pool: PgPool, health: Health, shutdown: Shutdown) {
    health.expect(PART);
    loop {
        let found: Result<bool, sqlx::Error> =
            sqlx::query_scalar("SELECT to_regclass('insights.records') IS NOT NULL").fetch_one(&pool).await;
        match found {
            Ok(true) => health.set(PART, true, ""),
            Ok(false) => health.set(PART, false, "the database is not migrated; run `souk migrate`"),
            Err(error) => health.set(PART, false, &format!("the database does not answer: {error}")),
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = shutdown.wait() => return,
        }
    }
}
