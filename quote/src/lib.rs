//! What a cart costs: a pure function of facts. No IO, no clock, no chance, and integers all the way.
//!
//! [`price()`] does the steps that `docs/guides/quote.md` tells, each in a file that is named after what it gives. Sums are
//! rounded at three points only: R1 for the price of a piece (`zone`), R2 for what a promotion takes off (`effect`), and R3
//! for a tax (`tax`).
//!
//! To add an effect of promotions: its type is in [`schemas::events::promotions`], what it takes off in `effect`, which
//! currencies it states in `eligibility`, and its words in `explanation`.

mod allocation;
mod assembly;
mod digest;
mod effect;
mod eligibility;
mod explanation;
pub mod facts;
mod gift;
mod goods;
mod notices;
mod outcome;
mod price;
mod price_choice;
mod price_error;
mod reason;
mod rounding;
mod selection;
mod shipping;
mod sources;
mod stacking;
mod tax;
#[cfg(test)]
mod tests;
mod totals;
mod unit_price;
mod unit_split;
mod zone;

pub use digest::digest;
pub use facts::Facts;
pub use price::price;
pub use price_error::PriceError;
pub use schemas::quote::*;
