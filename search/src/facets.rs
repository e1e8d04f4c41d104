//! Facets: how many hits have each value. Every facet there is stands in [`column`].

use crate::{
    IndexError,
    query::{Facet, FacetCounts, FacetValue, MAX_FACET_VALUES, MAX_FACETS},
    reader::Snapshot,
    schema::attribute_path,
};
use serde_json::{Value, json};
use tantivy::{
    aggregation::{AggContextParams, AggregationCollector, agg_req::Aggregations},
    query::Query,
};

/// The fast field behind a facet's name; none if there is no such facet.
fn column(name: &str) -> Option<String> {
    match name {
        "brand" | "category" | "available" => Some(name.to_owned()),
        _ => name
            .strip_prefix("attr.")
            .filter(|rest| !rest.is_empty())
            .map(|rest| format!("attr.{}", attribute_path(rest))),
    }
}

/// Counts facets over everything that matches.
///
/// # Errors
/// [`IndexError::Request`] if there are too many facets or one is unknown; otherwise the engine's.
pub fn count(snapshot: &Snapshot, query: &dyn Query, facets: &[Facet]) -> Result<Vec<FacetCounts>, IndexError> {
    if facets.is_empty() {
        return Ok(Vec::new());
    }
    if facets.len() > MAX_FACETS {
        return Err(IndexError::Request(format!("at most {MAX_FACETS} facets can be counted at once")));
    }
    let mut request = serde_json::Map::new();
    for (index, facet) in facets.iter().enumerate() {
        let field = column(&facet.field).ok_or_else(|| {
            IndexError::Request(format!(
                "`{}` is no facet; there are brand, category, available and attr.<name>",
                facet.field
            ))
        })?;
        let order = json!({"_count": "desc"});
        request.insert(
            index.to_string(),
            json!({"terms": {"field": field, "size": facet.limit.clamp(1, MAX_FACET_VALUES), "order": order}}),
        );
    }
    let request: Aggregations = serde_json::from_value(Value::Object(request)).map_err(std::io::Error::from)?;
    let collector = AggregationCollector::from_aggs(request, AggContextParams::default());
    let result = snapshot.searcher.search(query, &collector)?;
    let result = serde_json::to_value(result).map_err(std::io::Error::from)?;
    Ok(facets.iter().enumerate().map(|(index, facet)| read(&facet.field, &result[index.to_string()])).collect())
}

fn read(field: &str, result: &Value) -> FacetCounts {
    let buckets = result["buckets"].as_array().map(Vec::as_slice).unwrap_or_default();
    let values = buckets
        .iter()
        .map(|bucket| FacetValue {
            value: value(field, bucket),
            count: bucket["doc_count"].as_u64().unwrap_or_default(),
        })
        .collect();
    FacetCounts { field: field.to_owned(), values, others: result["sum_other_doc_count"].as_u64().unwrap_or_default() }
}

/// Booleans come back as 0 and 1 with their text beside them.
fn value(field: &str, bucket: &Value) -> Value {
    match bucket["key_as_string"].as_str() {
        Some(text @ ("true" | "false")) => Value::Bool(text == "true"),
        _ if field == "available" => Value::Bool(bucket["key"].as_f64().is_some_and(|key| key > 0.5)),
        _ => bucket["key"].clone(),
    }
}
