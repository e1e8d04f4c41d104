//! Waiting until everything written has been applied everywhere: the outboxes are empty, and each
//! consumer stands at the end of its topics as the broker itself gives it. A status that a projection
//! wrote a moment ago could be from before the last write, so only positions are believed: they only grow.

use crate::{eventually::eventually, shop::PATIENCE, stack::TestStack};
use projector::{embeddings, index_writer, registry::FEEDS};
use rdkafka::consumer::{BaseConsumer, Consumer};
use schemas::topics::{Context, DOCUMENTS, Topic};
use sqlx::AssertSqlSafe;
use std::time::Duration;

/// Waits for views, index and, where the stack has them, vectors; fails after [`PATIENCE`] with what is behind.
pub async fn until_quiet(stack: &TestStack) {
    let counts = Context::ALL
        .map(|context| format!("(SELECT count(*) FROM {}.outbox WHERE published_at IS NULL)", context.name()));
    let waiting = format!("SELECT {}", counts.join(" + "));
    eventually("every outbox is empty", PATIENCE, || async {
        let waiting: i64 = sqlx::query_scalar(AssertSqlSafe(waiting.clone()))
            .fetch_one(&stack.write)
            .await
            .map_err(|error| error.to_string())?;
        if waiting == 0 { Ok(()) } else { Err(format!("{waiting} rows wait")) }
    })
    .await;
    for feed in FEEDS {
        for topic in feed.topics() {
            at_the_end(stack, feed.name, topic).await;
        }
    }
    eventually("every document is composed and published", PATIENCE, || async {
        let waiting = "SELECT (SELECT count(*) FROM document_outbox) + (SELECT count(*) FROM category_walks)";
        let waiting: i64 =
            sqlx::query_scalar(waiting).fetch_one(&stack.read).await.map_err(|error| error.to_string())?;
        if waiting == 0 { Ok(()) } else { Err(format!("{waiting} documents wait")) }
    })
    .await;
    at_the_end(stack, index_writer::PROJECTION, DOCUMENTS).await;
    if !stack.stack.settings.without_vectors {
        at_the_end(stack, embeddings::PROJECTION, DOCUMENTS).await;
    }
}

/// The epoch of the log that is in use, and the partitions of its topics.
pub async fn epoch(stack: &TestStack) -> (String, i32) {
    eventually("an epoch of the log is in use", PATIENCE, || async {
        let epoch = sqlx::query_as("SELECT epoch, partitions FROM log_epoch WHERE beginning IS NULL");
        let epoch = epoch.fetch_optional(&stack.read).await.map_err(|error| error.to_string())?;
        epoch.ok_or_else(|| "one is being begun".to_owned())
    })
    .await
}

/// Waits until a projection has applied all that a topic holds now.
async fn at_the_end(stack: &TestStack, projection: &str, topic: Topic) {
    let (epoch, partitions) = epoch(stack).await;
    let name = topic.on_cluster(&stack.stack.settings.topic_prefix, &epoch);
    let ends = ends(stack, &name, partitions);
    eventually(&format!("{projection} has read {name}"), PATIENCE, || async {
        for (partition, end) in &ends {
            let position: Option<i64> = sqlx::query_scalar(
                "SELECT next_offset FROM projection_status WHERE projection = $1 AND topic = $2 AND partition = $3",
            )
            .bind(projection)
            .bind(&name)
            .bind(partition)
            .fetch_optional(&stack.read)
            .await
            .map_err(|error| error.to_string())?;
            if position.unwrap_or(0) < *end {
                return Err(format!("partition {partition}: {position:?} of {end}"));
            }
        }
        Ok(())
    })
    .await;
}

fn ends(stack: &TestStack, topic: &str, partitions: i32) -> Vec<(i32, i64)> {
    let consumer: BaseConsumer = stack.kafka().create().expect("a Kafka client");
    (0..partitions)
        .map(|partition| {
            let (_, end) = tokio::task::block_in_place(|| {
                consumer.fetch_watermarks(topic, partition, Duration::from_secs(10)).expect("the end of a topic")
            });
            (partition, end)
        })
        .collect()
}
