//! What can be done to stock.

pub use super::location::Location;
use super::reservation::ReservationCommand;
use crate::domain::validation::Findings;
use schemas::{
    Timestamp, Uuid,
    events::inventory::AdjustmentReason,
    ids::{ProductId, VariantId},
    problem::FieldError,
};

/// The most pieces one command may move or a location may hold.
pub const MAX_PIECES: i64 = 1_000_000_000;

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
pub struct Move {
    /// The product the variant belongs to, looked up in the catalog.
    pub product_id: ProductId,
    /// The variant.
    pub variant_id: VariantId,
    /// Where.
    pub location: Location,
    /// What.
    pub movement: Movement,
}

/// What can be done to the stock of a variant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StockCommand {
    /// A level moves.
    Move(Move),
    /// Goods go from one place to another.
    Transfer {
        /// Where they are.
        from: Location,
        /// Where they go.
        to: Location,
        /// How many, above zero.
        quantity: i64,
        /// In the words of who did it.
        note: Option<String>,
    },
    /// So many pieces may be promised beyond those that are there.
    SetBackorders {
        /// The product the variant belongs to, looked up in the catalog.
        product_id: ProductId,
        /// The variant.
        variant_id: VariantId,
        /// Where.
        location: Location,
        /// How many.
        limit: i64,
    },
    /// A customer's goods are back.
    TakeBack {
        /// The return; with the variant it is used once.
        return_id: Uuid,
        /// Where.
        location: Location,
        /// How many, above zero.
        quantity: i64,
    },
    /// Something is done to a reservation, at this time.
    Reservation(Uuid, ReservationCommand, Timestamp),
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
    pieces(&mut findings, "/quantity", quantity, lowest);
    if quantity == 0 && matches!(movement, Movement::Adjust(..)) {
        findings.add("/quantity", "an adjustment by 0 pieces adjusts nothing");
    }
    if let Some(note) = note {
        findings.prose(|| "/note".to_owned(), note, 1_000);
    }
    findings.done()?;
    Ok((parsed.ok_or_else(Vec::new)?, movement))
}

/// The places and pieces of a transfer, read from what was given.
///
/// # Errors
/// What is wrong, by JSON pointer.
pub fn parse_transfer(
    from: &str,
    to: &str,
    quantity: i64,
    note: Option<&str>,
) -> Result<(Location, Location), Vec<FieldError>> {
    let mut findings = Findings::default();
    let mut place =
        |pointer: &str, text: &str| Location::parse(text).map_err(|reason| findings.add(pointer, reason)).ok();
    let places = (place("/from", from), place("/to", to));
    if places.0.is_some() && places.0 == places.1 {
        findings.add("/to", "goods go to another place than they are at");
    }
    pieces(&mut findings, "/quantity", quantity, 1);
    if let Some(note) = note {
        findings.prose(|| "/note".to_owned(), note, 1_000);
    }
    findings.done()?;
    places.0.zip(places.1).ok_or_else(Vec::new)
}

/// Pieces at a place, read from what was given: the place.
///
/// # Errors
/// What is wrong, by JSON pointer.
pub fn parse_pieces(location: &str, pointer: &str, quantity: i64, lowest: i64) -> Result<Location, Vec<FieldError>> {
    let mut findings = Findings::default();
    let parsed = Location::parse(location).map_err(|reason| findings.add("/location", reason)).ok();
    pieces(&mut findings, pointer, quantity, lowest);
    findings.done()?;
    parsed.ok_or_else(Vec::new)
}

/// Notes a number of pieces that is not allowed.
pub fn pieces(findings: &mut Findings, pointer: &str, quantity: i64, lowest: i64) {
    if !(lowest..=MAX_PIECES).contains(&quantity) {
        findings.add(pointer, format!("{lowest} to {MAX_PIECES} pieces are allowed"));
    }
}
