//! The node this process is on: the one whose index writer keeps the folder that it reads.

use search::nodes::{IndexFolder, host_name};
use sqlx::PgPool;
use std::{
    net::SocketAddr,
    path::Path,
    time::{Duration, Instant},
};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// How long a name is watched: one that is not renewed belongs to a node that is gone.
const SILENCE: Duration = Duration::from_secs(4);
/// Between two looks whether it was renewed.
const LOOK: Duration = Duration::from_millis(250);

/// Where others reach this process: one that listens on every address of its machine is reached by the machine's name.
pub fn reachable(listen: SocketAddr) -> String {
    if listen.ip().is_unspecified() { format!("{}:{}", host_name(), listen.port()) } else { listen.to_string() }
}

/// Refuses a node name that is not the index folder's, or is used by another folder at this moment. What can't be
/// known yet is no reason to refuse: a folder that no index writer has used, a database that doesn't answer.
///
/// # Errors
/// A sentence that says which name to change.
pub async fn check(pool: &PgPool, index_dir: &Path, configured: Option<&str>) -> Result<(), Failure> {
    let Ok(Some(folder)) = IndexFolder::read(index_dir) else { return Ok(()) };
    if let Some(node) = configured.filter(|node| *node != folder.node) {
        return Err(format!(
            "--node says `{node}`, but the index folder {} belongs to the node `{}`: a query-api and the index writer of its folder have the same --node or SOUK_NODE",
            index_dir.display(),
            folder.node
        )
        .into());
    }
    let Some(first) = other_owner(pool, &folder).await else { return Ok(()) };
    let began = Instant::now();
    let mut looks = tokio::time::interval(LOOK);
    while began.elapsed() < SILENCE {
        looks.tick().await;
        let Some(now) = other_owner(pool, &folder).await else { return Ok(()) };
        if now != first {
            return Err(format!(
                "the node name `{}` is in use: an index writer on {} reports under it with another index folder than {}. Give each index folder a name of its own with --node or SOUK_NODE",
                folder.node,
                now.0,
                index_dir.display()
            )
            .into());
        }
    }
    Ok(())
}

/// The host of another folder under the same name, and when it was renewed last, in microseconds since 1970.
async fn other_owner(pool: &PgPool, folder: &IndexFolder) -> Option<(String, i64)> {
    let found = sqlx::query_as(
        "SELECT host, (extract(epoch FROM heartbeat_at) * 1000000)::bigint FROM index_nodes
         WHERE node = $1 AND folder <> $2 AND heartbeat_at > now() - interval '10 seconds'",
    )
    .bind(&folder.node)
    .bind(folder.folder)
    .fetch_optional(pool)
    .await;
    found
        .inspect_err(|error| tracing::debug!(%error, "whose the node's name is can't be asked right now"))
        .ok()
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_listens_everywhere_is_reached_by_name() {
        let of = |text: &str| reachable(text.parse().expect("an address"));
        assert_eq!(of("127.0.0.1:8081"), "127.0.0.1:8081");
        assert_eq!(of("0.0.0.0:8081"), format!("{}:8081", host_name()));
    }
}
