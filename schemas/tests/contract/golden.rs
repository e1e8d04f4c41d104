//! A payload of every version ever released, as it was recorded.

use schemas::{
    contexts::Context,
    events::{self, DomainEvent},
    upcast::upcast,
};
use serde_json::Value;
use std::{collections::BTreeSet, path::PathBuf};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("golden")
}

/// Event type and text of each golden file.
pub fn files() -> Vec<(String, String)> {
    let entries = std::fs::read_dir(folder()).expect("the golden folder");
    let mut files: Vec<_> = entries
        .map(|entry| {
            let path = entry.expect("an entry").path();
            let text = std::fs::read_to_string(&path).expect("a readable golden file");
            (path.file_stem().expect("a name").to_string_lossy().into_owned(), text)
        })
        .collect();
    files.sort();
    files
}

pub fn current_types() -> BTreeSet<&'static str> {
    events::json_schemas().into_iter().map(|(event_type, _)| event_type).collect()
}

fn context(event_type: &str) -> Context {
    event_type.split('.').nth(1).expect("a context in the type").parse().expect("a known context")
}

fn parts(event: &DomainEvent) -> (&'static str, Value) {
    let json = event.to_json().expect("a golden event can be written");
    (event.event_type(), serde_json::from_str(&json).expect("an encoded event is JSON"))
}

#[test]
fn every_current_event_has_a_golden_file() {
    let recorded: BTreeSet<String> = files().into_iter().map(|(event_type, _)| event_type).collect();
    let missing: Vec<_> = current_types().into_iter().filter(|name| !recorded.contains(*name)).collect();
    assert!(missing.is_empty(), "write schemas/golden/<type>.json for {missing:?}");
}

#[test]
fn every_golden_file_decodes() {
    for (event_type, text) in files() {
        let event = DomainEvent::decode(context(&event_type), &event_type, text.as_bytes());
        assert!(event.is_ok(), "{event_type}: {event:?}");
    }
}

#[test]
fn current_events_are_written_as_they_are_read() {
    for (event_type, text) in files() {
        if !current_types().contains(event_type.as_str()) {
            continue;
        }
        let event = DomainEvent::decode(context(&event_type), &event_type, text.as_bytes()).expect("decoded");
        let golden: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(parts(&event), (event_type.as_str(), golden), "{event_type}");
    }
}

#[test]
fn retired_events_arrive_as_current_ones() {
    let mut retired = 0;
    for (event_type, text) in files() {
        if current_types().contains(event_type.as_str()) {
            continue;
        }
        retired += 1;
        let (now, _) = upcast(&event_type, text.as_bytes()).expect("brought up to date");
        assert!(current_types().contains(now.as_ref()), "{event_type} ends as {now}, which is not current");
    }
    assert!(retired > 0, "no retired version is recorded, so no upcast step is exercised");
}

#[test]
fn stock_from_before_locations_stands_in_main() {
    let files = files();
    let find = |wanted: &str| files.iter().find(|(name, _)| name == wanted).expect("a golden file").1.as_bytes();
    let old = "souk.inventory.stock_item.received.v0";
    let new = "souk.inventory.stock_item.received.v1";
    assert_eq!(
        DomainEvent::decode(Context::Inventory, old, find(old)),
        DomainEvent::decode(Context::Inventory, new, find(new)),
    );
}
