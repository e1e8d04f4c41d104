//! The checked-in JSON Schemas are those of the code, and never changed in a way that breaks.

use crate::golden;
use schemas::{compatibility::breaks, events, upcast::upcast};
use serde_json::Value;
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("json-schema")
}

/// What is wrong with a checked-in schema, if anything; with `bless` it is written where that is allowed.
fn check(folder: &Path, event_type: &str, generated: &Value, bless: bool) -> Result<(), String> {
    let path = folder.join(format!("{event_type}.json"));
    let checked_in = match std::fs::read_to_string(&path) {
        Ok(text) => Some(serde_json::from_str::<Value>(&text).map_err(|error| format!("{event_type}: {error}"))?),
        Err(_) => None,
    };
    if checked_in.as_ref() == Some(generated) {
        return Ok(());
    }
    let broken = checked_in.map(|old| breaks(&old, generated)).unwrap_or_default();
    if !broken.is_empty() {
        return Err(format!(
            "{event_type}: {}. Payloads that are already recorded would break; make this a new version of the event \
             and write an upcast step",
            broken.join("; ")
        ));
    }
    if !bless {
        return Err(format!(
            "{event_type}: the checked-in schema is not the code's; run SOUK_BLESS=1 cargo test -p schemas"
        ));
    }
    let text = serde_json::to_string_pretty(generated).map_err(|error| error.to_string())? + "\n";
    std::fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))
}

#[test]
fn checked_in_schemas_are_those_of_the_code() {
    let bless = std::env::var_os("SOUK_BLESS").is_some();
    let wrong: Vec<String> = events::json_schemas()
        .into_iter()
        .filter_map(|(event_type, schema)| check(&folder(), event_type, &schema.to_value(), bless).err())
        .collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn a_schema_of_a_type_that_left_belongs_to_a_retired_version() {
    let golden = golden::files();
    for entry in std::fs::read_dir(folder()).expect("the folder of schemas") {
        let path = entry.expect("an entry").path();
        let event_type = path.file_stem().expect("a name").to_string_lossy().into_owned();
        // The composed document is checked where it is defined.
        if golden::current_types().contains(event_type.as_str()) || event_type.starts_with("souk.documents.") {
            continue;
        }
        let text = golden.iter().find(|(name, _)| *name == event_type).map(|(_, text)| text.as_bytes());
        let upcasts = text.is_some_and(|text| upcast(&event_type, text).is_ok_and(|(now, _)| now != event_type));
        assert!(upcasts, "{event_type} was recorded once; without an upcast step its history can't be read");
    }
}

#[test]
fn a_breaking_change_is_refused_even_when_blessing() {
    let folder = std::env::temp_dir().join(format!("souk-schemas-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let wide = serde_json::json!({"type": "object", "properties": {"a": {"type": "string"}}});
    let narrow = serde_json::json!({"type": "object", "properties": {}});
    assert!(check(&folder, "x", &wide, false).is_err(), "a new file needs a blessing");
    assert_eq!(check(&folder, "x", &wide, true), Ok(()), "a new file may be written");
    let refused = check(&folder, "x", &narrow, true).expect_err("refused");
    assert!(refused.contains("`a` of the payload was removed"), "{refused}");
    assert_eq!(check(&folder, "x", &wide, false), Ok(()), "the file is as it was");
    std::fs::remove_dir_all(&folder).expect("removed");
}
