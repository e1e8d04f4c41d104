//! The OpenAPI documents: every answer of every route has a schema and an example, and the example keeps to the schema.

use serde_json::{Map, Value};
use std::collections::BTreeSet;

mod schema;

use schema::deviations;

/// A checked-in OpenAPI document.
pub fn document(name: &str) -> Value {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/openapi").join(name);
    serde_json::from_str(&std::fs::read_to_string(path).expect("the document")).expect("JSON")
}

/// What a document lacks, one sentence each.
fn flaws(document: &Value) -> Vec<String> {
    let (mut found, mut ids) = (Vec::new(), BTreeSet::new());
    for (path, methods) in object(&document["paths"]) {
        for (method, operation) in object(methods) {
            if !ids.insert(operation["operationId"].as_str()) {
                found.push(format!("{method} {path}: another operation has its operationId"));
            }
            for (status, response) in object(&operation["responses"]) {
                let place = format!("{method} {path} {status}");
                found.extend(flaws_of(document, status, response).into_iter().map(|flaw| format!("{place}: {flaw}")));
            }
        }
    }
    found
}

fn flaws_of(document: &Value, status: &str, response: &Value) -> Vec<String> {
    let is_problem = !status.starts_with('2');
    let contents = object(&response["content"]);
    if contents.is_empty() {
        return if status == "204" { Vec::new() } else { vec!["no content".to_owned()] };
    }
    let mut found = Vec::new();
    for (media_type, content) in contents {
        if is_problem && media_type != schemas::problem::MEDIA_TYPE {
            found.push(format!("a problem is sent as {}, not as {media_type}", schemas::problem::MEDIA_TYPE));
        }
        let stated = &content["schema"];
        if is_empty(stated) {
            found.push("no schema".to_owned());
        }
        let examples = examples(document, content);
        if examples.is_empty() {
            found.push("no example".to_owned());
        }
        found.extend(examples.into_iter().flat_map(|example| deviations(document, stated, example)));
    }
    found
}

/// The examples of a content, or those of the component that is its schema.
fn examples<'a>(document: &'a Value, content: &'a Value) -> Vec<&'a Value> {
    let named = object(&content["examples"]).into_iter().map(|(_, example)| &example["value"]);
    let own: Vec<&Value> = content.get("example").into_iter().chain(named).collect();
    let component = content["schema"]["$ref"].as_str().and_then(|name| document.pointer(name.trim_start_matches('#')));
    match component {
        Some(component) if own.is_empty() => component["examples"].as_array().into_iter().flatten().collect(),
        _ => own,
    }
}

/// Whether a schema says nothing.
fn is_empty(schema: &Value) -> bool {
    const SAYING: [&str; 9] =
        ["$ref", "properties", "items", "additionalProperties", "oneOf", "anyOf", "allOf", "enum", "prefixItems"];
    let says = SAYING.iter().any(|name| schema.get(name).is_some());
    !says && (schema.get("type").is_none() || schema["type"] == "object")
}

fn object(value: &Value) -> Vec<(&String, &Value)> {
    value.as_object().map(|map: &Map<String, Value>| map.iter().collect()).unwrap_or_default()
}

/// The documents of all services.
const DOCUMENTS: [&str; 2] = ["query-api.json", "write-api.json"];

#[test]
fn every_answer_has_a_schema_and_an_example_that_keeps_to_it() {
    for name in DOCUMENTS {
        let found = flaws(&document(name));
        assert!(found.is_empty(), "{name}, {} flaws:\n{found:#?}", found.len());
    }
}

#[test]
fn every_reference_leads_somewhere_and_every_component_is_used() {
    for name in DOCUMENTS {
        let document = document(name);
        let mut named = BTreeSet::new();
        references(&document, &mut named);
        let components: BTreeSet<String> = object(&document["components"]["schemas"])
            .into_iter()
            .map(|(name, _)| format!("#/components/schemas/{name}"))
            .collect();
        assert_eq!(named, components, "{name}");
    }
}

fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            found.extend(map.get("$ref").and_then(Value::as_str).map(str::to_owned));
            map.values().for_each(|value| references(value, found));
        }
        Value::Array(values) => values.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

#[test]
fn every_operation_says_how_to_name_the_tenant_and_what_to_wait_for() {
    const OF_THE_INSTALLATION: [&str; 8] = [
        "/v1/keys/used",
        "/v1/tenants/{slug}/quotas",
        "/v1/status/lag",
        "/v1/status/index",
        "/v1/tenants/{slug}",
        "/v1/tenants/{slug}/suspend",
        "/v1/tenants/{slug}/resume",
        "/v1/webhooks/stripe/{account}",
    ];
    // What comes with passwords and codes, of which no digest may be kept, or may be repeated as it is.
    const WITHOUT_KEYS: [&str; 14] = [
        "/v1/accounts",
        // the name of the checkout does what a key does
        "/v1/checkouts",
        "/v1/guests",
        "/v1/identity-providers",
        "/v1/invitations",
        "/v1/me",
        "/v1/password-resets",
        "/v1/payment-providers",
        "/v1/payments",
        "/v1/processes",
        "/v1/roles",
        "/v1/sessions",
        "/v1/token-keys",
        "/v1/users",
    ];
    for (name, wanted) in [
        ("query-api.json", ["X-Tenant-Id", "X-Tenant-Slug", "souk-consistency-token", "souk-wait-ms"].as_slice()),
        ("write-api.json", ["X-Tenant-Id", "X-Tenant-Slug", "Idempotency-Key"].as_slice()),
    ] {
        for (path, methods) in object(&document(name)["paths"]) {
            let is_staff = path.starts_with("/v1/console/") && !path.starts_with("/v1/console/lineage");
            if is_staff || OF_THE_INSTALLATION.contains(&path.as_str()) {
                continue;
            }
            for (method, operation) in object(methods) {
                let parameters = operation["parameters"].as_array().into_iter().flatten();
                let headers = parameters.filter(|parameter| parameter["in"] == "header");
                let headers: Vec<&str> = headers.filter_map(|parameter| parameter["name"].as_str()).collect();
                let has_no_key = WITHOUT_KEYS.iter().any(|start| path.starts_with(start));
                let is_told = |wanted: &str| headers.contains(&wanted) || (has_no_key && wanted == "Idempotency-Key");
                let lacking: Vec<_> = wanted.iter().filter(|name| !is_told(name)).collect();
                assert!(lacking.is_empty(), "{method} {path} of {name} does not tell of {lacking:?}");
            }
        }
    }
}

#[test]
fn flaws_are_found() {
    let with = |content: Value| {
        serde_json::json!({"paths": {"/a": {"get": {"responses": {"200": {"content": {"application/json": content}}}}}},
            "components": {"schemas": {"A": {"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}}}}}})
    };
    let of = |content: Value| flaws(&with(content));
    let reference = serde_json::json!({"$ref": "#/components/schemas/A"});
    assert_eq!(of(serde_json::json!({"schema": reference, "example": {"a": 1}})), [""; 0]);
    assert_eq!(of(serde_json::json!({"schema": reference})), ["get /a 200: no example"]);
    let mut of_component = with(serde_json::json!({"schema": reference}));
    of_component["components"]["schemas"]["A"]["examples"] = serde_json::json!([{"a": 1, "b": 2}]);
    assert_eq!(flaws(&of_component), ["get /a 200: example/b is not described"]);
    assert_eq!(of(serde_json::json!({"schema": {"type": "object"}, "example": {}})), ["get /a 200: no schema"]);
    assert_eq!(
        of(serde_json::json!({"schema": reference, "example": {"a": "1"}})),
        ["get /a 200: example/a is no integer"]
    );
    let problem = serde_json::json!({"paths": {"/a": {"get": {"responses": {"404": {"description": "No"}}}}}});
    assert_eq!(flaws(&problem), ["get /a 404: no content"]);
}
