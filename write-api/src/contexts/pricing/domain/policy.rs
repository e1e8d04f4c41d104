//! The rules of prices, one sentence each.

use crate::domain::{Slug, validation::Findings};
use schemas::{Timestamp, events::pricing::PriceEntry, money::Currency};
use std::collections::HashMap;

/// The highest amount in minor units.
pub const MAX_AMOUNT: i64 = 1_000_000_000_000;
/// The most pieces that a tier begins with.
pub const MAX_PIECES: u32 = 1_000_000;

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

/// A channel or a group is named by its slug.
pub fn channels_and_groups_are_named(findings: &mut Findings, index: usize, entry: &PriceEntry) {
    for (name, text) in [("channel", &entry.channel), ("group", &entry.group)] {
        if let Some(Err(reason)) = text.as_deref().map(Slug::parse) {
            findings.add(format!("/entries/{index}/{name}"), reason);
        }
    }
}

/// A tier begins with one piece or more.
pub fn tiers_begin_with_some_pieces(findings: &mut Findings, index: usize, entry: &PriceEntry) {
    if !(1..=MAX_PIECES).contains(&entry.min_quantity) {
        findings.add(format!("/entries/{index}/min_quantity"), format!("1 to {MAX_PIECES} pieces are allowed"));
    }
}

/// Where an entry stands in its sheet: by whom it is for, then by when it starts. No two have the same place.
pub fn place(entry: &PriceEntry) -> (Currency, Option<&str>, Option<&str>, u32, Option<Timestamp>) {
    (entry.currency, entry.channel.as_deref(), entry.group.as_deref(), entry.min_quantity, entry.valid_from)
}

/// Which entry counts must never be a toss-up: of those for the same channel, group and number of pieces, spans may overlap,
/// since the one that started last counts, but no two start at once.
pub fn no_two_entries_for_the_same_start_at_once(findings: &mut Findings, entries: &[PriceEntry]) {
    let mut seen = HashMap::with_capacity(entries.len());
    for (index, entry) in entries.iter().enumerate() {
        if let Some(first) = seen.insert(place(entry), index) {
            findings.add(
                format!("/entries/{index}/valid_from"),
                format!(
                    "entry {first} is in {}, too, for the same channel, group and number of pieces, and starts at the same moment",
                    entry.currency
                ),
            );
        }
    }
}
