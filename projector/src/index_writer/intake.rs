//! Taking documents in, as a build and the copy after it do: what of a batch is kept, how fast it goes, and which
//! offsets to go on from.

use crate::deps::RoleError;
use eventlog::Record;
use search::{document::SearchDocument, offsets::Offsets, writer::IndexWriter};
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// The offsets that still mean something: a log that began anew has topics of other names, and a generation that was
/// built in it could never reach what another has read of the one before.
pub fn in_this_log(offsets: &Offsets, topic: &str) -> Offsets {
    let kept = offsets.iter().filter(|((name, _), _)| name == topic || name.starts_with("views:"));
    kept.map(|(partition, next)| (partition.clone(), *next)).collect()
}

/// Takes in a batch without a commit.
pub fn take(writer: &mut IndexWriter, batch: &[Record]) -> Result<(), RoleError> {
    let mut newest: BTreeMap<&str, SearchDocument> = BTreeMap::new();
    for record in batch {
        // Our own documents can be read; a tombstone of Kafka's has nothing left to say.
        let Some(payload) = &record.payload else { continue };
        match serde_json::from_slice::<SearchDocument>(payload) {
            Ok(document) => {
                if newest.get(record.key.as_str()).is_none_or(|known| known.doc_version < document.doc_version) {
                    newest.insert(&record.key, document);
                }
            }
            Err(error) => tracing::error!(
                %error, event.key = %record.key, event.offset = record.offset, event.partition = record.partition,
                "a record of the document topic is no search document; left out"
            ),
        }
    }
    Ok(writer.upsert_all(newest.values())?)
}

/// Documents a second over about the last ten seconds.
#[derive(Debug)]
pub struct Rate {
    since: Instant,
    counted: usize,
}

impl Rate {
    /// From now on.
    pub fn new() -> Self {
        Self { since: Instant::now(), counted: 0 }
    }

    /// Counts documents; what was counted long ago counts for less and less.
    pub fn count(&mut self, documents: usize) {
        if self.since.elapsed() > Duration::from_secs(10) {
            self.since += self.since.elapsed() / 2;
            self.counted /= 2;
        }
        self.counted += documents;
    }

    /// Documents a second.
    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    pub fn per_second(&self) -> f64 {
        self.counted as f64 / self.since.elapsed().as_secs_f64().max(0.1)
    }
}
