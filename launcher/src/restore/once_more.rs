//! Whether everything that was written before a moment has been published and read in a new epoch of the log. What is
//! written meanwhile is not waited for: writes go on all the time.

use crate::backup::Step;
use schemas::{
    Timestamp,
    topics::{self, Context},
};
use sqlx::{AssertSqlSafe, PgConnection};
use std::time::Duration;
use tokio::time::Interval;

/// How often the state is looked at.
pub(super) const LOOK: Duration = Duration::from_millis(200);

/// Where a projection has to come to: projection, topic, partition, offset.
type Goal = (String, String, i32, i64);

/// Both databases, an epoch that has begun, and the step that shows how far it is.
pub(super) struct OnceMore<'a> {
    pub(super) write: &'a mut PgConnection,
    pub(super) read: &'a mut PgConnection,
    pub(super) epoch: String,
    pub(super) step: &'a mut Step,
    pub(super) looks: &'a mut Interval,
}

impl OnceMore<'_> {
    /// Waits until all that there was at the beginning has been published, read, composed, published as documents and
    /// read once more, in this order; where another epoch has begun meanwhile, in that one.
    ///
    /// # Errors
    /// The databases'.
    pub(super) async fn wait(mut self) -> Result<(), sqlx::Error> {
        loop {
            let epoch = self.epoch.clone();
            self.until_published().await?;
            self.until_read(&Context::ALL.map(Context::topic)).await?;
            self.until_composed().await?;
            self.until_read(&[topics::DOCUMENTS]).await?;
            if self.epoch == epoch {
                return Ok(());
            }
        }
    }

    async fn until_published(&mut self) -> Result<(), sqlx::Error> {
        let mut last = Vec::with_capacity(Context::ALL.len());
        for context in Context::ALL {
            let sql = format!("SELECT coalesce(max(id), 0) FROM {context}.outbox");
            last.push((context, sqlx::query_scalar::<_, i64>(AssertSqlSafe(sql)).fetch_one(&mut *self.write).await?));
        }
        loop {
            self.looks.tick().await;
            let mut left = 0;
            for (context, last) in &last {
                let sql = format!("SELECT count(*) FROM {context}.outbox WHERE published_at IS NULL AND id <= $1");
                let query = sqlx::query_scalar::<_, i64>(AssertSqlSafe(sql)).bind(last);
                left += query.fetch_one(&mut *self.write).await?;
            }
            if left == 0 {
                return Ok(());
            }
            self.step.at(&format!("{left} events to publish"));
        }
    }

    async fn until_composed(&mut self) -> Result<(), sqlx::Error> {
        let last: i64 = sqlx::query_scalar("SELECT coalesce(max(doc_version), 0) FROM document_outbox")
            .fetch_one(&mut *self.read)
            .await?;
        loop {
            self.looks.tick().await;
            let left: i64 = sqlx::query_scalar("SELECT count(*) FROM document_outbox WHERE doc_version <= $1")
                .bind(last)
                .fetch_one(&mut *self.read)
                .await?;
            if left == 0 {
                return Ok(());
            }
            self.step.at(&format!("{left} documents to publish"));
        }
    }

    /// Waits until every projection has read what some topics hold now. Vectors are left out: they take their time, and
    /// texts that have theirs keep them.
    async fn until_read(&mut self, topics: &[topics::Topic]) -> Result<(), sqlx::Error> {
        let since: Timestamp = sqlx::query_scalar("SELECT clock_timestamp()").fetch_one(&mut *self.read).await?;
        let goals = loop {
            self.looks.tick().await;
            match self.told_since(topics, since).await? {
                Some(goals) => break goals,
                None => self.step.at("waiting for the projections to tell where they are"),
            }
        };
        loop {
            self.looks.tick().await;
            let left = self.left(&goals).await?;
            if left == 0 {
                return Ok(());
            }
            self.step.at(&format!("{left} records to read"));
        }
    }

    /// The ends of the topics' partitions, as each projection has told them since a moment; none before all have.
    async fn told_since(
        &mut self,
        topics: &[topics::Topic],
        since: Timestamp,
    ) -> Result<Option<Vec<Goal>>, sqlx::Error> {
        let (epoch, partitions): (String, i32) =
            sqlx::query_as("SELECT epoch, partitions FROM log_epoch").fetch_one(&mut *self.read).await?;
        // Another one may have begun since, which tells everything as well.
        if epoch > self.epoch {
            self.epoch = epoch;
        }
        let names: Vec<String> = topics.iter().map(|topic| topic.on_cluster("%", &self.epoch)).collect();
        let told: Vec<(String, String, i32, i64, bool)> = sqlx::query_as(
            "SELECT projection, topic, partition, end_offset, heartbeat_at > $2 FROM projection_status
             WHERE topic LIKE ANY($1) AND projection NOT LIKE 'embed%' AND heartbeat_at > clock_timestamp() - interval '3 seconds'",
        )
        .bind(&names)
        .bind(since)
        .fetch_all(&mut *self.read)
        .await?;
        let wanted = i64::from(partitions) * i64::try_from(names.len()).unwrap_or(i64::MAX);
        let distinct: std::collections::BTreeSet<(&str, i32)> =
            told.iter().map(|(_, topic, partition, ..)| (topic.as_str(), *partition)).collect();
        let all = i64::try_from(distinct.len()).is_ok_and(|distinct| distinct >= wanted);
        if !all || told.iter().any(|(.., lately)| !lately) {
            return Ok(None);
        }
        Ok(Some(
            told.into_iter()
                .map(|(projection, topic, partition, end, _)| (projection, topic, partition, end))
                .collect(),
        ))
    }

    /// How many records are left before some goals. A projection that is gone since is not waited for.
    async fn left(&mut self, goals: &[Goal]) -> Result<i64, sqlx::Error> {
        let column = |of: fn(&Goal) -> &str| goals.iter().map(of).collect::<Vec<_>>();
        sqlx::query_scalar(
            "SELECT coalesce(sum(greatest(g.goal - s.next_offset, 0)), 0)::bigint
             FROM unnest($1::text[], $2::text[], $3::integer[], $4::bigint[]) AS g(projection, topic, partition, goal)
             JOIN projection_status AS s USING (projection, topic, partition)",
        )
        .bind(column(|goal| &goal.0))
        .bind(column(|goal| &goal.1))
        .bind(goals.iter().map(|goal| goal.2).collect::<Vec<_>>())
        .bind(goals.iter().map(|goal| goal.3).collect::<Vec<_>>())
        .fetch_one(&mut *self.read)
        .await
    }
}
