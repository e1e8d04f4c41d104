//! The rules of prices, one sentence each.

use crate::domain::validation::Findings;
use schemas::events::pricing::PriceEntry;
use std::collections::HashSet;

/// The highest amount in minor units.
pub const MAX_AMOUNT: i64 = 1_000_000_000_000;

/// Amounts are zero or more, and countable.
pub fn amounts_are_not_negative(findings: &mut Findings, index: usize, entry: &PriceEntry) {
    for (name, amount) in [("list_amount", Some(entry.list_amount)), ("sale_amount", entry.sale_amount)] {
        if amount.is_some_and(|amount| !(0..=MAX_AMOUNT).contains(&amount)) {
            findings.add(format!("/entries/{index}/{name}"), format!("0 to {MAX_AMOUNT} minor units are allowed"));
        }
    }
}

/// A sale does not cost more than the list price.
pub fn a_sale_is_not_above_the_list_price(findings: &mut Findings, index: usize, entry: &PriceEntry) {
    if entry.sale_amount.is_some_and(|sale| sale > entry.list_amount) {
        findings.add(format!("/entries/{index}/sale_amount"), "a sale price can't be above the list price");
    }
}

/// An entry starts before it ends.
pub fn an_entry_starts_before_it_ends(findings: &mut Findings, index: usize, entry: &PriceEntry) {
    if let (Some(from), Some(until)) = (entry.valid_from, entry.valid_until)
        && from >= until
    {
        findings.add(format!("/entries/{index}/valid_until"), "an entry must end after it starts");
    }
}

/// Which entry counts must never be a toss-up.
pub fn no_two_entries_of_a_currency_start_at_once(findings: &mut Findings, entries: &[PriceEntry]) {
    let mut seen = HashSet::with_capacity(entries.len());
    for (index, entry) in entries.iter().enumerate() {
        if !seen.insert((entry.currency, entry.valid_from)) {
            findings.add(
                format!("/entries/{index}/valid_from"),
                format!("another entry in {} starts at the same moment", entry.currency),
            );
        }
    }
}
