//! What settings decide.

use super::domain::{Others, Rejection, Setting, fits_beside};
use crate::domain::{
    Name,
    definition::{Checked, Content, Definition, DefinitionCommand, Missing},
    scenario::Scenario,
};
use schemas::{
    Uuid,
    events::{
        SettingsEvent,
        settings::{Channel, Location, ShippingMethod, ShippingPrice, ShippingTier, ShopPolicy, TaxMode, TaxZone},
    },
    money::Currency,
    place::{Area, Place},
};
use std::fmt::Debug;

fn area(country: &str) -> Area {
    Area { country: Some(country.into()), region: None, postal_prefix: None }
}

fn zone(countries: &[&str]) -> TaxZone {
    let areas = countries.iter().map(|country| area(country)).collect();
    TaxZone { areas, mode: TaxMode::Exclusive, rates: vec![], shipping_class: None }
}

fn method(amount: i64) -> ShippingMethod {
    let tiers = vec![ShippingTier { from_value: 0, from_grams: 0, amount }];
    ShippingMethod {
        title: "Standard".into(),
        areas: vec![area("DE")],
        prices: vec![ShippingPrice { currency: Currency::USD, tiers }],
        days_least: None,
        days_most: None,
        most_grams: None,
        is_pickup: false,
        position: 0,
    }
}

fn location(ships: bool) -> Location {
    let place = Place { country: "DE".into(), region: None, postal_code: None };
    Location { title: "Main".into(), place, ships, position: 0 }
}

fn channel(title: &str) -> Channel {
    Channel { title: title.into(), currencies: vec![Currency::USD] }
}

fn define<C: Content>(content: &C) -> DefinitionCommand<C> {
    let content = Checked::parse(content.clone()).expect("allowed");
    DefinitionCommand::Define { name: Name::parse("one").expect("a name"), content }
}

/// What holds for every kind, with two contents of it.
fn is_replaced_and_removed<C: Content<Event = SettingsEvent> + Debug>(old: &C, new: &C) {
    let defined = |content: &C| C::event("one".into(), Some(content.clone()));
    let removed = || C::event("one".into(), None);
    let given = |events: Vec<SettingsEvent>| Scenario::<Definition<C>>::given(events);
    given(vec![]).when(define(old)).then([defined(old)]);
    given(vec![defined(old)]).when(define(old)).then_nothing();
    given(vec![defined(old)]).when(define(new)).then([defined(new)]);
    given(vec![defined(old)]).when(DefinitionCommand::Remove).then([removed()]);
    given(vec![]).when(DefinitionCommand::Remove).then_rejected(Missing);
    given(vec![defined(old), removed()]).when(DefinitionCommand::Remove).then_rejected(Missing);
    given(vec![defined(old), removed()]).when(define(old)).then([defined(old)]);
    assert_eq!(defined(old).kind().aggregate(), C::WORDS.aggregate);
    assert_eq!((defined(old).kind().as_str(), defined(old).name()), (C::WORDS.kind, "one"));
}

#[test]
fn whatever_is_decided_is_replaced_by_another_and_removed_once() {
    is_replaced_and_removed(&zone(&["DE"]), &zone(&["DE", "AT"]));
    is_replaced_and_removed(&method(499), &method(599));
    is_replaced_and_removed(&location(true), &location(false));
    is_replaced_and_removed(&channel("Web"), &channel("App"));
    is_replaced_and_removed(&ShopPolicy::default(), &ShopPolicy { cart_days: 7, ..ShopPolicy::default() });
}

#[test]
fn an_event_of_another_kind_changes_nothing() {
    let other = Channel::event("one".into(), Some(channel("Web")));
    Scenario::<Definition<TaxZone>>::given([other]).when(DefinitionCommand::Remove).then_rejected(Missing);
}

#[test]
fn two_zones_never_have_the_same_area() {
    let (own, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let areas = |owner| [("DE".to_owned(), (owner, "germany".to_owned()))].into();
    let taken = Others { areas: areas(other), ..Others::default() };
    let rejected = Rejection::AreaTaken { index: 1, area: "DE".to_owned(), owner: "germany".to_owned() };
    assert_eq!(fits_beside(own, &zone(&["AT", "DE"]), &taken), Err(rejected));
    assert_eq!(fits_beside(own, &zone(&["AT"]), &taken), Ok(()));
    let own_area = Others { areas: areas(own), ..Others::default() };
    assert_eq!(fits_beside(own, &zone(&["DE"]), &own_area), Ok(()));
    // A part of an area is another one; the closest counts.
    let part = Area { postal_prefix: Some("10".into()), ..area("DE") };
    assert_eq!(fits_beside(own, &TaxZone { areas: vec![part], ..zone(&[]) }, &taken), Ok(()));
    // Shipping methods may reach the same places.
    assert_eq!(fits_beside(own, &method(1), &taken), Ok(()));
}

#[test]
fn a_shop_has_so_many_of_a_kind_and_may_change_those() {
    let full = Others { standing: (1..=100).map(Uuid::from_u128).collect(), ..Others::default() };
    assert_eq!(ShippingMethod::MOST, 100);
    let rejected = Rejection::TooMany { kind: "shipping-methods", most: 100 };
    assert_eq!(fits_beside(Uuid::from_u128(101), &method(1), &full), Err(rejected));
    assert_eq!(fits_beside(Uuid::from_u128(100), &method(1), &full), Ok(()));
}
