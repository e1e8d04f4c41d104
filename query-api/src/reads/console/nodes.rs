//! The query nodes, which several pages of the console show.

use serde_json::Value;
use sqlx::PgPool;

const NODES: &str = "SELECT to_jsonb(t) FROM (
    SELECT reader, node, address, epoch, generation, opened, figures, waiting,
           extract(epoch FROM now() - heartbeat_at)::float8 AS heartbeat_age_seconds
    FROM query_nodes WHERE heartbeat_at > now() - interval '10 minutes' ORDER BY reader) AS t";

/// The query nodes that reported in the last ten minutes.
///
/// # Errors
/// The database's.
pub async fn recent(pool: &PgPool) -> Result<Vec<Value>, sqlx::Error> {
    sqlx::query_scalar(NODES).fetch_all(pool).await
}
