//! The digests of this node's copies, for verifications: the operator's command compares one node's copy with the active
//! generation document by document, and those of all other nodes with that one, by their digests.

use super::{Phase, Report};
use crate::deps::{Deps, RoleError};
use eventlog::database;
use schemas::Uuid;
use search::{
    background::{self, Throttle},
    digest::{self, DigestSet},
    offsets::{self, covers},
    reader::{IndexHandle, Snapshot},
};
use serde_json::Value;
use sqlx::PgConnection;
use tokio::sync::oneshot;

/// What a verification asks of this node.
#[derive(Debug, Clone, sqlx::FromRow)]
struct Asked {
    generation: String,
    verification: Uuid,
    left_out: Vec<String>,
    offsets: Value,
    at_once: bool,
}

/// Opens the copies that stand where verifications want them, and has their digests computed in the background.
///
/// # Errors
/// The database's.
pub async fn answer(connection: &mut PgConnection, deps: &Deps, copies: &[(String, Report)]) -> Result<(), RoleError> {
    let held = |(_, report): &&(String, Report)| report.phase == Phase::Held;
    let held: Vec<&str> = copies.iter().filter(held).map(|(name, _)| name.as_str()).collect();
    if held.is_empty() {
        return Ok(());
    }
    let asked: Vec<Asked> = sqlx::query_as(
        "SELECT generation, verification, left_out, offsets, at_once FROM generation_proofs
         WHERE node = $1 AND state = 'asked' AND generation = ANY($2)",
    )
    .bind(&deps.config.node)
    .bind(&held)
    .fetch_all(&mut *connection)
    .await?;
    for one in asked {
        match open(deps, &one) {
            Ok(snapshot) => {
                one.tell(connection, &deps.config.node, "standing", None, "").await?;
                tokio::spawn(prove(deps.clone(), one, snapshot));
            }
            Err(error) => one.tell(connection, &deps.config.node, "failed", None, &error.to_string()).await?,
        }
    }
    Ok(())
}

/// Forgets the proof of a copy that was built anew.
///
/// # Errors
/// The database's.
pub async fn forget(deps: &Deps, generation: &str) -> Result<(), RoleError> {
    let mut connection = database::connect_durable(&deps.config.read_database_url).await?;
    sqlx::query("DELETE FROM generation_proofs WHERE generation = $1 AND node = $2")
        .bind(generation)
        .bind(&deps.config.node)
        .execute(&mut connection)
        .await?;
    Ok(())
}

fn open(deps: &Deps, asked: &Asked) -> Result<Snapshot, RoleError> {
    let handle = tokio::task::block_in_place(|| IndexHandle::open(&deps.config.index_dir, &asked.generation))?;
    let snapshot = handle.snapshot();
    let (there, wanted) = (offsets::of_topics(&snapshot.next_offsets()), offsets::parse(&asked.offsets.to_string())?);
    // A partition that nothing was read of may be named or not.
    if !covers(&there, &wanted) || !covers(&wanted, &there) {
        return Err("the copy does not stand at the offsets of the verification".into());
    }
    Ok(snapshot)
}

async fn prove(deps: Deps, asked: Asked, snapshot: Snapshot) {
    let outcome = async {
        let set = computed(&deps, &asked, snapshot).await?;
        let mut connection = database::connect_durable(&deps.config.read_database_url).await?;
        Ok::<_, RoleError>(asked.tell(&mut connection, &deps.config.node, "proved", Some(&set), "").await?)
    };
    if let Err(error) = outcome.await {
        // Whoever waits for it sees that it doesn't come.
        tracing::warn!(%error, index.generation = %asked.generation, "the copy's digest could not be told");
    }
}

async fn computed(deps: &Deps, asked: &Asked, snapshot: Snapshot) -> Result<DigestSet, RoleError> {
    let (throttle, left_out) = (Throttle::beside(&deps.config.index_dir), asked.left_out.clone());
    throttle.hurry(asked.at_once);
    let (done, outcome) = oneshot::channel();
    background::spawn("proof", move || {
        // Nobody waits any more when the process ends.
        let _ = done.send(digest::digest_set(&snapshot, &left_out, &throttle));
    })?;
    Ok(outcome.await??)
}

impl Asked {
    async fn tell(
        &self,
        connection: &mut PgConnection,
        node: &str,
        state: &str,
        set: Option<&DigestSet>,
        error: &str,
    ) -> Result<(), sqlx::Error> {
        sqlx::query(
            "UPDATE generation_proofs SET state = $4, documents = $5, digest = $6, error = $7, at = now()
             WHERE generation = $1 AND node = $2 AND verification = $3",
        )
        .bind(&self.generation)
        .bind(node)
        .bind(self.verification)
        .bind(state)
        .bind(set.map_or(0, |set| i64::try_from(set.live()).unwrap_or(i64::MAX)))
        .bind(set.map(DigestSet::digest).unwrap_or_default())
        .bind(error)
        .execute(connection)
        .await?;
        Ok(())
    }
}
