//! What is decided on products.

use crate::{
    contexts::catalog::domain::product::{Content, Draft, Facts, Product, ProductCommand, Rejection},
    domain::{Aggregate, scenario::Scenario},
};
use proptest::prelude::*;
use schemas::{
    Uuid,
    events::{
        CatalogEvent,
        catalog::{ProductChanged, ProductContent, ProductCreated, ProductMoved, ProductOption, Variant},
    },
    ids::{CategoryId, ProductId, VariantId},
};
use std::collections::BTreeMap;

const ID: ProductId = ProductId(Uuid::from_u128(1));
const OTHER: ProductId = ProductId(Uuid::from_u128(2));

fn variant(id: u128, sku: &str) -> Variant {
    Variant {
        id: VariantId(Uuid::from_u128(id)),
        sku: sku.to_owned(),
        eans: vec![],
        options: BTreeMap::new(),
        attributes: BTreeMap::new(),
    }
}

fn content(slug: &str, title: &str) -> ProductContent {
    ProductContent {
        external_id: Some("x-1".into()),
        slug: slug.to_owned(),
        title: title.to_owned(),
        part_number: None,
        description: None,
        brand: None,
        product_type: None,
        category_ids: vec![],
        attributes: BTreeMap::new(),
        options: vec![],
        variants: vec![variant(10, "sku-1")],
        images: vec![],
        released_at: None,
    }
}

fn parsed(content: ProductContent) -> Content {
    Content::parse(Draft { content, given_ids: vec![] }).expect("allowed")
}

fn create(content: ProductContent, facts: Facts) -> ProductCommand {
    ProductCommand::Create { id: ID, content: parsed(content), facts }
}

fn change(content: ProductContent) -> ProductCommand {
    ProductCommand::Change { content: parsed(content), facts: Facts::default() }
}

fn created(content: ProductContent) -> CatalogEvent {
    CatalogEvent::ProductCreated(ProductCreated { product_id: ID, content })
}

const MOVED: ProductMoved = ProductMoved { product_id: ID };

fn product(events: Vec<CatalogEvent>) -> Scenario<Product> {
    Scenario::given([created(content("lamp", "Lamp"))].into_iter().chain(events))
}

#[test]
fn a_new_product_is_a_draft_with_a_slug_of_its_own() {
    let command = create(content("", "Red Lamp"), Facts::default());
    Scenario::<Product>::given([]).when(command).then([created(content("red-lamp-x-1", "Red Lamp"))]);
    product(vec![]).when(create(content("b", "B"), Facts::default())).then_rejected(Rejection::Exists(ID));
}

#[test]
fn names_of_others_are_refused() {
    let fresh = || Scenario::<Product>::given([]);
    let facts = Facts { slug_owner: Some(OTHER), ..Facts::default() };
    let taken = Rejection::SlugTaken { slug: "lamp".into(), owner: OTHER };
    fresh().when(create(content("lamp", "Lamp"), facts)).then_rejected(taken);
    let facts = Facts { external_id_owner: Some(OTHER), ..Facts::default() };
    let taken = Rejection::ExternalIdTaken { external_id: "x-1".into(), owner: OTHER };
    fresh().when(create(content("lamp", "Lamp"), facts)).then_rejected(taken);
    let facts = Facts { sku_owners: vec![(0, OTHER)], ..Facts::default() };
    let taken = Rejection::SkuTaken { index: 0, sku: "sku-1".into(), owner: OTHER };
    fresh().when(create(content("lamp", "Lamp"), facts)).then_rejected(taken);
}

#[test]
fn a_category_must_be_there() {
    let id = CategoryId(Uuid::from_u128(9));
    let facts = Facts { missing_categories: vec![id], ..Facts::default() };
    let content = ProductContent { category_ids: vec![id], ..content("lamp", "Lamp") };
    Scenario::<Product>::given([]).when(create(content, facts)).then_rejected(Rejection::UnknownCategory { index: 0 });
}

#[test]
fn a_variant_keeps_its_id_by_sku_and_the_product_its_slug() {
    let mut new = content("", "Better Lamp");
    new.variants = vec![variant(77, "sku-1"), variant(78, "sku-2")];
    let mut expected = content("lamp", "Better Lamp");
    expected.variants = vec![variant(10, "sku-1"), variant(78, "sku-2")];
    let changed = CatalogEvent::ProductChanged(ProductChanged { product_id: ID, content: expected });
    product(vec![]).when(change(new)).then([changed]);
}

#[test]
fn a_variant_id_of_elsewhere_is_refused() {
    let draft = Draft {
        content: ProductContent { variants: vec![variant(5, "a")], ..content("lamp", "Lamp") },
        given_ids: vec![true],
    };
    let command = ProductCommand::Change { content: Content::parse(draft).expect("allowed"), facts: Facts::default() };
    product(vec![]).when(command).then_rejected(Rejection::UnknownVariant { index: 0 });
}

#[test]
fn the_same_content_again_changes_nothing() {
    product(vec![]).when(change(content("lamp", "Lamp"))).then_nothing();
}

#[test]
fn a_product_is_published_archived_and_published_again() {
    let published = CatalogEvent::ProductPublished(MOVED);
    let archived = CatalogEvent::ProductArchived(MOVED);
    product(vec![]).when(ProductCommand::Publish).then([published.clone()]);
    product(vec![published.clone()]).when(ProductCommand::Publish).then_nothing();
    product(vec![published.clone()]).when(ProductCommand::Archive).then([archived.clone()]);
    product(vec![published.clone(), archived]).when(ProductCommand::Publish).then([published]);
    product(vec![]).when(ProductCommand::Archive).then_rejected(Rejection::NeverPublished);
}

#[test]
fn what_was_deleted_is_not_there() {
    let deleted = CatalogEvent::ProductDeleted(MOVED);
    product(vec![]).when(ProductCommand::Delete).then([deleted.clone()]);
    product(vec![deleted]).when(ProductCommand::Publish).then_rejected(Rejection::Missing);
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let mut bad = content("Bad Slug", "");
    bad.options = vec![ProductOption { name: "size".into(), values: vec!["S".into()] }];
    bad.variants = vec![variant(1, "a"), variant(2, "a")];
    bad.variants[0].options = BTreeMap::from([("size".into(), "XL".into())]);
    bad.variants[1].eans = vec!["abc".into()];
    let errors = Content::parse(Draft { content: bad, given_ids: vec![] }).expect_err("refused");
    let pointers: Vec<_> = errors.iter().map(|error| error.pointer.as_str()).collect();
    assert_eq!(
        pointers,
        ["/title", "/slug", "/variants/0/options/size", "/variants/1/sku", "/variants/1/eans/0", "/variants/1/options"]
    );
}

fn any_command() -> impl Strategy<Value = ProductCommand> {
    (0..5, 0..3_usize, 0..3_usize, any::<bool>()).prop_map(|(kind, title, sku, taken)| {
        let mut content = content("", ["A", "B", "C"][title]);
        content.variants = vec![variant(20 + sku as u128, ["a", "b", "c"][sku])];
        let facts = Facts { slug_owner: taken.then_some(OTHER), ..Facts::default() };
        match kind {
            0 => create(content, facts),
            1 => ProductCommand::Change { content: parsed(content), facts },
            2 => ProductCommand::Publish,
            3 => ProductCommand::Archive,
            _ => ProductCommand::Delete,
        }
    })
}

proptest! {
    #[test]
    fn any_command_in_any_state_is_decided_and_its_events_applied(commands in proptest::collection::vec(any_command(), 0..30)) {
        let mut state: Option<Product> = None;
        for command in commands {
            let repeat = command.clone();
            if let Ok(events) = Product::decide(state.as_ref(), command) {
                for event in &events {
                    state = Product::apply(state, event);
                }
                // What was done is not done again.
                if let (Some(_), false) = (&state, matches!(repeat, ProductCommand::Create { .. })) {
                    prop_assert_eq!(Product::decide(state.as_ref(), repeat), Ok(vec![]));
                }
            }
        }
    }
}
