//! The same for every dead letter of a filter, all or none.

use super::{DeadLetterError, Filter, HistoryKind, record_discarded, wake_heads};
use schemas::dead_letter::DeadLetterState::{self, Discarded, Parked, Queued, Retrying};
use serde_json::json;
use sqlx::{Connection, PgConnection, Postgres, QueryBuilder};

/// What is done with every dead letter of a filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bulk<'a> {
    /// Those that are parked are tried again, and what queues behind them.
    Retry,
    /// Those that are parked or queued are given up, with this reason.
    Discard(&'a str),
}

impl Bulk<'_> {
    /// The states it can be done in.
    const fn states(self) -> &'static [DeadLetterState] {
        match self {
            Self::Retry => &[Parked],
            Self::Discard(_) => &[Parked, Queued],
        }
    }

    /// Action, kind of history, the state afterwards and the reason.
    const fn words(&self) -> (&'static str, HistoryKind, DeadLetterState, &str) {
        match self {
            Self::Retry => ("dead_letter.retry", HistoryKind::Retry, Retrying, ""),
            Self::Discard(reason) => ("dead_letter.discard", HistoryKind::Discard, Discarded, reason),
        }
    }
}

/// Does it and gives how many dead letters it changed; a dry run only counts them. With `expected`, nothing is done unless
/// exactly this many match: an operator changes only what they have seen.
///
/// # Errors
/// [`DeadLetterError::Changed`], [`DeadLetterError::NoReason`], or the database's; then nothing was done.
pub async fn apply_all(
    connection: &mut PgConnection,
    filter: &Filter,
    bulk: Bulk<'_>,
    actor: &str,
    dry_run: bool,
    expected: Option<i64>,
) -> Result<i64, DeadLetterError> {
    let (action, kind, after, reason) = bulk.words();
    if matches!(bulk, Bulk::Discard(reason) if reason.trim().is_empty()) {
        return Err(DeadLetterError::NoReason);
    }
    let mut transaction = connection.begin().await?;
    let mut query = QueryBuilder::<Postgres>::new("SELECT id FROM dead_letters WHERE state = ANY(");
    query.push_bind(bulk.states().iter().map(|state| state.as_str()).collect::<Vec<_>>()).push(")");
    filter.push(&mut query);
    query.push(" ORDER BY id FOR UPDATE");
    let ids: Vec<i64> = query.build_query_scalar().fetch_all(&mut *transaction).await?;
    let found = i64::try_from(ids.len()).unwrap_or(i64::MAX);
    if dry_run {
        return Ok(found);
    }
    if let Some(expected) = expected.filter(|expected| *expected != found) {
        return Err(DeadLetterError::Changed { expected, found });
    }
    sqlx::query("UPDATE dead_letters SET state = $2, updated_at = now() WHERE id = ANY($1)")
        .bind(&ids)
        .bind(after.as_str())
        .execute(&mut *transaction)
        .await?;
    if matches!(bulk, Bulk::Discard(_)) {
        record_discarded(&mut transaction, &ids).await?;
        wake_heads(&mut transaction, &ids).await?;
    }
    sqlx::query("INSERT INTO dead_letter_history (letter_id, kind, actor, note) SELECT id, $2, $3, $4 FROM unnest($1::bigint[]) AS id")
        .bind(&ids)
        .bind(kind.as_str())
        .bind(actor)
        .bind(reason)
        .execute(&mut *transaction)
        .await?;
    sqlx::query("INSERT INTO operations (actor, action, subject, detail) SELECT $2, $3, id::text, $4 FROM unnest($1::bigint[]) AS id")
        .bind(&ids)
        .bind(actor)
        .bind(action)
        .bind(json!({"reason": reason, "filter": filter.to_json(), "letters": found}))
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(found)
}
