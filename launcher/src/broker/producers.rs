//! What each idempotent producer wrote last to a partition, so that a batch sent again is known again.
//!
//! The rules are those of KIP-98 (<https://cwiki.apache.org/confluence/x/ZZ0UB>): numbers follow one
//! another without a gap, and the last five batches can be repeated.

use super::batch::Header;
use std::collections::{HashMap, VecDeque};

/// As many batches may be under way at once and so come again.
const REMEMBERED: usize = 5;

/// The producers of one partition.
#[derive(Debug, Default)]
pub struct Producers {
    known: HashMap<i64, Producer>,
}

#[derive(Debug)]
struct Producer {
    epoch: i16,
    recent: VecDeque<Written>,
}

#[derive(Debug, Clone, Copy)]
struct Written {
    first: i32,
    last: i32,
    base_offset: i64,
}

/// What is to be done with a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is new.
    Append,
    /// It stands at this offset already.
    Duplicate(i64),
    /// An earlier one is missing.
    OutOfOrder,
    /// A later life of this producer has written.
    Fenced,
}

impl Producers {
    /// Judges a batch.
    #[must_use]
    pub fn judge(&self, batch: &Header) -> Verdict {
        if batch.producer_id < 0 {
            return Verdict::Append;
        }
        let starts_anew = if batch.base_sequence == 0 { Verdict::Append } else { Verdict::OutOfOrder };
        let Some(producer) = self.known.get(&batch.producer_id) else { return starts_anew };
        if batch.producer_epoch != producer.epoch {
            return if batch.producer_epoch < producer.epoch { Verdict::Fenced } else { starts_anew };
        }
        let (first, last) = (batch.base_sequence, last_sequence(batch));
        if let Some(written) = producer.recent.iter().find(|written| (written.first, written.last) == (first, last)) {
            return Verdict::Duplicate(written.base_offset);
        }
        match producer.recent.back() {
            Some(written) if first == sequence_after(written.last, 1) => Verdict::Append,
            _ => Verdict::OutOfOrder,
        }
    }

    /// Takes note of a batch that was appended at its `base_offset`.
    pub fn note(&mut self, batch: &Header) {
        if batch.producer_id < 0 {
            return;
        }
        let producer = self
            .known
            .entry(batch.producer_id)
            .or_insert_with(|| Producer { epoch: batch.producer_epoch, recent: VecDeque::new() });
        if producer.epoch != batch.producer_epoch {
            *producer = Producer { epoch: batch.producer_epoch, recent: VecDeque::new() };
        }
        if producer.recent.len() == REMEMBERED {
            producer.recent.pop_front();
        }
        let (first, last) = (batch.base_sequence, last_sequence(batch));
        producer.recent.push_back(Written { first, last, base_offset: batch.base_offset });
    }
}

fn last_sequence(batch: &Header) -> i32 {
    sequence_after(batch.base_sequence, batch.last_offset_delta)
}

/// Numbers go on at 0 after the largest.
fn sequence_after(sequence: i32, by: i32) -> i32 {
    sequence.checked_add(by).unwrap_or_else(|| by - (i32::MAX - sequence) - 1)
}
