//! What the `events!` blocks yield.

use super::*;
use crate::ids::{ProductId, VariantId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A payload that JSON can't hold: keys of an object are texts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Crooked {
    /// Values by place.
    #[serde(default)]
    places: BTreeMap<(u8, u8), u8>,
}

events! {
    /// Events that can't be written down.
    CrookedEvent of Tenants; {
        /// The one.
        Happened(Crooked) = "souk.tenants.crooked.happened.v1",
    }
}

#[test]
fn what_can_not_be_written_is_an_error_and_no_empty_payload() {
    let event = CrookedEvent::Happened(Crooked { places: BTreeMap::from([((1, 2), 3)]) });
    let error = event.to_json().expect_err("no JSON form");
    assert_eq!(error.event_type, "souk.tenants.crooked.happened.v1");
    assert!(error.to_string().contains("key must be a string"), "{error}");
    let read = CrookedEvent::from_json("souk.tenants.crooked.happened.v1", b"{}");
    assert_eq!(read, Ok(CrookedEvent::Happened(Crooked { places: BTreeMap::new() })));
}

#[test]
fn events_about_a_product_have_its_key_whatever_their_aggregate() {
    let (product, variant) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let removed = pricing::PricesRemoved { product_id: ProductId(product), variant_id: VariantId(variant) };
    assert_eq!(DomainEvent::Pricing(PricingEvent::Removed(removed)).key(variant), product);
    let deleted = CatalogEvent::ProductDeleted(catalog::ProductMoved { product_id: ProductId(product) });
    assert_eq!(DomainEvent::Catalog(deleted).key(product), product);
}

#[test]
fn keys_are_described_as_they_are_made() {
    let key = |event_type: &str| {
        descriptions().into_iter().find(|event| event.event_type == event_type).expect("a current event").key
    };
    assert_eq!(key("souk.pricing.price_sheet.changed.v1"), "product");
    assert_eq!(key("souk.catalog.product.created.v1"), "product");
    assert_eq!(key("souk.catalog.category.created.v1"), "category");
    assert_eq!(key("souk.insights.client.acted.v1"), "client");
    assert_eq!(CrookedEvent::descriptions()[0].key, "crooked");
}

#[test]
fn a_type_names_its_context() {
    assert!(is_type_of(Context::Catalog, "souk.catalog.product.created.v1"));
    for other in ["souk.pricing.product.created.v1", "souk.catalogue.product.created.v1", "souk.catalog", "catalog."] {
        assert!(!is_type_of(Context::Catalog, other), "{other}");
    }
}
