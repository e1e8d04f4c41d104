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
    let currency = code.parse().expect("a code");
    PriceEntry { currency, list_amount, sale_amount: None, valid_from: None, valid_until: None }
}

fn set(entries: &[PriceEntry]) -> PriceCommand {
    let entries = Entries::parse(entries.to_vec()).expect("allowed");
    PriceCommand::Set { product_id: PRODUCT, variant_id: VARIANT, entries }
}

fn changed(entries: &[PriceEntry]) -> PricingEvent {
    let entries = entries.to_vec();
    PricingEvent::Changed(PricesChanged { product_id: PRODUCT, variant_id: VARIANT, entries })
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
    ] {
        let errors = Entries::parse(entries).expect_err("refused");
        assert_eq!(errors.iter().map(|error| error.pointer.as_str()).collect::<Vec<_>>(), [pointer]);
    }
}
