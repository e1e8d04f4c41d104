//! How the pipeline records what a transaction has changed.

use super::domain::{RecordEntry, Trail};
use crate::{
    domain::Aggregate,
    pipeline::{Batch, Expected, Failure, Scope, Stored},
};
use schemas::{Uuid, audit::Entry};
use sha2::{Digest, Sha256};
use sqlx::PgConnection;

/// Changes in one entry at most, so that it stays far below what the log takes.
const MOST: usize = 500;

/// Adds what the scope's actor has changed to the shop's trail. To be called last in a transaction: from here on nobody
/// else can end one in this shop before it ends.
pub(crate) async fn record(conn: &mut PgConnection, scope: &Scope) -> Result<(), Failure> {
    let Some((by, changes)) = scope.audited.take() else { return Ok(()) };
    if changes.is_empty() {
        return Ok(());
    }
    let id = scope.tenant.uuid();
    let mut trails = load(conn, scope, id).await?;
    for changes in changes.chunks(MOST) {
        let entry = Entry {
            at: scope.now,
            actor: by.actor,
            address: by.address.clone(),
            reason: by.reason.clone(),
            correlation_id: scope.request.correlation_id.clone(),
            changes: changes.to_vec(),
        };
        add(&mut trails, id, &entry)?;
    }
    trails.append(conn, scope).await
}

fn add(trails: &mut Batch<Trail>, id: Uuid, entry: &Entry) -> Result<(), Failure> {
    let unwritable = |error: serde_json::Error| Failure::NoJson("entry of the audit", error);
    let entry = serde_json::to_string(entry).map_err(unwritable)?;
    let digest = digest(Trail::end(trails.state(id)), &entry)?;
    let added = trails.carry_out(id, Expected::Any, |trails| {
        Trail::decide(trails.state(id), RecordEntry { entry, digest }).map_err(|never| match never {})
    });
    // Bounded as above, it is never refused for its size; if it were, nothing may be done that is not recorded.
    added.map(drop).map_err(|refused| Failure::Unreadable("entry of the audit", refused.problem().title.clone()))
}

/// The digest of an entry behind that of the one before.
fn digest(previous: &str, entry: &str) -> Result<String, Failure> {
    let unreadable = |error: hex::FromHexError| Failure::Unreadable("digest of the audit", error.to_string());
    let mut hash = Sha256::new_with_prefix(hex::decode(previous).map_err(unreadable)?);
    hash.update(entry.as_bytes());
    Ok(hex::encode(hash.finalize()))
}

/// The trail, locked. Of two that would begin it at once one waits for the other.
async fn load(conn: &mut PgConnection, scope: &Scope, id: Uuid) -> Result<Batch<Trail>, Failure> {
    let trails = Trail::load(conn, scope, &[id]).await?;
    if trails.state(id).is_some() {
        return Ok(trails);
    }
    sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended('souk:audit:' || $1::text, 0))")
        .bind(id)
        .execute(&mut *conn)
        .await?;
    Trail::load(conn, scope, &[id]).await
}
