//! Taxes: step 10. Has the rounding point R3.

mod matrix;

use crate::{
    PriceError,
    allocation::allocated,
    goods::Basket,
    rounding::{MILLION, rounded},
    shipping::Charge,
    zone::Taxation,
};
use schemas::events::settings::{TaxMode, TaxRate};
use std::collections::BTreeMap;

/// A tax, by whom it goes to and how high it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Tax {
    pub jurisdiction: String,
    pub rate_ppm: u32,
    pub title: String,
}

/// What something is taxed with, all taxes together and each.
#[derive(Debug, Clone, Default)]
pub(crate) struct Taxed {
    pub tax: i128,
    pub parts: Vec<(Tax, i128)>,
}

/// The taxes of a quote.
#[derive(Debug, Clone, Default)]
pub(crate) struct Taxes {
    /// By line.
    pub lines: Vec<Taxed>,
    /// By charge for shipping.
    pub charges: Vec<Taxed>,
    /// What each tax is on, and what it takes.
    pub sums: BTreeMap<Tax, (i128, i128)>,
}

/// Something that is taxed.
struct Item<'a> {
    left: i128,
    class: &'a str,
}

/// One sum for all that have the same rates, which is rounded once, and divided over them.
pub(crate) fn taxes(taxation: &Taxation<'_>, basket: &Basket<'_>, charges: &[Charge<'_>]) -> Result<Taxes, PriceError> {
    let lines = basket.lines.iter().map(|line| Item { left: line.left, class: line.facts.class() });
    let shipping = charges.iter().map(|charge| Item { left: charge.left, class: taxation.shipping_class() });
    let items: Vec<Item<'_>> = lines.chain(shipping).collect();
    let mut by_rates: BTreeMap<Vec<Tax>, Vec<usize>> = BTreeMap::new();
    for (place, item) in items.iter().enumerate() {
        let rates = taxation.rates(item.class).into_iter().map(Tax::from).collect();
        by_rates.entry(rates).or_default().push(place);
    }
    let mut taxed = vec![Taxed::default(); items.len()];
    let mut sums: BTreeMap<Tax, (i128, i128)> = BTreeMap::new();
    for (rates, places) in by_rates {
        let left: Vec<i128> = places.iter().map(|place| items[*place].left).collect();
        let base = left.iter().sum();
        let whole = tax_of(base, taxation.mode(), &rates);
        if i64::try_from(whole).is_err() {
            return Err(too_large(basket, charges, places.first().copied().unwrap_or_default()));
        }
        let by_rate = allocated(whole, &rates.iter().map(|rate| i128::from(rate.rate_ppm)).collect::<Vec<_>>());
        let by_item = allocated(whole, &left);
        for ((place, tax), row) in places.into_iter().zip(&by_item).zip(matrix::filled(&by_item, &by_rate)) {
            taxed[place] = Taxed { tax: *tax, parts: rates.iter().cloned().zip(row).collect() };
        }
        for (rate, tax) in rates.into_iter().zip(by_rate) {
            let sum = sums.entry(rate).or_default();
            *sum = (sum.0 + base, sum.1 + tax);
        }
    }
    let charges = taxed.split_off(basket.lines.len());
    Ok(Taxes { lines: taxed, charges, sums })
}

fn too_large(basket: &Basket<'_>, charges: &[Charge<'_>], place: usize) -> PriceError {
    let method = charges
        .get(place.saturating_sub(basket.lines.len()))
        .map_or_else(String::new, |charge| charge.method.to_owned());
    let line = basket.lines.get(place).map(|line| PriceError::Overflow { line: line.id() });
    line.unwrap_or(PriceError::ShippingAmount { method })
}

/// R3.
fn tax_of(base: i128, mode: TaxMode, rates: &[Tax]) -> i128 {
    let rate: i128 = rates.iter().map(|rate| i128::from(rate.rate_ppm)).sum();
    match mode {
        TaxMode::Inclusive => rounded(base * rate, MILLION + rate),
        TaxMode::Exclusive => rounded(base * rate, MILLION),
    }
}

impl From<&TaxRate> for Tax {
    fn from(rate: &TaxRate) -> Self {
        Self { jurisdiction: rate.jurisdiction.clone(), rate_ppm: rate.rate_ppm, title: rate.title.clone() }
    }
}
