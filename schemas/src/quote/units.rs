//! What single pieces of a line are worth.

use super::QuoteLine;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Pieces of a line, one after the other, that are worth the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct UnitRun {
    /// How many they are, at least 1.
    pub pieces: u32,
    /// What each of them is worth.
    #[serde(flatten)]
    pub each: UnitShare,
}

/// What one piece has of its line. Over all pieces of a line, each of the sums is exactly the line's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct UnitShare {
    /// What it costs after promotions, in the tax mode of the quote.
    pub amount: i64,
    /// What promotions took off it.
    pub discount: i64,
    /// Its tax.
    pub tax: i64,
    /// What was paid for it with tax: what a refund of it gives back.
    pub total: i64,
}

impl QuoteLine {
    /// What a piece is worth; the first is 1. None if the line has no such piece.
    #[must_use]
    pub fn unit(&self, piece: u32) -> Option<UnitShare> {
        let mut before = piece.checked_sub(1)?;
        for run in &self.units {
            match before.checked_sub(run.pieces) {
                None => return Some(run.each),
                Some(rest) => before = rest,
            }
        }
        None
    }
}
