//! Scheduled work of a feed, and dead letters that an operator wants tried again. One process does both: whoever holds the
//! first partitions.

use super::{Target, gone, standstill::stand_still};
use crate::{
    blame,
    deps::{Deps, RoleError},
    holds,
    metrics::of,
    projection::Moment,
    projections::sources,
    readers,
};
use eventlog::{Record, dead_letter, event::decode};
use schemas::Utc;
use sqlx::{Connection, PgConnection};

/// Keys whose dead letters are tried again in one tick; the others wait for the next.
const KEYS_PER_TICK: usize = 100;

/// Does it, and counts it.
pub(super) async fn work(deps: &Deps, target: Target, connection: &mut PgConnection) -> Result<Done, RoleError> {
    let at = Moment { now: Utc::now(), insight_retention_days: deps.config.insight_retention_days };
    let done = tick(target, connection, &at).await?;
    deps.metrics.applied.get_or_create(&of(target.name)).inc_by(done.retried as u64);
    deps.metrics.searches_pruned.inc_by(done.pruned);
    deps.metrics.shops_swept.get_or_create(&of(target.name)).inc_by(done.swept);
    Ok(done)
}

/// What one round of scheduled work has done.
#[derive(Debug, Clone, Copy, Default)]
pub struct Done {
    /// Rows that readers see in another form now.
    pub changed: usize,
    /// Dead letters that were applied.
    pub retried: usize,
    /// Rows that were deleted by age.
    pub pruned: u64,
    /// Rows of deleted shops that went.
    pub swept: u64,
    /// Whether there is more to do at once.
    pub has_more: bool,
}

/// Does the scheduled work of the projections, and tries dead letters again that an operator wants tried.
///
/// # Errors
/// The database's.
pub async fn tick(target: Target, connection: &mut PgConnection, at: &Moment) -> Result<Done, sqlx::Error> {
    let mut done = Done::default();
    if is_asked(target, connection).await? {
        dead_letters(target, connection, &mut done).await?;
    }
    projections(target, connection, at, &mut done).await?;
    done.swept = gone::sweep(target, connection).await?;
    done.has_more |= done.swept > 0;
    if done.changed + done.retried > 0 {
        tracing::info!(
            projection = target.name,
            rows.changed = done.changed,
            dead_letters.retried = done.retried,
            "scheduled work is done"
        );
    }
    Ok(done)
}

async fn projections(
    target: Target,
    connection: &mut PgConnection,
    at: &Moment,
    done: &mut Done,
) -> Result<(), sqlx::Error> {
    let mut transaction = connection.begin().await?;
    stand_still(target, &mut transaction).await?;
    holds::gate(&mut transaction, target.name, false).await?;
    let mut shown = 0;
    for projection in target.projections() {
        let ticked = projection.tick(&mut transaction, at).await?;
        shown += ticked.changed;
        done.pruned += ticked.pruned;
        done.has_more |= ticked.has_more;
    }
    if let Some(changed) = target.tells.filter(|_| shown > 0) {
        readers::tell(&mut transaction, changed).await?;
    }
    done.changed += shown;
    transaction.commit().await
}

/// Whether an operator has decided on dead letters.
async fn is_asked(target: Target, connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    Ok(dead_letter::is_retry_asked(connection, target.name).await?
        || sources::is_passing_due(connection, &target.contexts()).await?)
}

/// Does what an operator has decided on dead letters. No other share applies anything meanwhile: whether a key is open has to
/// be the same for the events that come and for those that are tried again.
async fn dead_letters(target: Target, connection: &mut PgConnection, done: &mut Done) -> Result<(), sqlx::Error> {
    let mut transaction = connection.begin().await?;
    stand_still(target, &mut transaction).await?;
    holds::gate(&mut transaction, target.name, true).await?;
    let passed = sources::pass_discarded(&mut transaction, &target.contexts()).await?;
    done.changed += usize::try_from(passed).unwrap_or(usize::MAX);
    for _ in 0..KEYS_PER_TICK {
        let letters = dead_letter::to_retry(&mut transaction, target.name).await?;
        if letters.is_empty() {
            break;
        }
        done.retried += retry(target, &mut transaction, letters).await?;
    }
    if let Some(changed) = target.tells.filter(|_| done.changed + done.retried > 0) {
        readers::tell(&mut transaction, changed).await?;
    }
    transaction.commit().await
}

/// Tries the events of one key again, in order, until one fails.
async fn retry(
    target: Target,
    transaction: &mut PgConnection,
    letters: Vec<(i64, Record)>,
) -> Result<usize, sqlx::Error> {
    let mut done = 0;
    for (id, record) in letters {
        let mut savepoint = transaction.begin().await?;
        let outcome = match decode(&record) {
            Ok(event) => match target.project(&mut savepoint, &[event], Utc::now()).await {
                Ok(refused) => refused.first().map_or(Ok(()), |one| Err(one.reason.clone())),
                Err(error) if blame::is_of_data(&error) => Err(error.to_string()),
                Err(error) => return Err(error),
            },
            Err(reason) => Err(reason),
        };
        match outcome {
            Ok(()) => {
                dead_letter::settle(&mut savepoint, id).await?;
                savepoint.commit().await?;
                done += 1;
            }
            Err(reason) => {
                savepoint.rollback().await?;
                dead_letter::park_again(transaction, id, &reason).await?;
                break;
            }
        }
    }
    Ok(done)
}
