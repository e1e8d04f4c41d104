//! What came of the carts so far: pure.

use super::{
    answer::{
        PreviewCart, PreviewDisplaced, PreviewLine, PreviewPrice, PreviewReason, PreviewSums, PreviewUnpriced,
        PromotionPreview,
    },
    asked::Asked,
};
use crate::reads::carts::{StoredCart, Tried};
use quote::{Discount, NoticeCode, Quote, QuoteLine};
use schemas::{ids::LineId, money::Currency};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

/// Carts that are shown.
const EXAMPLES: usize = 20;

/// Counts and sums of the carts that were tried.
#[derive(Debug, Default)]
pub(super) struct Tally {
    carts: u64,
    applied: u64,
    sums: BTreeMap<Currency, Sums>,
    refused: BTreeMap<NoticeCode, (u64, String)>,
    unpriced: PreviewUnpriced,
    examples: Vec<PreviewCart>,
}

/// What the carts of a currency add up to.
#[derive(Debug, Default)]
struct Sums {
    carts: u64,
    applied: u64,
    goods: i64,
    discount_of_draft: i64,
    discounts: [i64; 2],
    totals: [i64; 2],
    /// In how many carts a promotion takes off less, and how much.
    displaced: BTreeMap<String, (u64, i64)>,
}

impl Tally {
    /// Takes in a cart with its prices, none where its numbers can't be reckoned with.
    pub(super) fn take(&mut self, stored: &StoredCart, draft: &str, tried: Option<&Tried>) {
        self.carts += 1;
        let Some(tried) = tried else {
            self.unpriced.carts += 1;
            self.unpriced.unreckonable += 1;
            return;
        };
        self.unpriced.lines(stored, &tried.before);
        if own_lines(&tried.before).next().is_none() {
            self.unpriced.carts += 1;
            return;
        }
        let off = tried.after.discounts.iter().find(|discount| discount.promotion == draft);
        self.sums.entry(stored.cart.currency).or_default().take(draft, tried, off);
        if off.is_some() {
            self.applied += 1;
            if self.examples.len() < EXAMPLES {
                self.examples.push(PreviewCart::of(stored, tried));
            }
            return;
        }
        let notice = tried.after.notices.iter().find(|notice| notice.promotion.as_deref() == Some(draft));
        let (reason, words) = match notice {
            Some(notice) => (notice.code, notice.words.clone()),
            None => (NoticeCode::PromotionTakesNothingOff, String::new()),
        };
        self.refused.entry(reason).or_insert((0, words)).0 += 1;
    }

    /// The answer.
    pub(super) fn told(self, asked: &Asked, replaces: Option<i64>, is_cut: bool) -> PromotionPreview {
        let reason = |(reason, (carts, words))| PreviewReason { reason, carts, words };
        let mut refused: Vec<PreviewReason> = self.refused.into_iter().map(reason).collect();
        refused.sort_by_key(|reason| Reverse(reason.carts));
        PromotionPreview {
            name: asked.draft.name().to_owned(),
            replaces,
            assumes_code: asked.draft.assumes_code(),
            at: asked.at,
            from: asked.carts.from,
            until: asked.carts.until,
            carts: self.carts,
            is_cut,
            applied: self.applied,
            sums: self.sums.into_iter().map(|(currency, sums)| sums.told(currency)).collect(),
            refused,
            unpriced: self.unpriced,
            examples: self.examples,
        }
    }
}

impl Sums {
    fn take(&mut self, draft: &str, tried: &Tried, off: Option<&Discount>) {
        let add = |sum: &mut i64, amount: i64| *sum = sum.saturating_add(amount);
        self.carts += 1;
        self.applied += u64::from(off.is_some());
        own_lines(&tried.before).for_each(|line| add(&mut self.goods, line.amount));
        add(&mut self.discount_of_draft, off.map_or(0, |off| off.amount));
        for (side, quote) in [&tried.before, &tried.after].into_iter().enumerate() {
            quote.discounts.iter().for_each(|discount| add(&mut self.discounts[side], discount.amount));
            add(&mut self.totals[side], quote.totals.total);
        }
        for discount in tried.before.discounts.iter().filter(|discount| discount.promotion != draft) {
            let after = tried.after.discounts.iter().find(|after| after.promotion == discount.promotion);
            let less = discount.amount - after.map_or(0, |after| after.amount);
            if less > 0 {
                let (carts, amount) = self.displaced.entry(discount.promotion.clone()).or_default();
                *carts += 1;
                add(amount, less);
            }
        }
    }

    fn told(self, currency: Currency) -> PreviewSums {
        let displaced = |(promotion, (carts, amount))| PreviewDisplaced { promotion, carts, amount };
        let mut displaced: Vec<PreviewDisplaced> = self.displaced.into_iter().map(displaced).collect();
        displaced.sort_by_key(|promotion| Reverse(promotion.amount));
        let ([discounts_before, discounts_after], [total_before, total_after]) = (self.discounts, self.totals);
        PreviewSums {
            currency,
            carts: self.carts,
            applied: self.applied,
            goods: self.goods,
            discount_of_draft: self.discount_of_draft,
            discounts_before,
            discounts_after,
            total_before,
            total_after,
            displaced,
        }
    }
}

/// The lines that stand in the cart; gifts don't.
fn own_lines(quote: &Quote) -> impl Iterator<Item = &QuoteLine> {
    quote.lines.iter().filter(|line| line.gift_of.is_none())
}

impl PreviewUnpriced {
    /// Counts the lines of a cart that the quote has no price of.
    fn lines(&mut self, stored: &StoredCart, quote: &Quote) {
        let mut known: BTreeSet<LineId> = quote.lines.iter().map(|line| line.id).collect();
        for notice in &quote.notices {
            match notice.code {
                NoticeCode::LineUnavailable => self.lines_unavailable += 1,
                NoticeCode::LineWithoutPrice => self.lines_without_price += 1,
                _ => continue,
            }
            known.extend(notice.line);
        }
        let gone = stored.cart.lines.iter().filter(|line| !known.contains(&line.line_id)).count();
        self.lines_gone += u64::try_from(gone).unwrap_or(u64::MAX);
    }
}

impl PreviewCart {
    fn of(stored: &StoredCart, tried: &Tried) -> Self {
        Self {
            cart_id: stored.id,
            status: stored.cart.phase,
            touched_at: stored.touched_at,
            currency: stored.cart.currency,
            before: PreviewPrice::of(&tried.before),
            after: PreviewPrice::of(&tried.after),
            lines: tried.after.lines.iter().map(|line| PreviewLine::of(line, &tried.after.discounts)).collect(),
        }
    }
}

impl PreviewPrice {
    fn of(quote: &Quote) -> Self {
        let words = |discount: &Discount| format!("{}: {}", discount.title, discount.words);
        Self { totals: quote.totals, words: quote.discounts.iter().map(words).collect() }
    }
}

impl PreviewLine {
    fn of(line: &QuoteLine, discounts: &[Discount]) -> Self {
        let shares = discounts.iter().flat_map(|discount| discount.lines.iter().map(move |share| (discount, share)));
        let own = shares.filter(|(_, share)| share.line == line.id);
        Self {
            line_id: line.id,
            variant_id: line.variant_id,
            sku: line.sku.clone(),
            title: line.title.clone(),
            quantity: line.quantity,
            amount: line.amount,
            discount: line.discount,
            words: own.map(|(discount, share)| format!("{}: {}", discount.title, share.words)).collect(),
        }
    }
}

#[cfg(test)]
mod tests;
