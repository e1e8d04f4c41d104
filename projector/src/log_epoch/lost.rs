//! Whether the log in Kafka is still the one that was written and read.

use crate::{deps::RoleError, registry};
use eventlog::{
    Log,
    log::{ByPartition, Extents},
};
use schemas::topics::{self, Context};
use sqlx::{AssertSqlSafe, PgConnection};
use std::collections::BTreeSet;

/// What both databases know of the log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Positions {
    /// The highest offset that any projection goes on from.
    pub read: ByPartition<i64>,
    /// Where the views go on.
    pub views: ByPartition<i64>,
    /// Topics that something was published to.
    pub published: BTreeSet<String>,
}

/// Reads the positions.
///
/// # Errors
/// The databases'.
pub async fn positions(log: &Log, write: &mut PgConnection, read: &mut PgConnection) -> Result<Positions, RoleError> {
    let mut positions = Positions::default();
    // The index keeps its offsets with itself, but tells them here.
    let rows: Vec<(String, String, i32, i64)> = sqlx::query_as(
        "SELECT projection, topic, partition, next_offset FROM checkpoints
         UNION ALL SELECT projection, topic, partition, next_offset FROM projection_status
         WHERE projection NOT LIKE 'relay:%'",
    )
    .fetch_all(&mut *read)
    .await?;
    for (projection, topic, partition, next) in rows {
        if registry::names().contains(&projection.as_str()) {
            let known = positions.views.entry((topic.clone(), partition)).or_default();
            *known = next.max(*known);
        }
        let known = positions.read.entry((topic, partition)).or_default();
        *known = next.max(*known);
    }
    for context in Context::ALL {
        // What a new epoch has taken back from an archive waits in the outbox again.
        let sql = format!(
            "SELECT EXISTS (SELECT FROM {context}.outbox WHERE published_at IS NOT NULL)
                    OR EXISTS (SELECT FROM installation.archives WHERE context = '{context}' AND restored_at IS NULL)"
        );
        if sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut *write).await? {
            positions.published.insert(log.topic(context.topic()));
        }
    }
    let documents = "SELECT EXISTS (SELECT FROM documents LEFT JOIN document_outbox AS o USING (tenant_id, product_id)
                                    WHERE o.product_id IS NULL)";
    if sqlx::query_scalar(documents).fetch_one(&mut *read).await? {
        positions.published.insert(log.topic(topics::DOCUMENTS));
    }
    Ok(positions)
}

/// Why the log can't be the one that both databases know, as a sentence; none if it can.
///
/// A log that was cut and has grown beyond every position since is not found out: whoever cuts it has to ask
/// for a new epoch.
#[must_use]
pub fn lost(log: &Log, positions: &Positions, extents: &Extents) -> Option<String> {
    for topic in topics::all() {
        let name = log.topic(topic);
        let partitions = log.partitions(&[topic]);
        let there: Vec<_> = partitions.iter().filter_map(|key| Some((key, extents.get(key)?))).collect();
        let was_written =
            positions.published.contains(&name) || partitions.iter().any(|key| positions.read.get(key) > Some(&0));
        if was_written && there.iter().all(|(_, (_, end))| *end == 0) {
            return Some(format!("the topic {name} is gone or empty, but records were written to it"));
        }
        for (key, (first, end)) in there {
            let partition = key.1;
            if let Some(read) = positions.read.get(key).filter(|read| *read > end) {
                return Some(format!("{name}, partition {partition}, ends at {end}, but it was read up to {read}"));
            }
            let views = positions.views.get(key).copied().unwrap_or_default();
            if !topic.compacted && views < *first {
                return Some(format!(
                    "{name}, partition {partition}, begins at {first}, but the views go on at {views}"
                ));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use eventlog::Epoch;
    use service::kafka::KafkaSecurity;

    fn log() -> Log {
        Log {
            brokers: String::new(),
            security: KafkaSecurity::default(),
            client_id: "test".to_owned(),
            topic_prefix: String::new(),
            replication: 1,
            min_insync: 1,
            epoch: Epoch { name: String::new(), partitions: 4 },
        }
    }

    fn catalog() -> String {
        Context::Catalog.topic().name.to_owned()
    }

    fn whole() -> Extents {
        log().partitions(&topics::all()).into_iter().map(|key| (key, (0, 10))).collect()
    }

    fn verdict(positions: &Positions, extents: &Extents) -> Option<String> {
        lost(&log(), positions, extents)
    }

    fn read_up_to(offset: i64) -> Positions {
        let at = ByPartition::from([((catalog(), 2), offset)]);
        Positions { read: at.clone(), views: at, published: [catalog()].into() }
    }

    #[test]
    fn a_new_installation_and_a_whole_log_are_fine() {
        assert_eq!(verdict(&Positions::default(), &Extents::new()), None);
        assert_eq!(verdict(&Positions::default(), &whole()), None);
        assert_eq!(verdict(&read_up_to(10), &whole()), None);
    }

    #[test]
    fn a_topic_that_is_gone_or_empty_is_found_out() {
        assert!(verdict(&read_up_to(3), &Extents::new()).is_some_and(|why| why.contains("gone or empty")));
        let published = Positions { published: [catalog()].into(), ..Positions::default() };
        let empty: Extents = whole().into_keys().map(|key| (key, (0, 0))).collect();
        assert!(verdict(&published, &empty).is_some_and(|why| why.contains("souk.catalog.v1 is gone or empty")));
    }

    #[test]
    fn a_log_that_is_shorter_than_what_was_read_is_found_out() {
        assert!(verdict(&read_up_to(11), &whole()).is_some_and(|why| why.contains("ends at 10")));
    }

    #[test]
    fn a_log_that_no_longer_reaches_back_is_found_out_where_it_matters() {
        let mut trimmed = whole();
        trimmed.insert((catalog(), 2), (7, 10));
        assert_eq!(verdict(&read_up_to(8), &trimmed), None, "the views are past what was trimmed");
        assert!(verdict(&read_up_to(5), &trimmed).is_some_and(|why| why.contains("begins at 7")));
        assert!(verdict(&Positions::default(), &trimmed).is_some_and(|why| why.contains("go on at 0")));
    }
}
