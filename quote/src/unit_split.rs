//! What each piece of a line is worth when it is given back: step 12.

use schemas::{
    events::settings::TaxMode,
    quote::{UnitRun, UnitShare},
};

/// What a line is divided into.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Whole {
    /// After promotions.
    pub amount: i64,
    pub discount: i64,
    pub tax: i64,
}

/// Divides a line over its pieces: piece `k` of `n` gets what the first `k` have less what the first `k - 1` have, and the
/// first `k` have the floor of their exact share. So the sums are exact for any pieces, and pieces differ by a unit at most.
pub(crate) fn units(whole: Whole, pieces: u32, mode: TaxMode) -> Vec<UnitRun> {
    let mut runs: Vec<UnitRun> = Vec::new();
    for piece in 1..=pieces {
        let [amount, discount, tax] = [whole.amount, whole.discount, whole.tax].map(|sum| share(sum, piece, pieces));
        let total = match mode {
            TaxMode::Inclusive => amount,
            TaxMode::Exclusive => amount.saturating_add(tax),
        };
        let each = UnitShare { amount, discount, tax, total };
        match runs.last_mut().filter(|run| run.each == each) {
            Some(run) => run.pieces += 1,
            None => runs.push(UnitRun { pieces: 1, each }),
        }
    }
    runs
}

fn share(sum: i64, piece: u32, pieces: u32) -> i64 {
    let first = |count: u32| i128::from(sum) * i128::from(count) / i128::from(pieces);
    // A part of what fits.
    i64::try_from(first(piece) - first(piece - 1)).unwrap_or(sum)
}
