//! What can be done to stock.

use crate::domain::validation::Findings;
use schemas::{
    events::inventory::AdjustmentReason,
    ids::{ProductId, VariantId},
    problem::FieldError,
};

/// The most pieces one command may move or a location may hold.
pub const MAX_PIECES: i64 = 1_000_000_000;

/// A place goods are kept, such as `main`: 1 to 64 ASCII letters, digits, `-`, `_` and `.`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location(String);

impl Location {
    /// Reads a location as it was given.
    ///
    /// # Errors
    /// A sentence that says what a location looks like.
    pub fn parse(text: &str) -> Result<Self, String> {
        let allowed = text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
        if text.is_empty() || text.len() > 64 || !allowed {
            return Err("a location is 1 to 64 ASCII letters, digits, `-`, `_` and `.`".to_owned());
        }
        Ok(Self(text.to_owned()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What happens to the level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Movement {
    /// That many pieces arrived.
    Receive(i64),
    /// The level is corrected by that many.
    Adjust(i64, AdjustmentReason, Option<String>),
    /// The level is corrected to that many.
    Set(i64, AdjustmentReason, Option<String>),
}

/// One movement of one variant's stock at one location.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StockCommand {
    /// The product the variant belongs to, looked up in the catalog.
    pub product_id: ProductId,
    /// The variant.
    pub variant_id: VariantId,
    /// Where.
    pub location: Location,
    /// What.
    pub movement: Movement,
}

/// A movement and its place, read from what was given.
///
/// # Errors
/// What is wrong, by JSON pointer.
pub fn parse_movement(location: &str, movement: Movement) -> Result<(Location, Movement), Vec<FieldError>> {
    let mut findings = Findings::default();
    let parsed = Location::parse(location).map_err(|reason| findings.add("/location", reason)).ok();
    let (quantity, lowest, note) = match &movement {
        Movement::Receive(quantity) => (*quantity, 1, None),
        Movement::Adjust(delta, _, note) => (*delta, -MAX_PIECES, note.as_deref()),
        Movement::Set(quantity, _, note) => (*quantity, 0, note.as_deref()),
    };
    if !(lowest..=MAX_PIECES).contains(&quantity) {
        findings.add("/quantity", format!("{lowest} to {MAX_PIECES} pieces are allowed"));
    }
    if quantity == 0 && matches!(movement, Movement::Adjust(..)) {
        findings.add("/quantity", "an adjustment by 0 pieces adjusts nothing");
    }
    if let Some(note) = note {
        findings.prose(|| "/note".to_owned(), note, 1_000);
    }
    findings.done()?;
    Ok((parsed.ok_or_else(Vec::new)?, movement))
}
