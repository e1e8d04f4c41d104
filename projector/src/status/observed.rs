//! Metrics of what the read database knows of all processes: who has stopped reporting, which copies of generations
//! there are, what waits for an operator. Every projector tells them, so that one is enough to see that another died.

use crate::metrics::{CopyOf, Metrics, TenantOf, of};
use sqlx::PgConnection;

/// Tenants that have a series of their own.
const MOST_TENANTS: i64 = 20;

/// Reads and publishes.
///
/// # Errors
/// The database's.
pub async fn publish(metrics: &Metrics, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let open: Vec<(String, i64)> = sqlx::query_as(
        "SELECT name, count(d.id) FROM (SELECT DISTINCT projection AS name FROM projection_status) AS known
         LEFT JOIN dead_letters AS d ON d.projection = name AND d.state IN ('parked', 'queued', 'retrying') GROUP BY name",
    )
    .fetch_all(&mut *connection)
    .await?;
    // What is gone from the database has no series any more.
    metrics.dead_letters_open.clear();
    for (projection, count) in open {
        metrics.dead_letters_open.get_or_create(&of(&projection)).set(count);
    }
    let heartbeats: Vec<(String, f64)> = sqlx::query_as(
        "SELECT projection, extract(epoch FROM now() - min(heartbeat_at))::float8 FROM projection_status GROUP BY projection",
    )
    .fetch_all(&mut *connection)
    .await?;
    metrics.heartbeat_age_seconds.clear();
    for (projection, age) in heartbeats {
        metrics.heartbeat_age_seconds.get_or_create(&of(&projection)).set(age);
    }
    let tenants: Vec<(String, String, f64)> = sqlx::query_as(
        "SELECT projection, tenant_id::text, greatest(late_seconds, waiting_seconds) AS late FROM tenant_lag
         WHERE updated_at > now() - interval '1 minute' ORDER BY late DESC LIMIT $1",
    )
    .bind(MOST_TENANTS)
    .fetch_all(&mut *connection)
    .await?;
    metrics.tenant_late_seconds.clear();
    for (name, tenant, late) in tenants {
        metrics.tenant_late_seconds.get_or_create(&TenantOf { name, tenant }).set(late);
    }
    copies(metrics, connection).await
}

async fn copies(metrics: &Metrics, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let copies: Vec<(String, String, String, i64, i64, f64)> = sqlx::query_as(
        "SELECT generation, node, phase, documents, lag_events, extract(epoch FROM now() - heartbeat_at)::float8
         FROM generation_copies",
    )
    .fetch_all(connection)
    .await?;
    metrics.copy_documents.clear();
    metrics.copy_lag_events.clear();
    metrics.copy_heartbeat_age_seconds.clear();
    for (generation, node, phase, documents, lag, age) in copies {
        let label = CopyOf { generation, node, phase };
        metrics.copy_documents.get_or_create(&label).set(documents);
        metrics.copy_lag_events.get_or_create(&label).set(lag);
        metrics.copy_heartbeat_age_seconds.get_or_create(&label).set(age);
    }
    Ok(())
}
