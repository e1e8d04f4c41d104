//! What became of aggregates, as the audit tells it.

use super::outbox::Decided;
use schemas::{
    Uuid,
    audit::{Change, FieldChange},
    events::Event,
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::HashMap;

/// Bytes of a value, as JSON text, up to which it is told as it is.
const SHOWN_BYTES: usize = 256;
/// Bytes of an aggregate's events up to which its state is compared with the one before: what is larger costs more than it tells.
const COMPARED_BYTES: usize = 64 << 10;
/// Values that are told of one aggregate at most.
const SHOWN_FIELDS: usize = 20;

/// The events of one aggregate.
struct Happened {
    before: u64,
    after: u64,
    events: Vec<String>,
    bytes: usize,
    payloads: Sha256,
}

/// What became of aggregates, by their events in order. `states` gives what each was and is, as JSON, if it was there before.
pub(super) fn of<E: Event>(
    log: &[Decided<E>],
    aggregate: &str,
    states: impl Fn(Uuid) -> Option<(Value, Value)>,
) -> Vec<Change> {
    let (mut order, mut by_id) = (Vec::new(), HashMap::<Uuid, Happened>::new());
    for Decided { id, version, event, payload } in log {
        let happened = by_id.entry(*id).or_insert_with(|| {
            order.push(*id);
            Happened {
                before: version.saturating_sub(1),
                after: *version,
                events: Vec::new(),
                bytes: 0,
                payloads: Sha256::new(),
            }
        });
        happened.after = *version;
        happened.bytes += payload.len();
        happened.payloads.update(payload.as_bytes());
        if !happened.events.iter().any(|known| known == event.event_type()) {
            happened.events.push(event.event_type().to_owned());
        }
    }
    let change = |id: Uuid| {
        let Happened { before, after, events, bytes, payloads } = by_id.remove(&id)?;
        let told = (bytes <= COMPARED_BYTES).then(|| states(id)).flatten();
        let fields = told.map(|(was, is)| fields(&was, &is)).unwrap_or_default();
        Some(Change {
            context: E::CONTEXT.name().to_owned(),
            aggregate: aggregate.to_owned(),
            id,
            before,
            after,
            events,
            payloads: hex::encode(payloads.finalize()),
            fields,
        })
    };
    order.into_iter().filter_map(change).collect()
}

/// What of a state is another than before.
fn fields(was: &Value, is: &Value) -> Vec<FieldChange> {
    let mut found = Vec::new();
    differ(String::new(), was, is, &mut found);
    found
}

/// Goes down where both are objects; an array is one value.
fn differ(pointer: String, was: &Value, is: &Value, found: &mut Vec<FieldChange>) {
    if was == is || found.len() >= SHOWN_FIELDS {
        return;
    }
    let (Value::Object(before), Value::Object(after)) = (was, is) else {
        return found.push(FieldChange { pointer, before: shown(was), after: shown(is) });
    };
    let mut names: Vec<&String> = before.keys().chain(after.keys()).collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        let of = |object: &serde_json::Map<String, Value>| object.get(name).cloned().unwrap_or_default();
        differ(format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1")), &of(before), &of(after), found);
    }
}

/// A value as it is told: what is large by its bytes and its digest.
fn shown(value: &Value) -> Value {
    let text = value.to_string();
    if text.len() <= SHOWN_BYTES {
        return value.clone();
    }
    json!({"bytes": text.len(), "sha256": hex::encode(Sha256::digest(text.as_bytes()))})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_told_by_pointer_and_what_is_large_by_its_digest() {
        let long = "x".repeat(1_000);
        let was = json!({"title": "Lamp", "a/b": 1, "same": [1, 2], "variants": [{"sku": "a"}], "of": {"deep": true}});
        let is = json!({"title": long, "same": [1, 2], "variants": [{"sku": "b"}], "of": {"deep": false}, "new": 7});
        let found = fields(&was, &is);
        let pointers: Vec<&str> = found.iter().map(|field| field.pointer.as_str()).collect();
        assert_eq!(pointers, ["/a~1b", "/new", "/of/deep", "/title", "/variants"]);
        assert_eq!((&found[0].before, &found[0].after), (&json!(1), &Value::Null));
        assert_eq!(found[3].after["bytes"], 1_002);
        assert!(fields(&was, &was).is_empty());
        let many = |value: u64| Value::Object((0..100).map(|n| (n.to_string(), json!(value))).collect());
        assert_eq!(fields(&many(1), &many(2)).len(), SHOWN_FIELDS);
    }
}
