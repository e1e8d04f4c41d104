//! The AsyncAPI 3 document of souk's Kafka topics, made from the code that writes them.

use crate::{
    Timestamp,
    contexts::Context,
    envelope::Envelope,
    events,
    ids::{EventId, TenantId},
    topics::{self, Topic},
};
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// A message of the document topic, which is composed outside this crate.
#[derive(Debug, Clone)]
pub struct DocumentMessage {
    /// Its CloudEvents type.
    pub event_type: &'static str,
    /// JSON Schema of its payload.
    pub payload: Value,
}

/// The whole document.
#[must_use]
pub fn document(documents: DocumentMessage) -> Value {
    let mut parts = Parts::default();
    for event in events::descriptions() {
        parts.message(event.event_type, event.schema.to_value(), event.key);
    }
    parts.message(documents.event_type, documents.payload, "product");
    for context in Context::ALL {
        let prefix = format!("souk.{context}.");
        parts.channel(context.topic(), "write-api records, the projector relays", &prefix);
    }
    parts.channel(topics::DOCUMENTS, "the projector composes; index and embedding writers read", documents.event_type);
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "souk events",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Domain events and search documents. CloudEvents 1.0, Kafka binding, binary mode: \
                attributes are record headers `ce_<name>`, the value is the JSON payload.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": parts.channels,
        "operations": parts.operations,
        "components": {
            "messages": parts.messages,
            "messageTraits": {"cloudEvent": {"headers": headers()}},
            "schemas": parts.schemas,
        },
    })
}

#[derive(Default)]
struct Parts {
    channels: Map<String, Value>,
    operations: Map<String, Value>,
    messages: Map<String, Value>,
    schemas: Map<String, Value>,
}

impl Parts {
    fn message(&mut self, event_type: &str, mut payload: Value, key: &str) {
        if let Some(Value::Object(definitions)) = payload.as_object_mut().and_then(|object| object.remove("$defs")) {
            self.schemas.extend(definitions.into_iter().map(|(name, schema)| (name, lifted(schema))));
        }
        self.schemas.insert(event_type.to_owned(), lifted(payload));
        self.messages.insert(
            event_type.to_owned(),
            json!({
                "name": event_type,
                "contentType": "application/json",
                "traits": [{"$ref": "#/components/messageTraits/cloudEvent"}],
                "payload": {"$ref": format!("#/components/schemas/{event_type}")},
                "bindings": {"kafka": {"key": {"type": "string", "description": key_description(key)}}},
            }),
        );
    }

    fn channel(&mut self, topic: Topic, summary: &str, prefix: &str) {
        let types = self.messages.keys().filter(|name| name.starts_with(prefix));
        let messages: Map<String, Value> =
            types.map(|name| (name.clone(), json!({"$ref": format!("#/components/messages/{name}")}))).collect();
        let policy = if topic.compacted { "compact" } else { "delete" };
        self.channels.insert(
            topic.name.to_owned(),
            json!({
                "address": topic.name,
                "summary": summary,
                "messages": messages,
                "bindings": {"kafka": {"topicConfiguration": {"cleanup.policy": [policy]}}},
            }),
        );
        let channel = json!({"$ref": format!("#/channels/{}", topic.name)});
        self.operations.insert(format!("send.{}", topic.name), json!({"action": "send", "channel": channel}));
        self.operations.insert(format!("receive.{}", topic.name), json!({"action": "receive", "channel": channel}));
    }
}

/// The Kafka key in words; see [`topics::partition_key`].
fn key_description(name: &str) -> String {
    format!("`<tenant id>:<{} id>`: events with the same key keep their order", name.replace('_', " "))
}

/// A schema whose references point to the document's components.
fn lifted(schema: Value) -> Value {
    match schema {
        Value::Object(object) => object
            .into_iter()
            .filter(|(key, _)| key != "$schema")
            .map(|(key, value)| match &value {
                Value::String(text) if key == "$ref" => {
                    (key, Value::String(text.replace("#/$defs/", "#/components/schemas/")))
                }
                _ => (key, lifted(value)),
            })
            .collect(),
        Value::Array(list) => list.into_iter().map(lifted).collect(),
        other => other,
    }
}

/// JSON Schema of the record headers, from what [`Envelope::to_headers`] sends.
fn headers() -> Value {
    let full = Envelope {
        id: EventId(Uuid::nil()),
        event_type: "type".to_owned(),
        tenant: TenantId(Uuid::nil()),
        context: Context::Catalog,
        aggregate: "aggregate".to_owned(),
        aggregate_id: Uuid::nil(),
        version: 1,
        time: Timestamp::UNIX_EPOCH,
        correlation_id: "id".to_owned(),
        causation_id: Some("id".to_owned()),
        traceparent: Some("trace".to_owned()),
    };
    let least = Envelope { causation_id: None, traceparent: None, ..full.clone() };
    let properties: Map<String, Value> = full
        .to_headers()
        .into_iter()
        .map(|(name, _)| (name.to_owned(), json!({"type": "string", "description": meaning(name)})))
        .collect();
    // Documents have no schema address of their own.
    let required: Vec<&str> =
        least.to_headers().into_iter().map(|(name, _)| name).filter(|name| *name != "ce_dataschema").collect();
    json!({"type": "object", "properties": properties, "required": required})
}

fn meaning(header: &str) -> &'static str {
    match header {
        "ce_specversion" => "CloudEvents version, `1.0`.",
        "ce_id" => "Unique id; a consumer that has seen it can skip the record.",
        "ce_type" => "`souk.<context>.<aggregate>.<what happened>.v<version>`.",
        "ce_source" => "Which part recorded it.",
        "ce_subject" => "`<aggregate>/<id>`.",
        "ce_time" => "When it was recorded, RFC 3339, UTC.",
        "ce_dataschema" => "Address of the payload's JSON Schema; domain events only.",
        "content-type" => "`application/json`.",
        "ce_souktenant" => "The tenant's id.",
        "ce_soukversion" => "The aggregate's version after the event, from 1; for documents the document's version.",
        "ce_soukcorrelation" => "The request that started it all.",
        "ce_soukcausation" => "The event or command that caused it, if not the request itself.",
        "ce_traceparent" => "W3C trace context.",
        _ => "An extension attribute.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> Value {
        let payload = json!({"$ref": "#/$defs/Doc", "$defs": {"Doc": {"type": "object"}}});
        document(DocumentMessage { event_type: "souk.documents.document.composed.v1", payload })
    }

    fn references(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(object) => {
                found.extend(object.get("$ref").and_then(Value::as_str).map(str::to_owned));
                object.values().for_each(|inner| references(inner, found));
            }
            Value::Array(list) => list.iter().for_each(|inner| references(inner, found)),
            _ => {}
        }
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let document = example();
        let mut found = Vec::new();
        references(&document, &mut found);
        assert!(found.len() > 20);
        for reference in found {
            let pointer = reference.strip_prefix('#').expect("a local reference");
            assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
        }
    }

    #[test]
    fn every_topic_is_a_channel_with_messages() {
        let document = example();
        for topic in topics::all() {
            let messages = document["channels"][topic.name]["messages"].as_object().expect("messages");
            assert!(!messages.is_empty(), "{}", topic.name);
        }
    }
}
