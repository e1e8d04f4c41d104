//! What a trail decides.

use super::domain::{RecordEntry, Trail};
use crate::domain::scenario::Scenario;
use schemas::{
    audit::BEGINNING,
    events::{AuditEvent, audit::EntryRecorded},
};

fn record(entry: &str) -> RecordEntry {
    RecordEntry { entry: entry.to_owned(), digest: format!("digest of {entry}") }
}

fn recorded(entry: &str, previous: &str) -> AuditEvent {
    let RecordEntry { entry, digest } = record(entry);
    AuditEvent::Recorded(EntryRecorded { entry, previous: previous.to_owned(), digest })
}

#[test]
fn an_entry_names_the_digest_of_the_one_before() {
    Scenario::<Trail>::given([]).when(record("first")).then([recorded("first", BEGINNING)]);
    Scenario::<Trail>::given([recorded("first", BEGINNING)])
        .when(record("second"))
        .then([recorded("second", "digest of first")]);
}
