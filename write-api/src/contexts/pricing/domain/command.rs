//! What can be done to prices.

use super::policy;
use crate::domain::validation::Findings;
use schemas::{
    events::pricing::PriceEntry,
    ids::{ProductId, VariantId},
    problem::FieldError,
};

/// A sheet's entries that keep every rule, ordered by currency, list, least number of pieces and start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entries(Vec<PriceEntry>);

impl Entries {
    /// The most entries of one sheet.
    pub const MAX: usize = 200;

    /// Reads entries as they were given.
    ///
    /// # Errors
    /// What is wrong, by JSON pointer.
    pub fn parse(mut entries: Vec<PriceEntry>) -> Result<Self, Vec<FieldError>> {
        let mut findings = Findings::default();
        if entries.is_empty() {
            findings.add("/entries", "at least one entry is needed; a sheet is removed with DELETE");
        }
        findings.count("/entries", entries.len(), Self::MAX);
        for (index, entry) in entries.iter().enumerate().take(Self::MAX) {
            policy::amounts_are_not_negative(&mut findings, index, entry);
            policy::a_sale_is_not_above_the_list_price(&mut findings, index, entry);
            policy::an_entry_starts_before_it_ends(&mut findings, index, entry);
            policy::channels_and_groups_are_named(&mut findings, index, entry);
            policy::tiers_begin_with_some_pieces(&mut findings, index, entry);
        }
        policy::no_two_entries_for_the_same_start_at_once(&mut findings, &entries);
        findings.done()?;
        entries.sort_by(|one, other| policy::place(one).cmp(&policy::place(other)));
        Ok(Self(entries))
    }

    /// The entries.
    #[must_use]
    pub fn into_vec(self) -> Vec<PriceEntry> {
        self.0
    }

    /// The entries, to look at.
    #[must_use]
    pub fn as_slice(&self) -> &[PriceEntry] {
        &self.0
    }
}

/// A command to one variant's price sheet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PriceCommand {
    /// The sheet is replaced.
    Set {
        /// The product the variant belongs to, looked up in the catalog.
        product_id: ProductId,
        /// The variant.
        variant_id: VariantId,
        /// The whole new sheet.
        entries: Entries,
    },
    /// The variant has no price any more.
    Remove,
}
