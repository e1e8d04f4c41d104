//! What pricing decides.

use super::domain::{PriceCommand, PriceSheet, Rejection, command::Entries};
use crate::domain::scenario::Scenario;
use schemas::events::{
    PricingEvent,
    pricing::{PricesChanged, PricesRemoved},
};
use schemas::{
    Timestamp, Uuid,
    events::pricing::PriceEntry,
    ids::{ProductId, VariantId},
};

const PRODUCT: ProductId = ProductId(Uuid::from_u128(1));
const VARIANT: VariantId = VariantId(Uuid::from_u128(2));

fn at(second: i64) -> Option<Timestamp> {
    Timestamp::from_timestamp(second, 0)
}

fn entry(code: &str, list_amount: i64) -> PriceEntry {
    PriceEntry::always(code.parse().expect("a code"), list_amount)
}

fn set(entries: &[PriceEntry]) -> PriceCommand {
    let entries = Entries::parse(entries.to_vec()).expect("allowed");
    PriceCommand::Set { product_id: PRODUCT, variant_id: VARIANT, entries }
}

fn changed(entries: &[PriceEntry]) -> PricingEvent {
    let entries = entries.to_vec();
    PricingEvent::Changed(PricesChanged { product_id: PRODUCT, variant_id: VARIANT, entries })
}

fn for_trade(code: &str, list_amount: i64) -> PriceEntry {
    PriceEntry {
        channel: Some("app".into()),
        group: Some("trade".into()),
        min_quantity: 10,
        ..entry(code, list_amount)
    }
}

#[test]
fn entries_for_others_and_a_sale_within_a_price_stand_beside_each_other() {
    let sale = PriceEntry { sale_amount: Some(80), valid_from: at(5), valid_until: at(9), ..entry("USD", 100) };
    let tier = PriceEntry { min_quantity: 10, ..entry("USD", 90) };
    let app = PriceEntry { channel: Some("app".into()), ..entry("USD", 95) };
    let given = [for_trade("USD", 70), app.clone(), tier.clone(), sale.clone(), entry("USD", 100)];
    let kept = [entry("USD", 100), sale, tier, app, for_trade("USD", 70)];
    Scenario::<PriceSheet>::given([]).when(set(&given)).then([changed(&kept)]);
}

#[test]
fn a_sheet_is_replaced_only_by_another_one() {
    let (usd, eur) = (entry("USD", 100), entry("EUR", 90));
    Scenario::<PriceSheet>::given([])
        .when(set(&[usd.clone(), eur.clone()]))
        .then([changed(&[eur.clone(), usd.clone()])]);
    Scenario::<PriceSheet>::given([changed(&[eur.clone(), usd.clone()])]).when(set(&[usd, eur])).then_nothing();
}

#[test]
fn what_was_removed_can_be_set_again_but_not_removed_again() {
    let gone = PricingEvent::Removed(PricesRemoved { product_id: PRODUCT, variant_id: VARIANT });
    let sheet = [entry("USD", 100)];
    Scenario::<PriceSheet>::given([changed(&sheet)]).when(PriceCommand::Remove).then([gone.clone()]);
    Scenario::<PriceSheet>::given([changed(&sheet), gone.clone()])
        .when(PriceCommand::Remove)
        .then_rejected(Rejection::NoPrice);
    Scenario::<PriceSheet>::given([changed(&sheet), gone]).when(set(&sheet)).then([changed(&sheet)]);
    Scenario::<PriceSheet>::given([]).when(PriceCommand::Remove).then_rejected(Rejection::NoPrice);
}

#[test]
fn entries_that_break_a_rule_are_pointed_at() {
    let sale = PriceEntry { sale_amount: Some(101), ..entry("USD", 100) };
    let span = PriceEntry { valid_from: at(5), valid_until: at(5), ..entry("USD", 1) };
    for (entries, pointer) in [
        (vec![], "/entries"),
        (vec![entry("USD", -1)], "/entries/0/list_amount"),
        (vec![entry("EUR", 1), sale], "/entries/1/sale_amount"),
        (vec![span], "/entries/0/valid_until"),
        (vec![entry("USD", 1), entry("USD", 2)], "/entries/1/valid_from"),
        (vec![for_trade("USD", 1), entry("USD", 2), for_trade("USD", 3)], "/entries/2/valid_from"),
        (vec![PriceEntry { group: Some("B 2 B".into()), ..entry("USD", 1) }], "/entries/0/group"),
        (vec![PriceEntry { channel: Some(String::new()), ..entry("USD", 1) }], "/entries/0/channel"),
        (vec![PriceEntry { min_quantity: 0, ..entry("USD", 1) }], "/entries/0/min_quantity"),
        (vec![PriceEntry { min_quantity: 1_000_001, ..entry("USD", 1) }], "/entries/0/min_quantity"),
    ] {
        let errors = Entries::parse(entries).expect_err("refused");
        assert_eq!(errors.iter().map(|error| error.pointer.as_str()).collect::<Vec<_>>(), [pointer]);
    }
}
