//! Reading topics from offsets of our own, in batches of whatever has arrived.

use crate::{checkpoint::Offsets, log::Log, told::Told};
use futures::FutureExt;
use rdkafka::{
    Message, Offset, TopicPartitionList,
    consumer::{CommitMode, Consumer, StreamConsumer},
    error::KafkaError,
    message::{BorrowedMessage, Headers},
};
use schemas::topics::Topic;

/// Bytes of payloads after which a batch is not filled further where nothing else bounds it.
pub const BATCH_BYTES: usize = 32 << 20;

/// A record as it was read, owned.
#[derive(Debug, Clone)]
pub struct Record {
    /// The topic's name on the cluster.
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// Its place there.
    pub offset: i64,
    /// The Kafka key.
    pub key: String,
    /// The payload; none for a Kafka tombstone.
    pub payload: Option<Vec<u8>>,
    /// The headers in their order.
    pub headers: Vec<(String, Vec<u8>)>,
}

impl Record {
    /// Bytes of its payload.
    pub(crate) fn bytes(&self) -> usize {
        self.payload.as_ref().map_or(0, Vec::len)
    }

    /// A header's value as text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).and_then(|(_, value)| std::str::from_utf8(value).ok())
    }

    /// Name and value of each header.
    pub fn header_pairs(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.headers.iter().map(|(name, value)| (name.as_str(), value.as_slice()))
    }
}

/// A reader of partitions.
pub struct Source {
    consumer: StreamConsumer<Told>,
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Source")
    }
}

impl Source {
    /// Starts reading where `offsets` say, at the beginning where they say nothing.
    ///
    /// # Errors
    /// The client's.
    pub fn open(log: &Log, group: &str, topics: &[Topic], offsets: &Offsets) -> Result<Self, KafkaError> {
        Self::of(log, group, &log.partitions(topics), offsets)
    }

    /// The same for some partitions only, each named by its topic's name on the cluster and its number.
    ///
    /// # Errors
    /// The client's.
    pub fn of(log: &Log, group: &str, partitions: &[(String, i32)], offsets: &Offsets) -> Result<Self, KafkaError> {
        let consumer: StreamConsumer<Told> = log.consumer(group)?.create_with_context(Told)?;
        let mut assignment = TopicPartitionList::new();
        for key in partitions {
            let next = offsets.get(key).copied().unwrap_or_default();
            let start = if next == 0 { Offset::Beginning } else { Offset::Offset(next) };
            assignment.add_partition_offset(&key.0, key.1, start)?;
        }
        consumer.assign(&assignment)?;
        Ok(Self { consumer })
    }

    /// Waits for a record and takes what else is there, up to `most` records, or until they have so many bytes together.
    ///
    /// # Errors
    /// The client's; transient trouble with a broker is retried inside it.
    pub async fn next_batch(&self, most: usize, most_bytes: usize) -> Result<Vec<Record>, KafkaError> {
        let mut batch = vec![owned(&self.consumer.recv().await?)];
        let mut bytes = batch[0].bytes();
        while batch.len() < most && bytes < most_bytes {
            match self.consumer.recv().now_or_never() {
                Some(message) => {
                    let record = owned(&message?);
                    bytes += record.bytes();
                    batch.push(record);
                }
                None => break,
            }
        }
        Ok(batch)
    }

    /// Shows the offsets to the tools that read the consumer group; failing to do so harms nothing.
    pub fn publish_offsets(&self, offsets: &Offsets) {
        let mut list = TopicPartitionList::new();
        for ((topic, partition), offset) in offsets {
            if list.add_partition_offset(topic, *partition, Offset::Offset(*offset)).is_err() {
                return;
            }
        }
        if let Err(error) = self.consumer.commit(&list, CommitMode::Async) {
            tracing::debug!(%error, "the group's offsets were not updated");
        }
    }
}

fn owned(message: &BorrowedMessage<'_>) -> Record {
    let headers = message.headers().map(|headers| {
        headers.iter().map(|header| (header.key.to_owned(), header.value.unwrap_or_default().to_vec())).collect()
    });
    Record {
        topic: message.topic().to_owned(),
        partition: message.partition(),
        offset: message.offset(),
        key: message.key().map(|key| String::from_utf8_lossy(key).into_owned()).unwrap_or_default(),
        payload: message.payload().map(<[u8]>::to_vec),
        headers: headers.unwrap_or_default(),
    }
}

/// The offset after the last record of each partition in a batch.
#[must_use]
pub fn next_offsets(batch: &[Record]) -> Offsets {
    let mut offsets = Offsets::new();
    for record in batch {
        offsets.insert((record.topic.clone(), record.partition), record.offset + 1);
    }
    offsets
}
