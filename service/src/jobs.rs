//! Jobs on a database: what has to be done now and then, by one process at a time.
//!
//! Every process that serves a database runs its jobs. An advisory lock says which of them does it now; a row for each job
//! in `installation.jobs` says when it was last done, so that a restart does not do it again. A job works in steps that are
//! transactions of their own: it may be ended anywhere, and be done twice.
//!
//! To add a job: implement [`Job`] beside what it works on, and name it in the list that its process gives to [`Jobs::new`].

mod metrics;

use schemas::{Timestamp, Utc};
use sqlx::{Connection, PgConnection, postgres::PgConnectOptions};
use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

use crate::{
    database::{self, Deadlines},
    shutdown::Shutdown,
};
pub use metrics::JobMetrics;

/// How often a process asks whether a job is due.
const LOOK: Duration = Duration::from_secs(5);
/// A job that failed is done again after this long, if it is not due before.
const AGAIN_AFTER: Duration = Duration::from_secs(60);
/// A job that waits for a lock makes others wait behind it.
const LOCK_TIMEOUT: &str = "SET lock_timeout = '200ms'";

/// Any failure of a job; the sentence is for the log and for `installation.jobs`.
pub type JobError = Box<dyn std::error::Error + Send + Sync>;

/// What a run of a job comes to: the rows that it deleted.
pub type JobFuture<'a> = Pin<Box<dyn Future<Output = Result<u64, JobError>> + Send + 'a>>;

/// Where jobs learn the time; tests say another one.
pub type Now = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The machine's time.
#[must_use]
pub fn system_time() -> Now {
    Arc::new(Utc::now)
}

/// Something to be done on a database now and then.
pub trait Job: Send + Sync {
    /// Its name in metrics, logs and `installation.jobs`.
    fn name(&self) -> &'static str;

    /// The time from one start to the next.
    fn every(&self) -> Duration;

    /// Does it, as of `now`, in steps of bounded size.
    fn run<'a>(&'a self, connection: &'a mut PgConnection, now: Timestamp) -> JobFuture<'a>;
}

/// The jobs of one database in one process.
pub struct Jobs {
    /// Distinguishes the advisory locks of different lists on one database.
    group: &'static str,
    connect: PgConnectOptions,
    jobs: Vec<Box<dyn Job>>,
    metrics: JobMetrics,
    now: Now,
}

impl std::fmt::Debug for Jobs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<_> = self.jobs.iter().map(|job| job.name()).collect();
        f.debug_struct("Jobs").field("group", &self.group).field("jobs", &names).finish_non_exhaustive()
    }
}

impl Jobs {
    /// A list of jobs; processes that give the same group take turns.
    #[must_use]
    pub fn new(
        group: &'static str,
        connect: PgConnectOptions,
        jobs: Vec<Box<dyn Job>>,
        metrics: &JobMetrics,
        now: Now,
    ) -> Self {
        jobs.iter().for_each(|job| metrics.expect(job.name()));
        let connect = database::bounded(connect.application_name("souk jobs"), Deadlines::LONG_WORK);
        Self { group, connect, jobs, metrics: metrics.clone(), now }
    }

    /// Does what falls due until shutdown. A database that does not answer is asked again.
    pub async fn run(self, shutdown: Shutdown) {
        loop {
            tokio::select! {
                () = self.look() => {}
                () = shutdown.wait() => return,
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                () = shutdown.wait() => return,
            }
        }
    }

    /// Does what is due now, unless another process does.
    async fn look(&self) {
        if let Err(error) = self.do_due().await {
            tracing::warn!(jobs.group = self.group, %error, "the jobs can't be looked at");
        }
    }

    /// Does what is due, as [`Self::run`] does again and again; gives how many jobs were done, none if another process has
    /// the lock.
    ///
    /// # Errors
    /// The database's. The failure of a job is no error here: it is counted and stands in `installation.jobs`.
    pub async fn do_due(&self) -> Result<usize, sqlx::Error> {
        // Not held between two looks: a process that does nothing needs no connection for it.
        let mut connection = PgConnection::connect_with(&self.connect).await?;
        let leads: bool = sqlx::query_scalar("SELECT pg_try_advisory_lock(hashtextextended($1, 0))")
            .bind(format!("souk:jobs:{}", self.group))
            .fetch_one(&mut connection)
            .await?;
        sqlx::query(LOCK_TIMEOUT).execute(&mut connection).await?;
        let mut done = 0;
        for job in &self.jobs {
            let record = Record::of(&mut connection, job.name()).await?;
            self.metrics.succeeded(job.name(), record.as_ref().and_then(|record| record.last_success_at));
            if leads && record.is_none_or(|record| record.is_due(job.every(), (self.now)())) {
                self.carry_out(&mut connection, job.as_ref()).await?;
                done += 1;
            }
        }
        // A connection that is closed holds its lock for a moment more, in which the next look would do nothing.
        if leads {
            sqlx::query("SELECT pg_advisory_unlock_all()").execute(&mut connection).await?;
        }
        connection.close().await?;
        Ok(done)
    }

    async fn carry_out(&self, connection: &mut PgConnection, job: &dyn Job) -> Result<(), sqlx::Error> {
        let name = job.name();
        let started = (self.now)();
        sqlx::query(
            "INSERT INTO installation.jobs (name, last_started_at) VALUES ($1, $2)
             ON CONFLICT (name) DO UPDATE SET last_started_at = excluded.last_started_at",
        )
        .bind(name)
        .bind(started)
        .execute(&mut *connection)
        .await?;
        let outcome = job.run(connection, started).await;
        self.metrics.ran(name, &outcome);
        let (deleted, error) = match &outcome {
            Ok(deleted) => (i64::try_from(*deleted).unwrap_or(i64::MAX), String::new()),
            Err(error) => (0, error.to_string()),
        };
        if error.is_empty() {
            tracing::info!(job.name = name, rows.deleted = deleted, "the job is done");
        } else {
            tracing::warn!(job.name = name, %error, "the job failed and is done again");
        }
        let finished = (self.now)();
        let succeeded: Option<Timestamp> = sqlx::query_scalar(
            "UPDATE installation.jobs SET last_finished_at = $2, rows_deleted = rows_deleted + $3, error = $4,
                    last_success_at = CASE WHEN $4 = '' THEN $2 ELSE last_success_at END
             WHERE name = $1 RETURNING last_success_at",
        )
        .bind(name)
        .bind(finished)
        .bind(deleted)
        .bind(error)
        .fetch_one(connection)
        .await?;
        self.metrics.succeeded(name, succeeded);
        Ok(())
    }
}

/// What is known of a job's last run.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
struct Record {
    last_started_at: Timestamp,
    last_finished_at: Option<Timestamp>,
    last_success_at: Option<Timestamp>,
    error: String,
}

impl Record {
    async fn of(connection: &mut PgConnection, name: &str) -> Result<Option<Self>, sqlx::Error> {
        sqlx::query_as(
            "SELECT last_started_at, last_finished_at, last_success_at, error FROM installation.jobs WHERE name = $1",
        )
        .bind(name)
        .fetch_optional(connection)
        .await
    }

    /// Whether the job is to be done: its time has come, or its last run failed or was cut short some time ago.
    fn is_due(&self, every: Duration, now: Timestamp) -> bool {
        let since = (now - self.last_started_at).to_std().unwrap_or_default();
        let ended_well = self.error.is_empty() && self.last_finished_at.is_some_and(|at| at >= self.last_started_at);
        since >= if ended_well { every } else { every.min(AGAIN_AFTER) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Metrics;
    use schemas::Uuid;
    use sqlx::AssertSqlSafe;

    const HOUR: Duration = Duration::from_secs(3_600);

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_timestamp(1_800_000_000 + minutes * 60, 0).expect("a time")
    }

    fn record(finished: Option<i64>, error: &str) -> Record {
        Record {
            last_started_at: at(0),
            last_finished_at: finished.map(at),
            last_success_at: None,
            error: error.to_owned(),
        }
    }

    #[test]
    fn a_job_is_due_by_its_time_and_sooner_when_it_did_not_end_well() {
        let well = record(Some(1), "");
        assert!(!well.is_due(HOUR, at(59)) && well.is_due(HOUR, at(60)));
        for ended_badly in [record(Some(1), "no space left"), record(None, ""), record(Some(-60), "")] {
            assert!(!ended_badly.is_due(HOUR, at(0)) && ended_badly.is_due(HOUR, at(1)), "{ended_badly:?}");
        }
    }

    struct Counts;

    impl Job for Counts {
        fn name(&self) -> &'static str {
            "counts"
        }

        fn every(&self) -> Duration {
            HOUR
        }

        fn run<'a>(&'a self, connection: &'a mut PgConnection, _now: Timestamp) -> JobFuture<'a> {
            Box::pin(async move {
                sqlx::query("INSERT INTO counted DEFAULT VALUES").execute(connection).await?;
                Ok(2)
            })
        }
    }

    async fn database() -> Option<PgConnectOptions> {
        let server: PgConnectOptions = std::env::var("SOUK_TEST_DATABASE_URL").ok()?.parse().expect("a URL");
        let name = format!("jobs_{}", Uuid::now_v7().simple());
        let mut admin = PgConnection::connect_with(&server).await.expect("PostgreSQL");
        sqlx::raw_sql(AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&mut admin).await.expect("created");
        let options = server.database(&name);
        let mut connection = PgConnection::connect_with(&options).await.expect("connected");
        let table = include_str!("../../migrations/read/0015_retention.sql");
        let table = table.split("-- When each").nth(1).and_then(|rest| rest.split("GRANT").next()).expect("the table");
        let sql = format!("CREATE SCHEMA installation; -- {table}; CREATE TABLE counted (n int DEFAULT 1)");
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.expect("tables");
        Some(options)
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn two_processes_do_a_job_once_and_again_when_it_is_due() {
        let Some(options) = database().await else {
            eprintln!("skipped: SOUK_TEST_DATABASE_URL is not set");
            return;
        };
        let metrics = Metrics::default();
        let minute = Arc::new(std::sync::atomic::AtomicI64::new(0));
        let jobs = |metrics: &JobMetrics| {
            let minute = minute.clone();
            let now: Now = Arc::new(move || at(minute.load(std::sync::atomic::Ordering::Relaxed)));
            Jobs::new("test", options.clone(), vec![Box::new(Counts)], metrics, now)
        };
        let (one, other) = (jobs(&JobMetrics::new(&metrics)), jobs(&JobMetrics::default()));
        let (first, second) = tokio::join!(one.do_due(), other.do_due());
        assert_eq!(first.expect("looked") + second.expect("looked"), 1);
        assert_eq!(one.do_due().await.expect("looked"), 0, "not due");
        minute.store(60, std::sync::atomic::Ordering::Relaxed);
        assert_eq!(one.do_due().await.expect("looked"), 1);
        let mut connection = PgConnection::connect_with(&options).await.expect("connected");
        let counted: (i64, i64) = sqlx::query_as(
            "SELECT (SELECT count(*) FROM counted), (SELECT rows_deleted FROM installation.jobs WHERE name = 'counts')",
        )
        .fetch_one(&mut connection)
        .await
        .expect("counted");
        assert_eq!(counted, (2, 4));
        let text = metrics.text();
        let success = format!("souk_job_last_success_timestamp_seconds{{name=\"counts\"}} {}", at(60).timestamp());
        assert!(text.contains(&success), "{text}");
    }
}
