//! The JSON form.

use super::{Field, Filter, FilterError, Limit, MAX_CONDITIONS, MAX_DEPTH, MAX_VALUES, Test};
use serde_json::{Map, Value};

/// Reads a filter from its JSON form.
///
/// # Errors
/// [`FilterError`] with a JSON pointer to what is wrong.
pub fn from_json(value: &Value) -> Result<Filter, FilterError> {
    let filter = read(value, "", 0)?;
    if filter.conditions().len() > MAX_CONDITIONS {
        return Err(wrong("", format!("a filter has at most {MAX_CONDITIONS} conditions")));
    }
    Ok(filter)
}

fn wrong(pointer: &str, reason: impl Into<String>) -> FilterError {
    FilterError { position: 0, pointer: pointer.to_owned(), reason: reason.into() }
}

fn read(value: &Value, pointer: &str, depth: usize) -> Result<Filter, FilterError> {
    if depth >= MAX_DEPTH {
        return Err(wrong(pointer, format!("groups can be nested {MAX_DEPTH} deep at most")));
    }
    // The text form where a program has it at hand.
    if let Value::String(text) = value {
        let outer = pointer.to_owned();
        return super::parse(text).map_err(|error| FilterError { pointer: outer, ..error });
    }
    let Value::Object(object) = value else {
        return Err(wrong(
            pointer,
            "an object is expected: {\"and\": […]}, {\"or\": […]}, {\"not\": {…}}, {\"variant\": {…}} or {\"field\": …}",
        ));
    };
    if object.contains_key("field") {
        return condition(object, pointer);
    }
    let mut entries = object.iter();
    let (Some((key, inner)), None) = (entries.next(), entries.next()) else {
        return Err(wrong(pointer, "exactly one of and, or, not, variant is expected, or a field"));
    };
    let at = format!("{pointer}/{key}");
    match key.as_str() {
        "and" => Ok(Filter::All(list(inner, &at, depth)?)),
        "or" => Ok(Filter::Any(list(inner, &at, depth)?)),
        "not" => Ok(Filter::Not(Box::new(read(inner, &at, depth + 1)?))),
        "variant" => {
            let inner = read(inner, &at, depth + 1)?;
            // The text form knows what a variant has; both take the same.
            super::parse(&Filter::Variant(Box::new(inner.clone())).to_string()).map_err(|error| FilterError {
                position: 0,
                pointer: at,
                ..error
            })?;
            Ok(Filter::Variant(Box::new(inner)))
        }
        _ => Err(wrong(&at, format!("`{key}` is not known here: and, or, not, variant or field is expected"))),
    }
}

fn list(value: &Value, pointer: &str, depth: usize) -> Result<Vec<Filter>, FilterError> {
    match value {
        Value::Array(parts) if !parts.is_empty() => {
            let read = |(index, part)| read(part, &format!("{pointer}/{index}"), depth + 1);
            parts.iter().enumerate().map(read).collect()
        }
        _ => Err(wrong(pointer, "a list of at least one condition is expected")),
    }
}

fn condition(object: &Map<String, Value>, pointer: &str) -> Result<Filter, FilterError> {
    let at = |key: &str| format!("{pointer}/{key}");
    let name = object.get("field").and_then(Value::as_str);
    let name = name.ok_or_else(|| wrong(&at("field"), "a field's name is expected"))?;
    let field = Field::parse(name)
        .ok_or_else(|| wrong(&at("field"), format!("there is no field `{name}`; there are {}", Field::KNOWN)))?;
    let (mut from, mut to, mut test, mut last) = (None, None, None, "field");
    for (key, value) in object.iter().filter(|(key, _)| *key != "field") {
        last = key;
        match (key.as_str(), value) {
            ("eq", value) => test = Some(Test::In(vec![scalar(value, &at(key))?])),
            ("in", Value::Array(values)) if (1..=MAX_VALUES).contains(&values.len()) => {
                let read = |(index, value)| scalar(value, &format!("{}/{index}", at(key)));
                test = Some(Test::In(values.iter().enumerate().map(read).collect::<Result<_, _>>()?));
            }
            ("in", _) => return Err(wrong(&at(key), format!("a list of 1 to {MAX_VALUES} values is expected"))),
            ("exists", Value::Bool(true)) => test = Some(Test::Exists),
            ("exists", _) => return Err(wrong(&at(key), "true is expected; for its opposite, put it in {\"not\": …}")),
            ("gt" | "gte", value) => from = Some(Limit { value: scalar(value, &at(key))?, inclusive: key == "gte" }),
            ("lt" | "lte", value) => to = Some(Limit { value: scalar(value, &at(key))?, inclusive: key == "lte" }),
            _ => return Err(wrong(&at(key), format!("`{key}` is no test: eq, in, exists, gt, gte, lt and lte are"))),
        }
    }
    let ranged = from.is_some() || to.is_some();
    let test = match test {
        Some(test) if !ranged => test,
        None if ranged => Test::Range { from, to },
        Some(_) => return Err(wrong(pointer, "a condition has either bounds or values, not both")),
        None => return Err(wrong(pointer, "a test is expected beside the field: eq, in, exists, gt, gte, lt or lte")),
    };
    field.check(&test).map_err(|reason| wrong(&at(last), reason))?;
    Ok(Filter::Is(field, test))
}

fn scalar(value: &Value, pointer: &str) -> Result<String, FilterError> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        Value::Bool(flag) => Ok(flag.to_string()),
        _ => Err(wrong(pointer, "text, a number, true or false is expected")),
    }
}
