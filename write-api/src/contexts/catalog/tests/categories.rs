//! What is decided on categories.

use crate::{
    contexts::catalog::domain::category::{Category, CategoryCommand, Content, Facts, Rejection, policy::MAX_DEPTH},
    domain::scenario::Scenario,
};
use schemas::events::{
    CatalogEvent,
    catalog::{CategoryDeleted, CategoryWritten},
};
use schemas::{Uuid, events::catalog::CategoryContent, ids::CategoryId};

const ID: CategoryId = CategoryId(Uuid::from_u128(1));
const PARENT: CategoryId = CategoryId(Uuid::from_u128(2));

fn content(name: &str, parent_id: Option<CategoryId>) -> CategoryContent {
    CategoryContent { external_id: None, parent_id, slug: name.to_lowercase(), name: name.to_owned(), position: 0 }
}

fn parsed(content: CategoryContent) -> Content {
    Content::parse(content).expect("allowed")
}

fn written(content: CategoryContent) -> CategoryWritten {
    CategoryWritten { category_id: ID, content }
}

fn lamps() -> Scenario<Category> {
    Scenario::given([CatalogEvent::CategoryCreated(written(content("Lamps", None)))])
}

#[test]
fn a_category_is_created_and_changed() {
    let facts = Facts::default();
    Scenario::<Category>::given([])
        .when(CategoryCommand::Create { id: ID, content: parsed(content("Lamps", None)), facts: facts.clone() })
        .then([CatalogEvent::CategoryCreated(written(content("Lamps", None)))]);
    lamps()
        .when(CategoryCommand::Change { content: parsed(content("Lights", None)), facts: facts.clone() })
        .then([CatalogEvent::CategoryChanged(written(content("Lights", None)))]);
    lamps().when(CategoryCommand::Change { content: parsed(content("Lamps", None)), facts }).then_nothing();
}

#[test]
fn the_tree_stays_a_tree() {
    let below = |facts| CategoryCommand::Change { content: parsed(content("Lamps", Some(PARENT))), facts };
    lamps().when(below(Facts::default())).then_rejected(Rejection::UnknownParent);
    let facts = Facts { parent_exists: true, ancestors: vec![PARENT, ID], ..Facts::default() };
    lamps().when(below(facts)).then_rejected(Rejection::BelowItself);
    let facts = Facts { parent_exists: true, ancestors: vec![PARENT; MAX_DEPTH], ..Facts::default() };
    lamps().when(below(facts)).then_rejected(Rejection::TooDeep(MAX_DEPTH));
}

#[test]
fn only_a_leaf_is_deleted() {
    lamps().when(CategoryCommand::Delete { has_children: true }).then_rejected(Rejection::HasChildren);
    lamps()
        .when(CategoryCommand::Delete { has_children: false })
        .then([CatalogEvent::CategoryDeleted(CategoryDeleted { category_id: ID })]);
}
