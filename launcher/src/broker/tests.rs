//! The log by itself; the protocol is what every acceptance test goes through.

use super::{
    batch::{BatchError, Header},
    log::{AppendError, Log, ReadError},
    topics::{TopicError, Topics},
};
use bytes::BytesMut;
use kafka_protocol::records::{Compression, Record, RecordBatchEncoder, RecordEncodeOptions, TimestampType};
use std::{collections::BTreeMap, io::Write};

const UNLIMITED: usize = 1 << 20;

/// A batch as a producer sends it: `count` records, numbered from `sequence` by the producer.
fn batch(producer: i64, epoch: i16, sequence: i32, count: i32) -> Vec<u8> {
    let records: Vec<_> = (0..count)
        .map(|at| Record {
            transactional: false,
            control: false,
            delete_horizon: false,
            partition_leader_epoch: -1,
            producer_id: producer,
            producer_epoch: epoch,
            timestamp_type: TimestampType::Creation,
            offset: i64::from(at),
            sequence: sequence + at,
            timestamp: 1_000 + i64::from(sequence + at),
            key: None,
            value: Some(vec![b'x'; 300].into()),
            headers: Default::default(),
        })
        .collect();
    let mut bytes = BytesMut::new();
    let options = RecordEncodeOptions { version: 2, compression: Compression::None };
    RecordBatchEncoder::encode(&mut bytes, &records, &options).expect("records encode");
    bytes.to_vec()
}

fn log() -> (tempfile::TempDir, Log) {
    let folder = tempfile::tempdir().expect("a folder");
    let log = Log::open(&folder.path().join("0.log")).expect("a new log");
    (folder, log)
}

#[test]
fn a_read_begins_with_the_batch_that_holds_the_offset() {
    let (_folder, log) = log();
    for at in 0..200 {
        assert_eq!(log.append(&batch(7, 0, at * 3, 3)).expect("kept"), i64::from(at * 3));
    }
    for offset in 0..600 {
        let records = log.read(offset, 2_000).expect("read");
        let header = Header::checked(&records).expect("a whole batch");
        assert_eq!(header.base_offset, offset / 3 * 3, "offset {offset}");
        assert!(records.len() <= 2_000);
        assert_eq!(log.read(offset, 10).expect("read").len(), header.bytes, "one batch, however small the limit");
    }
    assert!(log.read(600, UNLIMITED).expect("the end").is_empty());
    assert!(matches!(log.read(601, UNLIMITED), Err(ReadError::OutOfRange)));
    assert!(matches!(log.read(-1, UNLIMITED), Err(ReadError::OutOfRange)));
}

#[test]
fn what_was_deleted_stays_deleted() {
    let (folder, log) = log();
    for at in 0..10 {
        log.append(&batch(7, 0, at, 1)).expect("kept");
    }
    assert_eq!(log.delete_before(4).expect("deleted"), 4);
    assert_eq!(log.delete_before(2).expect("gone already"), 4);
    assert!(matches!(log.delete_before(11), Err(ReadError::OutOfRange)));
    assert!(matches!(log.read(3, UNLIMITED), Err(ReadError::OutOfRange)));
    let reopened = Log::open(&folder.path().join("0.log")).expect("opened again");
    assert_eq!((reopened.first_offset(), reopened.next_offset()), (4, 10));
    assert!(!reopened.read(4, UNLIMITED).expect("read").is_empty());
    assert_eq!(reopened.delete_before(-1).expect("all"), 10);
}

#[test]
fn a_batch_sent_again_is_kept_once() {
    let (folder, log) = log();
    assert_eq!(log.append(&batch(7, 0, 0, 2)).expect("kept"), 0);
    assert_eq!(log.append(&batch(7, 0, 2, 2)).expect("kept"), 2);
    assert_eq!(log.append(&batch(7, 0, 0, 2)).expect("known"), 0);
    assert!(matches!(log.append(&batch(7, 0, 9, 1)), Err(AppendError::OutOfOrder)));
    assert!(matches!(log.append(&batch(8, 0, 5, 1)), Err(AppendError::OutOfOrder)));
    assert_eq!(log.append(&batch(7, 1, 0, 1)).expect("a new life"), 4);
    assert!(matches!(log.append(&batch(7, 0, 4, 1)), Err(AppendError::Fenced)));

    let again = Log::open(&folder.path().join("0.log")).expect("opened again");
    assert_eq!(again.next_offset(), 5);
    assert_eq!(again.append(&batch(7, 1, 0, 1)).expect("known after a start too"), 4);
    assert_eq!(again.next_offset(), 5);
}

#[test]
fn what_is_cut_off_is_cut_away() {
    let (folder, log) = log();
    let path = folder.path().join("0.log");
    log.append(&batch(-1, -1, -1, 4)).expect("kept");
    let whole = std::fs::metadata(&path).expect("the log").len();
    let mut file = std::fs::OpenOptions::new().append(true).open(&path).expect("the log");
    file.write_all(&batch(-1, -1, -1, 4)[..200]).expect("half a batch");

    let again = Log::open(&path).expect("opened again");
    assert_eq!((again.next_offset(), std::fs::metadata(&path).expect("the log").len()), (4, whole));
    assert_eq!(again.append(&batch(-1, -1, -1, 1)).expect("kept"), 4);
}

#[test]
fn a_damaged_batch_is_refused() {
    let (_folder, log) = log();
    let mut damaged = batch(7, 0, 0, 1);
    *damaged.last_mut().expect("bytes") ^= 1;
    assert!(matches!(log.append(&damaged), Err(AppendError::Batch(BatchError::Corrupt))));
    assert!(matches!(log.append(&damaged[..70]), Err(AppendError::Batch(BatchError::Short))));
    assert!(matches!(log.append(&[]), Err(AppendError::Batch(BatchError::Short))));
    assert_eq!(log.next_offset(), 0);
}

#[test]
fn a_time_is_found() {
    let (_folder, log) = log();
    for at in 0..5 {
        log.append(&batch(7, 0, at, 1)).expect("kept");
    }
    assert_eq!(log.batch_since(1_003).expect("read").map(|batch| batch.base_offset), Some(3));
    assert_eq!(log.batch_since(1_005).expect("read"), None);
}

#[test]
fn topics_are_there_again_after_a_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let topics = Topics::open(folder.path()).expect("opened");
    topics.create("a.v1", 4, BTreeMap::new(), false).expect("created");
    topics.create("b.v1", 1, BTreeMap::new(), true).expect("could be created");
    assert!(matches!(topics.create("a.v1", 4, BTreeMap::new(), false), Err(TopicError::Exists)));
    for name in ["", "..", ".", "a/b", "../a"] {
        assert!(matches!(topics.create(name, 1, BTreeMap::new(), false), Err(TopicError::Name)), "{name}");
    }
    assert!(matches!(topics.create("c", 0, BTreeMap::new(), false), Err(TopicError::Partitions)));

    let again = Topics::open(folder.path()).expect("opened again");
    assert_eq!(again.names(), ["a.v1"]);
    assert_eq!(again.get("a.v1").map(|topic| topic.partitions.len()), Some(4));
    again.delete("a.v1").expect("deleted");
    assert!(Topics::open(folder.path()).expect("opened").names().is_empty());
}
