//! Facets: how many hits have each value, and how many there would be. Every facet there is stands in
//! [`column`].
//!
//! A facet whose own field is filtered is counted as if it were not (disjunctive): who has chosen one brand
//! wants to see how many the others would add.

use crate::{
    IndexError,
    plan::Plan,
    query::{Facet, FacetCounts, FacetValue, MAX_FACET_VALUES, MAX_FACETS, SearchRequest},
    reader::Snapshot,
    schema::attribute_path,
};
use schemas::{
    filter::{Field, Filter, Test},
    money::Currency,
};
use std::{borrow::Cow, collections::HashMap};
use tantivy::{collector::Count, query::Query};

mod asked;
mod matched;
mod numbers;
mod tally;
mod tree;

use asked::Asked;
use matched::Matched;
use tally::Columns;

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
    matched: Matched,
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
) -> Result<Vec<FacetCounts>, IndexError> {
    if request.facets.len() > MAX_FACETS {
        return Err(IndexError::Request(format!("at most {MAX_FACETS} facets can be counted at once")));
    }
    if request.facets.is_empty() {
        return Ok(Vec::new());
    }
    let counting = Counting { snapshot, request, plan, matching, matched: Matched::collect(snapshot, query)? };
    request.facets.iter().map(|facet| counting.facet(facet)).collect()
}

/// The names of the attributes that what matches has, the most frequent first.
///
/// # Errors
/// The engine's.
pub fn attributes(snapshot: &Snapshot, query: &dyn Query) -> Result<Vec<String>, IndexError> {
    let (names, _) = Columns::open(snapshot, "names")?.count(
        &Matched::collect(snapshot, query)?,
        MAX_FACET_VALUES as usize,
        None,
    )?;
    Ok(names.into_iter().filter_map(|name| name.value.as_str().map(str::to_owned)).collect())
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
        let columns = Columns::open(self.snapshot, &self.column(facet)?)?;
        let numeric = match facet.field {
            Field::Price(_) => true,
            Field::Attribute(_) => columns.has_fractions(),
            _ => false,
        };
        Ok(Asked { facet, columns, chosen: self.chosen(&facet.field), numeric })
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

    /// Counts a facet: one that is filtered or has numbers, over what matches but for its own filter.
    fn facet(&self, facet: &Facet) -> Result<FacetCounts, IndexError> {
        let asked = self.asked(facet)?;
        let is_filtered = self.own_conditions(facet) > 0 && (asked.chosen.is_some() || asked.numeric);
        let base = if is_filtered {
            let query = self.plan.query_where(self.matching, |filter| !is_on(filter, &facet.field));
            Cow::Owned(Matched::collect(self.snapshot, query.as_ref())?)
        } else {
            Cow::Borrowed(&self.matched)
        };
        let mut counts = asked.empty();
        if asked.numeric {
            numbers::count(facet, &asked.columns.numbers(&base), &mut counts);
            if matches!(facet.field, Field::Price(_)) {
                return Ok(counts);
            }
        }
        (counts.values, counts.others) = asked.count(&base)?;
        if let Some(chosen) = &asked.chosen {
            self.toggled(&asked, chosen, &base, &mut counts.values)?;
        }
        asked.arranged(counts, &base)
    }

    fn own_conditions(&self, facet: &Facet) -> usize {
        self.plan.conditions.iter().filter(|(filter, _)| is_on(filter, &facet.field)).count()
    }

    /// What choosing another value of a field would add, or no longer choosing one would leave.
    fn toggled(
        &self,
        asked: &Asked<'_>,
        chosen: &[String],
        base: &Matched,
        values: &mut [FacetValue],
    ) -> Result<(), IndexError> {
        let (field, found) = (&asked.facet.field, self.matched.count());
        // Hits with another value that none of the chosen ones has brought already.
        let more = if self.own_conditions(asked.facet) == 1 {
            base.without(&self.matched)
        } else {
            Matched::collect(self.snapshot, self.plan.query_without_chosen(self.matching, field).as_ref())?
        };
        let (added, _) = asked.count(&more)?;
        let added: HashMap<String, u64> = added.into_iter().map(|new| (new.value.to_string(), new.count)).collect();
        for value in values {
            let text = if *field == Field::Category { tree::slug(&value.value) } else { tally::text(&value.value) };
            value.selected = chosen.contains(&text);
            value.total_if_toggled = if !value.selected {
                found + added.get(&value.value.to_string()).copied().unwrap_or_default()
            } else if chosen.len() == 1 {
                base.count()
            } else {
                let rest = chosen.iter().filter(|chosen| **chosen != text).cloned().collect();
                let query = self.plan.query_with(self.matching, field, rest, self.snapshot, self.request);
                self.snapshot.segments.searcher.search(query.as_ref(), &Count)? as u64
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
