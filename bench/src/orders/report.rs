//! What became of all shoppers.

use super::Faults;
use crate::figures::Figures;
use launcher::invariants;
use serde::Serialize;
use serde_json::Value;
use std::{collections::BTreeMap, fmt};

/// What somebody did, or what became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Outcome {
    Searches,
    Carts,
    Abandoned,
    SentTwice,
    Repriced,
    Obstacles,
    OrderedInCash,
    OrderedByTransfer,
    OrderedByCard,
    Declined,
    PaidTooLate,
    GivenUp,
    NeverPaid,
    OutOfStock,
    CouponExhausted,
    EndedOtherwise,
}

impl Outcome {
    /// Why a checkout has ended without an order.
    pub(super) fn of_reason(stands: &Value) -> Self {
        match stands["abort_reason"].as_str().unwrap_or_default() {
            "out_of_stock" => Self::OutOfStock,
            "coupon_exhausted" => Self::CouponExhausted,
            _ => Self::EndedOtherwise,
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Self::Searches => "searches",
            Self::Carts => "carts filled",
            Self::Abandoned => "carts left before the checkout",
            Self::SentTwice => "orders sent twice at once",
            Self::Repriced => "prices agreed on anew",
            Self::Obstacles => "carts that could not be ordered",
            Self::OrderedInCash => "orders in cash",
            Self::OrderedByTransfer => "orders by transfer",
            Self::OrderedByCard => "orders by card",
            Self::Declined => "cards declined",
            Self::PaidTooLate => "paid after it was given up",
            Self::GivenUp => "given up by the shopper",
            Self::NeverPaid => "not paid yet",
            Self::OutOfStock => "sold out meanwhile",
            Self::CouponExhausted => "code used up meanwhile",
            Self::EndedOtherwise => "ended for another reason",
        }
    }
}

/// How often each came about.
#[derive(Debug, Default, Serialize)]
#[serde(transparent)]
pub(super) struct Outcomes(BTreeMap<Outcome, u64>);

impl Outcomes {
    pub(super) fn add_one(&mut self, outcome: Outcome) {
        *self.0.entry(outcome).or_default() += 1;
    }

    pub(super) fn add(&mut self, other: &Self) {
        for (outcome, count) in &other.0 {
            *self.0.entry(*outcome).or_default() += count;
        }
    }

    fn of(&self, outcome: Outcome) -> u64 {
        self.0.get(&outcome).copied().unwrap_or_default()
    }
}

/// What became of all.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    pub(super) shoppers: u32,
    pub(super) clients: u32,
    pub(super) seed: u64,
    pub(super) seconds: f64,
    pub(super) outcomes: Outcomes,
    /// From asking for the checkout until the shopper has to act or it has ended.
    pub(super) checkout: Figures,
    pub(super) faults: Faults,
    /// After the last shopper, until everything held, or the time was over.
    pub(super) settled_after_seconds: f64,
    pub(super) invariants: invariants::Report,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { shoppers, clients, seed, seconds, outcomes, checkout, faults, settled_after_seconds, invariants } =
            self;
        writeln!(f, "{shoppers} shoppers, {clients} at the same time, seed {seed}, {seconds:.1} s")?;
        for (outcome, count) in &outcomes.0 {
            writeln!(f, "{count:>8}  {}", outcome.words())?;
        }
        let ways = [Outcome::OrderedInCash, Outcome::OrderedByTransfer, Outcome::OrderedByCard];
        let orders: u64 = ways.into_iter().map(|way| outcomes.of(way)).sum();
        let a_minute = f64::from(u32::try_from(orders).unwrap_or(u32::MAX)) * 60.0 / seconds.max(0.001);
        writeln!(f, "{a_minute:.0} orders a minute; from asking for a checkout to its answer: {checkout}")?;
        if faults.kills + faults.broker > 0 {
            writeln!(f, "{} processes killed, the broker {} times", faults.kills, faults.broker)?;
        }
        write!(f, "looked at for {settled_after_seconds:.1} s after the last shopper:\n{invariants}")
    }
}
