//! What both sides have to agree on before a checkout begins.

use schemas::quote::Quote;
use serde::Deserialize;
use std::collections::BTreeMap;

/// The price that the shopper has seen.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Accepted {
    /// What it costs, in minor units.
    pub(crate) total: i64,
    /// The digest of the quote.
    pub(crate) digest: String,
}

/// Why a line or a charge costs more than the shopper has seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change {
    /// The stock keeping unit of a line, the name of a way of shipping, or `total`.
    pub(crate) name: String,
    /// Why, as the shopper reads it.
    pub(crate) words: String,
}

/// Whether the shopper has agreed: the same price, or a lower one.
pub(crate) fn is_agreed(accepted: &Accepted, quote: &Quote) -> bool {
    accepted.digest == quote.digest || quote.totals.total <= accepted.total
}

/// What differs from what the shopper has seen, if that is known; else what it is made of now.
pub(crate) fn changes(seen: Option<&Quote>, now: &Quote) -> Vec<Change> {
    let Some(seen) = seen else {
        let lines = now.lines.iter().map(|line| Change {
            name: line.sku.clone(),
            words: format!("{} x {} - {} = {} minor units", line.quantity, line.unit_price, line.discount, line.total),
        });
        let shipping = now.shipping.iter().map(|charge| Change {
            name: charge.method.clone(),
            words: format!("shipping {} - {} = {} minor units", charge.amount, charge.discount, charge.total),
        });
        return lines.chain(shipping).collect();
    };
    let before: BTreeMap<_, _> = seen.lines.iter().map(|line| (line.id, line)).collect();
    let mut found = Vec::new();
    for line in &now.lines {
        let words = match before.get(&line.id) {
            None => "it was not there before".to_owned(),
            Some(old) if old.total == line.total => continue,
            Some(old) if old.quantity != line.quantity => {
                format!("{} pieces instead of {}", line.quantity, old.quantity)
            }
            Some(old) if old.unit_price != line.unit_price => {
                format!("a piece costs {} instead of {} minor units", line.unit_price, old.unit_price)
            }
            Some(old) if old.discount != line.discount => {
                format!("{} instead of {} minor units are taken off", line.discount, old.discount)
            }
            Some(old) => format!("its tax is {} instead of {} minor units", line.tax, old.tax),
        };
        found.push(Change { name: line.sku.clone(), words });
    }
    let shipping = |quote: &Quote| quote.shipping.iter().map(|charge| charge.total).sum::<i64>();
    if shipping(seen) != shipping(now) {
        let words = format!("shipping costs {} instead of {} minor units", shipping(now), shipping(seen));
        found.push(Change { name: "shipping".to_owned(), words });
    }
    found
}
