//! Where the log is: cluster, epoch and topics, and clients with the settings souk relies on.

use crate::told::Told;
pub use rdkafka::error::KafkaError;
use rdkafka::{
    ClientConfig,
    admin::{AdminClient, AdminOptions, NewTopic, TopicReplication},
    consumer::{BaseConsumer, Consumer},
    error::RDKafkaErrorCode,
    producer::Producer,
    types::RDKafkaConfRes,
};
use schemas::{
    sizes::MAX_RECORD_BYTES,
    topics::{self, Topic},
};
use service::kafka::KafkaSecurity;
use std::{
    collections::{BTreeMap, HashSet},
    time::Duration,
};

/// How long the cluster may take to answer a question about its topics.
const ANSWERS_WITHIN: Duration = Duration::from_secs(10);

/// A producer.
pub type FutureProducer = rdkafka::producer::FutureProducer<Told>;

/// Something for each partition, by the topic's name on the cluster and the partition.
pub type ByPartition<T> = BTreeMap<(String, i32), T>;
/// First offset and end of each partition that is there.
pub type Extents = ByPartition<(i64, i64)>;

/// One epoch of the log: topics of its own, with partitions of its own number. See docs/decisions/0014 and 0029.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Epoch {
    /// The end of the topics' names; empty for the first epoch.
    pub name: String,
    /// Partitions of every topic in this epoch, for as long as it lasts.
    pub partitions: i32,
}

impl Epoch {
    /// Partitions of an installation that was not told how many.
    pub const PARTITIONS: i32 = 4;

    /// The epoch of a new installation with so many partitions, or [`Self::PARTITIONS`].
    #[must_use]
    pub fn first(partitions: Option<i32>) -> Self {
        Self { name: String::new(), partitions: partitions.unwrap_or(Self::PARTITIONS) }
    }
}

/// The log as one process sees it: which cluster, which epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// Bootstrap servers, comma separated.
    pub brokers: String,
    /// What the cluster wants to know of its clients.
    pub security: KafkaSecurity,
    /// What the clients of this process call themselves.
    pub client_id: String,
    /// Put before the name of every topic and group.
    pub topic_prefix: String,
    /// Replicas of the topics that are created.
    pub replication: i32,
    /// How many of them must have a record before it is acknowledged.
    pub min_insync: i32,
    /// The epoch that is read and written.
    pub epoch: Epoch,
}

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
        "the topic {topic} has {found} partitions, but this epoch of the log has {expected}; set topic-partitions to {found}, or use another --topic-prefix"
    )]
    Partitions {
        /// The topic.
        topic: String,
        /// What the cluster says.
        found: usize,
        /// What the epoch says.
        expected: i32,
    },
}

impl Log {
    /// The same log in another epoch.
    #[must_use]
    pub fn in_epoch(&self, epoch: Epoch) -> Self {
        Self { epoch, ..self.clone() }
    }

    /// A topic's name on this cluster, in this epoch.
    #[must_use]
    pub fn topic(&self, topic: Topic) -> String {
        topic.on_cluster(&self.topic_prefix, &self.epoch.name)
    }

    /// Name and number of each partition of some topics.
    #[must_use]
    pub fn partitions(&self, topics: &[Topic]) -> Vec<(String, i32)> {
        let of = |topic: &Topic| {
            let name = self.topic(*topic);
            (0..self.epoch.partitions).map(move |partition| (name.clone(), partition))
        };
        topics.iter().flat_map(of).collect()
    }

    /// What every client has in common.
    ///
    /// # Errors
    /// [`KafkaError::ClientConfig`] if a password or certificate is missing.
    pub fn client(&self) -> Result<ClientConfig, KafkaError> {
        let mut client = ClientConfig::new();
        let security = self.security.client_settings().map_err(|missing| {
            KafkaError::ClientConfig(
                RDKafkaConfRes::RD_KAFKA_CONF_INVALID,
                missing,
                "security".to_owned(),
                String::new(),
            )
        })?;
        client.extend(security.into_iter().map(|(name, value)| (name.to_owned(), value)));
        client
            .set("bootstrap.servers", &self.brokers)
            .set("client.id", &self.client_id)
            .set("reconnect.backoff.ms", "20")
            .set("reconnect.backoff.max.ms", "500")
            .set("socket.nagle.disable", "true");
        Ok(client)
    }

    /// A producer: idempotent, acknowledged by all, ordered, partitioned as Java does.
    ///
    /// # Errors
    /// The client's.
    pub fn producer(&self) -> Result<FutureProducer, KafkaError> {
        self.client()?
            .set("enable.idempotence", "true")
            .set("acks", "all")
            .set("partitioner", "murmur2_random")
            .set("linger.ms", "1")
            .set("compression.type", "none")
            .set("message.max.bytes", MAX_RECORD_BYTES.to_string())
            // Shorter than a lease on a relay lasts: what its former holder had in hand must not come after it.
            .set("message.timeout.ms", "8000")
            // No record may go out after one of the same producer that could not: it is broken then, and replaced.
            .set("enable.gapless.guarantee", "true")
            .create_with_context(Told)
    }

    /// A consumer's settings: our own checkpoints decide, the group only shows them.
    ///
    /// # Errors
    /// Those of [`Self::client`].
    pub fn consumer(&self, group: &str) -> Result<ClientConfig, KafkaError> {
        let mut client = self.client()?;
        client
            .set("group.id", format!("{}souk.{group}", self.topic_prefix))
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            .set("auto.offset.reset", "error")
            .set("fetch.min.bytes", "1")
            .set("max.partition.fetch.bytes", "8388608")
            .set("fetch.error.backoff.ms", "50")
            .set("fetch.queue.backoff.ms", "5")
            .set("queued.max.messages.kbytes", "65536");
        Ok(client)
    }

    /// Where the partitions of the contract's topics begin and end; one that is not there is left out. Nothing is
    /// created by asking.
    ///
    /// # Errors
    /// The cluster's.
    pub fn extents(&self) -> Result<Extents, KafkaError> {
        let consumer: BaseConsumer<Told> = self.client()?.create_with_context(Told)?;
        // To name a topic in the question could create it, where brokers do that.
        let metadata = consumer.fetch_metadata(None, ANSWERS_WITHIN)?;
        let there: HashSet<(&str, i32)> = metadata
            .topics()
            .iter()
            .flat_map(|topic| topic.partitions().iter().map(|partition| (topic.name(), partition.id())))
            .collect();
        let mut wanted = self.partitions(&topics::all());
        wanted.retain(|(topic, partition)| there.contains(&(topic.as_str(), *partition)));
        let ends = Ends(consumer);
        wanted.into_iter().map(|key| Ok((key.clone(), ends.of(&key.0, key.1)?))).collect()
    }

    /// First offset and end of each partition of one topic.
    ///
    /// # Errors
    /// The cluster's, or that the topic is not there.
    pub fn extents_of(&self, topic: Topic) -> Result<Extents, KafkaError> {
        let ends = Ends::ask(self)?;
        self.partitions(&[topic]).into_iter().map(|key| Ok((key.clone(), ends.of(&key.0, key.1)?))).collect()
    }

    /// Creates the topics of the contract that are missing and checks those that are there.
    ///
    /// # Errors
    /// [`TopicError`] says which topic does not fit.
    pub async fn ensure_topics(&self) -> Result<(), TopicError> {
        let names: Vec<_> = topics::all().into_iter().map(|topic| (self.topic(topic), topic)).collect();
        let admin: AdminClient<Told> = self.client()?.create_with_context(Told)?;
        let (largest, min_insync) = (MAX_RECORD_BYTES.to_string(), self.min_insync.to_string());
        let new: Vec<_> = names
            .iter()
            .map(|(name, topic)| {
                let new = NewTopic::new(name, self.epoch.partitions, TopicReplication::Fixed(self.replication))
                    .set("max.message.bytes", &largest)
                    .set("min.insync.replicas", &min_insync);
                if topic.compacted { new.set("cleanup.policy", "compact") } else { new.set("retention.ms", "-1") }
            })
            .collect();
        let options = AdminOptions::new().operation_timeout(Some(ANSWERS_WITHIN));
        for result in admin.create_topics(&new, &options).await? {
            match result {
                Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
                Err((name, code)) => return Err(TopicError::Refused(name, code)),
            }
        }
        let consumer: BaseConsumer<Told> = self.client()?.create_with_context(Told)?;
        let expected = self.epoch.partitions;
        tokio::task::block_in_place(|| {
            names.into_iter().try_for_each(|(topic, _)| {
                let metadata = consumer.fetch_metadata(Some(&topic), ANSWERS_WITHIN)?;
                let found = metadata.topics().first().map_or(0, |topic| topic.partitions().len());
                if i32::try_from(found) == Ok(expected) {
                    Ok(())
                } else {
                    Err(TopicError::Partitions { topic, found, expected })
                }
            })
        })
    }
}

/// Asks the cluster where partitions begin and end, over one connection.
pub struct Ends(BaseConsumer<Told>);

impl std::fmt::Debug for Ends {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ends")
    }
}

impl Ends {
    /// Of a log's cluster.
    ///
    /// # Errors
    /// The client's.
    pub fn ask(log: &Log) -> Result<Self, KafkaError> {
        Ok(Self(log.client()?.create_with_context(Told)?))
    }

    /// First offset and end of a partition. It blocks until the cluster answers.
    ///
    /// # Errors
    /// The cluster's.
    pub fn of(&self, topic: &str, partition: i32) -> Result<(i64, i64), KafkaError> {
        self.0.fetch_watermarks(topic, partition, ANSWERS_WITHIN)
    }
}

/// Whether no broker with these settings will ever take the record, however often it is sent.
#[must_use]
pub fn refuses_for_ever(error: &KafkaError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        Some(
            RDKafkaErrorCode::MessageSizeTooLarge
                | RDKafkaErrorCode::InvalidMessageSize
                | RDKafkaErrorCode::InvalidRecord
        )
    )
}

/// Whether a producer has failed for good and has to be replaced.
#[must_use]
pub fn is_broken(producer: &FutureProducer) -> bool {
    producer.client().fatal_error().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use schemas::topics::{Context, DOCUMENTS};

    #[test]
    fn an_epoch_names_its_topics_and_counts_their_partitions() {
        let log = Log {
            brokers: String::new(),
            security: KafkaSecurity::default(),
            client_id: "test".to_owned(),
            topic_prefix: "a.".to_owned(),
            replication: 1,
            min_insync: 1,
            epoch: Epoch { name: "20261128T120000Z".to_owned(), partitions: 2 },
        };
        let catalog = "a.souk.catalog.v1.20261128T120000Z".to_owned();
        let documents = "a.souk.documents.v1.20261128T120000Z".to_owned();
        let expected = [(catalog.clone(), 0), (catalog, 1), (documents.clone(), 0), (documents, 1)];
        assert_eq!(log.partitions(&[Context::Catalog.topic(), DOCUMENTS]), expected);
        let first = log.in_epoch(Epoch { name: String::new(), partitions: 1 });
        assert_eq!(first.partitions(&[DOCUMENTS]), [("a.souk.documents.v1".to_owned(), 0)]);
    }
}
