//! Which entry of a price sheet counts for somebody who buys so many pieces.

use super::PriceEntry;
use crate::{Timestamp, money::Currency};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

/// Who asks for a price, and of how many pieces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked<'a> {
    /// The currency they pay in: nothing is converted.
    pub currency: Currency,
    /// The channel they buy in, by its name.
    pub channel: Option<&'a str>,
    /// The groups of customers they are in, by their names.
    pub groups: &'a BTreeSet<String>,
    /// The pieces of the variant in their cart, however they are spread over lines.
    pub quantity: u64,
    /// The moment.
    pub now: Timestamp,
}

impl Asked<'_> {
    /// Whether an entry is for them, for so many pieces, at the moment.
    fn may_have(&self, entry: &PriceEntry) -> bool {
        entry.currency == self.currency
            && u64::from(entry.min_quantity) <= self.quantity
            && entry.channel.as_deref().is_none_or(|channel| self.channel == Some(channel))
            && entry.group.as_ref().is_none_or(|group| self.groups.contains(group))
            && entry.is_valid_at(self.now)
    }
}

/// How specific the list is that an entry belongs to: its channel and a group go before a group alone, that before its
/// channel alone, that before everybody.
const fn specificity(entry: &PriceEntry) -> (bool, bool) {
    (entry.group.is_some(), entry.channel.is_some())
}

/// The entry that counts.
///
/// 1. Of the entries that somebody may have, those of the most specific list remain: channel and group, group, channel,
///    everybody.
/// 2. Of those with the same group and the same least number of pieces, the one that started last remains, so that a
///    sale of a span replaces what is always valid.
/// 3. Of those, the one with the lowest amount counts: who is in two groups gets the better price, and more pieces never
///    cost more per piece than fewer do.
///
/// The order of the entries makes no difference.
#[must_use]
pub fn chosen_price<'a>(entries: &'a [PriceEntry], asked: &Asked<'_>) -> Option<&'a PriceEntry> {
    let open = || entries.iter().filter(|entry| asked.may_have(entry));
    let closest = open().map(specificity).max()?;
    let mut latest: BTreeMap<(Option<&str>, u32), &PriceEntry> = BTreeMap::new();
    for entry in open().filter(|entry| specificity(entry) == closest) {
        let known = latest.entry((entry.group.as_deref(), entry.min_quantity)).or_insert(entry);
        if entry.valid_from > known.valid_from {
            *known = entry;
        }
    }
    latest.into_values().min_by_key(|entry| (entry.amount(), Reverse(entry.min_quantity)))
}

/// What any shopper pays for one piece of many, in the order of the numbers: each entry from whose least number of pieces
/// on the price is lower than for fewer. The price of a single piece is not among them.
#[must_use]
pub fn price_tiers<'a>(entries: &'a [PriceEntry], currency: &Currency, now: Timestamp) -> Vec<&'a PriceEntry> {
    let steps: BTreeSet<u32> = entries.iter().map(|entry| entry.min_quantity).filter(|step| *step > 1).collect();
    let groups = BTreeSet::new();
    let of =
        |quantity| chosen_price(entries, &Asked { currency: *currency, channel: None, groups: &groups, quantity, now });
    let mut last = of(1);
    let mut tiers = Vec::new();
    for step in steps {
        let here = of(u64::from(step));
        if let Some(entry) = here.filter(|entry| last.is_none_or(|last| entry.amount() < last.amount())) {
            tiers.push(entry);
        }
        last = here;
    }
    tiers
}

#[cfg(test)]
mod tests {
    use super::*;

    const USD: Currency = Currency::USD;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_timestamp(second, 0).expect("a time")
    }

    fn groups(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn base(amount: i64) -> PriceEntry {
        PriceEntry::always(USD, amount)
    }

    fn of_group(amount: i64, group: &str) -> PriceEntry {
        PriceEntry { group: Some(group.to_owned()), ..base(amount) }
    }

    fn of_channel(amount: i64, channel: &str) -> PriceEntry {
        PriceEntry { channel: Some(channel.to_owned()), ..base(amount) }
    }

    fn from_pieces(amount: i64, min_quantity: u32) -> PriceEntry {
        PriceEntry { min_quantity, ..base(amount) }
    }

    /// The amount for somebody, whatever the order of the entries.
    fn amount(entries: &[PriceEntry], channel: Option<&str>, names: &[&str], quantity: u64) -> Option<i64> {
        let groups = groups(names);
        let asked = Asked { currency: USD, channel, groups: &groups, quantity, now: at(1_000) };
        let chosen = chosen_price(entries, &asked).map(PriceEntry::amount);
        let mut turned = entries.to_vec();
        turned.reverse();
        assert_eq!(chosen_price(&turned, &asked).map(PriceEntry::amount), chosen, "the order makes no difference");
        chosen
    }

    #[test]
    fn the_most_specific_list_counts_whatever_it_costs() {
        let both = PriceEntry { channel: Some("app".into()), ..of_group(400, "trade") };
        let entries = [base(100), of_channel(200, "app"), of_group(300, "trade"), both];
        assert_eq!(amount(&entries, None, &[], 1), Some(100));
        assert_eq!(amount(&entries, Some("site"), &[], 1), Some(100));
        assert_eq!(amount(&entries, Some("app"), &[], 1), Some(200));
        assert_eq!(amount(&entries, Some("site"), &["trade"], 1), Some(300));
        assert_eq!(amount(&entries, Some("app"), &["trade"], 1), Some(400));
        assert_eq!(amount(&entries, Some("app"), &["other"], 1), Some(200));
    }

    #[test]
    fn who_is_in_two_groups_gets_the_lower_price() {
        let entries = [base(100), of_group(90, "trade"), of_group(80, "club"), from_pieces(70, 10)];
        assert_eq!(amount(&entries, None, &["club", "trade"], 1), Some(80));
        assert_eq!(
            amount(&entries, None, &["club", "trade"], 10),
            Some(80),
            "the list of a group is a list of its own"
        );
    }

    #[test]
    fn a_list_that_begins_with_more_pieces_leaves_fewer_to_the_next() {
        let trade = PriceEntry { min_quantity: 5, ..of_group(60, "trade") };
        let entries = [base(100), trade];
        assert_eq!(amount(&entries, None, &["trade"], 4), Some(100));
        assert_eq!(amount(&entries, None, &["trade"], 5), Some(60));
        assert_eq!(amount(&entries, None, &[], 5), Some(100));
    }

    #[test]
    fn more_pieces_never_cost_more_per_piece() {
        let sale =
            PriceEntry { sale_amount: Some(85), valid_from: Some(at(10)), valid_until: Some(at(2_000)), ..base(100) };
        let entries = [base(100), sale, from_pieces(90, 10), from_pieces(80, 50)];
        assert_eq!(
            [1, 9, 10, 49, 50].map(|pieces| amount(&entries, None, &[], pieces)),
            [85, 85, 85, 85, 80].map(Some)
        );
        let shown: Vec<_> = price_tiers(&entries, &USD, at(1_000)).iter().map(|entry| entry.min_quantity).collect();
        assert_eq!(shown, [50]);
        let shown: Vec<_> = price_tiers(&entries, &USD, at(2_000)).iter().map(|entry| entry.min_quantity).collect();
        assert_eq!(shown, [10, 50], "the sale is over");
    }

    #[test]
    fn the_entry_that_started_last_counts_within_its_half_open_span() {
        let span = |from, until| PriceEntry { valid_from: Some(at(from)), valid_until: Some(at(until)), ..base(50) };
        let entries = [base(100), span(500, 1_000)];
        assert_eq!(amount(&entries, None, &[], 1), Some(100), "the end is not part of it");
        let dearer = PriceEntry { list_amount: 120, ..span(1_000, 1_001) };
        assert_eq!(amount(&[base(100), dearer], None, &[], 1), Some(120), "the start is");
    }

    #[test]
    fn nothing_is_converted_and_what_others_pay_is_not_shown() {
        let eur: Currency = "EUR".parse().expect("a code");
        let entries = [PriceEntry::always(eur, 100), of_group(90, "trade"), from_pieces(80, 2), of_channel(70, "app")];
        assert_eq!(amount(&entries, None, &[], 1), None);
        assert_eq!(super::super::effective_price(&entries, &USD, at(0)), None);
        let tiers = price_tiers(&entries, &USD, at(0));
        assert_eq!(tiers, [&entries[2]]);
    }

    #[test]
    fn entries_from_before_channels_groups_and_tiers_are_read_and_written_as_they_were() {
        let old = r#"{"currency":"USD","list_amount":100}"#;
        let entry: PriceEntry = serde_json::from_str(old).expect("read");
        assert_eq!(entry, base(100));
        assert_eq!(serde_json::to_string(&entry).expect("written"), old);
        let all = PriceEntry { channel: Some("app".into()), min_quantity: 3, ..of_group(90, "trade") };
        let text = serde_json::to_string(&all).expect("written");
        assert_eq!(text, r#"{"currency":"USD","list_amount":90,"channel":"app","group":"trade","min_quantity":3}"#);
        assert_eq!(serde_json::from_str::<PriceEntry>(&text).expect("read"), all);
    }
}
