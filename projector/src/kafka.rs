//! Kafka clients with the settings souk relies on, and the topics of the contract.

use crate::{config::Config, log_epoch::Extents};
use rdkafka::{
    ClientConfig,
    admin::{AdminClient, AdminOptions, NewTopic, TopicReplication},
    client::DefaultClientContext,
    consumer::{BaseConsumer, Consumer},
    error::{KafkaError, RDKafkaErrorCode},
};
use std::{collections::HashSet, time::Duration};

/// The cluster does not fit the contract or does not answer.
#[derive(Debug, thiserror::Error)]
pub enum TopicError {
    /// The client or the cluster failed.
    #[error("Kafka does not answer: {0}")]
    Kafka(#[from] KafkaError),
    /// A topic could not be created.
    #[error("the topic {0} could not be created: {1}")]
    Refused(String, RDKafkaErrorCode),
    /// Order and checkpoints depend on the number of partitions.
    #[error(
        "the topic {topic} has {found} partitions, but the contract says {expected}; use another --topic-prefix or recreate it"
    )]
    Partitions {
        /// The topic.
        topic: String,
        /// What the cluster says.
        found: usize,
        /// What the contract says.
        expected: i32,
    },
}

/// What every client has in common.
#[must_use]
pub fn client(config: &Config) -> ClientConfig {
    let mut client = ClientConfig::new();
    client
        .set("bootstrap.servers", &config.kafka_brokers)
        .set("client.id", "souk-projector")
        .set("reconnect.backoff.ms", "20")
        .set("reconnect.backoff.max.ms", "500")
        .set("socket.nagle.disable", "true");
    client
}

/// A producer's settings: idempotent, acknowledged by all, ordered, partitioned as Java does.
#[must_use]
pub fn producer(config: &Config) -> ClientConfig {
    let mut client = client(config);
    client
        .set("enable.idempotence", "true")
        .set("acks", "all")
        .set("partitioner", "murmur2_random")
        .set("linger.ms", "1")
        .set("compression.type", "none")
        .set("message.timeout.ms", "30000");
    client
}

/// A consumer's settings: our own checkpoints decide, the group only shows them.
#[must_use]
pub fn consumer(config: &Config, projection: &str) -> ClientConfig {
    let mut client = client(config);
    client
        .set("group.id", format!("{}souk.{projection}", config.topic_prefix))
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        .set("auto.offset.reset", "error")
        .set("fetch.min.bytes", "1")
        .set("max.partition.fetch.bytes", "8388608")
        .set("fetch.error.backoff.ms", "50")
        .set("fetch.queue.backoff.ms", "5")
        .set("queued.max.messages.kbytes", "65536");
    client
}

/// Where the partitions of the contract's topics begin and end, as offsets by topic and partition; a topic that
/// is not there has none. Nothing is created by asking.
///
/// # Errors
/// The cluster's.
pub fn extents(config: &Config) -> Result<Extents, KafkaError> {
    const WITHIN: Duration = Duration::from_secs(10);
    let consumer: BaseConsumer = client(config).create()?;
    // To name a topic in the question could create it, where brokers do that.
    let metadata = consumer.fetch_metadata(None, WITHIN)?;
    let there: HashSet<&str> = metadata.topics().iter().map(|topic| topic.name()).collect();
    let mut extents = Extents::new();
    for topic in schemas::topics::all() {
        let name = config.topic(topic);
        if !there.contains(name.as_str()) {
            continue;
        }
        for partition in 0..topic.partitions {
            extents.insert((name.clone(), partition), consumer.fetch_watermarks(&name, partition, WITHIN)?);
        }
    }
    Ok(extents)
}

/// Creates the topics of the contract that are missing and checks those that are there.
///
/// # Errors
/// [`TopicError`] says which topic does not fit.
pub async fn ensure_topics(config: &Config) -> Result<(), TopicError> {
    let names: Vec<_> = schemas::topics::all().into_iter().map(|topic| (config.topic(topic), topic)).collect();
    let admin: AdminClient<DefaultClientContext> = client(config).create()?;
    let new: Vec<_> = names
        .iter()
        .map(|(name, topic)| {
            let new = NewTopic::new(name, topic.partitions, TopicReplication::Fixed(config.kafka_replication));
            if topic.compacted { new.set("cleanup.policy", "compact") } else { new.set("retention.ms", "-1") }
        })
        .collect();
    for result in
        admin.create_topics(&new, &AdminOptions::new().operation_timeout(Some(Duration::from_secs(10)))).await?
    {
        match result {
            Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
            Err((name, code)) => return Err(TopicError::Refused(name, code)),
        }
    }
    let config = config.clone();
    let check = move || -> Result<(), TopicError> {
        let consumer: BaseConsumer = client(&config).create()?;
        for (name, topic) in names {
            let metadata = consumer.fetch_metadata(Some(&name), Duration::from_secs(10))?;
            let found = metadata.topics().first().map_or(0, |topic| topic.partitions().len());
            if i32::try_from(found) != Ok(topic.partitions) {
                return Err(TopicError::Partitions { topic: name, found, expected: topic.partitions });
            }
        }
        Ok(())
    };
    tokio::task::block_in_place(check)
}
