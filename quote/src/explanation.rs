//! What promotions did, in words: the first half of step 13.

use crate::outcome::Applied;
use schemas::{
    events::promotions::Effect,
    money::{Currency, Money},
    quote::{Discount, LineDiscount, ShippingDiscount},
};

/// What a promotion took off, in all and where.
pub(crate) fn discount(applied: &Applied<'_>, currency: Currency) -> Discount {
    let candidate = &applied.candidate;
    let share = |before: i128, amount: i128| format!("{} off {}", shown(amount, currency), shown(before, currency));
    let line = |(line, before, amount): &(_, i128, i128)| LineDiscount {
        line: *line,
        amount: narrow(*amount),
        words: share(*before, *amount),
    };
    let charge = |(group, before, amount): &(String, i128, i128)| ShippingDiscount {
        group: group.clone(),
        amount: narrow(*amount),
        words: share(*before, *amount),
    };
    Discount {
        promotion: candidate.name.to_owned(),
        title: candidate.content.title.clone(),
        code: candidate.code.map(str::to_owned),
        amount: narrow(applied.amount()),
        words: words(applied, currency),
        lines: applied.lines.iter().map(line).collect(),
        shipping: applied.shipping.iter().map(charge).collect(),
    }
}

fn words(applied: &Applied<'_>, currency: Currency) -> String {
    let rate = percent(applied.rate_ppm.unwrap_or_default());
    let (amount, base) = (shown(applied.amount(), currency), shown(applied.base, currency));
    match &applied.candidate.content.effect {
        Effect::Percentage { most, .. } if !most.is_empty() => format!("{rate} of {base}, as far as allowed: {amount}"),
        Effect::Percentage { .. } | Effect::Tiers { .. } => format!("{rate} of {base}: {amount}"),
        Effect::Amount { .. } => format!("{amount} off {base}"),
        Effect::FixedPrice { .. } => format!("a fixed price for each piece: {amount} off {base}"),
        Effect::BuyGet { buy, get, .. } => {
            format!("{get} of every {} pieces, the cheapest, {rate} off: {amount}", u64::from(*buy) + u64::from(*get))
        }
        Effect::Gift { quantity, .. } => format!("{quantity} for nothing: {amount} off {amount}"),
        Effect::Shipping { amounts } if amounts.is_empty() => format!("free shipping: {amount}"),
        Effect::Shipping { .. } => format!("{amount} off shipping of {base}"),
    }
}

/// An amount as people read it.
pub(crate) fn shown(amount: i128, currency: Currency) -> String {
    Money { amount: narrow(amount), currency }.to_string()
}

/// A rate as people read it, such as `7.25 %`.
fn percent(rate_ppm: u32) -> String {
    let (whole, part) = (rate_ppm / 10_000, rate_ppm % 10_000);
    let digits = format!("{part:04}");
    match digits.trim_end_matches('0') {
        "" => format!("{whole} %"),
        digits => format!("{whole}.{digits} %"),
    }
}

/// What is off something that fits, fits.
fn narrow(amount: i128) -> i64 {
    i64::try_from(amount).unwrap_or(if amount < 0 { i64::MIN } else { i64::MAX })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_shown_without_idle_zeros() {
        let shown = [150_000, 72_500, 1, 1_000_000, 0].map(percent);
        assert_eq!(shown, ["15 %", "7.25 %", "0.0001 %", "100 %", "0 %"]);
    }
}
