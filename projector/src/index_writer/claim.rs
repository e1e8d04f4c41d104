//! The name of a node belongs to one index folder. The index writer claims it at its start and renews it with its
//! reports; a name that another folder's writer renews is refused.

use crate::deps::RoleError;
use schemas::Uuid;
use search::nodes::{FolderLock, IndexFolder, host_name};
use sqlx::PgConnection;
use std::{path::Path, time::Duration};
use tokio::time::Instant;

/// How long a name has to be watched unrenewed before another folder may take it. A writer renews it every second; what
/// has not been renewed for ten seconds is free at once.
const SILENCE: Duration = Duration::from_secs(4);
/// Between two looks whether it was renewed.
const LOOK: Duration = Duration::from_millis(250);

/// A node's name, held for one index folder.
#[derive(Debug)]
pub struct Claim {
    folder: IndexFolder,
    instance: Uuid,
    _lock: FolderLock,
}

impl Claim {
    /// Claims a node's name for an index folder, at once where it was this folder's before.
    ///
    /// # Errors
    /// If another writer works in the folder, or another folder's writer lives under this name.
    pub async fn take(connection: &mut PgConnection, index_dir: &Path, node: &str) -> Result<Self, RoleError> {
        let lock = FolderLock::take(index_dir)?.ok_or_else(|| {
            format!("another index writer works in {}; each needs a folder of its own", index_dir.display())
        })?;
        let claim = Self { folder: IndexFolder::named(index_dir, node)?, instance: Uuid::now_v7(), _lock: lock };
        let seen = claim.row(connection, None).await?;
        if let Some((host, renewed)) = seen {
            let began = Instant::now();
            let mut looks = tokio::time::interval(LOOK);
            while began.elapsed() < SILENCE {
                looks.tick().await;
                if claim.owner(connection).await?.is_some_and(|(_, now)| now != renewed) {
                    return Err(claim.refusal(&host).into());
                }
            }
            if let Some((host, _)) = claim.row(connection, Some(renewed)).await? {
                return Err(claim.refusal(&host).into());
            }
            tracing::warn!(node, node.host = %host, "the node's name was another index folder's, which has fallen silent");
        }
        claim.folder.write(index_dir)?;
        Ok(claim)
    }

    fn refusal(&self, host: &str) -> String {
        format!(
            "the node name `{}` is in use: an index writer on {host} reports under it with another index folder. Give each index folder a name of its own with --node or SOUK_NODE",
            self.folder.node
        )
    }

    /// Writes the row if it is free, this folder's, or as silent as it was seen; else gives whose it is.
    async fn row(
        &self,
        connection: &mut PgConnection,
        silent_since: Option<i64>,
    ) -> Result<Option<(String, i64)>, sqlx::Error> {
        let taken = sqlx::query(
            "INSERT INTO index_nodes AS n (node, folder, instance, host) VALUES ($1, $2, $3, $4)
             ON CONFLICT (node) DO UPDATE SET folder = excluded.folder, instance = excluded.instance, host = excluded.host,
               heartbeat_at = excluded.heartbeat_at
             WHERE n.folder = excluded.folder OR n.heartbeat_at < now() - interval '10 seconds'
                OR (extract(epoch FROM n.heartbeat_at) * 1000000)::bigint = $5",
        )
        .bind(&self.folder.node)
        .bind(self.folder.folder)
        .bind(self.instance)
        .bind(host_name())
        .bind(silent_since)
        .execute(&mut *connection)
        .await?;
        if taken.rows_affected() > 0 { Ok(None) } else { self.owner(connection).await }
    }

    /// Whose the name is, and when it was renewed last, in microseconds since 1970.
    async fn owner(&self, connection: &mut PgConnection) -> Result<Option<(String, i64)>, sqlx::Error> {
        sqlx::query_as(
            "SELECT host, (extract(epoch FROM heartbeat_at) * 1000000)::bigint FROM index_nodes WHERE node = $1",
        )
        .bind(&self.folder.node)
        .fetch_optional(connection)
        .await
    }

    /// Says that the node is alive.
    ///
    /// # Errors
    /// If the name has been taken by another meanwhile: this process was silent for too long.
    pub async fn renew(&self, connection: &mut PgConnection) -> Result<(), RoleError> {
        let renewed =
            sqlx::query("UPDATE index_nodes SET heartbeat_at = clock_timestamp() WHERE node = $1 AND instance = $2")
                .bind(&self.folder.node)
                .bind(self.instance)
                .execute(connection)
                .await?;
        if renewed.rows_affected() == 0 {
            return Err(format!(
                "the node name `{}` has been taken by another index writer meanwhile",
                self.folder.node
            )
            .into());
        }
        Ok(())
    }
}
