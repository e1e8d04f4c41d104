//! Cuts the records of a file into batches, on a thread of its own, a few batches ahead.

use super::{
    mapping::{Mapped, Mapping},
    reader::{Record, Records},
};
use std::{collections::HashSet, io};
use tokio::sync::mpsc;

/// A record and what the mapping made of it.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) line: u64,
    pub(crate) original: String,
    pub(crate) mapped: Result<Mapped, String>,
}

/// Records that are written together.
#[derive(Debug, Default)]
pub(crate) struct Chunk {
    pub(crate) rows: Vec<Row>,
    /// Records of the file up to and with this batch.
    pub(crate) records: u64,
    /// Bytes of the file read when it was full.
    pub(crate) bytes: u64,
    /// Products it writes: no batch may be under way with one of the same, or the older could win.
    pub(crate) ids: HashSet<String>,
}

/// What cutting depends on.
#[derive(Debug, Clone)]
pub(crate) struct Cutting {
    pub(crate) mapping: Mapping,
    /// Records to pass over, since an earlier run settled them.
    pub(crate) skip: u64,
    /// Most rows of a batch.
    pub(crate) size: usize,
}

/// Starts cutting. The channel ends after the last batch or the first reading error.
pub(crate) fn cut(records: Records, cutting: Cutting) -> mpsc::Receiver<io::Result<Chunk>> {
    let (sender, receiver) = mpsc::channel(2);
    // It ends by itself when the receiver is dropped.
    let _detached = tokio::task::spawn_blocking(move || {
        let mut cutter = Cutter { cutting, sender, chunk: Chunk::default(), records: 0 };
        if let Err(error) = cutter.run(records) {
            let _ = cutter.sender.blocking_send(Err(error));
        }
    });
    receiver
}

struct Cutter {
    cutting: Cutting,
    sender: mpsc::Sender<io::Result<Chunk>>,
    chunk: Chunk,
    records: u64,
}

impl Cutter {
    fn run(&mut self, mut records: Records) -> io::Result<()> {
        while let Some(record) = records.next() {
            let record = record?;
            self.records += 1;
            if self.records <= self.cutting.skip {
                continue;
            }
            let Record { line, original, fields } = record;
            let mapped = fields.and_then(|fields| self.cutting.mapping.apply(&fields));
            let id = mapped.as_ref().ok().map(|mapped| mapped.product.external_id.clone());
            let again = id.as_ref().is_some_and(|id| self.chunk.ids.contains(id));
            if (again || self.chunk.rows.len() >= self.cutting.size) && !self.hand_over(self.records - 1) {
                return Ok(());
            }
            self.chunk.ids.extend(id);
            self.chunk.rows.push(Row { line, original, mapped });
            self.chunk.bytes = records.bytes_read();
        }
        if !self.chunk.rows.is_empty() {
            self.hand_over(self.records);
        }
        Ok(())
    }

    /// False when nobody takes batches any more.
    fn hand_over(&mut self, records: u64) -> bool {
        let chunk = Chunk { records, ..std::mem::take(&mut self.chunk) };
        self.sender.blocking_send(Ok(chunk)).is_ok()
    }
}
