//! How the pipeline records what a transaction has changed.

use super::domain::{RecordEntry, Trail};
use crate::{
    domain::Aggregate,
    pipeline::{Batch, Expected, Failure, Scope, Stored},
};
use schemas::{
    Uuid,
    audit::{self, Change, Entry},
    sizes::MAX_EVENT_BYTES,
};
use sqlx::PgConnection;

/// Bytes of changes, as JSON text, after which an entry ends. As a text in its event's JSON it may double.
const MOST_BYTES: usize = MAX_EVENT_BYTES / 4;

/// Adds what the scope's actor has changed to the shop's trail. To be called last in a transaction: from here on nobody
/// else can end one in this shop before it ends.
pub(crate) async fn record(conn: &mut PgConnection, scope: &Scope) -> Result<(), Failure> {
    record_all(conn, scope, &[scope]).await
}

/// The same for several actors whose commands are one transaction, in their order.
pub(crate) async fn record_all(conn: &mut PgConnection, scope: &Scope, actors: &[&Scope]) -> Result<(), Failure> {
    let (id, mut trails, mut origins) = (scope.tenant.uuid(), None, Vec::new());
    for actor in actors {
        let Some((by, changes)) = actor.audited.take().filter(|(_, changes)| !changes.is_empty()) else { continue };
        let trails = match &mut trails {
            Some(trails) => trails,
            None => trails.insert(load(conn, scope, id).await?),
        };
        for changes in parts(changes, MOST_BYTES)? {
            let entry = Entry {
                at: scope.now,
                actor: by.actor,
                address: by.address.clone(),
                reason: by.reason.clone(),
                correlation_id: actor.request.correlation_id.clone(),
                changes,
            };
            add(trails, id, &entry)?;
            origins.push(*actor);
        }
    }
    match trails {
        Some(trails) => trails.append_of(conn, scope, &origins).await,
        None => Ok(()),
    }
}

/// The changes in their order, in parts that end once they have so many bytes; a change is never split.
fn parts(changes: Vec<Change>, bytes: usize) -> Result<Vec<Vec<Change>>, Failure> {
    let (mut parts, mut filled) = (Vec::<Vec<Change>>::new(), bytes);
    for change in changes {
        let length = serde_json::to_string(&change).map_err(unwritable)?.len();
        if filled + length > bytes {
            parts.push(Vec::new());
            filled = 0;
        }
        filled += length;
        if let Some(part) = parts.last_mut() {
            part.push(change);
        }
    }
    Ok(parts)
}

fn unwritable(error: serde_json::Error) -> Failure {
    Failure::NoJson("entry of the audit", error)
}

fn add(trails: &mut Batch<Trail>, id: Uuid, entry: &Entry) -> Result<(), Failure> {
    let entry = serde_json::to_string(entry).map_err(unwritable)?;
    let unreadable = || Failure::Unreadable("digest of the audit", "it is no SHA-256".to_owned());
    let digest = audit::digest(Trail::end(trails.state(id)), &entry).ok_or_else(unreadable)?;
    let added = trails.carry_out(id, Expected::Any, |trails| {
        Trail::decide(trails.state(id), RecordEntry { entry, digest }).map_err(|never| match never {})
    });
    // Bounded as above, it is never refused for its size; if it were, nothing may be done that is not recorded.
    added.map(drop).map_err(|refused| Failure::Unreadable("entry of the audit", refused.problem().title.clone()))
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

#[cfg(test)]
mod tests {
    use super::parts;
    use schemas::{Uuid, audit::Change};

    #[test]
    fn an_entry_ends_by_its_bytes_and_no_change_is_lost_or_split() {
        let change = |number: u64| Change {
            context: "catalog".to_owned(),
            aggregate: "product".to_owned(),
            id: Uuid::nil(),
            before: number,
            after: number + 1,
            events: Vec::new(),
            payloads: "x".repeat(usize::try_from(number).expect("small") * 100),
            fields: Vec::new(),
        };
        let all: Vec<Change> = (0..20).map(change).collect();
        let split = parts(all.clone(), 4_000).expect("JSON");
        assert_eq!(split.concat(), all);
        assert!(split.len() > 5, "{}", split.len());
        let bytes =
            |part: &[Change]| part.iter().map(|one| serde_json::to_string(one).expect("JSON").len()).sum::<usize>();
        assert!(split.iter().all(|part| bytes(part) <= 4_000));
        assert_eq!(parts(all.clone(), 1).expect("JSON").len(), all.len(), "each alone, however large");
        assert!(parts(Vec::new(), 1).expect("JSON").is_empty());
    }
}
