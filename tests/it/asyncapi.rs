//! The document of the Kafka topics and the schema of search documents are those of the code.
//! `SOUK_BLESS=1 cargo test -p acceptance --test it asyncapi` writes them.

use projector::document_relay::DOCUMENT_TYPE;
use schemas::{
    asyncapi::{self, DocumentMessage},
    compatibility::breaks,
};
use search::document::SearchDocument;
use serde_json::Value;
use std::path::{Path, PathBuf};

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the repository").to_owned()
}

fn payload() -> Value {
    schemars::schema_for!(SearchDocument).to_value()
}

fn checked_in(path: &Path) -> Option<Value> {
    std::fs::read_to_string(path).ok().map(|text| serde_json::from_str(&text).expect("a JSON file"))
}

/// Compares a checked-in file with what the code makes; blessing writes it.
fn check(path: &str, generated: &Value) {
    let path = repository().join(path);
    if checked_in(&path).as_ref() == Some(generated) {
        return;
    }
    assert!(
        std::env::var_os("SOUK_BLESS").is_some(),
        "{} is not what the code makes; run SOUK_BLESS=1 cargo test -p acceptance --test it asyncapi",
        path.display()
    );
    let text = serde_json::to_string_pretty(generated).expect("JSON") + "\n";
    std::fs::write(&path, text).expect("a writable file");
}

#[test]
fn the_checked_in_asyncapi_document_is_that_of_the_code() {
    let document = asyncapi::document(DocumentMessage { event_type: DOCUMENT_TYPE, payload: payload() });
    check("docs/asyncapi.json", &document);
}

#[test]
fn search_documents_change_only_compatibly() {
    let path = format!("schemas/json-schema/{DOCUMENT_TYPE}.json");
    if let Some(old) = checked_in(&repository().join(&path)) {
        let broken = breaks(&old, &payload());
        assert!(broken.is_empty(), "{DOCUMENT_TYPE} needs a new version: {}", broken.join("; "));
    }
    check(&path, &payload());
}
