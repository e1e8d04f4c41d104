//! What a filter names that a shop does not have: a misspelt attribute finds nothing, and nobody would know why.

use crate::{
    IndexError,
    plan::scope,
    query::{Hint, SearchRequest},
    reader::Snapshot,
    tenant::within,
};
use schemas::filter::{Field, Filter, Test};
use std::collections::BTreeSet;
use tantivy::{
    DocSet, TERMINATED,
    query::{EnableScoring, Query},
};

/// Most hints of an answer.
const MOST: usize = 20;

/// A name that a shop may not have.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Named<'a> {
    Attribute(&'a str),
    Category(&'a str),
}

/// The attributes and categories in the filter of a request that no product of the shop has.
///
/// # Errors
/// The engine's.
pub fn hints(snapshot: &Snapshot, request: &SearchRequest) -> Result<Vec<Hint>, IndexError> {
    let mut hints = Vec::new();
    for name in request.filter.iter().flat_map(names).collect::<BTreeSet<_>>() {
        if hints.len() < MOST && !is_there(snapshot, request, &name)? {
            hints.push(hint(&name));
        }
    }
    Ok(hints)
}

/// Whether a filter has a name in it that the shop may not have.
pub fn may_hint(filter: &Filter) -> bool {
    filter.conditions().iter().any(|(field, _)| matches!(field, Field::Attribute(_) | Field::Category))
}

fn names(filter: &Filter) -> Vec<Named<'_>> {
    filter.conditions().into_iter().flat_map(|(field, test)| named(field, test)).collect()
}

fn named<'a>(field: &'a Field, test: &'a Test) -> Vec<Named<'a>> {
    match (field, test) {
        (Field::Attribute(name), _) => vec![Named::Attribute(name)],
        (Field::Category, Test::In(values)) => values.iter().map(|value| Named::Category(value)).collect(),
        _ => Vec::new(),
    }
}

/// Whether a live product of the shop has it.
fn is_there(snapshot: &Snapshot, request: &SearchRequest, name: &Named<'_>) -> Result<bool, IndexError> {
    let condition = match name {
        Named::Attribute(name) => Filter::Is(Field::Attribute((*name).to_owned()), Test::Exists),
        Named::Category(name) => Filter::Is(Field::Category, Test::In(vec![(*name).to_owned()])),
    };
    let scope = scope(snapshot, request);
    let query = within(&snapshot.segments.fields.tenant_term(request.tenant), scope.compile(&condition));
    let searcher = &snapshot.segments.searcher;
    let weight = query.weight(EnableScoring::disabled_from_searcher(searcher))?;
    for segment in searcher.segment_readers() {
        let mut found = weight.scorer(segment, 1.0)?;
        while found.doc() != TERMINATED {
            if segment.alive_bitset().is_none_or(|alive| alive.is_alive(found.doc())) {
                return Ok(true);
            }
            found.advance();
        }
    }
    Ok(false)
}

fn hint(name: &Named<'_>) -> Hint {
    match name {
        Named::Attribute(name) => Hint {
            field: Field::Attribute((*name).to_owned()).to_string(),
            value: None,
            detail: format!("no product of this shop has the attribute `{name}`"),
        },
        Named::Category(name) => Hint {
            field: Field::Category.to_string(),
            value: Some((*name).to_owned()),
            detail: format!("no product of this shop is in a category `{name}`"),
        },
    }
}
