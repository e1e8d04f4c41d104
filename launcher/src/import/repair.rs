//! What is wrong in real files and can be put right: it is repaired, counted and listed, not refused.
//!
//! `text` mends single texts, `amount` reads prices as people write them, `codes` takes EANs and
//! addresses of pictures out of their cells. To add a kind of repair: add it to [`Repair`], with its words.

pub(crate) mod amount;
pub(crate) mod codes;
pub(crate) mod text;

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A kind of repair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Repair {
    /// Bytes or characters were read in another encoding than they were written in.
    Encoding,
    /// Space at the ends, several spaces, line ends and tabs in a text of one line.
    Spaces,
    /// Control characters and characters without width.
    Controls,
    /// HTML entities in a text that is not HTML.
    Entities,
    /// A text was longer than souk keeps.
    Cut,
    /// A price with a currency, a sign or separators of thousands.
    Amount,
    /// A number of pieces that is written as a word, or below zero.
    Stock,
    /// Several values in one cell.
    List,
    /// An EAN/GTIN that is none.
    Code,
    /// An address of a picture that no browser can follow.
    Address,
    /// A row with more or fewer columns than the first line names.
    Columns,
    /// A variant had no SKU of its own.
    Sku,
    /// An option that not all variants have, or that does not tell them apart.
    Options,
    /// A sale price above the list price.
    Sale,
    /// A weight or a length without a number, of an unknown unit, or larger than souk takes.
    Measure,
    /// A name for addresses that holds more than `a` to `z`, digits and hyphens.
    Slug,
}

impl Repair {
    /// What was done, for the report.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Encoding => "read in the right encoding",
            Self::Spaces => "freed of surplus space",
            Self::Controls => "freed of control characters",
            Self::Entities => "freed of HTML entities",
            Self::Cut => "cut to the longest that souk keeps",
            Self::Amount => "read as a price",
            Self::Stock => "read as a number of pieces",
            Self::List => "taken apart into several values",
            Self::Code => "left out: no EAN/GTIN",
            Self::Address => "made an address, or left out: no address of a picture",
            Self::Columns => "brought to the number of columns",
            Self::Sku => "given a SKU",
            Self::Options => "told apart by other options",
            Self::Sale => "left out: a sale price above the list price",
            Self::Measure => "left out: no weight or length",
            Self::Slug => "left out: no name for an address",
        }
    }
}

/// One value that was repaired.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Repaired {
    /// What was done.
    pub repair: Repair,
    /// The part of the product, or the field of the source.
    pub field: String,
    /// What stood there; its beginning, if it is long.
    pub before: String,
    /// What stands there now; empty if it was left out.
    pub after: String,
}

/// The repairs of one record, in the order they were made.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Repairs(Vec<Repaired>);

/// As much of a value as the list of repairs shows.
const SHOWN: usize = 200;

impl Repairs {
    /// Notes a repair.
    pub(crate) fn note(&mut self, repair: Repair, field: &str, before: &str, after: &str) {
        let shown = |text: &str| text.chars().take(SHOWN).collect();
        self.0.push(Repaired { repair, field: field.to_owned(), before: shown(before), after: shown(after) });
    }

    /// Puts the repairs of another step behind these.
    pub(crate) fn extend(&mut self, others: Self) {
        self.0.extend(others.0);
    }

    /// What was repaired.
    #[must_use]
    pub fn as_slice(&self) -> &[Repaired] {
        &self.0
    }
}

/// Records that needed a repair, and values by what was done to them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RepairCounts {
    /// Records with at least one.
    pub records: u64,
    /// Values, by kind.
    pub values: BTreeMap<Repair, u64>,
}

impl RepairCounts {
    /// Adds a record's repairs.
    pub(crate) fn add(&mut self, repairs: &Repairs) {
        self.records += u64::from(!repairs.0.is_empty());
        for repaired in &repairs.0 {
            *self.values.entry(repaired.repair).or_default() += 1;
        }
    }
}
