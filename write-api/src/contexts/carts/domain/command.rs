//! What can be done to a cart.

use super::{
    limits::{MOST_CODE, MOST_PIECES},
    policy,
};
use crate::domain::{Name, validation::Findings};
use schemas::{
    Uuid,
    buyer::Buyer,
    cart::Cart,
    events::carts::CartEnd,
    ids::{LineId, ProductId, VariantId},
    money::Currency,
    place::Place,
    problem::FieldError,
};
use std::{collections::BTreeMap, ops::Deref};

/// Pieces of one line: 1 to 999.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quantity(u32);

impl Quantity {
    /// Reads a number.
    ///
    /// # Errors
    /// How many there may be.
    pub fn parse(pieces: i64) -> Result<Self, Vec<FieldError>> {
        let read = u32::try_from(pieces).ok().filter(|pieces| (1..=MOST_PIECES).contains(pieces));
        let detail = || format!("1 to {MOST_PIECES} pieces are allowed; a line is taken away with DELETE");
        read.map(Self).ok_or_else(|| vec![FieldError::new("/quantity", detail())])
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

/// What is wanted of the goods besides, such as an engraving, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options(BTreeMap<String, String>);

impl Options {
    /// Reads what was given.
    ///
    /// # Errors
    /// What is too many, or too long.
    pub fn parse(options: BTreeMap<String, String>) -> Result<Self, Vec<FieldError>> {
        let mut findings = Findings::default();
        policy::options_are_bounded(&mut findings, &options);
        findings.done()?;
        Ok(Self(options))
    }

    pub(super) fn into_map(self) -> BTreeMap<String, String> {
        self.0
    }
}

impl Deref for Options {
    type Target = BTreeMap<String, String>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

/// A code that somebody has typed: in upper case, without blanks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CouponCode(String);

impl CouponCode {
    /// Reads a code as it was typed.
    ///
    /// # Errors
    /// What no code looks like.
    pub fn parse(typed: &str) -> Result<Self, Vec<FieldError>> {
        let code = typed.trim().to_uppercase();
        let is_one = (1..=MOST_CODE).contains(&code.chars().count())
            && !code.chars().any(|letter| letter.is_control() || letter.is_whitespace());
        let detail = || format!("a code has 1 to {MOST_CODE} characters and no blanks");
        if is_one { Ok(Self(code)) } else { Err(vec![FieldError::new("code", detail())]) }
    }

    /// In upper case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Where goods go, and in which way.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Destination {
    pub(super) place: Option<Place>,
    pub(super) shipping_method: Option<String>,
}

impl Destination {
    /// Reads what was given, as people type it.
    ///
    /// # Errors
    /// What of it is no place, or no name.
    pub fn parse(place: Option<Place>, shipping_method: Option<&str>) -> Result<Self, Vec<FieldError>> {
        let mut findings = Findings::default();
        let typed = |place: Place| Place::typed(&place.country, place.region.as_deref(), place.postal_code.as_deref());
        let place = place.map(typed);
        if let Some(place) = &place {
            policy::a_place_is_written_as_iso_has_it(&mut findings, place);
        }
        let named = shipping_method.and_then(|text| name(&mut findings, "/shipping_method", text));
        findings.done()?;
        Ok(Self { place, shipping_method: named })
    }

    /// Whether nothing is known.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.place.is_none() && self.shipping_method.is_none()
    }
}

/// Reads the name of something that staff define.
fn name(findings: &mut Findings, pointer: &str, text: &str) -> Option<String> {
    Name::parse(text).map(|name| name.as_str().to_owned()).map_err(|reason| findings.add(pointer, reason)).ok()
}

/// Begins a cart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenCart {
    /// Whose it is.
    pub owner: Buyer,
    /// The currency it is paid in.
    pub currency: Currency,
    /// The channel of the shop.
    pub(super) channel: Option<String>,
}

impl OpenCart {
    /// Reads what was given.
    ///
    /// # Errors
    /// That the channel is no name.
    pub fn parse(owner: Buyer, currency: Currency, channel: Option<&str>) -> Result<Self, Vec<FieldError>> {
        let mut findings = Findings::default();
        let channel = channel.and_then(|text| name(&mut findings, "/channel", text));
        findings.done()?;
        Ok(Self { owner, currency, channel })
    }
}

/// Goods to put in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewItem {
    /// The id of the line, if there is none like it yet.
    pub line_id: LineId,
    /// The product, looked up in the catalog.
    pub product_id: ProductId,
    /// The variant.
    pub variant_id: VariantId,
    /// Pieces; they are added to those on a line like it.
    pub quantity: Quantity,
    /// What is wanted of them besides.
    pub options: Options,
}

/// What its owner does to an open cart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CartChange {
    /// Puts goods in.
    Add(NewItem),
    /// Has so many pieces on a line.
    ChangeQuantity(LineId, Quantity),
    /// Takes a line away.
    Remove(LineId),
    /// Tries a code.
    ApplyCoupon(CouponCode),
    /// Takes a code away.
    RemoveCoupon(CouponCode),
    /// Says where the goods go.
    Address(Destination),
}

/// A command to one cart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CartCommand {
    /// Begins it.
    Open(OpenCart),
    /// Changes what is in it.
    Change(CartChange),
    /// Puts in what another cart has: its id, and what it is.
    Merge(Uuid, Box<Cart>),
    /// Ends it without an order.
    End(CartEnd),
    /// Holds it for a checkout.
    Lock(Uuid),
    /// Lets go of it, if that checkout holds it.
    Unlock(Uuid),
    /// Ends it with the order that the checkout has made.
    CheckOut(Uuid),
}
