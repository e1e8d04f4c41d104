//! What is decided on products.

use crate::{
    contexts::catalog::domain::product::{Content, Draft, Facts, Product, ProductCommand, Rejection},
    domain::{Aggregate, scenario::Scenario},
};
use proptest::prelude::*;
use schemas::{
    Timestamp, Uuid,
    events::{
        CatalogEvent,
        catalog::{
            ProductChanged, ProductContent, ProductCreated, ProductMoved, ProductOption, ProductScheduled, Schedule,
            Variant,
        },
    },
    ids::{CategoryId, ProductId, VariantId},
};
use std::collections::BTreeMap;

const ID: ProductId = ProductId(Uuid::from_u128(1));
const OTHER: ProductId = ProductId(Uuid::from_u128(2));

fn variant(id: u128, sku: &str) -> Variant {
    Variant::named(VariantId(Uuid::from_u128(id)), sku)
}

pub(super) fn content(slug: &str, title: &str) -> ProductContent {
    ProductContent {
        external_id: Some("x-1".into()),
        variants: vec![variant(10, "sku-1")],
        ..ProductContent::named(slug, title)
    }
}

fn parsed(content: ProductContent) -> Content {
    Content::parse(Draft { content, given_ids: vec![] }).expect("allowed")
}

pub(super) fn create(content: ProductContent, facts: Facts) -> ProductCommand {
    ProductCommand::Create { id: ID, content: parsed(content), facts }
}

pub(super) fn change(content: ProductContent) -> ProductCommand {
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

fn at(second: i64) -> Timestamp {
    Timestamp::from_timestamp(second, 0).expect("a time")
}

fn span(publish: i64, archive: i64) -> Schedule {
    Schedule { publish_at: Some(at(publish)), archive_at: Some(at(archive)) }
}

fn scheduled(schedule: Schedule) -> CatalogEvent {
    CatalogEvent::ProductScheduled(ProductScheduled { product_id: ID, schedule })
}

#[test]
fn a_product_is_published_and_archived_when_its_time_has_come() {
    let (published, archived) = (CatalogEvent::ProductPublished(MOVED), CatalogEvent::ProductArchived(MOVED));
    let rest = Schedule { publish_at: None, ..span(10, 20) };
    let carry_out = |now| ProductCommand::CarryOut(at(now));
    product(vec![]).when(ProductCommand::Schedule(span(10, 20))).then([scheduled(span(10, 20))]);
    let kept = || vec![scheduled(span(10, 20))];
    product(kept()).when(ProductCommand::Schedule(span(10, 20))).then_nothing();
    product(kept()).when(carry_out(9)).then_nothing();
    product(kept()).when(carry_out(10)).then([published.clone(), scheduled(rest)]);
    let shown = || vec![scheduled(span(10, 20)), published.clone(), scheduled(rest)];
    product(shown()).when(carry_out(19)).then_nothing();
    product(shown()).when(carry_out(20)).then([archived, scheduled(Schedule::default())]);
    // The span was missed: nobody sees it now, and nobody did.
    product(kept()).when(carry_out(20)).then([scheduled(Schedule::default())]);
    // Staff were faster.
    let early = vec![scheduled(span(10, 20)), published.clone()];
    product(early).when(carry_out(10)).then([scheduled(rest)]);
    product(kept()).when(ProductCommand::Schedule(Schedule::default())).then([scheduled(Schedule::default())]);
}

#[test]
fn a_new_content_leaves_the_schedule_alone() {
    let new = content("lamp", "Better Lamp");
    let changed = CatalogEvent::ProductChanged(ProductChanged { product_id: ID, content: new });
    let rest = Schedule { publish_at: None, ..span(10, 20) };
    product(vec![scheduled(span(10, 20)), changed])
        .when(ProductCommand::CarryOut(at(10)))
        .then([CatalogEvent::ProductPublished(MOVED), scheduled(rest)]);
}

#[test]
fn measures_are_bounded_and_a_tax_class_is_a_slug() {
    let mut bad = content("lamp", "Lamp");
    bad.tax_class = Some("Reduced rate".into());
    (bad.weight_grams, bad.length_mm, bad.width_mm, bad.height_mm) = (Some(0), Some(-1), Some(100_001), Some(1));
    bad.variants[0].weight_grams = Some(10_000_001);
    let errors = Content::parse(Draft { content: bad, given_ids: vec![] }).expect_err("refused");
    let pointers: Vec<_> = errors.iter().map(|error| error.pointer.as_str()).collect();
    assert_eq!(pointers, ["/tax_class", "/weight_grams", "/length_mm", "/width_mm", "/variants/0/weight_grams"]);
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
    (0..7, 0..3_usize, 0..3_usize, any::<bool>()).prop_map(|(kind, title, sku, taken)| {
        let mut content = content("", ["A", "B", "C"][title]);
        content.variants = vec![variant(20 + sku as u128, ["a", "b", "c"][sku])];
        let facts = Facts { slug_owner: taken.then_some(OTHER), ..Facts::default() };
        match kind {
            0 => create(content, facts),
            1 => ProductCommand::Change { content: parsed(content), facts },
            2 => ProductCommand::Publish,
            3 => ProductCommand::Archive,
            4 => ProductCommand::Schedule(span(title as i64, sku as i64)),
            5 => ProductCommand::CarryOut(at(sku as i64)),
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
