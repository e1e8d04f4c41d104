//! Tells whether a payload schema may change in place: what was written under the old one must be
//! readable under the new one, and old producers must still be right. Anything else is a new version
//! of the event, with an [`upcast`](crate::upcast) step.

use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// A sentence for each way in which the new JSON Schema breaks what the old one allowed; none if it
/// may replace it.
#[must_use]
pub fn breaks(old: &Value, new: &Value) -> Vec<String> {
    Comparison { old, new }.schemas("the payload", old, new)
}

/// Keywords that narrow what is allowed: they may go away, but neither come nor change.
const CONSTRAINTS: [&str; 8] =
    ["pattern", "format", "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems"];

struct Comparison<'a> {
    old: &'a Value,
    new: &'a Value,
}

impl Comparison<'_> {
    fn schemas(&self, at: &str, old: &Value, new: &Value) -> Vec<String> {
        let (old, new) = (resolve(self.old, old), resolve(self.new, new));
        let (before, after) = (alternatives(old), alternatives(new));
        if before.len() > 1 || after.len() > 1 {
            return self.choices(at, &before, &after);
        }
        let mut found = types(at, old, new);
        found.extend(constraints(at, old, new));
        found.extend(self.properties(at, old, new));
        for (key, name) in [("items", "an item"), ("additionalProperties", "a value")] {
            found.extend(match (old.get(key), new.get(key)) {
                (Some(old), Some(new)) => self.schemas(&format!("{name} of {at}"), old, new),
                (None, Some(new)) if *new != Value::Bool(true) => vec![format!("{name} of {at} is newly restricted")],
                _ => Vec::new(),
            });
        }
        found
    }

    /// Each old alternative needs one among the new that takes all of it.
    fn choices(&self, at: &str, before: &[&Value], after: &[&Value]) -> Vec<String> {
        let is_taken = |old: &&&Value| after.iter().any(|new| self.schemas(at, old, new).is_empty());
        let lost = before.iter().filter(|old| !is_taken(old));
        lost.map(|old| format!("{at} no longer allows {}", describe(resolve(self.old, old)))).collect()
    }

    fn properties(&self, at: &str, old: &Value, new: &Value) -> Vec<String> {
        let none = Map::new();
        let of = |schema: &Value| schema.get("properties").and_then(Value::as_object).cloned();
        let (before, after) = (of(old), of(new));
        let after = after.as_ref().unwrap_or(&none);
        let mut found = Vec::new();
        for (name, old) in before.iter().flatten() {
            let inner = format!("`{name}` of {at}");
            match after.get(name) {
                Some(new) => found.extend(self.schemas(&inner, old, new)),
                None => found.push(format!("{inner} was removed")),
            }
        }
        let (was, is) = (texts(old.get("required")), texts(new.get("required")));
        found.extend(is.difference(&was).map(|name| format!("`{name}` of {at} became required")));
        found
    }
}

fn types(at: &str, old: &Value, new: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let (was, mut is) = (texts(old.get("type")), texts(new.get("type")));
    if is.contains("number") {
        is.insert("integer".to_owned());
    }
    if !is.is_empty() && was.is_empty() {
        found.push(format!("{at} was any type and is now only {}", join(&is)));
    } else if !is.is_empty() {
        found.extend(was.difference(&is).map(|lost| format!("{at} may no longer be of type {lost}")));
    }
    if let Some(is) = values(new) {
        match values(old) {
            Some(was) => {
                found
                    .extend(was.iter().filter(|v| !is.contains(v)).map(|lost| format!("{at} may no longer be {lost}")));
            }
            None => found.push(format!("{at} is newly restricted to a list of values")),
        }
    }
    found
}

fn constraints(at: &str, old: &Value, new: &Value) -> Vec<String> {
    let changed = |key: &&str| new.get(*key).is_some() && new.get(*key) != old.get(*key);
    CONSTRAINTS.into_iter().filter(changed).map(|key| format!("`{key}` of {at} was added or changed")).collect()
}

/// Follows `$ref` into the definitions of its own document.
fn resolve<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    let target = schema.get("$ref").and_then(Value::as_str).and_then(|path| document.pointer(path.strip_prefix('#')?));
    target.map_or(schema, |target| resolve(document, target))
}

fn alternatives(schema: &Value) -> Vec<&Value> {
    let list = schema.get("anyOf").or_else(|| schema.get("oneOf")).and_then(Value::as_array);
    list.map_or_else(|| vec![schema], |list| list.iter().collect())
}

fn values(schema: &Value) -> Option<Vec<&Value>> {
    let list = schema.get("enum").and_then(Value::as_array).map(|list| list.iter().collect());
    list.or_else(|| schema.get("const").map(|one| vec![one]))
}

fn texts(value: Option<&Value>) -> BTreeSet<String> {
    match value {
        Some(Value::String(one)) => BTreeSet::from([one.clone()]),
        Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => BTreeSet::new(),
    }
}

fn join(texts: &BTreeSet<String>) -> String {
    texts.iter().map(String::as_str).collect::<Vec<_>>().join(" or ")
}

fn describe(schema: &Value) -> String {
    match (values(schema), texts(schema.get("type"))) {
        (Some(values), _) => values.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        (None, types) => format!("this shape of {}", join(&types)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn old() -> Value {
        json!({
            "type": "object",
            "properties": {
                "id": {"$ref": "#/$defs/Id"},
                "note": {"type": ["string", "null"]},
                "reason": {"oneOf": [{"type": "string", "const": "lost"}, {"type": "string", "const": "found"}]},
                "tags": {"type": "array", "items": {"type": "string"}},
                "amount": {"type": "integer"},
            },
            "required": ["id"],
            "$defs": {"Id": {"type": "string", "format": "uuid"}},
        })
    }

    fn after(pointer: &str, value: Value) -> Vec<String> {
        let mut new = old();
        *new.pointer_mut(pointer).expect("a place in the schema") = value;
        breaks(&old(), &new)
    }

    #[test]
    fn what_only_widens_is_allowed() {
        assert_eq!(breaks(&old(), &old()), Vec::<String>::new());
        let mut new = old();
        new["properties"]["colour"] = json!({"type": "string"});
        new["properties"]["amount"]["type"] = json!("number");
        let choices = new["properties"]["reason"]["oneOf"].as_array_mut().expect("choices");
        choices.push(json!({"type": "string", "const": "broken"}));
        new["required"] = json!([]);
        assert_eq!(breaks(&old(), &new), Vec::<String>::new());
    }

    #[test]
    fn a_removed_property_is_refused() {
        let mut new = old();
        new["properties"].as_object_mut().expect("an object").remove("tags");
        assert_eq!(breaks(&old(), &new), ["`tags` of the payload was removed"]);
    }

    #[test]
    fn a_newly_required_property_is_refused() {
        assert_eq!(after("/required", json!(["id", "note"])), ["`note` of the payload became required"]);
    }

    #[test]
    fn a_narrowed_type_is_refused() {
        let lost_null = after("/properties/note/type", json!("string"));
        assert_eq!(lost_null, ["`note` of the payload may no longer be of type null"]);
        assert_eq!(after("/properties/amount/type", json!("string")).len(), 1);
        assert_eq!(after("/properties/tags/items/type", json!("integer")).len(), 1);
    }

    #[test]
    fn a_lost_choice_is_refused() {
        let found = after("/properties/reason/oneOf", json!([{"type": "string", "const": "lost"}]));
        assert_eq!(found, ["`reason` of the payload no longer allows \"found\""]);
        let narrowed = after("/properties/amount", json!({"type": "integer", "enum": [1, 2]}));
        assert_eq!(narrowed, ["`amount` of the payload is newly restricted to a list of values"]);
    }

    #[test]
    fn a_constraint_behind_a_reference_is_seen() {
        assert_eq!(after("/$defs/Id/format", json!("date")), ["`format` of `id` of the payload was added or changed"]);
    }
}
