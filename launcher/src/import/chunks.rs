//! Cuts the records of a file into batches, on a thread of its own, a few batches ahead.

use super::{
    mapping::{Mapped, Mapping},
    reader::{Record, Records},
    repair::{Repairs, text},
};
use std::{collections::HashSet, io};
use tokio::sync::mpsc;

/// A record and what the mapping made of it.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) line: u64,
    pub(crate) original: String,
    pub(crate) mapped: Result<Mapped, String>,
    /// What was put right, if it could be mapped.
    pub(crate) repairs: Repairs,
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
    /// Most rows of a batch; without a limit all rows are one batch, and no id may stand twice in it.
    pub(crate) size: Option<usize>,
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
        if let Some(rule) = self.cutting.mapping.group() {
            records = records.grouped(rule)?;
        }
        while let Some(record) = records.next() {
            let record = record?;
            self.records += 1;
            if self.records <= self.cutting.skip {
                continue;
            }
            let Record { line, original, fields, mut repairs } = record;
            let mut mapped = fields.and_then(|mut fields| {
                text::decode_record(&mut fields, &mut repairs);
                self.cutting.mapping.apply(&fields)
            });
            if let Ok(mapped) = &mut mapped {
                repairs.extend(std::mem::take(&mut mapped.repairs));
            }
            let id = mapped.as_ref().ok().map(|mapped| mapped.product.external_id.clone());
            let again = id.as_ref().is_some_and(|id| self.chunk.ids.contains(id));
            let is_full = self.cutting.size.is_some_and(|size| again || self.chunk.rows.len() >= size);
            if is_full && !self.hand_over(self.records - 1) {
                return Ok(());
            }
            if again && self.cutting.size.is_none() {
                mapped = Err("another line has the same id".to_owned());
            }
            self.chunk.ids.extend(id);
            self.chunk.rows.push(Row { line, original, mapped, repairs });
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    async fn cut_up(ids: &[u32], skip: u64, size: Option<usize>) -> Vec<Chunk> {
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        for id in ids {
            writeln!(file, "{{\"id\":{id},\"title\":\"x\"}}").expect("written");
        }
        let mapping = Mapping::parse("test", "id = 'id'\ntitle = 'title'").expect("a mapping");
        let records = Records::open(file.path()).expect("opened");
        let mut chunks = cut(records, Cutting { mapping, skip, size });
        let mut all = Vec::new();
        while let Some(chunk) = chunks.recv().await {
            all.push(chunk.expect("read"));
        }
        all
    }

    fn lines(chunks: &[Chunk]) -> Vec<Vec<u64>> {
        chunks.iter().map(|chunk| chunk.rows.iter().map(|row| row.line).collect()).collect()
    }

    #[tokio::test]
    async fn batches_say_up_to_which_record_they_go() {
        let chunks = cut_up(&[1, 2, 3, 4, 5], 0, Some(2)).await;
        assert_eq!(lines(&chunks), [vec![1, 2], vec![3, 4], vec![5]]);
        assert_eq!(chunks.iter().map(|chunk| chunk.records).collect::<Vec<_>>(), [2, 4, 5]);
        assert!(chunks[0].bytes > 0);
    }

    #[tokio::test]
    async fn an_import_that_goes_on_begins_after_what_was_settled() {
        let chunks = cut_up(&[1, 2, 3, 4, 5], 3, Some(2)).await;
        assert_eq!(lines(&chunks), [vec![4, 5]]);
        assert_eq!(chunks[0].records, 5);
        assert!(cut_up(&[1, 2], 2, Some(2)).await.is_empty());
    }

    #[tokio::test]
    async fn no_batch_has_the_same_product_twice() {
        let chunks = cut_up(&[1, 2, 1, 1, 3], 0, Some(10)).await;
        assert_eq!(lines(&chunks), [vec![1, 2], vec![3], vec![4, 5]]);
    }

    #[tokio::test]
    async fn where_all_is_one_batch_the_second_line_of_an_id_is_rejected() {
        let chunks = cut_up(&[1, 2, 1], 0, None).await;
        assert_eq!(lines(&chunks), [vec![1, 2, 3]]);
        assert!(chunks[0].rows[2].mapped.as_ref().is_err_and(|reason| reason.contains("same id")));
    }
}
