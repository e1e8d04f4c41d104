//! The sums that every quote has to keep.

use crate::{LineTax, Quote, UnitShare};
use schemas::events::settings::TaxMode;
use std::collections::BTreeMap;

/// Panics where a sum of a quote is not exact, or a discount is more than its line.
pub fn is_consistent(quote: &Quote) {
    lines_add_up(quote);
    shipping_adds_up(quote);
    discounts_add_up(quote);
    taxes_add_up(quote);
    totals_add_up(quote);
}

fn with_tax(quote: &Quote, left: i64, tax: i64) -> (i64, i64) {
    match quote.tax_mode {
        TaxMode::Inclusive => (left, left - tax),
        TaxMode::Exclusive => (left + tax, left),
    }
}

fn lines_add_up(quote: &Quote) {
    assert!(quote.lines.is_sorted_by(|one, other| one.id < other.id));
    for line in &quote.lines {
        assert_eq!(i128::from(line.amount), i128::from(line.unit_price) * i128::from(line.quantity));
        assert!((0..=line.amount).contains(&line.discount), "{line:?}");
        assert_eq!(line.discounts.iter().map(|share| share.amount).sum::<i64>(), line.discount);
        assert!(line.discounts.iter().all(|share| share.amount > 0));
        let left = line.amount - line.discount;
        assert_eq!((line.total, line.net), with_tax(quote, left, line.tax));
        assert_eq!(line.taxes.iter().map(|tax| tax.amount).sum::<i64>(), line.tax);
        assert!(line.taxes.iter().all(|tax| tax.amount >= 0));
        assert!(line.tax >= 0 && line.net >= 0);
        let pieces: u64 = line.units.iter().map(|run| u64::from(run.pieces)).sum();
        assert_eq!(pieces, u64::from(line.quantity));
        let sum = |read: fn(&UnitShare) -> i64| -> i128 {
            line.units.iter().map(|run| i128::from(run.pieces) * i128::from(read(&run.each))).sum()
        };
        let sums = [sum(|unit| unit.amount), sum(|unit| unit.discount), sum(|unit| unit.tax), sum(|unit| unit.total)];
        assert_eq!(sums, [left, line.discount, line.tax, line.total].map(i128::from));
    }
}

fn shipping_adds_up(quote: &Quote) {
    for charge in &quote.shipping {
        assert!((0..=charge.amount).contains(&charge.discount), "{charge:?}");
        assert_eq!(charge.discounts.iter().map(|share| share.amount).sum::<i64>(), charge.discount);
        assert_eq!((charge.total, charge.net), with_tax(quote, charge.amount - charge.discount, charge.tax));
        assert_eq!(charge.taxes.iter().map(|tax| tax.amount).sum::<i64>(), charge.tax);
    }
}

fn discounts_add_up(quote: &Quote) {
    for discount in &quote.discounts {
        let of_lines: i64 = discount.lines.iter().map(|line| line.amount).sum();
        let of_shipping: i64 = discount.shipping.iter().map(|charge| charge.amount).sum();
        assert_eq!(of_lines + of_shipping, discount.amount, "{discount:?}");
        for share in &discount.lines {
            let line = quote.line(share.line).expect("the line is there");
            let shares = line.discounts.iter().filter(|known| known.promotion == discount.promotion);
            assert_eq!(shares.map(|known| known.amount).sum::<i64>(), share.amount);
        }
    }
    let sum: i64 = quote.discounts.iter().map(|discount| discount.amount).sum();
    assert_eq!(sum, quote.totals.discount + quote.totals.shipping_discount);
}

type Key = (String, u32, String);

/// What lines and shipping are taxed with, by tax.
pub struct Sums(BTreeMap<Key, i64>);

impl Sums {
    pub fn by_tax(quote: &Quote) -> Self {
        let of_lines = quote.lines.iter().flat_map(|line| &line.taxes);
        let mut sums: BTreeMap<Key, i64> = BTreeMap::new();
        for LineTax { jurisdiction, title, rate_ppm, amount } in
            of_lines.chain(quote.shipping.iter().flat_map(|charge| &charge.taxes))
        {
            *sums.entry((jurisdiction.clone(), *rate_ppm, title.clone())).or_default() += amount;
        }
        Self(sums)
    }

    pub fn of(&self, jurisdiction: &str, rate_ppm: u32, title: &str) -> i64 {
        self.0.get(&(jurisdiction.to_owned(), rate_ppm, title.to_owned())).copied().unwrap_or_default()
    }
}

fn taxes_add_up(quote: &Quote) {
    let sums = Sums::by_tax(quote);
    for tax in &quote.taxes {
        assert_eq!(sums.of(&tax.jurisdiction, tax.rate_ppm, &tax.title), tax.amount);
    }
    assert_eq!(quote.taxes.iter().map(|tax| tax.amount).sum::<i64>(), quote.totals.tax);
}

fn totals_add_up(quote: &Quote) {
    let totals = &quote.totals;
    let lines = |read: fn(&crate::QuoteLine) -> i64| quote.lines.iter().map(read).sum::<i64>();
    let shipping = |read: fn(&crate::ShippingCharge) -> i64| quote.shipping.iter().map(read).sum::<i64>();
    assert_eq!((totals.goods, totals.discount), (lines(|line| line.amount), lines(|line| line.discount)));
    assert_eq!(totals.shipping, shipping(|charge| charge.amount - charge.discount));
    assert_eq!(totals.shipping_discount, shipping(|charge| charge.discount));
    assert_eq!(totals.tax, lines(|line| line.tax) + shipping(|charge| charge.tax));
    assert_eq!(totals.total, lines(|line| line.total) + shipping(|charge| charge.total) + totals.cash_rounding);
    assert_eq!(totals.net, lines(|line| line.net) + shipping(|charge| charge.net));
    assert_eq!(quote.needs_payment, totals.total > 0);
    assert_eq!(quote.digest, crate::digest(quote));
}
