//! Which goods a promotion is about.

use crate::facts::CartLine;
use schemas::events::{catalog::AttributeValue, promotions::Selection};

/// Whether a line is among the goods: met in every field that names something, and in none of the exceptions.
pub(crate) fn contains(selection: &Selection, line: &CartLine) -> bool {
    let in_categories = |ids: &[_]| ids.iter().any(|id| line.category_ids.contains(id));
    is_met(&selection.products, |products| products.contains(&line.product_id))
        && is_met(&selection.variants, |variants| variants.contains(&line.variant_id))
        && is_met(&selection.categories, in_categories)
        && is_met(&selection.brands, |brands| line.brand.as_ref().is_some_and(|brand| brands.contains(brand)))
        && selection.attributes.iter().all(|(name, values)| is_met(values, |values| has_value(line, name, values)))
        && !selection.without_products.contains(&line.product_id)
        && !in_categories(&selection.without_categories)
}

fn is_met<T>(named: &[T], holds: impl FnOnce(&[T]) -> bool) -> bool {
    named.is_empty() || holds(named)
}

fn has_value(line: &CartLine, name: &str, values: &[String]) -> bool {
    let is_named = |text: &str| values.iter().any(|value| value == text);
    line.attributes.get(name).is_some_and(|value| match value {
        AttributeValue::Bool(value) => is_named(if *value { "true" } else { "false" }),
        AttributeValue::Number(value) => is_named(&value.to_string()),
        AttributeValue::Text(text) => is_named(text),
        AttributeValue::Texts(texts) => texts.iter().any(|text| is_named(text)),
    })
}
