//! Whether a value keeps to a schema of an OpenAPI document. As much of JSON Schema as our documents use; a field that
//! no schema names is a deviation, too, so that an example shows nothing that is not described.

use serde_json::{Map, Value};

/// Where a value deviates from a schema, one sentence each.
pub fn deviations(document: &Value, schema: &Value, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    Check { document }.value(schema, value, "example", &mut found);
    found
}

struct Check<'a> {
    document: &'a Value,
}

impl<'a> Check<'a> {
    fn resolved(&self, schema: &'a Value) -> &'a Value {
        match schema["$ref"].as_str().and_then(|name| self.document.pointer(name.trim_start_matches('#'))) {
            Some(named) => self.resolved(named),
            None => schema,
        }
    }

    fn value(&self, schema: &'a Value, value: &Value, at: &str, found: &mut Vec<String>) {
        self.known(schema, value, at, found);
        self.unknown_fields(schema, value, at, found);
    }

    /// Everything but fields that are not named.
    fn known(&self, schema: &'a Value, value: &Value, at: &str, found: &mut Vec<String>) {
        let schema = self.resolved(schema);
        if schema["$ref"].is_string() {
            found.push(format!("{at}: {} is not there", schema["$ref"]));
            return;
        }
        for part in list(&schema["allOf"]) {
            self.known(part, value, at, found);
        }
        for choice in ["oneOf", "anyOf"] {
            let parts = list(&schema[choice]);
            let fits = |part: &&'a Value| {
                let mut wrong = Vec::new();
                self.value(part, value, at, &mut wrong);
                wrong.is_empty()
            };
            if !parts.is_empty() && !parts.iter().any(fits) {
                found.push(format!("{at} is none of the choices"));
            }
        }
        let types: Vec<&str> = match &schema["type"] {
            Value::String(name) => vec![name.as_str()],
            Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        if !types.is_empty() && !types.iter().any(|name| is_a(name, value)) {
            found.push(format!("{at} is no {}", types.join(" or ")));
            return;
        }
        if let Some(allowed) = schema["enum"].as_array().filter(|allowed| !allowed.contains(value)) {
            found.push(format!("{at} is none of {}", Value::from(allowed.clone())));
        }
        if let Value::Object(fields) = value {
            self.fields(schema, fields, at, found);
        }
        if let (Value::Array(values), Some(items)) = (value, schema.get("items")) {
            for (index, value) in values.iter().enumerate() {
                self.value(items, value, &format!("{at}/{index}"), found);
            }
        }
    }

    fn fields(&self, schema: &'a Value, fields: &Map<String, Value>, at: &str, found: &mut Vec<String>) {
        let lacking = list(&schema["required"]).into_iter().filter_map(Value::as_str);
        found.extend(lacking.filter(|name| !fields.contains_key(*name)).map(|name| format!("{at} lacks {name}")));
        for (name, value) in fields {
            let at = format!("{at}/{name}");
            match (schema["properties"].get(name), &schema["additionalProperties"]) {
                (Some(property), _) => self.value(property, value, &at, found),
                (None, rest @ Value::Object(_)) => self.value(rest, value, &at, found),
                (None, _) => {}
            }
        }
    }

    fn unknown_fields(&self, schema: &'a Value, value: &Value, at: &str, found: &mut Vec<String>) {
        let Value::Object(fields) = value else { return };
        let mut names = Vec::new();
        if self.names(schema, &mut names) {
            let unknown = fields.keys().filter(|name| !names.contains(&name.as_str()));
            found.extend(unknown.map(|name| format!("{at}/{name} is not described")));
        }
    }

    /// Adds the fields that a schema names; gives whether there are no others.
    fn names(&self, schema: &'a Value, names: &mut Vec<&'a str>) -> bool {
        let schema = self.resolved(schema);
        if let Some(properties) = schema["properties"].as_object() {
            names.extend(properties.keys().map(String::as_str));
        }
        let mut closed = schema.get("properties").is_some() && schema.get("additionalProperties").is_none();
        for part in ["allOf", "oneOf", "anyOf"].into_iter().flat_map(|name| list(&schema[name])) {
            closed |= self.names(part, names);
        }
        closed
    }
}

fn list(value: &Value) -> Vec<&Value> {
    value.as_array().into_iter().flatten().collect()
}

fn is_a(name: &str, value: &Value) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::deviations;
    use serde_json::json;

    #[test]
    fn parts_of_a_schema_are_read_together() {
        let document = json!({"components": {"schemas": {"A": {"type": "object", "required": ["a"], "properties": {"a": {"type": ["string", "null"]}}}}}});
        let schema = json!({"allOf": [{"$ref": "#/components/schemas/A"}, {"type": "object", "properties": {"b": {"type": "array", "items": {"enum": ["x"]}}}}]});
        let of = |value| deviations(&document, &schema, &value);
        assert_eq!(of(json!({"a": null, "b": ["x"]})), [""; 0]);
        assert_eq!(
            of(json!({"a": 1, "b": ["y"], "c": 1})),
            ["example/a is no string or null", "example/b/0 is none of [\"x\"]", "example/c is not described"]
        );
        assert_eq!(of(json!({})), ["example lacks a"]);
    }
}
