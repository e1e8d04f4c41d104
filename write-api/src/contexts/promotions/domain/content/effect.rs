//! What a promotion may do, and at which level.

use super::{MOST_CURRENCIES, sums};
use crate::domain::validation::Findings;
use schemas::{
    events::promotions::{DiscountTier, Effect, Level, PromotionContent, Selection},
    money::{Currency, Money},
};
use std::collections::BTreeMap;

/// All of it, in parts per million.
const WHOLE_PPM: u32 = 1_000_000;
/// Pieces that a bundle or a gift has.
const MOST_PIECES: u32 = 999;
const MOST_TIERS: usize = 20;

pub(super) fn check(findings: &mut Findings, effect: &Effect) {
    match effect {
        Effect::Percentage { rate_ppm, most } => {
            rate(findings, "/effect/rate_ppm", *rate_ppm);
            sums(findings, "/effect/most", most);
        }
        Effect::Amount { amounts } => named_sums(findings, "/effect/amounts", amounts),
        Effect::FixedPrice { prices } => named_sums(findings, "/effect/prices", prices),
        Effect::BuyGet { buy, get, rate_ppm, most_times } => {
            pieces(findings, "/effect/buy", *buy);
            pieces(findings, "/effect/get", *get);
            rate(findings, "/effect/rate_ppm", *rate_ppm);
            if *most_times == Some(0) {
                findings.add("/effect/most_times", "once at least; without a bound, leave it out");
            }
        }
        Effect::Gift { quantity, .. } => pieces(findings, "/effect/quantity", *quantity),
        Effect::Shipping { amounts } => sums(findings, "/effect/amounts", amounts),
        Effect::Tiers { tiers } => tiers_ascend(findings, tiers),
    }
}

/// What takes something off single pieces can't be off the order, and what is off no goods has no target.
pub(super) fn fits_level_and_target(findings: &mut Findings, content: &PromotionContent) {
    let (of_pieces, has_target) = match &content.effect {
        Effect::FixedPrice { .. } => (Some("a price of pieces is off items, not off the order"), true),
        Effect::BuyGet { .. } => (Some("pieces that are cheaper than others are off items, not off the order"), true),
        Effect::Percentage { .. } | Effect::Amount { .. } | Effect::Tiers { .. } => (None, true),
        // Whether they count may depend on the goods as they are listed, or on what is left after discounts of items.
        Effect::Gift { .. } | Effect::Shipping { .. } => (None, false),
    };
    if let Some(reason) = of_pieces.filter(|_| content.level == Level::Order) {
        findings.add("/level", reason);
    }
    if !has_target && content.target != Selection::default() {
        let detail =
            "a gift or shipping is off no goods; which goods have to be in the cart stands in conditions.goods";
        findings.add("/target", detail);
    }
}

fn rate(findings: &mut Findings, pointer: &str, rate_ppm: u32) {
    if !(1..=WHOLE_PPM).contains(&rate_ppm) {
        findings.add(pointer, format!("1 to {WHOLE_PPM} parts per million are allowed"));
    }
}

fn pieces(findings: &mut Findings, pointer: &str, pieces: u32) {
    if !(1..=MOST_PIECES).contains(&pieces) {
        findings.add(pointer, format!("1 to {MOST_PIECES} pieces are allowed"));
    }
}

fn named_sums(findings: &mut Findings, pointer: &str, named: &[Money]) {
    if named.is_empty() {
        findings.add(pointer, format!("lines for 1 to {MOST_CURRENCIES} currencies are needed"));
    }
    sums(findings, pointer, named);
}

/// What a tier asks for.
struct Asked {
    pieces: u32,
    values: BTreeMap<Currency, i64>,
    rate_ppm: u32,
}

impl Asked {
    fn of(tier: &DiscountTier) -> Self {
        let values = tier.from_value.iter().map(|sum| (sum.currency, sum.amount)).collect();
        Self { pieces: tier.from_quantity, values, rate_ppm: tier.rate_ppm }
    }

    /// Whether nothing of it is less than before, and something is more.
    fn is_above(&self, before: &Self) -> bool {
        // A first tier may ask for no value at all.
        let same_currencies = before.values.is_empty() || self.values.keys().eq(before.values.keys());
        let of_before = |currency: &Currency| before.values.get(currency).copied().unwrap_or_default();
        let none_less = self.values.iter().all(|(currency, value)| *value >= of_before(currency));
        let one_more = self.values.iter().any(|(currency, value)| *value > of_before(currency));
        same_currencies && none_less && self.pieces >= before.pieces && (one_more || self.pieces > before.pieces)
    }
}

/// Each tier asks for more than the one before, in the same currencies, and takes off more.
fn tiers_ascend(findings: &mut Findings, tiers: &[DiscountTier]) {
    if tiers.is_empty() {
        findings.add("/effect/tiers", "one tier at least is needed");
    }
    findings.count("/effect/tiers", tiers.len(), MOST_TIERS);
    let mut before: Option<Asked> = None;
    for (at, tier) in tiers.iter().enumerate().take(MOST_TIERS) {
        let pointer = format!("/effect/tiers/{at}");
        rate(findings, &format!("{pointer}/rate_ppm"), tier.rate_ppm);
        sums(findings, &format!("{pointer}/from_value"), &tier.from_value);
        let asked = Asked::of(tier);
        if before.as_ref().is_some_and(|before| !asked.is_above(before)) {
            findings.add(&pointer, "a tier asks for more than the one before, in the same currencies");
        }
        if before.as_ref().is_some_and(|before| asked.rate_ppm <= before.rate_ppm) {
            findings.add(format!("{pointer}/rate_ppm"), "a tier takes off more than the one before");
        }
        before = Some(asked);
    }
}
