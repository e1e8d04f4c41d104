//! Events of the carts context. A cart names goods and a place, and nobody: what people are called, and where they live, is of
//! the order.

use crate::{
    buyer::Buyer,
    ids::{LineId, ProductId, VariantId},
    money::Currency,
    place::Place,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;
use uuid::Uuid;

/// So many pieces of a variant. A cart has one line for each variant and set of options.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct CartLine {
    /// The line's id.
    pub line_id: LineId,
    /// The product.
    pub product_id: ProductId,
    /// The variant.
    pub variant_id: VariantId,
    /// Pieces, from 1 to 999.
    pub quantity: u32,
    /// What the shopper wants of the goods besides, such as an engraving, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub options: BTreeMap<String, String>,
}

/// A cart was begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CartCreated {
    /// Whose it is.
    pub owner: Buyer,
    /// The currency it is paid in.
    pub currency: Currency,
    /// The channel of the shop that it is of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
}

/// Goods were put into a cart that had none like them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CartItemAdded {
    /// The new line.
    pub line: CartLine,
}

/// There are more or fewer pieces on a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CartItemQuantityChanged {
    /// The line.
    pub line_id: LineId,
    /// Pieces from here on.
    pub quantity: u32,
}

/// A line was taken away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CartItemRemoved {
    /// The line.
    pub line_id: LineId,
}

/// Somebody has typed a code. Whether it counts is found out when the cart is priced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CartCouponApplied {
    /// In upper case.
    pub code: String,
}

/// A code was taken away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CartCouponRemoved {
    /// In upper case.
    pub code: String,
}

/// The goods go elsewhere, or in another way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CartAddressed {
    /// Where to; none if it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// The name of the way in which they go there; none if none was chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipping_method: Option<String>,
}

/// What a merge could not take as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum MergeNotice {
    /// Both together are more pieces than a line holds.
    Capped {
        /// The line.
        line_id: LineId,
        /// Pieces of both together.
        asked: u32,
        /// Pieces that it has.
        quantity: u32,
    },
    /// There is no place for another line.
    LineDropped {
        /// What was on it.
        variant_id: VariantId,
        /// Pieces.
        quantity: u32,
    },
    /// There is no place for another code.
    CouponDropped {
        /// In upper case.
        code: String,
    },
}

/// What another cart had was put into this one, and the other ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CartMerged {
    /// The other cart. It is merged once.
    pub cart_id: Uuid,
    /// All lines of this one, as they are from here on.
    pub lines: Vec<CartLine>,
    /// All codes of this one, as they are from here on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub coupons: Vec<String>,
    /// What is not the sum of both.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notices: Vec<MergeNotice>,
}

/// A checkout holds the cart: nothing of it changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CartLocked {
    /// The checkout.
    pub checkout_id: Uuid,
}

/// The checkout that held it has ended without an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CartUnlocked {
    /// The checkout.
    pub checkout_id: Uuid,
}

/// An order was made of it, which has what was in it from here on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CartCheckedOut {
    /// The checkout that made the order.
    pub checkout_id: Uuid,
}

/// Why a cart has ended without an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum CartEnd {
    /// Nobody has touched it for long.
    Untouched,
    /// Its owner has thrown it away.
    Abandoned,
    /// What it had is in another cart.
    Merged {
        /// That cart.
        into: Uuid,
    },
    /// Its owner was erased.
    OwnerErased,
}

/// A cart has ended without an order. Nothing is in it any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CartExpired {
    /// Why.
    pub reason: CartEnd,
}

super::events! {
    /// What happens to carts.
    CartsEvent of Carts; {
        /// A cart was begun.
        Created(CartCreated) = "souk.carts.cart.created.v1",
        /// A line came.
        ItemAdded(CartItemAdded) = "souk.carts.cart.item_added.v1",
        /// A line has another quantity.
        ItemQuantityChanged(CartItemQuantityChanged) = "souk.carts.cart.item_quantity_changed.v1",
        /// A line went.
        ItemRemoved(CartItemRemoved) = "souk.carts.cart.item_removed.v1",
        /// A code came.
        CouponApplied(CartCouponApplied) = "souk.carts.cart.coupon_applied.v1",
        /// A code went.
        CouponRemoved(CartCouponRemoved) = "souk.carts.cart.coupon_removed.v1",
        /// It goes elsewhere.
        Addressed(CartAddressed) = "souk.carts.cart.addressed.v1",
        /// It has what another one had.
        Merged(CartMerged) = "souk.carts.cart.merged.v1",
        /// A checkout holds it.
        Locked(CartLocked) = "souk.carts.cart.locked.v1",
        /// No checkout holds it any more.
        Unlocked(CartUnlocked) = "souk.carts.cart.unlocked.v1",
        /// It was ordered.
        CheckedOut(CartCheckedOut) = "souk.carts.cart.checked_out.v1",
        /// It has ended.
        Expired(CartExpired) = "souk.carts.cart.expired.v1",
    }
}
