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
use serde_json::{Map, Value};
use std::collections::HashMap;
use tantivy::{
    aggregation::{AggContextParams, AggregationCollector, agg_req::Aggregations},
    collector::Count,
    query::Query,
};

mod asked;
mod numbers;
mod tree;

use asked::{Asked, terms};

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
    let asked = request.facets.iter().map(|facet| counting.asked(facet)).collect::<Result<Vec<_>, _>>()?;
    let mut together = Map::new();
    for (index, asked) in asked.iter().enumerate() {
        if asked.chosen.is_none() && !asked.numeric {
            together.insert(index.to_string(), asked.terms());
        }
    }
    let counted = aggregate(snapshot, query, together)?;
    let count = |(index, asked): (usize, &Asked<'_>)| match counted.get(&index.to_string()) {
        Some(counted) => Ok(asked.counts(counted)),
        None => counting.apart(asked),
    };
    asked.iter().enumerate().map(count).collect()
}

/// The names of the attributes that what matches has, the most frequent first.
///
/// # Errors
/// The engine's.
pub fn attributes(snapshot: &Snapshot, query: &dyn Query) -> Result<Vec<String>, IndexError> {
    let names = aggregate_one(snapshot, query, terms("names", MAX_FACET_VALUES))?;
    let buckets = names["buckets"].as_array().map(Vec::as_slice).unwrap_or_default();
    Ok(buckets.iter().filter_map(|bucket| bucket["key"].as_str().map(str::to_owned)).collect())
}

/// Counts what matches in several ways, in one pass.
fn aggregate(
    snapshot: &Snapshot,
    query: &dyn Query,
    request: Map<String, Value>,
) -> Result<Map<String, Value>, IndexError> {
    if request.is_empty() {
        return Ok(Map::new());
    }
    let request: Aggregations = serde_json::from_value(Value::Object(request)).map_err(std::io::Error::from)?;
    let collector = AggregationCollector::from_aggs(request, AggContextParams::default());
    let result = snapshot.searcher.search(query, &collector)?;
    match serde_json::to_value(result).map_err(std::io::Error::from)? {
        Value::Object(result) => Ok(result),
        _ => Ok(Map::new()),
    }
}

/// Counts what matches in one way.
fn aggregate_one(snapshot: &Snapshot, query: &dyn Query, request: Value) -> Result<Value, IndexError> {
    let request = Map::from_iter([("0".to_owned(), request)]);
    Ok(aggregate(snapshot, query, request)?.remove("0").unwrap_or_default())
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

    fn asked<'f>(&self, facet: &'f Facet) -> Result<Asked<'f>, IndexError> {
        let column = self.column(facet)?;
        let (chosen, numeric) = (self.chosen(&facet.field), self.numeric(facet, &column)?);
        Ok(Asked { facet, column, chosen, numeric })
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

    /// Counts a facet over what matches but for its own filter.
    fn apart(&self, asked: &Asked<'_>) -> Result<FacetCounts, IndexError> {
        let facet = asked.facet;
        let base = self.plan.query_where(self.matching, |filter| !is_on(filter, &facet.field));
        let mut counts = asked.empty();
        if asked.numeric {
            numbers::count(self.snapshot, facet, &asked.column, base.as_ref(), &mut counts)?;
            if matches!(facet.field, Field::Price(_)) {
                return Ok(counts);
            }
        }
        let counted = aggregate_one(self.snapshot, base.as_ref(), asked.terms())?;
        counts.others = counted["sum_other_doc_count"].as_u64().unwrap_or_default();
        counts.values = asked.values(&counted);
        if let Some(chosen) = &asked.chosen {
            self.toggled(asked, chosen, base.as_ref(), &mut counts.values)?;
        }
        Ok(asked.arranged(counts))
    }

    /// What choosing another value of a field would add, or no longer choosing one would leave.
    fn toggled(
        &self,
        asked: &Asked<'_>,
        chosen: &[String],
        base: &dyn Query,
        values: &mut [FacetValue],
    ) -> Result<(), IndexError> {
        let field = &asked.facet.field;
        // Hits with another value that none of the chosen ones has brought already.
        let more = self.plan.query_without_chosen(self.matching, field);
        let added = asked.values(&aggregate_one(self.snapshot, more.as_ref(), asked.terms())?);
        let added: HashMap<String, u64> = added.into_iter().map(|new| (new.value.to_string(), new.count)).collect();
        for value in values {
            let text = if *field == Field::Category { tree::slug(&value.value) } else { asked::text(&value.value) };
            value.selected = chosen.contains(&text);
            value.total_if_toggled = if !value.selected {
                self.total + added.get(&value.value.to_string()).copied().unwrap_or_default()
            } else if chosen.len() == 1 {
                self.snapshot.searcher.search(base, &Count)? as u64
            } else {
                let rest = chosen.iter().filter(|chosen| **chosen != text).cloned().collect();
                let query = self.plan.query_with(self.matching, field, rest, self.snapshot, self.request);
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
