//! The outbox relay: one leader per context takes the unpublished rows in id order, sends them to
//! Kafka, and marks them once the broker has acknowledged.
//!
//! Never by a cursor on the id (a row with a lower id may become visible later), never by several at
//! once with SKIP LOCKED (that reorders); see docs/decisions/0003. What the relays of a process share is in
//! [`crate::outboxes`].

use crate::{
    ahead::Ahead,
    deps::{Deps, RoleError},
    metrics::of,
    outboxes::{relay_name, workers::Worker},
    status::{Progress, tenants::Waiting},
    stored,
    turns::{Sent, Turns},
    unsent,
};
use eventlog::{
    Event,
    linger::Linger,
    log,
    producer::{self, Outgoing, Place, headers},
};
use schemas::{
    Timestamp,
    envelope::Envelope,
    events::{DecodeError, DomainEvent},
    ids::{EventId, TenantId},
    topics::{Context, partition_key},
};
use sqlx::{AssertSqlSafe, PgConnection, Row, postgres::PgRow};
use std::time::Duration;
use tokio::time::Instant;

pub mod waiting;

/// How often depth and age are measured.
const MEASURE: Duration = Duration::from_secs(1);

/// Relays one context until something fails.
///
/// # Errors
/// The database's or the broker's; rows that were not acknowledged stay unpublished.
pub async fn run(deps: Deps, context: Context) -> Result<(), RoleError> {
    deps.is_fit(&relay_name(context));
    let lease = deps.outboxes.lead(context).await.ok_or("the process is ending")?;
    tokio::select! {
        outcome = relay(&deps, context) => outcome,
        () = lease.lost() => Err("the session that holds the relays' locks is lost".into()),
    }
}

async fn relay(deps: &Deps, context: Context) -> Result<(), RoleError> {
    let topic = deps.log.topic(context.topic());
    let workers = &deps.outboxes.workers;
    let (mut counts, mut linger) = (Counts::begin(), linger_of(context));
    let mut ahead = Ahead::of_views(context, &topic, &deps.config.read_database_url);
    let mut turns = Turns::default();
    let mut worker = workers.take().await?;
    report(deps, &mut worker.connection, context, &counts).await?;
    workers.back(worker);
    loop {
        let room = ahead.room().await;
        let mut worker = workers.take().await?;
        linger.begin();
        let query = if turns.are_on() { waiting::in_turn(context, room) } else { waiting::in_order(context, room) };
        let sent = round(deps, &mut worker, context, &topic, query).await?;
        deps.metrics.relayed.get_or_create(&of(context.name())).inc_by(sent.rows);
        counts.add(sent.rows);
        if counts.measured.elapsed() >= MEASURE {
            report(deps, &mut worker.connection, context, &counts).await?;
            counts = counts.anew();
        }
        workers.back(worker);
        let more_may_wait = turns.after(&sent, room);
        ahead.note(sent);
        if !more_may_wait {
            // Past the time there may be nothing to send, but there is something to report.
            let _ = tokio::time::timeout_at(counts.measured + MEASURE, deps.outboxes.signalled(context)).await;
            linger.due().await;
        }
    }
}

/// How often a context is relayed. What the audit has recorded is told a second later: each command adds to it, and
/// what shoppers wait for goes before.
fn linger_of(context: Context) -> Linger {
    match context {
        Context::Audit => Linger::every(Duration::from_secs(1)),
        Context::Tenants
        | Context::Catalog
        | Context::Pricing
        | Context::Inventory
        | Context::Merchandising
        | Context::Insights
        | Context::Access
        | Context::Accounts
        | Context::Promotions
        | Context::Settings
        | Context::Carts
        | Context::Checkout
        | Context::Orders
        | Context::Payments => Linger::default(),
    }
}

/// What a relay has sent: since it leads, and since it was reported.
struct Counts {
    ever: u64,
    since: u64,
    measured: Instant,
    /// When something was last sent.
    sent: Instant,
}

impl Counts {
    fn begin() -> Self {
        Self { ever: 0, since: 0, measured: Instant::now(), sent: Instant::now() }
    }

    fn add(&mut self, rows: u64) {
        (self.ever, self.since) = (self.ever + rows, self.since + rows);
        if rows > 0 {
            self.sent = Instant::now();
        }
    }

    fn anew(self) -> Self {
        Self { since: 0, measured: Instant::now(), ..self }
    }

    /// Events a second since it was reported.
    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    fn rate(&self) -> f64 {
        self.since as f64 / self.measured.elapsed().as_secs_f64().max(f64::EPSILON)
    }
}

/// Sends one batch and marks what was acknowledged. What the broker never takes is put aside.
async fn round(
    deps: &Deps,
    worker: &mut Worker,
    context: Context,
    topic: &str,
    query: String,
) -> Result<Sent, RoleError> {
    let connection = &mut worker.connection;
    let rows = sqlx::query(AssertSqlSafe(query)).fetch_all(&mut *connection).await?;
    if rows.is_empty() {
        return Ok(Sent::default());
    }
    worker.plans.suit(connection, rows.len()).await?;
    let ids = rows.iter().map(|row| row.try_get::<i64, _>("id")).collect::<Result<Vec<_>, _>>()?;
    // Which months they are of, so that the others are not looked at.
    let times = rows.iter().map(|row| row.try_get::<Timestamp, _>("occurred_at")).collect::<Result<Vec<_>, _>>()?;
    let shops = rows.iter().map(|row| row.try_get("tenant_id").map(TenantId)).collect::<Result<Vec<_>, _>>()?;
    let records = rows.into_iter().map(|row| outgoing(&row, context, topic)).collect::<Result<Vec<_>, _>>()?;
    let (acknowledged, error) = producer::send_in_order(&deps.producer, &records).await;
    let mut places: Vec<Option<Place>> = acknowledged.into_iter().map(Some).collect();
    let refused = error.as_ref().filter(|error| log::refuses_for_ever(error)).zip(records.get(places.len()));
    if let Some((error, record)) = refused {
        unsent::keep(deps, &relay_name(context), record, ids[places.len()], error).await?;
        places.push(None);
    }
    let taken = places.len();
    mark(connection, context, topic, (&ids[..taken], &times), &places).await?;
    match error {
        // After an error the next round needs a new producer, which the next start of this role brings.
        Some(error) => Err(format!("Kafka took {taken} of {} records of {topic}: {error}", records.len()).into()),
        None => Ok(Sent::of(&records, places.into_iter(), &shops)),
    }
}

/// Marks rows as published, with where each stands; one that was put aside stands nowhere.
async fn mark(
    connection: &mut PgConnection,
    context: Context,
    topic: &str,
    (ids, times): (&[i64], &[Timestamp]),
    places: &[Option<Place>],
) -> Result<(), sqlx::Error> {
    if ids.is_empty() {
        return Ok(());
    }
    sqlx::query(AssertSqlSafe(format!(
        "UPDATE {context}.outbox AS o
         SET published_at = now(), topic = CASE WHEN sent.partition IS NOT NULL THEN $2 END, partition = sent.partition,
             record_offset = sent.record_offset
         FROM unnest($1::bigint[], $3::integer[], $4::bigint[]) AS sent(id, partition, record_offset)
         WHERE o.id = sent.id AND o.occurred_at BETWEEN $5 AND $6"
    )))
    .bind(ids)
    .bind(topic)
    .bind(places.iter().map(|place| place.map(|place| place.partition)).collect::<Vec<_>>())
    .bind(places.iter().map(|place| place.map(|place| place.offset)).collect::<Vec<_>>())
    .bind(times.iter().min())
    .bind(times.iter().max())
    .execute(connection)
    .await?;
    Ok(())
}

/// What an outbox row says of its event.
///
/// # Errors
/// The database's.
pub fn envelope(row: &PgRow, context: Context) -> Result<Envelope, sqlx::Error> {
    Ok(Envelope {
        id: EventId(row.try_get("event_id")?),
        event_type: row.try_get("event_type")?,
        tenant: TenantId(row.try_get("tenant_id")?),
        context,
        aggregate: row.try_get("aggregate")?,
        aggregate_id: row.try_get("aggregate_id")?,
        version: stored::read_version(row.try_get("version")?),
        time: row.try_get("occurred_at")?,
        correlation_id: row.try_get("correlation_id")?,
        causation_id: row.try_get("causation_id")?,
        traceparent: row.try_get("traceparent")?,
    })
}

/// The event of a row, as a consumer would read it; the inner error is why a consumer could not.
///
/// # Errors
/// The database's.
pub fn event(row: &PgRow, context: Context) -> Result<Result<Event, DecodeError>, sqlx::Error> {
    let envelope = envelope(row, context)?;
    let key = partition_key(envelope.tenant, row.try_get("partition_id")?);
    let payload: String = row.try_get("payload")?;
    let decoded = DomainEvent::decode(context, &envelope.event_type, payload.as_bytes());
    Ok(decoded.map(|event| Event { key, envelope, event }))
}

fn outgoing(row: &PgRow, context: Context, topic: &str) -> Result<Outgoing, sqlx::Error> {
    let envelope = envelope(row, context)?;
    let span = tracing::debug_span!("relay.event", event.id = %envelope.id, correlation.id = %envelope.correlation_id);
    service::request::continue_trace(&span, envelope.traceparent.as_deref());
    span.in_scope(
        || tracing::debug!(event.type = %envelope.event_type, aggregate.id = %envelope.aggregate_id, "relayed"),
    );
    Ok(Outgoing {
        topic: topic.to_owned(),
        key: partition_key(envelope.tenant, row.try_get("partition_id")?),
        payload: row.try_get("payload")?,
        headers: headers(&envelope.to_headers()),
    })
}

async fn report(
    deps: &Deps,
    connection: &mut PgConnection,
    context: Context,
    counts: &Counts,
) -> Result<(), sqlx::Error> {
    let rows = sqlx::query(AssertSqlSafe(format!(
        "SELECT tenant_id, count(*), extract(epoch FROM now() - min(occurred_at))::float8
         FROM (SELECT tenant_id, occurred_at FROM {context}.outbox WHERE published_at IS NULL ORDER BY id LIMIT 100000) AS waiting
         GROUP BY tenant_id"
    )))
    .fetch_all(connection)
    .await?;
    let waiting = rows
        .iter()
        .map(|row| Ok(Waiting { tenant: row.try_get(0)?, events: row.try_get(1)?, seconds: row.try_get(2)? }))
        .collect::<Result<Vec<_>, sqlx::Error>>()?;
    let depth: i64 = waiting.iter().map(|tenant| tenant.events).sum();
    let age = waiting.iter().map(|tenant| tenant.seconds).fold(0.0, f64::max);
    deps.metrics.outbox_depth.get_or_create(&of(context.name())).set(depth);
    deps.metrics.outbox_age_seconds.get_or_create(&of(context.name())).set(age);
    let still = if waiting.is_empty() { 0.0 } else { age.min(counts.sent.elapsed().as_secs_f64()) };
    deps.metrics.outbox_still_seconds.get_or_create(&of(context.name())).set(still);
    let next_offset = i64::try_from(counts.ever).unwrap_or(i64::MAX);
    let progress = Progress {
        next_offset,
        end_offset: next_offset.saturating_add(depth),
        lag_events: depth,
        lag_seconds: age,
        rate_per_second: counts.rate(),
    };
    let name = relay_name(context);
    deps.status.record(&name, context.topic().name, progress);
    deps.status.waiting(&name, &waiting);
    Ok(())
}
