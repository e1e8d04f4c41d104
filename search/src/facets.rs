//! Facets: how many hits have each value, and how many there would be. Every facet there is stands in
//! [`column`].
//!
//! A facet whose own field is filtered is counted as if it were not (disjunctive): who has chosen one brand
//! wants to see how many the others would add.

use crate::{IndexError, lexical::plan::Plan, query::SearchRequest, reader::Snapshot, schema::attribute_path};
use schemas::{
    filter::{Field, Filter, Test},
    money::Currency,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tantivy::{
    aggregation::{AggContextParams, AggregationCollector, agg_req::Aggregations},
    collector::Count,
    query::Query,
};

mod numbers;
mod tree;

/// Most facets in one request.
pub const MAX_FACETS: usize = 20;
/// Most values of one facet.
pub const MAX_FACET_VALUES: u32 = 100;
/// Values that are looked through when those of a facet are searched, and of a category tree.
const SEARCHED: u32 = 5_000;

/// A facet to count.
#[derive(Debug, Clone, PartialEq)]
pub struct Facet {
    /// What is counted.
    pub field: Field,
    /// Most values; of categories, most on each level.
    pub limit: u32,
    /// The order of the values.
    pub order: FacetOrder,
    /// Only values with this in them.
    pub search: Option<String>,
    /// Ranges to count a number by, each from its first bound up to but without its second; if none are given,
    /// even steps that fit.
    pub ranges: Vec<(Option<f64>, Option<f64>)>,
}

impl Facet {
    /// A facet with so many of its most frequent values.
    #[must_use]
    pub const fn new(field: Field, limit: u32) -> Self {
        Self { field, limit, order: FacetOrder::Count, search: None, ranges: Vec::new() }
    }
}

/// The order of a facet's values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FacetOrder {
    /// Most frequent first.
    Count,
    /// By value.
    Value,
    /// These first, in this order; then the most frequent.
    Listed(Vec<String>),
}

/// The values of one facet with their counts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FacetCounts {
    /// The field, as asked.
    pub field: String,
    /// Values and counts.
    pub values: Vec<FacetValue>,
    /// Hits with a value beyond the limit.
    pub others: u64,
    /// Of numbers: least, greatest, mean.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stats: Option<Stats>,
    /// Of numbers: how many lie in each range.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ranges: Vec<RangeCount>,
}

/// One value of a facet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FacetValue {
    /// The value: text, number or true/false; of a category its slug.
    pub value: Value,
    /// How many hits have it.
    pub count: u64,
    /// Whether it is chosen.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub selected: bool,
    /// How many hits there would be if it were chosen, or no longer chosen.
    pub total_if_toggled: u64,
    /// Of a category, those below.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub children: Vec<Self>,
}

/// What numbers amount to.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Stats {
    /// The least.
    pub min: f64,
    /// The greatest.
    pub max: f64,
    /// The mean.
    pub avg: f64,
    /// How many there are.
    pub count: u64,
}

/// How many hits have a number in a range.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RangeCount {
    /// From this on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<f64>,
    /// Up to this, which itself doesn't belong to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<f64>,
    /// How many.
    pub count: u64,
}

/// The fast field behind a facet; none if a field is no facet.
fn column(field: &Field, currency: Currency) -> Option<String> {
    match field {
        Field::Brand => Some("brand".to_owned()),
        Field::Category => Some("category_path".to_owned()),
        Field::Available => Some("available".to_owned()),
        Field::ProductType => Some("product_type".to_owned()),
        Field::Price(of) => Some(format!("price.{}", of.unwrap_or(currency))),
        Field::Attribute(name) => Some(format!("attr.{}", attribute_path(name))),
        Field::Released | Field::Id | Field::Sku => None,
    }
}

/// What the facets of one request are counted over.
struct Counting<'a> {
    snapshot: &'a Snapshot,
    request: &'a SearchRequest,
    plan: &'a Plan,
    matching: usize,
    total: u64,
}

/// Counts the facets of a request over everything that matches.
///
/// # Errors
/// [`IndexError::Request`] if there are too many facets or one is unknown; otherwise the engine's.
pub fn count(
    snapshot: &Snapshot,
    request: &SearchRequest,
    plan: &Plan,
    matching: usize,
    query: &dyn Query,
    total: usize,
) -> Result<Vec<FacetCounts>, IndexError> {
    if request.facets.len() > MAX_FACETS {
        return Err(IndexError::Request(format!("at most {MAX_FACETS} facets can be counted at once")));
    }
    let counting = Counting { snapshot, request, plan, matching, total: total as u64 };
    // All that are not filtered by their own field are counted in one pass.
    let mut together = Map::new();
    for (index, facet) in request.facets.iter().enumerate() {
        let column = counting.column(facet)?;
        if counting.chosen(&facet.field).is_none() && !counting.numeric(facet, &column)? {
            together.insert(index.to_string(), terms(&column, size(facet)));
        }
    }
    let counted = counting.aggregate(query, together)?;
    let mut facets = Vec::new();
    for (index, facet) in request.facets.iter().enumerate() {
        facets.push(counting.facet(facet, counted.get(&index.to_string()))?);
    }
    Ok(facets)
}

/// The names of the attributes that what matches has, the most frequent first.
///
/// # Errors
/// The engine's.
pub fn attributes(snapshot: &Snapshot, query: &dyn Query) -> Result<Vec<String>, IndexError> {
    let request = json!({"names": terms("names", MAX_FACET_VALUES)});
    let request: Aggregations = serde_json::from_value(request).map_err(std::io::Error::from)?;
    let collector = AggregationCollector::from_aggs(request, AggContextParams::default());
    let result = snapshot.searcher.search(query, &collector)?;
    let result = serde_json::to_value(result).map_err(std::io::Error::from)?;
    let buckets = result["names"]["buckets"].as_array().cloned().unwrap_or_default();
    Ok(buckets.iter().filter_map(|bucket| bucket["key"].as_str().map(str::to_owned)).collect())
}

/// How many values the engine is asked for.
fn size(facet: &Facet) -> u32 {
    let all = facet.search.is_some() || facet.field == Field::Category || facet.order != FacetOrder::Count;
    if all { SEARCHED } else { facet.limit.clamp(1, MAX_FACET_VALUES) }
}

fn terms(column: &str, size: u32) -> Value {
    json!({"terms": {"field": column, "size": size, "segment_size": size.max(100) * 2, "order": {"_count": "desc"}}})
}

impl Counting<'_> {
    fn column(&self, facet: &Facet) -> Result<String, IndexError> {
        column(&facet.field, self.request.currency).ok_or_else(|| {
            IndexError::Request(format!(
                "`{}` is no facet; there are brand, category, price, available, product_type and attr.<name>",
                facet.field
            ))
        })
    }

    fn aggregate(&self, query: &dyn Query, request: Map<String, Value>) -> Result<Map<String, Value>, IndexError> {
        if request.is_empty() {
            return Ok(Map::new());
        }
        let request: Aggregations = serde_json::from_value(Value::Object(request)).map_err(std::io::Error::from)?;
        let collector = AggregationCollector::from_aggs(request, AggContextParams::default());
        let result = self.snapshot.searcher.search(query, &collector)?;
        match serde_json::to_value(result).map_err(std::io::Error::from)? {
            Value::Object(result) => Ok(result),
            _ => Ok(Map::new()),
        }
    }

    /// The values of a field that are chosen, if it is filtered by values.
    fn chosen(&self, field: &Field) -> Option<Vec<String>> {
        let on_field = |(filter, _): &(Filter, _)| match filter {
            Filter::Is(on, Test::In(values)) if on == field => Some(values.clone()),
            _ => None,
        };
        let values: Vec<String> = self.plan.conditions.iter().filter_map(on_field).flatten().collect();
        (!values.is_empty()).then_some(values)
    }

    /// Whether a facet is counted by ranges.
    fn numeric(&self, facet: &Facet, column: &str) -> Result<bool, IndexError> {
        match facet.field {
            Field::Price(_) => return Ok(true),
            Field::Attribute(_) => {}
            _ => return Ok(false),
        }
        for segment in self.snapshot.searcher.segment_readers() {
            if segment.fast_fields().column_opt::<f64>(column)?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn facet(&self, facet: &Facet, counted: Option<&Value>) -> Result<FacetCounts, IndexError> {
        let column = self.column(facet)?;
        let chosen = self.chosen(&facet.field);
        let base = self.plan.query_where(self.matching, |filter| !is_on(filter, &facet.field));
        let mut counts = FacetCounts {
            field: facet.field.to_string(),
            values: Vec::new(),
            others: 0,
            stats: None,
            ranges: Vec::new(),
        };
        if self.numeric(facet, &column)? {
            numbers::count(self, facet, &column, base.as_ref(), &mut counts)?;
            if matches!(facet.field, Field::Price(_)) {
                return Ok(counts);
            }
        }
        let own;
        let result = match counted {
            Some(result) => result,
            None => {
                let request = Map::from_iter([("0".to_owned(), terms(&column, size(facet)))]);
                own = self.aggregate(base.as_ref(), request)?.remove("0").unwrap_or_default();
                &own
            }
        };
        counts.others = result["sum_other_doc_count"].as_u64().unwrap_or_default();
        counts.values = self.values(facet, result);
        if let Some(chosen) = &chosen {
            self.toggled(facet, &column, chosen, base.as_ref(), &mut counts.values)?;
        }
        if facet.field == Field::Category {
            counts.values = tree::grow(counts.values, facet.limit as usize);
            return Ok(counts);
        }
        arrange(facet, &mut counts);
        Ok(counts)
    }

    fn values(&self, facet: &Facet, result: &Value) -> Vec<FacetValue> {
        let buckets = result["buckets"].as_array().map(Vec::as_slice).unwrap_or_default();
        let read = |bucket: &Value| {
            let count = bucket["doc_count"].as_u64().unwrap_or_default();
            let value = value(&facet.field, bucket);
            FacetValue { value, count, selected: false, total_if_toggled: count, children: Vec::new() }
        };
        buckets.iter().map(read).collect()
    }

    /// What choosing another value of a field would add, or no longer choosing one would leave.
    fn toggled(
        &self,
        facet: &Facet,
        column: &str,
        chosen: &[String],
        base: &dyn Query,
        values: &mut [FacetValue],
    ) -> Result<(), IndexError> {
        // Hits with another value that none of the chosen ones has brought already.
        let more = self.plan.query_without_chosen(self.matching, &facet.field);
        let request = Map::from_iter([("0".to_owned(), terms(column, size(facet)))]);
        let added = self.aggregate(more.as_ref(), request)?.remove("0").unwrap_or_default();
        let added = self.values(facet, &added);
        for value in values {
            let text = tree::slug(&value.value);
            value.selected = chosen.contains(&text);
            value.total_if_toggled = if !value.selected {
                self.total + added.iter().find(|added| added.value == value.value).map_or(0, |added| added.count)
            } else if chosen.len() == 1 {
                self.snapshot.searcher.search(base, &Count)? as u64
            } else {
                let rest = chosen.iter().filter(|chosen| **chosen != text).cloned().collect();
                let query = self.plan.query_with(self.matching, &facet.field, rest, self.snapshot, self.request);
                self.snapshot.searcher.search(query.as_ref(), &Count)? as u64
            };
        }
        Ok(())
    }
}

/// Whether a condition is one on a field alone.
fn is_on(filter: &Filter, field: &Field) -> bool {
    match filter {
        Filter::Is(on, _) => match (on, field) {
            (Field::Price(_), Field::Price(_)) => true,
            _ => on == field,
        },
        Filter::Any(parts) => parts.iter().all(|part| is_on(part, field)),
        Filter::All(_) | Filter::Not(_) | Filter::Variant(_) => false,
    }
}

/// Searches, orders and cuts the values of a facet.
fn arrange(facet: &Facet, counts: &mut FacetCounts) {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    if let Some(search) = &facet.search {
        let wanted = search.to_lowercase();
        counts.values.retain(|value| text(&value.value).to_lowercase().contains(wanted.trim()));
        counts.others = 0;
    }
    match &facet.order {
        FacetOrder::Count => counts.values.sort_by(|a, b| {
            (b.selected, b.count).cmp(&(a.selected, a.count)).then_with(|| text(&a.value).cmp(&text(&b.value)))
        }),
        FacetOrder::Value => counts.values.sort_by(|a, b| match (a.value.as_f64(), b.value.as_f64()) {
            (Some(a), Some(b)) => a.total_cmp(&b),
            _ => text(&a.value).to_lowercase().cmp(&text(&b.value).to_lowercase()),
        }),
        FacetOrder::Listed(listed) => {
            let place = |value: &FacetValue| listed.iter().position(|listed| *listed == text(&value.value));
            counts.values.sort_by_key(|value| (place(value).unwrap_or(usize::MAX), std::cmp::Reverse(value.count)));
        }
    }
    let limit = facet.limit.clamp(1, MAX_FACET_VALUES) as usize;
    counts.others += counts.values.iter().skip(limit).map(|value| value.count).sum::<u64>();
    counts.values.truncate(limit);
}

/// Booleans come back as 0 and 1 with their text beside them.
fn value(field: &Field, bucket: &Value) -> Value {
    match bucket["key_as_string"].as_str() {
        Some(text @ ("true" | "false")) => Value::Bool(text == "true"),
        _ if *field == Field::Available => Value::Bool(bucket["key"].as_f64().is_some_and(|key| key > 0.5)),
        _ => bucket["key"].clone(),
    }
}
