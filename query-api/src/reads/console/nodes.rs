//! The query nodes, which several pages of the console show.

use crate::{example, rows};
use search::nodes::Figures;
use serde::{Deserialize, Serialize};
use sqlx::PgPool;
use std::collections::BTreeMap;

const NODES: &str = "SELECT to_jsonb(t) FROM (
    SELECT reader, node, address, epoch, generation, opened, figures, waiting,
           extract(epoch FROM now() - heartbeat_at)::float8 AS heartbeat_age_seconds
    FROM query_nodes WHERE heartbeat_at > now() - interval '10 minutes' ORDER BY reader) AS t";

/// A query-api process, as the index writer beside it found it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct QueryNode {
    /// The process.
    pub reader: String,
    /// The machine whose index writer it shares a folder with.
    pub node: String,
    /// Where it answers.
    pub address: String,
    /// The number of the switch it has followed.
    pub epoch: i64,
    /// The generation it answers from.
    pub generation: String,
    /// Every generation it has open.
    pub opened: Vec<String>,
    /// How its searches went over the last ten seconds, by generation.
    pub figures: BTreeMap<String, Figures>,
    /// Why it has not followed the newest switch yet; empty if it has.
    pub waiting: String,
    /// Seconds since its last report.
    pub heartbeat_age_seconds: f64,
}

impl QueryNode {
    /// As the examples show it.
    #[must_use]
    pub fn example() -> Self {
        let figures = Figures { searches: 412, failed: 0, empty: 6, p50_ms: 4.1, p99_ms: 18.7 };
        Self {
            reader: "query-api-1".to_owned(),
            node: "node-1".to_owned(),
            address: "127.0.0.1:8081".to_owned(),
            epoch: 3,
            generation: example::GENERATION.to_owned(),
            opened: vec![example::GENERATION.to_owned()],
            figures: BTreeMap::from([(example::GENERATION.to_owned(), figures)]),
            waiting: String::new(),
            heartbeat_age_seconds: 0.6,
        }
    }
}

/// The query nodes that reported in the last ten minutes.
///
/// # Errors
/// The database's.
pub async fn recent(pool: &PgPool) -> Result<Vec<QueryNode>, sqlx::Error> {
    sqlx::query_scalar(NODES).fetch_all(pool).await.map(rows::plain)
}
