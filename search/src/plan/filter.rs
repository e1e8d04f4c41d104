//! Filters as tantivy queries that match without adding to the score.

use crate::{
    analyzer::composed,
    schema::{Fields, attribute_path, attribute_value},
    tenant::holding,
};
use schemas::{
    Timestamp,
    filter::{Field as On, Filter, Limit, Test, span},
    ids::{ProductId, TenantId},
    money::Currency,
};
use std::ops::Bound;
use tantivy::{
    Term,
    query::{AllQuery, BooleanQuery, ConstScoreQuery, ExistsQuery, Occur, Query, RangeQuery, TermQuery, TermSetQuery},
    schema::{Field, IndexRecordOption},
};

mod variant;

pub use variant::VariantCondition;

/// Most terms that are looked up one by one.
const FEW: usize = 32;

/// The query without a score.
pub fn silent(query: impl Query) -> Box<dyn Query> {
    Box::new(ConstScoreQuery::new(Box::new(query), 0.0))
}

/// What a filter is compiled for.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a> {
    /// The index's fields.
    pub fields: &'a Fields,
    /// Whose products.
    pub tenant: TenantId,
    /// What `price` means.
    pub currency: Currency,
}

impl Scope<'_> {
    /// A filter as a query.
    pub fn compile(self, filter: &Filter) -> Box<dyn Query> {
        match filter {
            Filter::All(parts) => self.combine(parts, Occur::Must),
            Filter::Any(parts) => self.combine(parts, Occur::Should),
            Filter::Not(part) => {
                silent(BooleanQuery::new(vec![(Occur::Must, Box::new(AllQuery)), (Occur::MustNot, self.compile(part))]))
            }
            Filter::Variant(part) => {
                // A product none of whose variants could pass is left out before any is looked at.
                let candidates = if negated(part) { Box::new(AllQuery) } else { self.compile(part) };
                silent(BooleanQuery::new(vec![
                    (Occur::Must, candidates),
                    (Occur::Must, VariantCondition::new(part.as_ref().clone(), self.currency).query()),
                ]))
            }
            Filter::Is(field, test) => self.condition(field, test),
        }
    }

    /// Exactly these products.
    pub fn ids(self, ids: &[ProductId]) -> Box<dyn Query> {
        let term = |id: &ProductId| Term::from_field_text(self.fields.key, &format!("{}:{id}", self.tenant));
        one_of(ids.iter().map(term).collect())
    }

    fn combine(self, parts: &[Filter], occur: Occur) -> Box<dyn Query> {
        silent(BooleanQuery::new(parts.iter().map(|part| (occur, self.compile(part))).collect()))
    }

    fn condition(self, field: &On, test: &Test) -> Box<dyn Query> {
        let fields = self.fields;
        match field {
            On::Brand => text(fields.brand, "brand", test),
            On::Category => text(fields.category, "category", test),
            On::ProductType => text(fields.product_type, "product_type", test),
            On::Sku => text(fields.sku, "sku", test),
            On::Id => match test {
                Test::In(values) => {
                    let ids: Vec<ProductId> = values.iter().filter_map(|value| value.parse().ok()).collect();
                    self.ids(&ids)
                }
                _ => silent(AllQuery),
            },
            On::Available => match test {
                Test::In(values) => {
                    let term = |value: &String| Term::from_field_bool(fields.available, value == "true");
                    one_of(values.iter().map(term).collect())
                }
                _ => silent(AllQuery),
            },
            On::Price(currency) => {
                let currency = currency.unwrap_or(self.currency);
                let path = currency.code();
                // Adding to the path needs the term by value.
                let term = |value: &str| {
                    let amount: i64 = value.parse().ok()?;
                    Some(json(fields.price, path, |term| term.append_type_and_fast_value(amount)))
                };
                numbers(test, &format!("price.{path}"), &i64::MIN.to_string(), &i64::MAX.to_string(), &term)
            }
            On::Released => self.released(test),
            On::Attribute(name) => self.attribute(name, test),
        }
    }

    /// A date is a stretch of time: what lies within it is on that date, what comes behind its last moment is later.
    fn released(self, test: &Test) -> Box<dyn Query> {
        let moment = |at: Timestamp| Term::from_field_i64(self.fields.released, at.timestamp_micros());
        let within = |from: Option<Timestamp>, before: Option<Timestamp>| {
            let from = from.map_or(i64::MIN, |from| from.timestamp_micros());
            let from = Bound::Included(Term::from_field_i64(self.fields.released, from));
            silent(RangeQuery::new(from, before.map_or(Bound::Unbounded, |before| Bound::Excluded(moment(before)))))
        };
        match test {
            Test::Exists => silent(ExistsQuery::new("released".to_owned(), false)),
            Test::In(values) => {
                let dates = values.iter().filter_map(|value| span(value));
                let any = dates.map(|(first, behind)| (Occur::Should, within(Some(first), Some(behind)))).collect();
                silent(BooleanQuery::new(any))
            }
            Test::Range { from, to } => {
                // Behind an exclusive lower bound, and up to the end of an inclusive upper one.
                let bound = |limit: &Option<Limit>, ends: bool| {
                    let limit = limit.as_ref()?;
                    let (first, behind) = span(&limit.value)?;
                    Some(if limit.inclusive == ends { behind } else { first })
                };
                within(bound(from, false), bound(to, true))
            }
        }
    }

    fn attribute(self, name: &str, test: &Test) -> Box<dyn Query> {
        let (field, path) = (self.fields.attr, attribute_path(name));
        match test {
            Test::Exists => {
                silent(TermQuery::new(Term::from_field_text(self.fields.names, &path), IndexRecordOption::Basic))
            }
            Test::In(values) => one_of(values.iter().flat_map(|value| readings(field, &path, value)).collect()),
            Test::Range { .. } => {
                let term = |value: &str| {
                    let number: f64 = value.parse().ok()?;
                    Some(json(field, &path, |term| term.append_type_and_fast_value(number)))
                };
                numbers(test, "", &f64::MIN.to_string(), &f64::MAX.to_string(), &term)
            }
        }
    }
}

/// Whether a condition can hold where none of its parts does.
fn negated(filter: &Filter) -> bool {
    match filter {
        Filter::Not(_) => true,
        Filter::All(parts) | Filter::Any(parts) => parts.iter().any(negated),
        Filter::Variant(part) => negated(part),
        // The variant's own number, not the product's lowest.
        Filter::Is(On::Price(_) | On::Available, _) => true,
        Filter::Is(..) => false,
    }
}

/// Documents with at least one of the terms. A set of terms is looked up as an automaton, which takes a megabyte and a
/// bit for every document there is; for a few terms that costs more than everything else of a search.
fn one_of(mut terms: Vec<Term>) -> Box<dyn Query> {
    match terms.len() {
        1 => silent(TermQuery::new(terms.remove(0), IndexRecordOption::Basic)),
        0..=FEW => silent(BooleanQuery::new(terms.iter().map(|term| (Occur::Should, holding(term))).collect())),
        _ => silent(TermSetQuery::new(terms)),
    }
}

/// Each way a value can be meant: an attribute of that name may be text, a number or a yes/no.
pub fn readings(field: Field, path: &str, value: &str) -> Vec<Term> {
    let mut terms = vec![json(field, path, |term| term.append_type_and_str(&attribute_value(value)))];
    if let Ok(number) = value.parse::<f64>() {
        terms.push(json(field, path, |term| match whole(number) {
            // The engine indexes whole numbers as integers, whatever they were given as.
            Some(number) => term.append_type_and_fast_value(number),
            None => term.append_type_and_fast_value(number),
        }));
    }
    if let Ok(flag) = value.parse::<bool>() {
        terms.push(json(field, path, |term| term.append_type_and_fast_value(flag)));
    }
    terms
}

/// A number as an integer, if it is one.
pub fn whole(number: f64) -> Option<i64> {
    const BEYOND: f64 = 9_223_372_036_854_775_808.0;
    #[expect(clippy::cast_possible_truncation, reason = "it has no fraction and is within the bounds")]
    (number.fract() == 0.0 && number.abs() < BEYOND).then_some(number as i64)
}

fn text(field: Field, name: &str, test: &Test) -> Box<dyn Query> {
    match test {
        Test::In(values) => one_of(values.iter().map(|value| Term::from_field_text(field, &composed(value))).collect()),
        // SKUs are not in a column, and every product that is sold has one.
        _ if name == "sku" => silent(AllQuery),
        _ => silent(ExistsQuery::new(name.to_owned(), false)),
    }
}

/// A test of something with an order.
fn numbers(test: &Test, column: &str, least: &str, most: &str, term: &dyn Fn(&str) -> Option<Term>) -> Box<dyn Query> {
    let bound = |limit: &Option<Limit>, open: &str| match limit {
        Some(limit) if limit.inclusive => term(&limit.value).map_or(Bound::Unbounded, Bound::Included),
        Some(limit) => term(&limit.value).map_or(Bound::Unbounded, Bound::Excluded),
        // Inside a JSON field an open end would run into other paths.
        None => term(open).map_or(Bound::Unbounded, Bound::Included),
    };
    match test {
        Test::Exists => silent(ExistsQuery::new(column.to_owned(), false)),
        Test::In(values) => one_of(values.iter().filter_map(|value| term(value)).collect()),
        Test::Range { from, to } => silent(RangeQuery::new(bound(from, least), bound(to, most))),
    }
}

fn json(field: Field, path: &str, append: impl FnOnce(&mut Term)) -> Term {
    let mut term = Term::from_field_json_path(field, path, false);
    append(&mut term);
    term
}
