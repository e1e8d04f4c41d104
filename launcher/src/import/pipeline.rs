//! Batches through the write API: several under way at once, settled in the order of the file.

use super::{
    categories::Categories,
    chunks::{Chunk, Row},
    client::{LineStatus, OnError},
    error::ImportError,
    listing::{Listing, Rejected, RepairedLine},
    position::{Position, PositionFile},
    progress::Progress,
    repair::RepairCounts,
    report::Counts,
    writer::{Verdict, Writer, Written},
};
use schemas::token::Token;
use std::{collections::VecDeque, io, path::PathBuf};
use tokio::{sync::mpsc, task::JoinHandle};

/// The files beside an import.
pub(crate) struct Listings {
    pub(crate) rejects: Listing,
    pub(crate) repairs: Listing,
}

/// Everything an import needs after it was read what it is.
pub(crate) struct Pipeline {
    pub(crate) file: PathBuf,
    pub(crate) file_bytes: u64,
    pub(crate) writer: Writer,
    pub(crate) in_flight: usize,
    pub(crate) position: Position,
    /// Where the position is kept; nowhere in a dry run.
    pub(crate) position_file: Option<PositionFile>,
    pub(crate) listings: Listings,
    pub(crate) progress: Progress,
    /// Kept only when the end waits for the read side.
    pub(crate) tokens: Option<Vec<Token>>,
    first_rejected: Option<(u64, String)>,
    settled_before: u64,
}

/// What came out.
pub(crate) struct Outcome {
    pub(crate) counts: Counts,
    pub(crate) repaired: RepairCounts,
    pub(crate) tokens: Vec<Token>,
    pub(crate) first_rejected: Option<(u64, String)>,
}

struct UnderWay {
    ids: std::collections::HashSet<String>,
    task: JoinHandle<Result<Written, ImportError>>,
}

impl Pipeline {
    pub(crate) fn new(file: PathBuf, file_bytes: u64, writer: Writer, position: Position, listings: Listings) -> Self {
        let settled_before = position.counts.read;
        Self {
            file,
            file_bytes,
            writer,
            in_flight: 1,
            position,
            position_file: None,
            listings,
            progress: Progress::begin("importing", file_bytes),
            tokens: None,
            first_rejected: None,
            settled_before,
        }
    }

    /// Runs to the end of the file, or to the first rejected line if that is what was asked for.
    pub(crate) async fn run(mut self, mut chunks: mpsc::Receiver<io::Result<Chunk>>) -> Result<Outcome, ImportError> {
        let mut categories = Categories::default();
        let mut under_way: VecDeque<UnderWay> = VecDeque::new();
        while let Some(chunk) = chunks.recv().await {
            let mut chunk = chunk.map_err(ImportError::reading(&self.file))?;
            let clash =
                |under_way: &VecDeque<UnderWay>| under_way.iter().any(|other| !other.ids.is_disjoint(&chunk.ids));
            while under_way.len() >= self.in_flight || clash(&under_way) {
                self.settle_first(&mut under_way).await?;
            }
            if self.is_stopped() {
                break;
            }
            let all_mapped = chunk.rows.iter().all(|row| row.mapped.is_ok());
            if all_mapped || self.writer.on_error != OnError::AllOrNothing {
                self.writer.prepare(&mut chunk, &mut categories).await?;
            }
            let ids = std::mem::take(&mut chunk.ids);
            under_way.push_back(UnderWay { ids, task: tokio::spawn(self.writer.clone().write(chunk)) });
        }
        while !under_way.is_empty() {
            self.settle_first(&mut under_way).await?;
        }
        if let Some(file) = self.position_file.as_ref().filter(|_| !self.is_stopped()) {
            file.remove()?;
        }
        self.progress.end();
        Ok(Outcome {
            counts: self.position.counts,
            repaired: self.position.repaired,
            tokens: self.tokens.unwrap_or_default(),
            first_rejected: self.first_rejected,
        })
    }

    fn is_stopped(&self) -> bool {
        self.writer.on_error != OnError::Skip && self.first_rejected.is_some()
    }

    async fn settle_first(&mut self, under_way: &mut VecDeque<UnderWay>) -> Result<(), ImportError> {
        let Some(first) = under_way.pop_front() else { return Ok(()) };
        let written = first.task.await.map_err(|error| ImportError::Broken(error.to_string()))??;
        self.settle(written)
    }

    fn settle(&mut self, written: Written) -> Result<(), ImportError> {
        let counts = &mut self.position.counts;
        let (mut rejected, mut repaired) = (Vec::new(), Vec::new());
        for (row, verdict) in written.rows {
            counts.read += 1;
            if let (Ok(mapped), Verdict::Settled(_)) = (&row.mapped, &verdict) {
                self.position.repaired.add(&row.repairs);
                repaired.extend(row.repairs.as_slice().iter().map(|repaired| RepairedLine {
                    line: row.line,
                    external_id: mapped.product.external_id.clone(),
                    repaired: repaired.clone(),
                }));
            }
            match verdict {
                Verdict::Settled(LineStatus::Created) => counts.created += 1,
                Verdict::Settled(LineStatus::Changed) => counts.changed += 1,
                Verdict::Settled(_) => counts.unchanged += 1,
                Verdict::NotTried => counts.not_tried += 1,
                Verdict::Rejected(reason, problem) => {
                    counts.rejected += 1;
                    let Row { line, original, .. } = row;
                    self.first_rejected.get_or_insert_with(|| (line, reason.clone()));
                    rejected.push(Rejected { line, reason, problem, original });
                }
            }
        }
        // First what was rejected, then the position: broken off in between, a line may stand in the
        // file twice, but is never missing.
        self.listings.rejects.add(&rejected)?;
        self.listings.repairs.add(&repaired)?;
        self.position.records = written.records;
        if let Some(file) = self.position_file.as_ref().filter(|_| !self.is_stopped()) {
            file.store(&self.position)?;
        }
        if let Some(tokens) = &mut self.tokens {
            tokens.push(written.token);
        }
        let done = self.position.counts.read - self.settled_before;
        self.progress.at(written.bytes, self.file_bytes, done, "products");
        Ok(())
    }
}
