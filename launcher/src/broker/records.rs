//! The requests about records: produce, fetch, delete, and where a log begins and ends.

use super::{
    Broker,
    batch::BatchError,
    connection::{ConnectionError, Request},
    log::{AppendError, ReadError},
    topics::Topic,
};
use bytes::{Bytes, BytesMut};
use kafka_protocol::{
    error::ResponseError,
    messages::{
        DeleteRecordsRequest, DeleteRecordsResponse, FetchRequest, FetchResponse, ListOffsetsRequest,
        ListOffsetsResponse, ProduceRequest, ProduceResponse,
        delete_records_response::{DeleteRecordsPartitionResult, DeleteRecordsTopicResult},
        fetch_request::{FetchPartition, FetchTopic},
        fetch_response::{FetchableTopicResponse, PartitionData},
        list_offsets_response::{ListOffsetsPartitionResponse, ListOffsetsTopicResponse},
        produce_response::{PartitionProduceResponse, TopicProduceResponse},
    },
};
use std::time::Duration;
use tokio::time::Instant;

/// Asks for the end of a log, in the place of a time.
const LATEST: i64 = -1;
/// Asks for the beginning.
const EARLIEST: i64 = -2;

/// Appends batches; no answer when the client wants no acknowledgement.
pub fn produce(broker: &Broker, request: &mut Request) -> Result<Option<BytesMut>, ConnectionError> {
    let asked: ProduceRequest = request.decode()?;
    let mut responses = Vec::with_capacity(asked.topic_data.len());
    for data in asked.topic_data {
        let topic = broker.topics.get(&data.name);
        let partitions = data.partition_data.into_iter().map(|partition| {
            let records = partition.records.unwrap_or_default();
            append(topic.as_ref(), partition.index, &records).with_index(partition.index)
        });
        responses
            .push(TopicProduceResponse::default().with_name(data.name).with_partition_responses(partitions.collect()));
    }
    broker.topics.tell_of_append();
    if asked.acks == 0 {
        return Ok(None);
    }
    request.encode(&ProduceResponse::default().with_responses(responses)).map(Some)
}

fn append(topic: Option<&Topic>, partition: i32, records: &[u8]) -> PartitionProduceResponse {
    let answer = PartitionProduceResponse::default().with_log_append_time_ms(-1).with_log_start_offset(0);
    let failed = |error: ResponseError| answer.clone().with_error_code(error.code()).with_base_offset(-1);
    let log = topic.and_then(|topic| topic.log(partition));
    let Some(log) = log else { return failed(ResponseError::UnknownTopicOrPartition) };
    match log.append(records) {
        Ok(offset) => answer.with_base_offset(offset),
        Err(AppendError::Batch(BatchError::Transactional)) => failed(ResponseError::UnsupportedForMessageFormat),
        Err(AppendError::Batch(_)) => failed(ResponseError::CorruptMessage),
        Err(AppendError::OutOfOrder) => failed(ResponseError::OutOfOrderSequenceNumber),
        Err(AppendError::Fenced) => failed(ResponseError::InvalidProducerEpoch),
        Err(AppendError::Io(_)) => failed(ResponseError::KafkaStorageError),
    }
}

/// Gives records as soon as there are `min_bytes` of them, or what there is after `max_wait_ms`.
pub async fn fetch(broker: &Broker, request: &mut Request) -> Result<BytesMut, ConnectionError> {
    let asked: FetchRequest = request.decode()?;
    let wait = Duration::from_millis(u64::try_from(asked.max_wait_ms).unwrap_or_default());
    let deadline = Instant::now() + wait;
    let enough = usize::try_from(asked.min_bytes).unwrap_or_default();
    // Before the first look, so that no append falls between the two.
    let mut appends = broker.topics.appends();
    loop {
        let mut gathered =
            Gathered { room: usize::try_from(asked.max_bytes).unwrap_or_default(), ..Default::default() };
        let responses: Vec<_> = asked.topics.iter().map(|topic| gathered.topic(broker, topic)).collect();
        let answer = gathered.bytes >= enough || gathered.failed;
        if answer || !matches!(tokio::time::timeout_at(deadline, appends.changed()).await, Ok(Ok(()))) {
            return request.encode(&FetchResponse::default().with_responses(responses));
        }
    }
}

/// What one look at the logs brought.
#[derive(Debug, Default)]
struct Gathered {
    bytes: usize,
    room: usize,
    failed: bool,
}

impl Gathered {
    fn topic(&mut self, broker: &Broker, asked: &FetchTopic) -> FetchableTopicResponse {
        let topic = broker.topics.get(&asked.topic);
        let partitions = asked.partitions.iter().map(|partition| self.partition(topic.as_ref(), partition));
        FetchableTopicResponse::default().with_topic(asked.topic.clone()).with_partitions(partitions.collect())
    }

    fn partition(&mut self, topic: Option<&Topic>, asked: &FetchPartition) -> PartitionData {
        let answer = PartitionData::default().with_partition_index(asked.partition).with_aborted_transactions(None);
        let log = topic.and_then(|topic| topic.log(asked.partition));
        let Some(log) = log else {
            self.failed = true;
            return answer.with_error_code(ResponseError::UnknownTopicOrPartition.code()).with_high_watermark(-1);
        };
        let next = log.next_offset();
        let answer =
            answer.with_high_watermark(next).with_last_stable_offset(next).with_log_start_offset(log.first_offset());
        let most = usize::try_from(asked.partition_max_bytes).unwrap_or_default().min(self.room);
        // A batch larger than the limit is given when it is the first, or the client would stand still.
        let records = if most == 0 && self.bytes > 0 { Ok(Bytes::new()) } else { log.read(asked.fetch_offset, most) };
        match records {
            Ok(records) => {
                self.bytes += records.len();
                self.room = self.room.saturating_sub(records.len());
                answer.with_records(Some(records))
            }
            Err(error) => {
                self.failed = true;
                answer.with_error_code(read_error(&error).code()).with_records(Some(Bytes::new()))
            }
        }
    }
}

fn read_error(error: &ReadError) -> ResponseError {
    match error {
        ReadError::OutOfRange => ResponseError::OffsetOutOfRange,
        ReadError::Io(error) => {
            tracing::error!(%error, "records could not be read");
            ResponseError::KafkaStorageError
        }
    }
}

/// Where logs begin, where they end, and where a time lies in them.
pub fn list_offsets(broker: &Broker, request: &mut Request) -> Result<BytesMut, ConnectionError> {
    let asked: ListOffsetsRequest = request.decode()?;
    let topics = asked.topics.into_iter().map(|asked| {
        let topic = broker.topics.get(&asked.name);
        let partitions = asked.partitions.iter().map(|partition| {
            let (error, timestamp, offset) =
                match offset_at(topic.as_ref(), partition.partition_index, partition.timestamp) {
                    Ok((timestamp, offset)) => (0, timestamp, offset),
                    Err(error) => (error.code(), -1, -1),
                };
            ListOffsetsPartitionResponse::default()
                .with_partition_index(partition.partition_index)
                .with_error_code(error)
                .with_timestamp(timestamp)
                .with_offset(offset)
        });
        ListOffsetsTopicResponse::default().with_partitions(partitions.collect()).with_name(asked.name)
    });
    request.encode(&ListOffsetsResponse::default().with_topics(topics.collect()))
}

/// Lets go of records before an offset, as an operator may ask for.
pub fn delete_records(broker: &Broker, request: &mut Request) -> Result<BytesMut, ConnectionError> {
    let asked: DeleteRecordsRequest = request.decode()?;
    let topics = asked.topics.into_iter().map(|asked| {
        let topic = broker.topics.get(&asked.name);
        let partitions = asked.partitions.iter().map(|partition| {
            let index = partition.partition_index;
            let log = topic.as_ref().and_then(|topic| topic.log(index));
            let outcome = match log.map(|log| log.delete_before(partition.offset)) {
                Some(Ok(first)) => Ok(first),
                Some(Err(error)) => Err(read_error(&error)),
                None => Err(ResponseError::UnknownTopicOrPartition),
            };
            let result = DeleteRecordsPartitionResult::default().with_partition_index(index);
            match outcome {
                Ok(first) => result.with_low_watermark(first),
                Err(error) => result.with_low_watermark(-1).with_error_code(error.code()),
            }
        });
        DeleteRecordsTopicResult::default().with_partitions(partitions.collect()).with_name(asked.name)
    });
    request.encode(&DeleteRecordsResponse::default().with_topics(topics.collect()))
}

/// Where a time in milliseconds lies: the first offset of the batch that reaches it, with the batch's
/// latest time; -1 and -1 when there is none.
fn offset_at(topic: Option<&Topic>, partition: i32, timestamp_ms: i64) -> Result<(i64, i64), ResponseError> {
    let log = topic.and_then(|topic| topic.log(partition));
    let log = log.ok_or(ResponseError::UnknownTopicOrPartition)?;
    match timestamp_ms {
        LATEST => Ok((-1, log.next_offset())),
        EARLIEST => Ok((-1, log.first_offset())),
        _ => {
            let batch = log.batch_since(timestamp_ms).map_err(|error| read_error(&ReadError::Io(error)))?;
            Ok(batch.map_or((-1, -1), |batch| (batch.max_timestamp_ms, batch.base_offset)))
        }
    }
}
