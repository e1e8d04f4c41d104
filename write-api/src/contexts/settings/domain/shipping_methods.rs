//! Ways in which goods reach shoppers, and the rules they keep.

use super::{
    Setting,
    policy::{MAX_TITLE, an_amount_is_bounded, areas_are_on_the_map_and_distinct, currencies_are_distinct},
};
use crate::domain::{
    definition::{Content, Words, events_of},
    validation::Findings,
};
use schemas::events::settings::{SettingKind, ShippingMethod, ShippingPrice};

/// The most tiers of a price.
const MAX_TIERS: usize = 50;
/// The most days until something arrives.
const MAX_DAYS: u32 = 365;
/// The most grams of anything: a thousand tonnes.
const MAX_GRAMS: i64 = 1_000_000_000;

impl Content for ShippingMethod {
    const WORDS: Words = Words {
        kind: SettingKind::ShippingMethod.as_str(),
        aggregate: SettingKind::ShippingMethod.aggregate(),
        define: "define_shipping_method",
        remove: "remove_shipping_method",
    };

    fn check(&self, findings: &mut Findings) {
        findings.line(|| "/title".to_owned(), &self.title, MAX_TITLE);
        areas_are_on_the_map_and_distinct(findings, &self.areas);
        if self.prices.is_empty() {
            findings.add("/prices", "a method is offered in the currencies it has prices in; at least one is needed");
        }
        currencies_are_distinct(findings, "/prices", "/currency", self.prices.iter().map(|price| price.currency));
        for (index, price) in self.prices.iter().enumerate() {
            tiers_ascend_from_nothing(findings, index, price);
        }
        days_are_a_span(findings, self.days_least, self.days_most);
        if self.most_grams.is_some_and(|grams| !(1..=MAX_GRAMS).contains(&grams)) {
            findings.add("/most_grams", format!("1 to {MAX_GRAMS} grams are allowed"));
        }
    }

    events_of!(SettingsEvent in settings: ShippingMethodDefined, ShippingMethodRemoved);
}

impl Setting for ShippingMethod {
    const MOST: usize = 100;
}

/// The last tier that is reached counts. So the first is reached by everything, and each later one stands beyond the one
/// before it: by value, or by weight from the same value on.
fn tiers_ascend_from_nothing(findings: &mut Findings, index: usize, price: &ShippingPrice) {
    let base = format!("/prices/{index}/tiers");
    findings.count(&base, price.tiers.len(), MAX_TIERS);
    match price.tiers.first().map(|tier| (tier.from_value, tier.from_grams)) {
        None => findings.add(base.as_str(), "at least one tier is needed"),
        Some((0, 0)) => {}
        Some(_) => findings.add(format!("{base}/0"), "the first tier begins at value 0 and weight 0"),
    }
    let mut before = None;
    for (place, tier) in price.tiers.iter().enumerate().take(MAX_TIERS) {
        let at = |name: &str| format!("{base}/{place}/{name}");
        an_amount_is_bounded(findings, || at("from_value"), tier.from_value);
        an_amount_is_bounded(findings, || at("amount"), tier.amount);
        if !(0..=MAX_GRAMS).contains(&tier.from_grams) {
            findings.add(at("from_grams"), format!("0 to {MAX_GRAMS} grams are allowed"));
        }
        let from = (tier.from_value, tier.from_grams);
        if before.is_some_and(|before| from <= before) {
            findings.add(format!("{base}/{place}"), "tiers ascend by value, and by weight where the value is the same");
        }
        before = Some(from);
    }
}

fn days_are_a_span(findings: &mut Findings, least: Option<u32>, most: Option<u32>) {
    for (pointer, days) in [("/days_least", least), ("/days_most", most)] {
        if days.is_some_and(|days| days > MAX_DAYS) {
            findings.add(pointer, format!("0 to {MAX_DAYS} days are allowed"));
        }
    }
    if least.zip(most).is_some_and(|(least, most)| least > most) {
        findings.add("/days_most", "the most days are fewer than the least");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::definition::Checked;
    use proptest::prelude::*;
    use schemas::{events::settings::ShippingTier, money::Currency, place::Area};

    fn tier(from_value: i64, from_grams: i64, amount: i64) -> ShippingTier {
        ShippingTier { from_value, from_grams, amount }
    }

    fn method(tiers: Vec<ShippingTier>) -> ShippingMethod {
        ShippingMethod {
            title: "Standard".into(),
            areas: vec![Area { country: None, region: None, postal_prefix: None }],
            prices: vec![ShippingPrice { currency: Currency::USD, tiers }],
            days_least: Some(2),
            days_most: Some(2),
            most_grams: Some(31_500),
            is_pickup: false,
            position: 0,
        }
    }

    fn pointers(method: ShippingMethod) -> Vec<String> {
        Checked::parse(method).err().unwrap_or_default().into_iter().map(|error| error.pointer).collect()
    }

    #[test]
    fn tiers_that_break_a_rule_are_pointed_at() {
        assert_eq!(pointers(method(vec![tier(0, 0, 499), tier(0, 5_000, 899), tier(5_000, 0, 0)])), [""; 0]);
        for (tiers, pointer) in [
            (vec![], "/prices/0/tiers"),
            (vec![tier(1, 0, 5)], "/prices/0/tiers/0"),
            (vec![tier(0, 1, 5)], "/prices/0/tiers/0"),
            (vec![tier(0, 0, -1)], "/prices/0/tiers/0/amount"),
            (vec![tier(0, 0, 5), tier(0, 0, 4)], "/prices/0/tiers/1"),
            (vec![tier(0, 0, 5), tier(10, 0, 4), tier(5, 9, 3)], "/prices/0/tiers/2"),
            (vec![tier(0, 0, 5), tier(i64::MAX, 0, 4)], "/prices/0/tiers/1/from_value"),
            (vec![tier(0, 0, 5), tier(0, i64::MAX, 4)], "/prices/0/tiers/1/from_grams"),
        ] {
            assert_eq!(pointers(method(tiers)), [pointer]);
        }
    }

    #[test]
    fn methods_that_break_a_rule_are_pointed_at() {
        let plain = || method(vec![tier(0, 0, 5)]);
        let twice = [plain().prices, plain().prices].concat();
        for (wrong, pointer) in [
            (ShippingMethod { title: String::new(), ..plain() }, "/title"),
            (ShippingMethod { areas: vec![], ..plain() }, "/areas"),
            (ShippingMethod { prices: vec![], ..plain() }, "/prices"),
            (ShippingMethod { prices: twice, ..plain() }, "/prices/1/currency"),
            (ShippingMethod { days_most: Some(1), ..plain() }, "/days_most"),
            (ShippingMethod { days_most: Some(366), ..plain() }, "/days_most"),
            (ShippingMethod { most_grams: Some(0), ..plain() }, "/most_grams"),
        ] {
            assert_eq!(pointers(wrong), [pointer]);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// Whatever is sorted, begins at nothing and has no place twice is allowed, and no other list is.
        #[test]
        fn only_lists_that_ascend_are_allowed(mut from in prop::collection::vec((0_i64..4, 0_i64..4), 1..6)) {
            let all = |from: &[(i64, i64)]| method(from.iter().map(|(value, grams)| tier(*value, *grams, 1)).collect());
            let ascends = from[0] == (0, 0) && from.windows(2).all(|pair| pair[0] < pair[1]);
            prop_assert_eq!(pointers(all(&from)).is_empty(), ascends);
            from.push((0, 0));
            from.sort_unstable();
            from.dedup();
            prop_assert!(pointers(all(&from)).is_empty());
        }
    }
}
