//! What holds for any cart, in yen, dollars and dinars.

mod carts;
mod wild;

use super::given::*;
use super::sums::{Sums, is_consistent};
use crate::{Facts, Quote, facts::CartLine, price};
use carts::carts;
use proptest::prelude::*;
use std::collections::BTreeMap;
use wild::wild;

fn by_promotion(quote: &Quote) -> BTreeMap<&str, i64> {
    quote.discounts.iter().map(|discount| (discount.promotion.as_str(), discount.amount)).collect()
}

/// Names the goods that a selection of all goods stands for, so that others are none of them.
fn close(facts: &mut Facts) {
    let all = on(&facts.lines.iter().map(|line| line.variant_id.uuid().as_u128() - 1_000).collect::<Vec<_>>());
    for fact in facts.promotions.values_mut() {
        let content = &mut fact.promotion.value;
        for selection in [&mut content.target, &mut content.conditions.goods] {
            if selection.variants.is_empty() {
                selection.variants.clone_from(&all.variants);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn sums_are_exact_and_no_discount_is_more_than_its_line(facts in carts()) {
        is_consistent(&price(&facts).expect("a quote"));
    }

    #[test]
    fn the_order_of_lines_makes_no_difference(facts in carts(), turns in prop::collection::vec(any::<prop::sample::Index>(), 6)) {
        let quote = price(&facts).expect("a quote");
        let mut turned = facts;
        for (place, turn) in turns.iter().enumerate().take(turned.lines.len()) {
            let other = turn.index(turned.lines.len());
            turned.lines.swap(place, other);
        }
        prop_assert_eq!(price(&turned).expect("a quote"), quote);
    }

    #[test]
    fn splitting_a_line_changes_no_sum(facts in carts(), line in any::<prop::sample::Index>(), part in any::<prop::sample::Index>()) {
        let mut split = facts;
        let place = line.index(split.lines.len());
        split.lines[place].quantity += 1;
        let whole = split.lines[place].quantity;
        let quote = price(&split).expect("a quote");
        let moved = 1 + u32::try_from(part.index(whole as usize - 1)).expect("few");
        split.lines[place].quantity = whole - moved;
        let other = CartLine { id: line_id(500), quantity: moved, ..split.lines[place].clone() };
        split.lines.push(other);
        let again = price(&split).expect("a quote");
        prop_assert_eq!(by_promotion(&again), by_promotion(&quote));
        prop_assert_eq!(again.totals, quote.totals);
        prop_assert_eq!(again.taxes, quote.taxes);
    }

    #[test]
    fn refunds_of_all_pieces_in_any_order_are_the_total(facts in carts(), turns in prop::collection::vec(any::<prop::sample::Index>(), 40)) {
        let quote = price(&facts).expect("a quote");
        let mut pieces: Vec<_> = quote.lines.iter().flat_map(|line| (1..=line.quantity).map(move |piece| (line, piece))).collect();
        for (place, turn) in turns.iter().enumerate().take(pieces.len()) {
            let other = turn.index(pieces.len());
            pieces.swap(place, other);
        }
        let shipping: i64 = quote.shipping.iter().map(|charge| charge.total).sum();
        let mut left = quote.totals.total - quote.totals.cash_rounding - shipping;
        for (line, piece) in pieces {
            let unit = line.unit(piece).expect("a piece");
            prop_assert!(unit.total >= 0 && unit.discount >= 0 && unit.tax >= 0);
            left -= unit.total;
            prop_assert!(left >= 0, "more was given back than was paid");
        }
        prop_assert_eq!(left, 0);
    }

    #[test]
    fn a_line_that_no_promotion_is_about_lowers_no_discount(facts in carts(), amount in 0_i64..1_000_000, quantity in 1_u32..9) {
        let mut facts = facts;
        close(&mut facts);
        let before = price(&facts).expect("a quote");
        let code = facts.currency.code().to_owned();
        let stranger = CartLine { weight_grams: None, group: facts.lines[0].group.clone(), ..line(99, &code, amount, quantity) };
        facts.lines.push(stranger);
        let after = price(&facts).expect("a quote");
        let after = by_promotion(&after);
        for (promotion, amount) in by_promotion(&before) {
            prop_assert!(after.get(promotion).is_some_and(|now| *now >= amount), "{promotion} took off {amount}: {after:?}");
        }
    }

    #[test]
    fn the_taxes_of_lines_and_shipping_are_the_tax_of_their_rate(facts in carts()) {
        let quote = price(&facts).expect("a quote");
        let sums = Sums::by_tax(&quote);
        for tax in &quote.taxes {
            prop_assert_eq!(sums.of(&tax.jurisdiction, tax.rate_ppm, &tax.title), tax.amount);
        }
    }

    #[test]
    fn nothing_panics_whatever_the_facts(facts in wild()) {
        if let Ok(quote) = price(&facts) {
            is_consistent(&quote);
        }
    }

    #[test]
    fn the_same_facts_give_the_same_quote(facts in carts()) {
        let quote = price(&facts).expect("a quote");
        let text = serde_json::to_string(&facts).expect("written");
        let again: Facts = serde_json::from_str(&text).expect("read");
        prop_assert_eq!(price(&again).expect("a quote"), quote);
    }
}
