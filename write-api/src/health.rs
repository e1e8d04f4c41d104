//! Readiness: the database answers and has what every context needs.

use schemas::contexts::Context;
use service::{Health, shutdown::Shutdown};
use sqlx::PgPool;
use std::time::Duration;

const PART: &str = "write_database";
const EVERY: Duration = Duration::from_secs(1);

/// Looks at the database again and again until shutdown.
pub(crate) async fn watch(pool: PgPool, health: Health, shutdown: Shutdown) {
    health.expect(PART);
    loop {
        let found: Result<bool, sqlx::Error> = sqlx::query_scalar(
            "SELECT bool_and(to_regclass(context || '.outbox') IS NOT NULL) FROM UNNEST($1::text[]) AS context",
        )
        .bind(&Context::ALL.map(Context::name)[..])
        .fetch_one(&pool)
        .await;
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
