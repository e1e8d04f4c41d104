//! The sums: step 11.

use crate::{facts::Facts, goods::Basket, rounding::rounded, shipping::Charge};
use schemas::{
    events::settings::{PaymentMethod, TaxMode},
    quote::Totals,
};

/// Sums of lines, shipping and tax; none where one does not fit into 64 bits.
pub(crate) fn totals(
    facts: &Facts,
    mode: TaxMode,
    basket: &Basket<'_>,
    charges: &[Charge<'_>],
    tax: i128,
) -> Option<Totals> {
    let goods: i128 = basket.lines.iter().map(|line| line.amount).sum();
    let left: i128 = basket.lines.iter().map(|line| line.left).sum();
    let shipping: i128 = charges.iter().map(|charge| charge.left).sum();
    let full_shipping: i128 = charges.iter().map(|charge| charge.amount).sum();
    let (total, net) = match mode {
        TaxMode::Inclusive => (left + shipping, left + shipping - tax),
        TaxMode::Exclusive => (left + shipping + tax, left + shipping),
    };
    let cash_rounding = cash_rounding(facts, total);
    let fits = |amount: i128| i64::try_from(amount).ok();
    // Before rounding, too, so that whoever adds up the parts never passes 64 bits.
    fits(total)?;
    Some(Totals {
        goods: fits(goods)?,
        discount: fits(goods - left)?,
        shipping: fits(shipping)?,
        shipping_discount: fits(full_shipping - shipping)?,
        tax: fits(tax)?,
        cash_rounding: fits(cash_rounding)?,
        total: fits(total + cash_rounding)?,
        net: fits(net)?,
    })
}

/// What makes the total a multiple of the smallest coin, where it is paid in cash.
fn cash_rounding(facts: &Facts, total: i128) -> i128 {
    let is_cash = match facts.payment {
        Some(PaymentMethod::CashOnDelivery) => true,
        Some(PaymentMethod::Card | PaymentMethod::Transfer) | None => false,
    };
    let rules = &facts.policy.value.cash_rounding;
    let coin = rules.iter().find(|rule| rule.currency == facts.currency).map(|rule| i128::from(rule.to));
    match coin.filter(|coin| is_cash && *coin > 0) {
        Some(coin) => rounded(total, coin) * coin - total,
        None => 0,
    }
}
