//! What operators see of dead letters and do with them. Each change writes to the history of the dead letter and to the
//! record of operations, in one transaction.

use crate::{consumer::Record, event};
use schemas::{
    Timestamp, Uuid,
    dead_letter::{
        DeadLetterState::{self, Discarded, Parked, Queued, Retried, Retrying},
        UnknownDeadLetterState,
    },
};
use serde::Serialize;
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection, Postgres, QueryBuilder};

mod bulk;
mod discarded;
mod history;

pub use bulk::{Bulk, apply_all};
use discarded::record_discarded;
pub use history::HistoryKind;

/// Dead letters on one page at most.
pub const MAX_LIMIT: i64 = 500;

/// An operator asked for what can't be done.
#[derive(Debug, thiserror::Error)]
pub enum DeadLetterError {
    /// There is no such dead letter.
    #[error("there is no dead letter {0}")]
    NotFound(i64),
    /// The dead letter is settled, or is being tried at this moment.
    #[error("the dead letter {id} is {state}: {advice}")]
    State {
        /// The dead letter.
        id: i64,
        /// Its state.
        state: DeadLetterState,
        /// What can be done.
        advice: &'static str,
    },
    /// It waits behind an older one of its key.
    #[error(
        "the dead letter {id} waits behind {head}: an aggregate's events are applied in order, so settle {head} first"
    )]
    Queued {
        /// The dead letter.
        id: i64,
        /// The one it waits for.
        head: i64,
    },
    /// The new payload is none.
    #[error("the new payload is not taken: {0}")]
    Payload(String),
    /// A discarded event is lost; somebody will want to know why.
    #[error("a reason is needed: what is discarded is lost, and somebody will ask why")]
    NoReason,
    /// Other dead letters match than the operator has seen.
    #[error("{found} dead letters match now, but {expected} were expected: list them again first")]
    Changed {
        /// How many the operator has seen.
        expected: i64,
        /// How many there are.
        found: i64,
    },
    /// The database failed.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// Which dead letters. What is not given does not restrict.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// The states; the open ones by default.
    pub states: Vec<DeadLetterState>,
    /// The projection that could not apply it.
    pub projection: Option<String>,
    /// The event's type.
    pub event_type: Option<String>,
    /// The tenant's id.
    pub tenant: Option<Uuid>,
    /// Text that the error has, in any case.
    pub error: Option<String>,
    /// The Kafka key.
    pub key: Option<String>,
    /// Here for at least so many seconds.
    pub older_than_seconds: Option<i64>,
    /// Here for at most so many seconds.
    pub newer_than_seconds: Option<i64>,
}

impl Filter {
    /// Adds the conditions, each beginning with AND.
    fn push(&self, query: &mut QueryBuilder<Postgres>) {
        let states = if self.states.is_empty() { &DeadLetterState::OPEN[..] } else { &self.states[..] };
        let states: Vec<&str> = states.iter().map(|state| state.as_str()).collect();
        query.push(" AND state = ANY(").push_bind(states).push(")");
        let texts = [("projection", &self.projection), ("event_type", &self.event_type), ("aggregate_key", &self.key)];
        for (column, text) in texts {
            if let Some(text) = text {
                query.push(" AND ").push(column).push(" = ").push_bind(text.clone());
            }
        }
        if let Some(tenant) = self.tenant {
            query.push(" AND tenant_id = ").push_bind(tenant);
        }
        if let Some(error) = &self.error {
            query.push(" AND strpos(lower(error), lower(").push_bind(error.clone()).push(")) > 0");
        }
        for (seconds, comparison) in [(self.older_than_seconds, "<="), (self.newer_than_seconds, ">=")] {
            if let Some(seconds) = seconds {
                query.push(" AND created_at ").push(comparison).push(" now() - make_interval(secs => ");
                query.push_bind(seconds).push("::float8)");
            }
        }
    }

    /// The filter as it is recorded.
    fn to_json(&self) -> Value {
        json!({
            "states": self.states, "projection": self.projection, "event_type": self.event_type, "tenant": self.tenant,
            "error": self.error, "key": self.key, "older_than_seconds": self.older_than_seconds,
            "newer_than_seconds": self.newer_than_seconds,
        })
    }
}

/// A dead letter in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, sqlx::FromRow)]
pub struct DeadLetter {
    /// Its number.
    pub id: i64,
    /// Which projection could not apply it.
    pub projection: String,
    /// The Kafka key: the unit of order.
    pub aggregate_key: String,
    /// The tenant.
    pub tenant_id: Option<Uuid>,
    /// The topic.
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// The offset.
    pub record_offset: i64,
    /// The event's type, if it said one.
    pub event_type: Option<String>,
    /// Where it is in its life.
    #[sqlx(try_from = "String")]
    pub state: DeadLetterState,
    /// What happened last.
    pub error: String,
    /// How often it was tried.
    pub attempts: i32,
    /// Since when it is here.
    pub created_at: Timestamp,
    /// When it was touched last.
    pub updated_at: Timestamp,
}

/// The columns of a [`DeadLetter`].
const COLUMNS: &str = "id, projection, aggregate_key, tenant_id, topic, partition, record_offset, event_type, state, error, \
                       attempts, created_at, updated_at";

/// A page of dead letters, and how many match in all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Page {
    /// How many match.
    pub total: i64,
    /// The oldest first.
    pub letters: Vec<DeadLetter>,
    /// What to give as `after` to get the next page; nothing at the end.
    pub next: Option<i64>,
}

/// Lists dead letters, the oldest first, those with a number above `after`.
///
/// # Errors
/// The database's.
pub async fn list(connection: &mut PgConnection, filter: &Filter, after: i64, limit: i64) -> Result<Page, sqlx::Error> {
    let limit = limit.clamp(1, MAX_LIMIT);
    let mut count = QueryBuilder::new("SELECT count(*) FROM dead_letters WHERE true");
    filter.push(&mut count);
    let total: i64 = count.build_query_scalar().fetch_one(&mut *connection).await?;
    let mut query = QueryBuilder::new("SELECT ");
    query.push(COLUMNS).push(" FROM dead_letters WHERE id > ").push_bind(after);
    filter.push(&mut query);
    query.push(" ORDER BY id LIMIT ").push_bind(limit);
    let letters: Vec<DeadLetter> = query.build_query_as().fetch_all(connection).await?;
    let full = i64::try_from(letters.len()).unwrap_or(i64::MAX) == limit;
    let next = letters.last().map(|last| last.id).filter(|_| full);
    Ok(Page { total, letters, next })
}

/// Something that happened to a dead letter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Happened {
    /// When.
    pub at: Timestamp,
    /// What.
    pub kind: HistoryKind,
    /// Who; empty for the projection itself.
    pub actor: String,
    /// The error, or the reason.
    pub note: String,
    /// What an edit has replaced.
    pub payload: Option<Value>,
}

#[derive(sqlx::FromRow)]
struct HistoryRow {
    at: Timestamp,
    #[sqlx(try_from = "String")]
    kind: HistoryKind,
    actor: String,
    note: String,
    payload: Option<Vec<u8>>,
}

impl From<HistoryRow> for Happened {
    fn from(row: HistoryRow) -> Self {
        let HistoryRow { at, kind, actor, note, payload } = row;
        Self { at, kind, actor, note, payload: payload.as_deref().map(shown) }
    }
}

/// A dead letter with everything that is known of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Whole {
    /// What the list shows.
    #[serde(flatten)]
    pub letter: DeadLetter,
    /// The record's headers.
    pub headers: Value,
    /// The payload: JSON where it is, else text, with replacement characters where it is no text.
    pub payload: Option<Value>,
    /// The trace of the request behind it (W3C, 32 hexadecimal digits).
    pub trace_id: Option<String>,
    /// The request behind it.
    pub correlation_id: Option<String>,
    /// The first is the oldest.
    pub history: Vec<Happened>,
    /// The dead letter it waits behind, if it is queued.
    pub waits_for: Option<i64>,
    /// The dead letters that wait behind it.
    pub queue: Vec<DeadLetter>,
}

fn shown(payload: &[u8]) -> Value {
    serde_json::from_slice(payload).unwrap_or_else(|_| String::from_utf8_lossy(payload).into_owned().into())
}

/// One dead letter, whole.
///
/// # Errors
/// [`DeadLetterError::NotFound`], or the database's.
pub async fn show(connection: &mut PgConnection, id: i64) -> Result<Whole, DeadLetterError> {
    let mut query = QueryBuilder::<Postgres>::new("SELECT ");
    query.push(COLUMNS).push(" FROM dead_letters WHERE id = ").push_bind(id);
    let letter: DeadLetter =
        query.build_query_as().fetch_optional(&mut *connection).await?.ok_or(DeadLetterError::NotFound(id))?;
    let (headers, payload): (Value, Option<Vec<u8>>) =
        sqlx::query_as("SELECT headers, payload FROM dead_letters WHERE id = $1")
            .bind(id)
            .fetch_one(&mut *connection)
            .await?;
    let history: Vec<HistoryRow> = sqlx::query_as(
        "SELECT at, kind, actor, note, payload FROM dead_letter_history WHERE letter_id = $1 ORDER BY id",
    )
    .bind(id)
    .fetch_all(&mut *connection)
    .await?;
    let others = Filter {
        projection: Some(letter.projection.clone()),
        key: Some(letter.aggregate_key.clone()),
        ..Filter::default()
    };
    let others = list(connection, &others, 0, MAX_LIMIT).await?.letters;
    let is_open = letter.state.is_open();
    let head = others.first().map(|first| first.id).filter(|first| is_open && *first < id);
    let text = |name: &str| headers[name].as_str().map(str::to_owned);
    Ok(Whole {
        trace_id: text("ce_traceparent").and_then(|parent| parent.split('-').nth(1).map(str::to_owned)),
        correlation_id: text("ce_soukcorrelation"),
        payload: payload.as_deref().map(shown),
        history: history.into_iter().map(Happened::from).collect(),
        waits_for: head,
        queue: others.into_iter().filter(|other| other.id > id).collect(),
        headers,
        letter,
    })
}

/// A letter as an action finds it, locked together with its key.
struct Locked {
    state: DeadLetterState,
    projection: String,
    key: String,
}

/// Locks every open dead letter of the key of `id`, so that neither the projection nor another operator moves them.
async fn lock(connection: &mut PgConnection, id: i64) -> Result<Locked, DeadLetterError> {
    let found: Option<(String, String)> =
        sqlx::query_as("SELECT projection, aggregate_key FROM dead_letters WHERE id = $1")
            .bind(id)
            .fetch_optional(&mut *connection)
            .await?;
    let (projection, key) = found.ok_or(DeadLetterError::NotFound(id))?;
    let letters: Vec<(i64, String)> = sqlx::query_as(
        "SELECT id, state FROM dead_letters WHERE projection = $1 AND aggregate_key = $2
           AND (state IN ('parked', 'queued', 'retrying') OR id = $3) ORDER BY id FOR UPDATE",
    )
    .bind(&projection)
    .bind(&key)
    .bind(id)
    .fetch_all(connection)
    .await?;
    let state = letters.into_iter().find(|(other, _)| *other == id).map(|(_, state)| state);
    let state: DeadLetterState = state
        .ok_or(DeadLetterError::NotFound(id))?
        .parse()
        .map_err(|error: UnknownDeadLetterState| sqlx::Error::Decode(Box::new(error)))?;
    Ok(Locked { state, projection, key })
}

fn refuse(id: i64, state: DeadLetterState) -> DeadLetterError {
    let advice = match state {
        Retrying => "the projection is about to try it; look again in a second",
        Retried | Discarded => "it is settled, and nothing more can be done with it",
        Parked | Queued => "it is open, and this can't be done with it",
    };
    DeadLetterError::State { id, state, advice }
}

/// The head of a key must be parked for the projection to try it.
async fn must_be_head(connection: &mut PgConnection, id: i64, locked: Locked) -> Result<(), DeadLetterError> {
    match locked.state {
        Parked => Ok(()),
        Queued => {
            let head: i64 = sqlx::query_scalar(
                "SELECT min(id) FROM dead_letters WHERE projection = $1 AND aggregate_key = $2
                   AND state IN ('parked', 'queued', 'retrying')",
            )
            .bind(&locked.projection)
            .bind(&locked.key)
            .fetch_one(connection)
            .await?;
            // A queued head is left by an older release; trying it is right.
            if head == id { Ok(()) } else { Err(DeadLetterError::Queued { id, head }) }
        }
        Retrying | Retried | Discarded => Err(refuse(id, locked.state)),
    }
}

/// Asks the projection to try a parked event again, and after it all that queue behind it.
///
/// # Errors
/// [`DeadLetterError`] if it is not the head of its key.
pub async fn retry(connection: &mut PgConnection, id: i64, actor: &str) -> Result<(), DeadLetterError> {
    let mut transaction = connection.begin().await?;
    let locked = lock(&mut transaction, id).await?;
    must_be_head(&mut transaction, id, locked).await?;
    move_state(&mut transaction, id, Retrying).await?;
    remember(&mut transaction, id, HistoryKind::Retry, actor, "", None).await?;
    audit(&mut transaction, actor, "dead_letter.retry", id, &json!({})).await?;
    Ok(transaction.commit().await?)
}

/// Replaces the payload of a parked event and has it tried again; the payload that was there is kept.
///
/// # Errors
/// [`DeadLetterError::Payload`] if the new payload is no JSON, or not that event.
pub async fn edit(
    connection: &mut PgConnection,
    id: i64,
    payload: &[u8],
    actor: &str,
    reason: &str,
) -> Result<(), DeadLetterError> {
    let mut transaction = connection.begin().await?;
    let locked = lock(&mut transaction, id).await?;
    must_be_head(&mut transaction, id, locked).await?;
    let (mut record, before) = kept_record(&mut transaction, id).await?;
    serde_json::from_slice::<Value>(payload)
        .map_err(|error| DeadLetterError::Payload(format!("it is no JSON: {error}")))?;
    record.payload = Some(payload.to_vec());
    event::decode(&record).map_err(DeadLetterError::Payload)?;
    sqlx::query("UPDATE dead_letters SET payload = $2 WHERE id = $1")
        .bind(id)
        .bind(payload)
        .execute(&mut *transaction)
        .await?;
    move_state(&mut transaction, id, Retrying).await?;
    remember(&mut transaction, id, HistoryKind::Edit, actor, reason, before.as_deref()).await?;
    audit(&mut transaction, actor, "dead_letter.edit", id, &json!({"reason": reason})).await?;
    Ok(transaction.commit().await?)
}

/// Gives an event up, with the reason; what queues behind it is tried then.
///
/// # Errors
/// [`DeadLetterError::NoReason`] without one; [`DeadLetterError::State`] if it is settled or being tried.
pub async fn discard(connection: &mut PgConnection, id: i64, actor: &str, reason: &str) -> Result<(), DeadLetterError> {
    let reason = reason.trim();
    if reason.is_empty() {
        return Err(DeadLetterError::NoReason);
    }
    let mut transaction = connection.begin().await?;
    let locked = lock(&mut transaction, id).await?;
    if !matches!(locked.state, Parked | Queued) {
        return Err(refuse(id, locked.state));
    }
    move_state(&mut transaction, id, Discarded).await?;
    record_discarded(&mut transaction, &[id]).await?;
    wake_heads(&mut transaction, &[id]).await?;
    remember(&mut transaction, id, HistoryKind::Discard, actor, reason, None).await?;
    audit(&mut transaction, actor, "dead_letter.discard", id, &json!({"reason": reason})).await?;
    Ok(transaction.commit().await?)
}

/// Has the dead letters tried that have become the heads of their keys because these are gone.
async fn wake_heads(connection: &mut PgConnection, gone: &[i64]) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE dead_letters SET state = 'retrying', updated_at = now() WHERE state = 'queued' AND id IN (
           SELECT min(open.id) FROM dead_letters AS open
           JOIN (SELECT DISTINCT projection, aggregate_key FROM dead_letters WHERE id = ANY($1)) AS keys
             USING (projection, aggregate_key)
           WHERE open.state IN ('parked', 'queued', 'retrying') GROUP BY projection, aggregate_key)",
    )
    .bind(gone)
    .execute(connection)
    .await?;
    Ok(())
}

async fn move_state(connection: &mut PgConnection, id: i64, state: DeadLetterState) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE dead_letters SET state = $2, updated_at = now() WHERE id = $1")
        .bind(id)
        .bind(state.as_str())
        .execute(connection)
        .await?;
    Ok(())
}

async fn remember(
    connection: &mut PgConnection,
    id: i64,
    kind: HistoryKind,
    actor: &str,
    note: &str,
    payload: Option<&[u8]>,
) -> Result<(), sqlx::Error> {
    sqlx::query("INSERT INTO dead_letter_history (letter_id, kind, actor, note, payload) VALUES ($1, $2, $3, $4, $5)")
        .bind(id)
        .bind(kind.as_str())
        .bind(actor)
        .bind(note)
        .bind(payload)
        .execute(connection)
        .await?;
    Ok(())
}

async fn audit(
    connection: &mut PgConnection,
    actor: &str,
    action: &str,
    id: i64,
    detail: &Value,
) -> Result<(), sqlx::Error> {
    sqlx::query("INSERT INTO operations (actor, action, subject, detail) VALUES ($1, $2, $3, $4)")
        .bind(actor)
        .bind(action)
        .bind(id.to_string())
        .bind(detail)
        .execute(connection)
        .await?;
    Ok(())
}

/// The record of a dead letter, and its payload as it is.
async fn kept_record(connection: &mut PgConnection, id: i64) -> Result<(Record, Option<Vec<u8>>), sqlx::Error> {
    let row = sqlx::query(
        "SELECT id, aggregate_key, topic, partition, record_offset, headers, payload FROM dead_letters WHERE id = $1",
    )
    .bind(id)
    .fetch_one(connection)
    .await?;
    let (_, record) = super::kept(&row)?;
    let before = record.payload.clone();
    Ok((record, before))
}
