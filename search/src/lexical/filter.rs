//! Filters as tantivy queries that match without adding to the score.

use crate::{
    query::{AttributeMatch, Filter},
    schema::{Fields, attribute_path},
};
use schemas::ids::TenantId;
use std::ops::Bound;
use tantivy::{
    Term,
    query::{BooleanQuery, ConstScoreQuery, Occur, Query, RangeQuery, TermQuery, TermSetQuery},
    schema::{Field, IndexRecordOption},
};

/// The query without a score.
pub fn silent(query: impl Query) -> Box<dyn Query> {
    Box::new(ConstScoreQuery::new(Box::new(query), 0.0))
}

/// A filter as a query.
pub fn compile(fields: &Fields, tenant: TenantId, filter: &Filter) -> Box<dyn Query> {
    match filter {
        Filter::Brand(brands) => {
            silent(TermSetQuery::new(brands.iter().map(|b| Term::from_field_text(fields.brand, b))))
        }
        Filter::Category(names) => {
            silent(TermSetQuery::new(names.iter().map(|name| Term::from_field_text(fields.category, name))))
        }
        Filter::Ids(ids) => {
            silent(TermSetQuery::new(ids.iter().map(|id| Term::from_field_text(fields.key, &format!("{tenant}:{id}")))))
        }
        Filter::Available(value) => {
            silent(TermQuery::new(Term::from_field_bool(fields.available, *value), IndexRecordOption::Basic))
        }
        Filter::Price(currency, from, to) => {
            let term =
                |amount: i64| json(fields.price, currency.code(), |term| term.append_type_and_fast_value(amount));
            silent(RangeQuery::new(
                Bound::Included(term(from.unwrap_or(i64::MIN))),
                Bound::Included(term(to.unwrap_or(i64::MAX))),
            ))
        }
        Filter::Attribute(name, values) => {
            let any = values.iter().map(|value| (Occur::Should, attribute(fields, name, value))).collect();
            silent(BooleanQuery::new(any))
        }
        Filter::AttributeRange(name, from, to) => {
            let term =
                |value: f64| json(fields.attr, &attribute_path(name), |term| term.append_type_and_fast_value(value));
            silent(RangeQuery::new(
                Bound::Included(term(from.unwrap_or(f64::MIN))),
                Bound::Included(term(to.unwrap_or(f64::MAX))),
            ))
        }
    }
}

fn attribute(fields: &Fields, name: &str, value: &AttributeMatch) -> Box<dyn Query> {
    let path = attribute_path(name);
    let term = match value {
        AttributeMatch::Text(text) => json(fields.attr, &path, |term| term.append_type_and_str(text)),
        // Whole numbers are kept as floats like all others, see the writer.
        AttributeMatch::Number(number) => json(fields.attr, &path, |term| term.append_type_and_fast_value(*number)),
        AttributeMatch::Bool(value) => json(fields.attr, &path, |term| term.append_type_and_fast_value(*value)),
    };
    Box::new(TermQuery::new(term, IndexRecordOption::Basic))
}

fn json(field: Field, path: &str, append: impl FnOnce(&mut Term)) -> Term {
    let mut term = Term::from_field_json_path(field, path, false);
    append(&mut term);
    term
}
