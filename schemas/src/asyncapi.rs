//! The AsyncAPI 3 document of souk's Kafka topics, made from the code that writes them.

use crate::{
    Timestamp,
    envelope::{Envelope, structured},
    events,
    ids::{EventId, TenantId},
    topics::{self, Context, Topic},
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
    parts.schemas.insert("CloudEvent".to_owned(), attributes());
    for (event_type, schema) in events::json_schemas() {
        parts.message(event_type, schema.to_value());
    }
    parts.message(documents.event_type, documents.payload);
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
            "description": "Domain events and search documents. CloudEvents 1.0, Kafka binding, structured mode: \
                the value is one JSON object of the attributes, with the payload as `data`. Consumers read binary \
                mode too, with the attributes as record headers `ce_<name>`.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": structured::CONTENT_TYPE,
        "channels": parts.channels,
        "operations": parts.operations,
        "components": {
            "messages": parts.messages,
            "messageTraits": {"cloudEvent": {"contentType": structured::CONTENT_TYPE, "headers": headers()}},
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
    fn message(&mut self, event_type: &str, mut payload: Value) {
        if let Some(Value::Object(definitions)) = payload.as_object_mut().and_then(|object| object.remove("$defs")) {
            self.schemas.extend(definitions.into_iter().map(|(name, schema)| (name, lifted(schema))));
        }
        self.schemas.insert(event_type.to_owned(), lifted(payload));
        self.messages.insert(
            event_type.to_owned(),
            json!({
                "name": event_type,
                "traits": [{"$ref": "#/components/messageTraits/cloudEvent"}],
                "payload": {"allOf": [
                    {"$ref": "#/components/schemas/CloudEvent"},
                    {
                        "type": "object",
                        "properties": {
                            "type": {"const": event_type},
                            "data": {"$ref": format!("#/components/schemas/{event_type}")},
                        },
                        "required": ["data"],
                    },
                ]},
                "bindings": {"kafka": {"key": {"type": "string", "description": key(event_type)}}},
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
                "bindings": {"kafka": {"partitions": topic.partitions, "topicConfiguration": {"cleanup.policy": [policy]}}},
            }),
        );
        let channel = json!({"$ref": format!("#/channels/{}", topic.name)});
        self.operations.insert(format!("send.{}", topic.name), json!({"action": "send", "channel": channel}));
        self.operations.insert(format!("receive.{}", topic.name), json!({"action": "receive", "channel": channel}));
    }
}

/// What the partition key of a type is made of; see [`topics::partition_key`].
fn key(event_type: &str) -> &'static str {
    match event_type.split('.').nth(2) {
        Some("tenant") => "`<tenant id>:<tenant id>`",
        Some("category") => "`<tenant id>:<category id>`",
        _ => "`<tenant id>:<product id>`: all that is known of one product stands in one partition number",
    }
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

/// JSON Schema of the record headers.
fn headers() -> Value {
    json!({
        "type": "object",
        "properties": {"content-type": {"type": "string", "const": structured::CONTENT_TYPE}},
        "required": ["content-type"],
    })
}

/// JSON Schema of the CloudEvents attributes, from what [`Envelope::to_headers`] gives.
fn attributes() -> Value {
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
    let properties: Map<String, Value> =
        names(&full).map(|name| (name.clone(), json!({"type": "string", "description": meaning(&name)}))).collect();
    // Documents have no schema address of their own.
    let required: Vec<String> = names(&least).filter(|name| name != "dataschema").collect();
    json!({"type": "object", "properties": properties, "required": required})
}

fn names(envelope: &Envelope) -> impl Iterator<Item = String> {
    // The encoder decides what the attributes are called in the value.
    let value = structured::encode(&envelope.to_headers(), "null");
    let attributes: Map<String, Value> = serde_json::from_str(&value).unwrap_or_default();
    attributes.into_iter().map(|(name, _)| name).filter(|name| name != "data")
}

fn meaning(attribute: &str) -> &'static str {
    match attribute {
        "specversion" => "CloudEvents version, `1.0`.",
        "id" => "Unique id; a consumer that has seen it can skip the record.",
        "type" => "`souk.<context>.<aggregate>.<what happened>.v<version>`.",
        "source" => "Which part recorded it.",
        "subject" => "`<aggregate>/<id>`.",
        "time" => "When it was recorded, RFC 3339, UTC.",
        "dataschema" => "Address of the payload's JSON Schema; domain events only.",
        "datacontenttype" => "`application/json`.",
        "souktenant" => "The tenant's id.",
        "soukversion" => "The aggregate's version after the event, from 1; for documents the document's version.",
        "soukcorrelation" => "The request that started it all.",
        "soukcausation" => "The event or command that caused it, if not the request itself.",
        "traceparent" => "W3C trace context.",
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
    fn every_attribute_is_described() {
        let document = example();
        let schema = &document["components"]["schemas"]["CloudEvent"];
        let attributes = schema["properties"].as_object().expect("attributes");
        assert_eq!(attributes.len(), 13);
        assert!(attributes.values().all(|attribute| attribute["description"] != meaning("")), "{attributes:?}");
        assert!(!schema["required"].as_array().expect("a list").contains(&json!("traceparent")));
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
