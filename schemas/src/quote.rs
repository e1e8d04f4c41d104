//! What a cart costs, as shoppers see it, checkouts freeze it and orders keep it. The crate `quote` makes it.
//!
//! All amounts are minor units of the quote's currency. Where [`Quote::tax_mode`] is inclusive, amounts of lines and of
//! shipping include tax; where it is exclusive, tax comes on top of them.

mod group;
mod notice;
mod tax;
mod units;

pub use group::{GROUP, QuoteGroup, group_from, location_of};
pub use notice::{Notice, NoticeCode};
pub use tax::{LineTax, TaxSum};
pub use units::{UnitRun, UnitShare};

use crate::{
    Timestamp,
    events::settings::TaxMode,
    ids::{LineId, ProductId, VariantId},
    money::Currency,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a cart costs, to the last minor unit, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct Quote {
    /// SHA-256 of what it says of lines, shipping, discounts, taxes and totals, in hexadecimal digits. Times, versions and
    /// notices are left out: the same offer has the same digest.
    pub digest: String,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub priced_at: Timestamp,
    /// The one currency of all its amounts.
    pub currency: Currency,
    /// Whether amounts of lines and of shipping include tax.
    pub tax_mode: TaxMode,
    /// The tax zone, by its name; none where no tax is due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_zone: Option<String>,
    /// The lines, by their ids; gifts are lines of their own. A line that was refused is not among them, but in the notices.
    pub lines: Vec<QuoteLine>,
    /// What shipping costs, by group of shipment.
    pub shipping: Vec<ShippingCharge>,
    /// What promotions took off, in the order in which they counted.
    pub discounts: Vec<Discount>,
    /// The taxes, by who gets them and rate.
    pub taxes: Vec<TaxSum>,
    /// The sums.
    pub totals: Totals,
    /// Whether there is something to pay. If not, the order is paid with nothing and no provider is called.
    pub needs_payment: bool,
    /// What did not count, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notices: Vec<Notice>,
    /// What it was made of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<Source>,
}

impl Quote {
    /// What has to be put right before it can be ordered; empty if it can be.
    pub fn obstacles(&self) -> impl Iterator<Item = &Notice> {
        self.notices.iter().filter(|notice| notice.code.is_obstacle())
    }

    /// The notices that a shopper may read. The others tell of promotions that the shopper did not ask for.
    pub fn notices_for_shopper(&self) -> impl Iterator<Item = &Notice> {
        self.notices.iter().filter(|notice| !notice.is_for_staff)
    }

    /// The line of that id.
    #[must_use]
    pub fn line(&self, id: LineId) -> Option<&QuoteLine> {
        self.lines.iter().find(|line| line.id == id)
    }
}

/// Pieces of one variant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct QuoteLine {
    /// The id of the cart's line. That of a gift follows from its promotion and stays the same.
    pub id: LineId,
    /// The product.
    pub product_id: ProductId,
    /// The variant.
    pub variant_id: VariantId,
    /// Its stock keeping unit.
    pub sku: String,
    /// How the shopper reads it.
    pub title: String,
    /// Pieces, at least 1.
    pub quantity: u32,
    /// The group of shipment that it is sent with, by its name.
    pub group: String,
    /// What a piece costs when it is not on sale, in the tax mode of the quote.
    pub list_price: i64,
    /// What a piece costs before promotions.
    pub unit_price: i64,
    /// Unit price times quantity.
    pub amount: i64,
    /// What each promotion took off.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub discounts: Vec<PromotionShare>,
    /// The sum of what they took off; from 0 to `amount`.
    pub discount: i64,
    /// The class of goods that its tax follows from.
    pub tax_class: String,
    /// Its tax, all rates together.
    pub tax: i64,
    /// The same by rate.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub taxes: Vec<LineTax>,
    /// What is paid for it, with tax.
    pub total: i64,
    /// The same without tax.
    pub net: i64,
    /// The promotion that it is a gift of, by its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gift_of: Option<String>,
    /// What each piece is worth when it is refunded: runs of pieces that are worth the same, from the first piece on.
    pub units: Vec<UnitRun>,
}

/// What a promotion took off a line or a shipment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct PromotionShare {
    /// The promotion, by its name.
    pub promotion: String,
    /// What it took off.
    pub amount: i64,
}

/// What it costs to send one group of lines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct ShippingCharge {
    /// The group of shipment, by its name.
    pub group: String,
    /// The method, by its name.
    pub method: String,
    /// How the shopper reads it.
    pub title: String,
    /// What it costs before promotions.
    pub amount: i64,
    /// What each promotion took off.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub discounts: Vec<PromotionShare>,
    /// The sum of what they took off; from 0 to `amount`.
    pub discount: i64,
    /// The class that its tax follows from.
    pub tax_class: String,
    /// Its tax, all rates together.
    pub tax: i64,
    /// The same by rate.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub taxes: Vec<LineTax>,
    /// What is paid for it, with tax.
    pub total: i64,
    /// The same without tax.
    pub net: i64,
}

/// What a promotion took off, in all and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct Discount {
    /// The promotion, by its name.
    pub promotion: String,
    /// How the shopper reads it.
    pub title: String,
    /// The code that was entered for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// What it took off in all.
    pub amount: i64,
    /// How that came about, in words.
    pub words: String,
    /// What it took off lines.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<LineDiscount>,
    /// What it took off shipping.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shipping: Vec<ShippingDiscount>,
}

/// What a promotion took off one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct LineDiscount {
    /// The line.
    pub line: LineId,
    /// What it took off.
    pub amount: i64,
    /// The same in words.
    pub words: String,
}

/// What a promotion took off the shipping of one group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct ShippingDiscount {
    /// The group of shipment, by its name.
    pub group: String,
    /// What it took off.
    pub amount: i64,
    /// The same in words.
    pub words: String,
}

/// The sums of a quote. `goods - discount + shipping`, with the tax if that comes on top, and `cash_rounding` are `total`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
#[schema(as = QuoteTotals)]
pub struct Totals {
    /// The amounts of the lines.
    pub goods: i64,
    /// What promotions took off the lines.
    pub discount: i64,
    /// What shipping costs after promotions.
    pub shipping: i64,
    /// What promotions took off shipping.
    pub shipping_discount: i64,
    /// The taxes.
    pub tax: i64,
    /// What is added or, if negative, left out so that the total can be paid in cash.
    #[serde(default)]
    pub cash_rounding: i64,
    /// What is paid.
    pub total: i64,
    /// What is paid for goods and shipping, without tax and rounding of cash.
    pub net: i64,
}

/// Something that a quote was made of, in the version that counted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema, ToSchema)]
#[schema(as = QuoteSource)]
pub struct Source {
    /// What it is.
    pub kind: SourceKind,
    /// Its id or name.
    pub id: String,
    /// The version of the aggregate.
    pub version: u64,
}

/// What a quote is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = QuoteSourceKind)]
pub enum SourceKind {
    /// A product of the catalog.
    Product,
    /// The prices of a variant.
    PriceSheet,
    /// A promotion.
    Promotion,
    /// What holds for the whole shop.
    Policy,
    /// A tax zone.
    TaxZone,
    /// A way of shipping.
    ShippingMethod,
}
