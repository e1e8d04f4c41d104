//! Conditions on one and the same variant: a red one in XL, not a red one and one in XL.

use crate::{
    schema::{attribute_path, attribute_value},
    writer::variants::{self, IndexedVariant},
};
use schemas::{
    events::catalog::AttributeValue,
    filter::{Field as On, Filter, Limit, Test},
    money::Currency,
};
use std::sync::Arc;
use tantivy::{
    DocId, SegmentReader,
    query::{
        Query,
        doc_predicate_query::{DocPredicateQuery, FunctionPredicate},
    },
};

/// A condition on a variant.
#[derive(Debug, Clone)]
pub struct VariantCondition {
    filter: Arc<Filter>,
    currency: Currency,
}

impl VariantCondition {
    /// `currency` is what `price` means.
    pub fn new(filter: Filter, currency: Currency) -> Self {
        Self { filter: Arc::new(filter), currency }
    }

    /// The products one of whose variants meets it.
    pub fn query(self) -> Box<dyn Query> {
        let predicate = FunctionPredicate::from(move |segment: &SegmentReader| {
            let (condition, segment) = (self.clone(), segment.clone());
            Ok(move |doc: DocId| !condition.matching(&segment, doc).is_empty())
        });
        Box::new(DocPredicateQuery::from(predicate))
    }

    /// The variants of a document that meet it.
    pub fn matching(&self, segment: &SegmentReader, doc: DocId) -> Vec<IndexedVariant> {
        let all = variants_of(segment, doc);
        let shared = |name: &str| {
            // What the product says counts for a variant that says nothing, unless another one does.
            let path = attribute_path(name);
            let of_one = all.iter().any(|variant| variant.attributes.contains_key(&path));
            if of_one { Vec::new() } else { attribute(segment, doc, &path) }
        };
        all.iter().filter(|variant| meets(variant, &self.filter, self.currency, &shared)).cloned().collect()
    }
}

/// The variants of a document.
pub fn variants_of(segment: &SegmentReader, doc: DocId) -> Vec<IndexedVariant> {
    let mut bytes = Vec::new();
    if let Ok(Some(column)) = segment.fast_fields().bytes("variants")
        && let Some(ord) = column.ords().first(doc)
    {
        // A column that can't be read is an index that can't be read: the search itself fails on it.
        let _ = column.ord_to_bytes(ord, &mut bytes);
    }
    variants::decode(&bytes)
}

/// The values of a document's attribute, whatever their type.
fn attribute(segment: &SegmentReader, doc: DocId, path: &str) -> Vec<AttributeValue> {
    let (fast, column) = (segment.fast_fields(), format!("attr.{path}"));
    let mut values = Vec::new();
    if let Ok(Some(texts)) = fast.str(&column) {
        for ord in texts.term_ords(doc) {
            let mut text = String::new();
            if texts.ord_to_str(ord, &mut text).is_ok() {
                values.push(AttributeValue::Text(text));
            }
        }
    }
    if let Ok(Some(numbers)) = fast.column_opt::<f64>(&column) {
        values.extend(numbers.values_for_doc(doc).map(AttributeValue::Number));
    }
    if let Ok(Some(flags)) = fast.column_opt::<bool>(&column) {
        values.extend(flags.values_for_doc(doc).map(AttributeValue::Bool));
    }
    values
}

type Shared<'a> = &'a dyn Fn(&str) -> Vec<AttributeValue>;

fn meets(variant: &IndexedVariant, filter: &Filter, currency: Currency, shared: Shared<'_>) -> bool {
    match filter {
        Filter::All(parts) => parts.iter().all(|part| meets(variant, part, currency, shared)),
        Filter::Any(parts) => parts.iter().any(|part| meets(variant, part, currency, shared)),
        Filter::Not(part) => !meets(variant, part, currency, shared),
        Filter::Variant(part) => meets(variant, part, currency, shared),
        Filter::Is(field, test) => within(test, &values(variant, field, currency, shared)),
    }
}

fn values(variant: &IndexedVariant, field: &On, currency: Currency, shared: Shared<'_>) -> Vec<AttributeValue> {
    match field {
        On::Price(of) => {
            let amount = variant.prices.get(&of.unwrap_or(currency));
            amount.map(|amount| AttributeValue::Text(amount.to_string())).into_iter().collect()
        }
        On::Available => vec![AttributeValue::Bool(variant.available)],
        On::Sku => vec![AttributeValue::Text(variant.sku.clone())],
        On::Attribute(name) => match variant.attributes.get(&attribute_path(name)) {
            Some(value) => vec![value.clone()],
            None => shared(name),
        },
        // Not of a variant: the parser refuses these.
        On::Brand | On::Category | On::ProductType | On::Released | On::Id => Vec::new(),
    }
}

fn within(test: &Test, values: &[AttributeValue]) -> bool {
    let as_texts = |value: &AttributeValue| match value {
        AttributeValue::Bool(value) => vec![value.to_string()],
        AttributeValue::Number(value) => vec![value.to_string()],
        AttributeValue::Text(value) => vec![value.clone()],
        AttributeValue::Texts(values) => values.clone(),
    };
    let number = |text: &str| text.parse::<f64>().ok();
    let mut texts = values.iter().flat_map(as_texts);
    match test {
        Test::Exists => texts.next().is_some(),
        Test::In(wanted) => texts.any(|text| {
            let same = |wanted: &String| {
                attribute_value(wanted) == text || (number(wanted).is_some() && number(wanted) == number(&text))
            };
            wanted.iter().any(same)
        }),
        Test::Range { from, to } => texts.filter_map(|text| number(&text)).any(|value| {
            let holds = |limit: &Limit, strictly: fn(f64, f64) -> bool| {
                number(&limit.value)
                    .is_some_and(|bound| strictly(value, bound) || (limit.inclusive && value.total_cmp(&bound).is_eq()))
            };
            from.as_ref().is_none_or(|limit| holds(limit, |value, bound| value > bound))
                && to.as_ref().is_none_or(|limit| holds(limit, |value, bound| value < bound))
        }),
    }
}
