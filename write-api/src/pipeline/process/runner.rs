//! Works on all processes that are due. Every node with the role does; a process belongs to one of them at a time, by a lease.

use super::{
    metrics::ProcessMetrics,
    store::{self, Claim},
    work::LEASE,
};
use crate::pipeline::App;
use schemas::{TimeDelta, Uuid};
use service::shutdown::Shutdown;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::task::JoinSet;

/// How often is looked for what is due, besides when something is told here.
const LOOK: Duration = Duration::from_millis(250);
/// How often it is counted what there is.
const MEASURE: Duration = Duration::from_secs(15);
/// How long a process rests that could not be worked on.
const PAUSE: TimeDelta = TimeDelta::seconds(2);
/// How long steps that are under way may take when the process ends.
const LAST_STEPS: Duration = Duration::from_secs(5);

/// Works on processes.
#[derive(Debug, Clone)]
pub(crate) struct Runner {
    pub(crate) app: App,
    pub(crate) metrics: ProcessMetrics,
    /// Processes at once.
    pub(crate) most: usize,
}

impl Runner {
    /// Works on what is due until shutdown. Steps that are under way then are finished, or carried out again by whoever claims
    /// their process later.
    pub(crate) async fn run(self, shutdown: Shutdown) {
        let told = Arc::clone(&self.app.processes.told);
        let (mut working, mut measured) = (JoinSet::new(), None::<Instant>);
        loop {
            if measured.is_none_or(|at| at.elapsed() >= MEASURE) {
                measured = Some(Instant::now());
                if let Err(error) = self.measure().await {
                    tracing::warn!(%error, "processes can't be counted");
                }
            }
            let room = self.most.saturating_sub(working.len());
            let claimed = match self.claim(room).await {
                Ok(claims) => claims,
                Err(error) => {
                    tracing::warn!(%error, "processes can't be looked for");
                    Vec::new()
                }
            };
            let is_more = room > 0 && claimed.len() == room;
            for claim in claimed {
                working.spawn(self.clone().work(claim));
            }
            tokio::select! {
                Some(worked) = working.join_next() => {
                    if let Err(error) = worked {
                        tracing::error!(%error, "the work on a process has broken; it goes on once its lease has ended");
                    }
                }
                () = told.notified(), if !is_more => {}
                () = tokio::time::sleep(LOOK) => {}
                () = shutdown.wait() => break,
            }
        }
        let all = async { while working.join_next().await.is_some() {} };
        if tokio::time::timeout(LAST_STEPS, all).await.is_err() {
            tracing::info!("steps of processes are left to another node");
        }
    }

    async fn claim(&self, room: usize) -> Result<Vec<Claim>, sqlx::Error> {
        let most = i64::try_from(room).unwrap_or(i64::MAX);
        if most == 0 {
            return Ok(Vec::new());
        }
        let now = self.app.clock.now();
        // Another owner each time, so that a claim that has run out is never taken for a later one of the same node.
        let owner: Uuid = self.app.clock.id();
        let names = self.app.processes.names();
        let mut transaction = self.app.database.of_installation().await?;
        let claims = store::claim(&mut transaction, now, owner, now + LEASE, &names, most).await?;
        transaction.commit().await?;
        Ok(claims)
    }

    async fn work(self, claim: Claim) {
        let Some(process) = self.app.processes.named(&claim.name) else { return };
        let worked = process.work(&self.app, &claim, &self.metrics).await;
        self.app.processes.watched.rests(claim.process);
        if let Err(failure) = worked {
            tracing::warn!(process.name = claim.name, process.id = %claim.process, %failure, "a process stands still");
            if let Err(error) = self.postpone(&claim).await {
                // It is claimed again once the lease has ended.
                tracing::warn!(process.id = %claim.process, %error, "a process can't be let go of");
            }
        }
    }

    async fn postpone(&self, claim: &Claim) -> Result<(), sqlx::Error> {
        let mut transaction = self.app.database.of_installation().await?;
        store::postpone(&mut transaction, claim, self.app.clock.now() + PAUSE).await?;
        transaction.commit().await
    }

    async fn measure(&self) -> Result<(), sqlx::Error> {
        let now = self.app.clock.now();
        let mut transaction = self.app.database.of_installation().await?;
        // A process whose row went while it was told something.
        sqlx::query(
            "INSERT INTO processes.processes (tenant_id, name, process_id, correlation_id, created_at, changed_at)
             SELECT DISTINCT t.tenant_id, t.name, t.process_id, 'none', $1::timestamptz, $1::timestamptz
             FROM processes.triggers AS t WHERE NOT EXISTS (SELECT FROM processes.processes AS p
               WHERE p.tenant_id = t.tenant_id AND p.name = t.name AND p.process_id = t.process_id)
             ON CONFLICT DO NOTHING",
        )
        .bind(now)
        .execute(&mut *transaction)
        .await?;
        let counted: Vec<(String, i64, i64, f64)> = sqlx::query_as(
            "SELECT name, count(*) FILTER (WHERE parked_at IS NULL), count(*) FILTER (WHERE parked_at IS NOT NULL),
               coalesce(max(extract(epoch FROM $1 - wake_at)) FILTER (WHERE parked_at IS NULL AND wake_at < $1), 0)::float8
             FROM processes.processes WHERE ended_at IS NULL GROUP BY name",
        )
        .bind(now)
        .fetch_all(&mut *transaction)
        .await?;
        transaction.commit().await?;
        for name in self.app.processes.names() {
            let found = counted.iter().find(|(of, ..)| of == name);
            let (open, parked, overdue_s) = found.map_or((0, 0, 0.0), |(_, open, parked, due)| (*open, *parked, *due));
            self.metrics.measured(name, open, parked, overdue_s);
        }
        Ok(())
    }
}
