//! Attributes by pattern: which fields become attributes, under which name and of which kind.

use super::{
    rules::{AttributeKind, AttributeRule, Attributes, PairRule},
    value::{self, Fields},
};
use schemas::events::catalog::AttributeValue;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The attributes of a record; fields in `used` are something else already.
pub(super) fn collect(
    rules: &Attributes,
    fields: &Fields,
    used: &BTreeSet<&str>,
) -> Result<BTreeMap<String, AttributeValue>, String> {
    let mut found = BTreeMap::new();
    if rules.is_empty() {
        return Ok(found);
    }
    for (field, value) in fields.iter().filter(|(field, _)| !used.contains(field.as_str())) {
        if let (Some(rule), Value::Object(members)) = (rules.get(&format!("{field}.*")), value) {
            for (name, value) in members {
                add(&mut found, name, &format!("{field}.{name}"), value, rule)?;
            }
        } else if let Some((name, rule)) = matching(rules, field) {
            add(&mut found, name, field, value, rule)?;
        }
    }
    Ok(found)
}

/// Attributes whose names stand in the record, too.
pub(super) fn collect_pairs(
    rules: &[PairRule],
    fields: &Fields,
    found: &mut BTreeMap<String, AttributeValue>,
) -> Result<(), String> {
    let text = AttributeRule { kind: AttributeKind::Text, name: None, separator: None };
    for rule in rules {
        let members: Vec<&Fields> = if rule.list.0.is_empty() {
            vec![fields]
        } else {
            let list = rule.list.0.iter().flat_map(|name| value::find_all(fields, name));
            list.filter_map(Value::as_object).collect()
        };
        for member in members {
            if let (Some(name), Some((field, value))) = (rule.name.text(member)?, rule.value.first(member)) {
                add(found, &name, field, value, &text)?;
            }
        }
    }
    Ok(())
}

/// An exact name wins over a pattern, a longer pattern over a shorter one.
fn matching<'a>(rules: &'a Attributes, field: &'a str) -> Option<(&'a str, &'a AttributeRule)> {
    if let Some(rule) = rules.get(field) {
        return Some((rule.name.as_deref().unwrap_or(field), rule));
    }
    let by_prefix = |(pattern, rule): (&'a String, &'a AttributeRule)| {
        let name = field.strip_prefix(pattern.strip_suffix('*')?)?;
        (!name.is_empty()).then_some((name, rule))
    };
    rules.iter().filter_map(by_prefix).min_by_key(|(name, _)| name.len())
}

fn add(
    found: &mut BTreeMap<String, AttributeValue>,
    name: &str,
    field: &str,
    value: &Value,
    rule: &AttributeRule,
) -> Result<(), String> {
    let Some(value) = typed(field, value, rule)? else { return Ok(()) };
    // Two fields may come to the same name (`attr_t_usb` and `attr_n_usb`): both are kept.
    let name = if found.contains_key(name) { format!("{name}_{}", kind_name(&value)) } else { name.to_owned() };
    found.insert(name, value);
    Ok(())
}

fn kind_name(value: &AttributeValue) -> &'static str {
    match value {
        AttributeValue::Bool(_) => "flag",
        AttributeValue::Number(_) => "number",
        AttributeValue::Text(_) | AttributeValue::Texts(_) => "text",
    }
}

fn typed(field: &str, value: &Value, rule: &AttributeRule) -> Result<Option<AttributeValue>, String> {
    if value.is_null() || value.as_str().is_some_and(|text| text.trim().is_empty()) {
        return Ok(None);
    }
    let kind = match (rule.kind, value) {
        (AttributeKind::Auto, Value::Number(_)) => AttributeKind::Number,
        (AttributeKind::Auto, Value::Bool(_)) => AttributeKind::Bool,
        (AttributeKind::Auto, _) => AttributeKind::Text,
        (kind, _) => kind,
    };
    Ok(match kind {
        AttributeKind::Number => Some(AttributeValue::Number(value::number(field, value)?)),
        AttributeKind::Bool => Some(AttributeValue::Bool(value::flag(field, value)?)),
        AttributeKind::Text | AttributeKind::Auto => texts(field, value, rule.separator.as_deref())?,
    })
}

fn texts(field: &str, value: &Value, separator: Option<&str>) -> Result<Option<AttributeValue>, String> {
    let mut texts = match value {
        Value::Array(list) => list.iter().map(|value| value::text(field, value)).collect::<Result<Vec<_>, _>>()?,
        value => {
            let text = value::text(field, value)?;
            match separator {
                Some(separator) => text.split(separator).map(|part| part.trim().to_owned()).collect(),
                None => return Ok(Some(AttributeValue::Text(text))),
            }
        }
    };
    texts.retain(|text| !text.is_empty());
    Ok(match texts.len() {
        0 => None,
        1 => texts.pop().map(AttributeValue::Text),
        _ => Some(AttributeValue::Texts(texts)),
    })
}
