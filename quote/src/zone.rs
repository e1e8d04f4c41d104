//! Where tax is due, and what stated amounts mean there: step 2, and the rates of step 10.

use crate::{
    facts::{Facts, Versioned},
    rounding::{MILLION, rounded},
};
use schemas::{
    events::settings::{ForeignPrices, STANDARD_TAX, ShopPolicy, TaxMode, TaxRate, TaxZone},
    place::{Place, closest},
};
use std::collections::BTreeMap;

/// A tax zone with its name.
pub(crate) type NamedZone<'a> = (&'a str, &'a Versioned<TaxZone>);

/// The taxes at the shop and at the place that counts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Taxation<'a> {
    policy: &'a ShopPolicy,
    /// The zone of the shop.
    pub home: Option<NamedZone<'a>>,
    /// The zone of the place that counts.
    pub here: Option<NamedZone<'a>>,
}

impl<'a> Taxation<'a> {
    /// Tax is due where the goods go; while that is unknown, where the invoice goes; else where the shop is.
    pub(crate) fn of(facts: &'a Facts) -> Self {
        let policy = &facts.policy.value;
        let place = facts.shipping.as_ref().or(facts.billing.as_ref()).unwrap_or(&policy.home);
        Self { policy, home: zone_at(&facts.tax_zones, &policy.home), here: zone_at(&facts.tax_zones, place) }
    }

    /// Whether amounts of lines include tax. Where none is due it makes no difference, and stays as the shop has it.
    pub(crate) fn mode(&self) -> TaxMode {
        self.here.map_or(self.policy.prices, |(_, zone)| zone.value.mode)
    }

    /// The class that shipping is of.
    pub(crate) fn shipping_class(&self) -> &'a str {
        self.here.and_then(|(_, zone)| zone.value.shipping_class.as_deref()).unwrap_or(STANDARD_TAX)
    }

    /// The taxes on a class of goods, in an order of their own.
    pub(crate) fn rates(&self, class: &str) -> Vec<&'a TaxRate> {
        let mut rates = rates_of(self.here, class);
        rates.sort_by_key(|rate| (&rate.jurisdiction, rate.rate_ppm, &rate.title));
        rates
    }

    /// R1: what the price of a piece is here. A gross price of another zone stays as it is or, where the shop fixes net
    /// prices, has this zone's tax in place of the shop's.
    pub(crate) fn unit_price(&self, amount: i64, class: &str) -> i128 {
        let is_foreign = self.home.map(|(name, _)| name) != self.here.map(|(name, _)| name);
        let is_net_fixed = is_foreign && self.policy.foreign_prices == ForeignPrices::NetFixed;
        if self.policy.prices == TaxMode::Inclusive && is_net_fixed {
            let added = if self.mode() == TaxMode::Inclusive { sum_of(self.here, class) } else { 0 };
            rounded(i128::from(amount) * (MILLION + added), MILLION + sum_of(self.home, class))
        } else {
            self.stated(amount, class)
        }
    }

    /// What an amount on one class of goods is here, that is stated in the tax mode of the shop's prices.
    pub(crate) fn stated(&self, amount: i64, class: &str) -> i128 {
        let (amount, rate) = (i128::from(amount), sum_of(self.here, class));
        match (self.policy.prices, self.mode()) {
            (TaxMode::Inclusive, TaxMode::Exclusive) => rounded(amount * MILLION, MILLION + rate),
            (TaxMode::Exclusive, TaxMode::Inclusive) => rounded(amount * (MILLION + rate), MILLION),
            (TaxMode::Inclusive, TaxMode::Inclusive) | (TaxMode::Exclusive, TaxMode::Exclusive) => amount,
        }
    }

    /// The same for an amount on goods of several classes, given what is left of each: of 10.00 gross each class bears the
    /// part that is its part of the goods. None if the numbers are too large.
    pub(crate) fn stated_on(&self, amount: i64, goods: &[(i128, &str)]) -> Option<i128> {
        let left: i128 = goods.iter().map(|(left, _)| left).sum();
        if left <= 0 {
            return Some(i128::from(amount));
        }
        let (numerator, denominator) = match (self.policy.prices, self.mode()) {
            (TaxMode::Inclusive, TaxMode::Exclusive) => {
                let gross = goods.iter().map(|(left, class)| left * (MILLION + sum_of(self.here, class))).sum();
                (left.checked_mul(MILLION)?, gross)
            }
            (TaxMode::Exclusive, TaxMode::Inclusive) => {
                let net =
                    goods.iter().map(|(left, class)| left * MILLION * MILLION / (MILLION + sum_of(self.here, class)));
                (left.checked_mul(MILLION)?, net.sum())
            }
            (TaxMode::Inclusive, TaxMode::Inclusive) | (TaxMode::Exclusive, TaxMode::Exclusive) => (1, 1),
        };
        Some(rounded(i128::from(amount).checked_mul(numerator)?, denominator))
    }
}

fn zone_at<'a>(zones: &'a BTreeMap<String, Versioned<TaxZone>>, place: &Place) -> Option<NamedZone<'a>> {
    let mut found: Option<(u32, NamedZone<'_>)> = None;
    for (name, zone) in zones {
        if let Some(fit) = closest(&zone.value.areas, place)
            && found.is_none_or(|(best, _)| fit > best)
        {
            found = Some((fit, (name, zone)));
        }
    }
    found.map(|(_, zone)| zone)
}

fn rates_of<'a>(zone: Option<NamedZone<'a>>, class: &str) -> Vec<&'a TaxRate> {
    let rates = zone.into_iter().flat_map(|(_, zone)| &zone.value.rates);
    rates.filter(|rate| rate.class == class).collect()
}

/// All taxes on a class together, in parts per million.
fn sum_of(zone: Option<NamedZone<'_>>, class: &str) -> i128 {
    rates_of(zone, class).iter().map(|rate| i128::from(rate.rate_ppm)).sum()
}
