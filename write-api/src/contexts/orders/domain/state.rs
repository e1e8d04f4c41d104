//! What is kept of an order.

use schemas::{
    Uuid,
    buyer::Buyer,
    events::{OrdersEvent, accounts::Sealed, orders::OrderCreated, settings::PaymentMethod},
    order::{Fulfilment, Lifecycle, OrderPayment},
    quote::Quote,
};
use serde::{Deserialize, Serialize};

/// What was bought at one time. The first is what was ordered; an edit adds another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Revision {
    /// From 1.
    pub(crate) number: u32,
    /// Lines, discounts, taxes and sums.
    pub(crate) quote: Quote,
}

/// What was bought, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Order {
    pub(crate) checkout_id: Uuid,
    pub(crate) cart_id: Uuid,
    pub(crate) buyer: Buyer,
    /// By which people call it, once it is confirmed.
    pub(crate) number: Option<String>,
    pub(crate) email: Sealed,
    pub(crate) shipping_address: Option<Sealed>,
    pub(crate) billing_address: Option<Sealed>,
    /// Of the token of whoever has no account.
    pub(crate) access_digest: Option<String>,
    /// What stands for a guest's address, for as long as the order is a guest's.
    #[serde(default)]
    pub(crate) guest_key: Option<String>,
    pub(crate) payment_method: PaymentMethod,
    pub(crate) revisions: Vec<Revision>,
    pub(crate) lifecycle: Lifecycle,
    pub(crate) payment: OrderPayment,
    pub(crate) fulfilment: Fulfilment,
    /// What has come so far, in minor units.
    pub(crate) paid: i64,
    /// What went back of it.
    pub(crate) refunded: i64,
    /// Whether it was told that all has come.
    pub(crate) was_paid: bool,
    /// Whether it was told that all went back.
    pub(crate) was_refunded: bool,
}

impl Order {
    fn created(created: OrderCreated) -> Self {
        Self {
            checkout_id: created.checkout_id,
            cart_id: created.cart_id,
            buyer: created.buyer,
            number: None,
            email: created.email,
            shipping_address: created.shipping_address,
            billing_address: created.billing_address,
            access_digest: created.access_digest,
            guest_key: created.guest_key,
            payment_method: created.payment_method,
            revisions: vec![Revision { number: 1, quote: created.quote }],
            lifecycle: Lifecycle::Created,
            payment: OrderPayment::Unpaid,
            fulfilment: Fulfilment::Unfulfilled,
            paid: 0,
            refunded: 0,
            was_paid: false,
            was_refunded: false,
        }
    }

    /// The word that is shown.
    #[cfg(test)]
    pub(crate) fn status(&self) -> schemas::order::OrderStatus {
        schemas::order::status(self.lifecycle, self.payment, self.fulfilment)
    }

    pub(super) fn after(order: Option<Self>, event: &OrdersEvent) -> Option<Self> {
        if let OrdersEvent::Created(created) = event {
            return Some(Self::created((**created).clone()));
        }
        let mut order = order?;
        match event.clone() {
            OrdersEvent::Created(_) => {}
            OrdersEvent::Confirmed(confirmed) => {
                order.lifecycle = Lifecycle::Confirmed;
                order.number = Some(confirmed.number);
            }
            OrdersEvent::Claimed(claimed) => (order.buyer, order.guest_key) = (claimed.buyer, None),
            OrdersEvent::PaymentMethodChanged(changed) => order.payment_method = changed.payment_method,
            OrdersEvent::PaymentChanged(changed) => {
                (order.payment, order.paid, order.refunded) = (changed.payment, changed.paid, changed.refunded);
            }
            OrdersEvent::Paid(_) => order.was_paid = true,
            OrdersEvent::Refunded(_) => order.was_refunded = true,
            OrdersEvent::FulfilmentChanged(changed) => order.fulfilment = changed.fulfilment,
            OrdersEvent::Cancelled(_) => order.lifecycle = Lifecycle::Cancelled,
            OrdersEvent::Closed(_) => order.lifecycle = Lifecycle::Closed,
        }
        Some(order)
    }
}
