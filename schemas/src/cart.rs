//! A cart, as it is after its events: the same for the aggregate, the view and the checkout.

use crate::{
    buyer::{Buyer, BuyerKind},
    events::carts::{CartAddressed, CartCreated, CartEnd, CartLine, CartMerged, CartsEvent},
    money::Currency,
    place::Place,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use utoipa::ToSchema;
use uuid::Uuid;

/// Where a cart is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CartPhase {
    /// Its owner fills it.
    Open,
    /// A checkout holds it, and nothing changes.
    Locked,
    /// An order was made of it.
    CheckedOut,
    /// It has ended without an order.
    Expired,
}

impl CartPhase {
    /// As the tables have it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Locked => "locked",
            Self::CheckedOut => "checked_out",
            Self::Expired => "expired",
        }
    }

    /// Whether it is the cart that its owner has now.
    #[must_use]
    pub const fn is_current(self) -> bool {
        matches!(self, Self::Open | Self::Locked)
    }
}

/// A cart and what is in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cart {
    /// How its owner is known.
    pub owner_kind: BuyerKind,
    /// The account's id, or the guest's.
    pub owner_id: Uuid,
    /// The currency it is paid in.
    pub currency: Currency,
    /// The channel of the shop that it is of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// Where it is in its life.
    pub phase: CartPhase,
    /// The checkout that holds it, or that has made an order of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkout_id: Option<Uuid>,
    /// Why it has ended without an order, if it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<CartEnd>,
    /// What is in it, in the order in which it came.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<CartLine>,
    /// Codes that were typed, in upper case.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub coupons: Vec<String>,
    /// Where the goods go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// The name of the way in which they go there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipping_method: Option<String>,
    /// The carts of which it has what they had.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub merged: BTreeSet<Uuid>,
}

impl Cart {
    /// One that was begun a moment ago.
    #[must_use]
    pub fn begun(created: CartCreated) -> Self {
        let CartCreated { owner, currency, channel } = created;
        Self {
            owner_kind: owner.kind,
            owner_id: owner.id,
            currency,
            channel,
            phase: CartPhase::Open,
            checkout_id: None,
            ended: None,
            lines: Vec::new(),
            coupons: Vec::new(),
            place: None,
            shipping_method: None,
            merged: BTreeSet::new(),
        }
    }

    /// Whose it is.
    #[must_use]
    pub const fn owner(&self) -> Buyer {
        Buyer { kind: self.owner_kind, id: self.owner_id }
    }

    /// What it is after an event. Nothing without the one that began it.
    #[must_use]
    pub fn after(state: Option<Self>, event: &CartsEvent) -> Option<Self> {
        if let CartsEvent::Created(created) = event {
            return Some(Self::begun(created.clone()));
        }
        let mut cart = state?;
        cart.apply(event);
        Some(cart)
    }

    fn apply(&mut self, event: &CartsEvent) {
        match event.clone() {
            CartsEvent::Created(created) => *self = Self::begun(created),
            CartsEvent::ItemAdded(added) => self.lines.push(added.line),
            CartsEvent::ItemQuantityChanged(changed) => {
                let lines = self.lines.iter_mut().filter(|line| line.line_id == changed.line_id);
                lines.for_each(|line| line.quantity = changed.quantity);
            }
            CartsEvent::ItemRemoved(removed) => self.lines.retain(|line| line.line_id != removed.line_id),
            CartsEvent::CouponApplied(applied) => self.coupons.push(applied.code),
            CartsEvent::CouponRemoved(removed) => self.coupons.retain(|code| *code != removed.code),
            CartsEvent::Addressed(CartAddressed { place, shipping_method }) => {
                (self.place, self.shipping_method) = (place, shipping_method);
            }
            CartsEvent::Merged(CartMerged { cart_id, lines, coupons, notices: _ }) => {
                (self.lines, self.coupons) = (lines, coupons);
                self.merged.insert(cart_id);
            }
            CartsEvent::Locked(locked) => self.held(CartPhase::Locked, Some(locked.checkout_id)),
            CartsEvent::Unlocked(_) => self.held(CartPhase::Open, None),
            // What was in it is the order's from here on.
            CartsEvent::CheckedOut(made) => {
                self.empty();
                self.held(CartPhase::CheckedOut, Some(made.checkout_id));
            }
            CartsEvent::Expired(expired) => {
                self.empty();
                (self.phase, self.ended) = (CartPhase::Expired, Some(expired.reason));
            }
        }
    }

    /// Whose it was stays, and in which currency.
    fn empty(&mut self) {
        let (owner, currency, channel) = (self.owner(), self.currency, self.channel.take());
        *self = Self::begun(CartCreated { owner, currency, channel });
    }

    fn held(&mut self, phase: CartPhase, checkout: Option<Uuid>) {
        (self.phase, self.checkout_id) = (phase, checkout);
    }
}
