//! The quote itself, put together from what the steps gave.

use crate::{
    PriceError,
    digest::digest,
    explanation,
    goods::PricedLine,
    notices,
    outcome::{Outcome, Setting},
    shipping::Charge,
    sources,
    tax::{Tax, Taxed, Taxes},
    totals,
    unit_split::{Whole, units},
};
use schemas::{
    Uuid,
    events::settings::TaxMode,
    ids::LineId,
    quote::{LineTax, Notice, Quote, QuoteLine, ShippingCharge, TaxSum},
};

/// Puts a quote together.
pub(crate) fn quote(
    setting: &Setting<'_>,
    outcome: &Outcome<'_>,
    taxes: &Taxes,
    mut notices: Vec<Notice>,
) -> Result<Quote, PriceError> {
    let (facts, mode) = (setting.facts, setting.taxes.mode());
    let lines = outcome
        .basket
        .lines
        .iter()
        .zip(&taxes.lines)
        .map(|(priced, taxed)| line(priced, taxed, mode).ok_or_else(|| PriceError::Overflow { line: priced.id() }));
    let lines = lines.collect::<Result<Vec<_>, _>>()?;
    let charges = outcome.charges.iter().zip(&taxes.charges).map(|(priced, taxed)| {
        let class = setting.taxes.shipping_class();
        charge(priced, taxed, mode, class)
            .ok_or_else(|| PriceError::ShippingAmount { method: priced.method.to_owned() })
    });
    let shipping = charges.collect::<Result<Vec<_>, _>>()?;
    // Each line fits, so that it is the last one with which their sum does not.
    let too_large = || PriceError::Overflow { line: lines.last().map_or(LineId(Uuid::nil()), |line| line.id) };
    let tax = taxes.sums.values().map(|(_, tax)| tax).sum();
    let totals = totals::totals(facts, mode, &outcome.basket, &outcome.charges, tax).ok_or_else(too_large)?;
    let goods: Vec<(i128, &str)> = outcome.basket.lines.iter().map(|line| (line.left, line.facts.class())).collect();
    notices.extend(notices::of_order(facts, &setting.taxes, &goods, &totals).ok_or_else(too_large)?);
    let sums = taxes.sums.iter().map(|(tax, (base, amount))| tax_sum(tax, *base, *amount));
    let mut quote = Quote {
        digest: String::new(),
        priced_at: facts.now,
        currency: facts.currency,
        tax_mode: mode,
        tax_zone: setting.taxes.here.map(|(name, _)| name.to_owned()),
        taxes: sums.collect::<Option<_>>().ok_or_else(too_large)?,
        discounts: outcome.applied.iter().map(|applied| explanation::discount(applied, facts.currency)).collect(),
        needs_payment: totals.total > 0,
        sources: sources::sources(setting, outcome),
        lines,
        shipping,
        totals,
        notices,
    };
    quote.digest = digest(&quote);
    Ok(quote)
}

/// None where an amount does not fit into 64 bits.
fn line(priced: &PricedLine<'_>, taxed: &Taxed, mode: TaxMode) -> Option<QuoteLine> {
    let [amount, left, tax] = [fit(priced.amount)?, fit(priced.left)?, fit(taxed.tax)?];
    let facts = &priced.facts;
    let (total, net) = with_tax(left, tax, mode)?;
    let discount = amount.checked_sub(left)?;
    Some(QuoteLine {
        id: facts.id,
        product_id: facts.product_id,
        variant_id: facts.variant_id,
        sku: facts.sku.clone(),
        title: facts.title.clone(),
        quantity: facts.quantity,
        group: facts.group.clone(),
        list_price: fit(priced.list_price)?,
        unit_price: fit(priced.unit_price)?,
        amount,
        discounts: priced.shares.clone(),
        discount,
        tax_class: facts.class().to_owned(),
        tax,
        taxes: line_taxes(taxed)?,
        total,
        net,
        gift_of: priced.gift_of.clone(),
        units: units(Whole { amount: left, discount, tax }, facts.quantity, mode),
    })
}

fn charge(priced: &Charge<'_>, taxed: &Taxed, mode: TaxMode, class: &str) -> Option<ShippingCharge> {
    let [amount, left, tax] = [fit(priced.amount)?, fit(priced.left)?, fit(taxed.tax)?];
    let (total, net) = with_tax(left, tax, mode)?;
    Some(ShippingCharge {
        group: priced.group.clone(),
        method: priced.method.to_owned(),
        title: priced.title.to_owned(),
        amount,
        discounts: priced.shares.clone(),
        discount: amount.checked_sub(left)?,
        tax_class: class.to_owned(),
        tax,
        taxes: line_taxes(taxed)?,
        total,
        net,
    })
}

/// What is paid with tax, and without.
fn with_tax(left: i64, tax: i64, mode: TaxMode) -> Option<(i64, i64)> {
    Some(match mode {
        TaxMode::Inclusive => (left, left.checked_sub(tax)?),
        TaxMode::Exclusive => (left.checked_add(tax)?, left),
    })
}

fn line_taxes(taxed: &Taxed) -> Option<Vec<LineTax>> {
    let part = |(tax, amount): &(Tax, i128)| {
        let (jurisdiction, title) = (tax.jurisdiction.clone(), tax.title.clone());
        Some(LineTax { jurisdiction, title, rate_ppm: tax.rate_ppm, amount: fit(*amount)? })
    };
    taxed.parts.iter().map(part).collect()
}

fn tax_sum(tax: &Tax, base: i128, amount: i128) -> Option<TaxSum> {
    let (jurisdiction, title) = (tax.jurisdiction.clone(), tax.title.clone());
    Some(TaxSum { jurisdiction, title, rate_ppm: tax.rate_ppm, base: fit(base)?, amount: fit(amount)? })
}

fn fit(amount: i128) -> Option<i64> {
    i64::try_from(amount).ok()
}
