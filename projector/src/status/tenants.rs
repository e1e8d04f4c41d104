//! The lag of each tenant: what waits in the outboxes, and how late events were when they were applied. It is
//! taken from the batches and rows that pass anyway.

use eventlog::Record;
use schemas::{Timestamp, Uuid};
use sqlx::PgConnection;
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::{Duration, Instant},
};

/// How long an applied event counts.
const WINDOW: Duration = Duration::from_secs(60);
/// Figures are summed in steps of this.
const STEP: Duration = Duration::from_secs(5);
/// Tenants that are remembered; of the others, those that waited longest are forgotten.
const MOST: usize = 10_000;

/// What was applied in one step of the window.
#[derive(Debug, Clone, Copy)]
struct Step {
    began: Instant,
    events: i64,
    late_seconds: f64,
}

#[derive(Debug, Clone, Default)]
struct Figures {
    steps: VecDeque<Step>,
    last_event_time: Option<Timestamp>,
    waiting_events: i64,
    waiting_seconds: f64,
}

type Key = (String, Uuid);

/// The figures of all tenants this process has seen something of.
#[derive(Debug, Clone, Default)]
pub struct Tenants {
    figures: BTreeMap<Key, Figures>,
    changed: BTreeSet<Key>,
}

/// A tenant's rows in one outbox.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Waiting {
    /// Whose.
    pub tenant: Uuid,
    /// How many.
    pub events: i64,
    /// The age of the oldest in seconds.
    pub seconds: f64,
}

/// A tenant's figures as they are stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    key: Key,
    waiting: (i64, f64),
    applied: (i64, f64),
    last_event_time: Option<Timestamp>,
}

impl Tenants {
    /// Takes in a batch that was applied at `now`.
    pub fn applied(&mut self, projection: &str, batch: &[Record], at: Instant, now: Timestamp) {
        // All times are written alike (RFC 3339 in UTC, microseconds), so that they sort as text.
        let mut by_tenant: BTreeMap<&str, (i64, &str, &str)> = BTreeMap::new();
        for record in batch {
            if let (Some(tenant), Some(time)) = (record.header("ce_souktenant"), record.header("ce_time")) {
                let (events, first, last) = by_tenant.entry(tenant).or_insert((0, time, time));
                (*events, *first, *last) = (*events + 1, (*first).min(time), (*last).max(time));
            }
        }
        for (tenant, (events, first, last)) in by_tenant {
            let (Ok(tenant), Ok(first), Ok(last)) = (tenant.parse(), first.parse::<Timestamp>(), last.parse()) else {
                continue;
            };
            let key = (projection.to_owned(), tenant);
            let figures = self.figures.entry(key.clone()).or_default();
            if figures.steps.back().is_none_or(|step| at.duration_since(step.began) >= STEP) {
                figures.steps.push_back(Step { began: at, events: 0, late_seconds: 0.0 });
            }
            if let Some(step) = figures.steps.back_mut() {
                #[expect(clippy::cast_precision_loss, reason = "seconds for people")]
                let late_seconds = (now - first).num_milliseconds().max(0) as f64 / 1e3;
                (step.events, step.late_seconds) = (step.events + events, step.late_seconds.max(late_seconds));
            }
            figures.last_event_time = figures.last_event_time.max(Some(last));
            self.changed.insert(key);
        }
    }

    /// Takes in what waits in an outbox; tenants that are not named have nothing there.
    pub fn waiting(&mut self, relay: &str, waiting: &[Waiting]) {
        for ((projection, tenant), figures) in &mut self.figures {
            if projection == relay && figures.waiting_events > 0 {
                (figures.waiting_events, figures.waiting_seconds) = (0, 0.0);
                self.changed.insert((projection.clone(), *tenant));
            }
        }
        for one in waiting {
            let key = (relay.to_owned(), one.tenant);
            let figures = self.figures.entry(key.clone()).or_default();
            (figures.waiting_events, figures.waiting_seconds) = (one.events, one.seconds);
            self.changed.insert(key);
        }
    }

    /// What has changed since the last call.
    #[must_use]
    pub fn take_changed(&mut self, at: Instant) -> Vec<Row> {
        let mut rows = Vec::new();
        for key in std::mem::take(&mut self.changed) {
            let Some(figures) = self.figures.get_mut(&key) else { continue };
            figures.steps.retain(|step| at.duration_since(step.began) < WINDOW);
            rows.push(Row {
                waiting: (figures.waiting_events, figures.waiting_seconds),
                applied: figures
                    .steps
                    .iter()
                    .fold((0, 0.0), |(events, late), step| (events + step.events, late.max(step.late_seconds))),
                last_event_time: figures.last_event_time,
                key,
            });
        }
        while self.figures.len() > MOST {
            let oldest =
                self.figures.iter().min_by_key(|(_, figures)| figures.last_event_time).map(|(key, _)| key.clone());
            oldest.and_then(|key| self.figures.remove(&key));
        }
        rows
    }

    /// Has rows that could not be stored taken again.
    pub fn not_stored(&mut self, rows: Vec<Row>) {
        self.changed.extend(rows.into_iter().map(|row| row.key));
    }
}

/// Writes what has changed into the read database. Of what other processes have applied, the last word of the last minute
/// counts.
///
/// # Errors
/// The database's.
pub async fn store(connection: &mut PgConnection, process: Uuid, rows: &[Row]) -> Result<(), sqlx::Error> {
    if rows.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO tenant_lag AS known (projection, tenant_id, waiting_events, waiting_seconds, applied_events, late_seconds,
                                          last_event_time, updated_at, by_process)
         SELECT p, t, we, ws, ae, ls, et, now(),
                jsonb_build_object($8::uuid::text, jsonb_build_object('events', ae, 'late', ls, 'at', extract(epoch FROM now())))
         FROM unnest($1::text[], $2::uuid[], $3::bigint[], $4::float8[], $5::bigint[], $6::float8[], $7::timestamptz[])
              AS rows(p, t, we, ws, ae, ls, et)
         ON CONFLICT (projection, tenant_id) DO UPDATE
         SET waiting_events = excluded.waiting_events, waiting_seconds = excluded.waiting_seconds,
             last_event_time = greatest(known.last_event_time, excluded.last_event_time),
             updated_at = excluded.updated_at,
             (by_process, applied_events, late_seconds) = (
               SELECT jsonb_object_agg(name, told), sum((told ->> 'events')::bigint), max((told ->> 'late')::float8)
               FROM jsonb_each(known.by_process || excluded.by_process) AS e(name, told)
               WHERE (told ->> 'at')::float8 > extract(epoch FROM now()) - 60)",
    )
    .bind(rows.iter().map(|row| row.key.0.as_str()).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.key.1).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.waiting.0).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.waiting.1).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.applied.0).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.applied.1).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.last_event_time).collect::<Vec<_>>())
    .bind(process)
    .execute(connection)
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{SecondsFormat, SubsecRound};
    use schemas::Utc;

    fn record(tenant: Uuid, time: Timestamp) -> Record {
        let headers =
            [("ce_souktenant", tenant.to_string()), ("ce_time", time.to_rfc3339_opts(SecondsFormat::Micros, true))];
        Record {
            topic: "souk.catalog".to_owned(),
            partition: 0,
            offset: 1,
            key: String::new(),
            payload: None,
            headers: headers.map(|(name, value)| (name.to_owned(), value.into_bytes())).to_vec(),
        }
    }

    #[test]
    fn the_latest_event_of_the_last_minute_counts() {
        // As fine as the header says it: a clock may be finer.
        let (tenant, at, now) = (Uuid::from_u128(7), Instant::now(), Utc::now().trunc_subsecs(6));
        let seconds = |count| now - Duration::from_secs(count);
        let mut tenants = Tenants::default();
        tenants.applied("views", &[record(tenant, seconds(90)), record(tenant, seconds(2))], at, now);
        tenants.applied("views", &[record(tenant, now)], at + STEP, now);
        let rows = tenants.take_changed(at + STEP);
        assert_eq!(rows.len(), 1);
        assert_eq!((rows[0].applied, rows[0].last_event_time), ((3, 90.0), Some(now)));
        assert!(tenants.take_changed(at + STEP).is_empty(), "nothing has changed since");
        tenants.applied("views", &[record(tenant, seconds(1))], at + WINDOW, now);
        assert_eq!(tenants.take_changed(at + WINDOW)[0].applied, (2, 1.0), "the first step is over");
    }

    #[test]
    fn who_has_nothing_waiting_any_more_is_told_so_once() {
        let (one, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let mut tenants = Tenants::default();
        let waiting = |tenant, events| Waiting { tenant, events, seconds: 1.5 };
        tenants.waiting("relay:catalog", &[waiting(one, 4), waiting(other, 2)]);
        assert_eq!(tenants.take_changed(Instant::now()).len(), 2);
        tenants.waiting("relay:catalog", &[waiting(other, 3)]);
        let rows = tenants.take_changed(Instant::now());
        assert_eq!(rows.iter().map(|row| row.waiting).collect::<Vec<_>>(), [(0, 0.0), (3, 1.5)]);
        tenants.waiting("relay:catalog", &[]);
        assert_eq!(tenants.take_changed(Instant::now()).len(), 1);
        tenants.waiting("relay:catalog", &[]);
        assert!(tenants.take_changed(Instant::now()).is_empty());
    }
}
