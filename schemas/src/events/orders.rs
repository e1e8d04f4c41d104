//! Events of the orders context. Who buys, and where they live, is sealed as in accounts.

use super::{accounts::Sealed, settings::PaymentMethod};
use crate::{
    buyer::Buyer,
    order::{Fulfilment, OrderPayment},
    place::Place,
    quote::Quote,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// Who did something to an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum OrderActor {
    /// The shop's own process.
    Process,
    /// Whoever has bought.
    Buyer,
    /// Somebody of the staff: an account or a key, by its id; none of an administrator's key.
    Staff {
        /// The account, or the key.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<Uuid>,
    },
}

/// What was ordered, at what price, from whom to where. It is revision 1, and none of it ever changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OrderCreated {
    /// The checkout that it was made by; there is one order of each.
    pub checkout_id: Uuid,
    /// The cart.
    pub cart_id: Uuid,
    /// Who buys.
    pub buyer: Buyer,
    /// The channel it was bought in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// The buyer's e-mail address.
    pub email: Sealed,
    /// Where the goods go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipping_address: Option<Sealed>,
    /// Where the invoice goes, if that is another place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub billing_address: Option<Sealed>,
    /// The place the goods go to, without a name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// How it is paid.
    pub payment_method: PaymentMethod,
    /// SHA-256 of the token by which whoever has no account sees it, in hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_digest: Option<String>,
    /// Of a guest: what stands for their e-mail address. Whoever proves that it is theirs gets the order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guest_key: Option<String>,
    /// Lines, discounts, taxes and sums, with their digest.
    pub quote: Quote,
}

/// A guest's order is an account's: its address was proved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OrderClaimed {
    /// The account.
    pub buyer: Buyer,
}

/// The shop owes the goods from here on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OrderConfirmed {
    /// By which people call it, unique in the shop. Numbers may be left out.
    pub number: String,
}

/// It is paid in another way than it was to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OrderPaymentMethodChanged {
    /// How it is paid.
    pub payment_method: PaymentMethod,
}

/// Payments tell something else than before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OrderPaymentChanged {
    /// How far it is paid.
    pub payment: OrderPayment,
    /// What has come so far, in minor units.
    pub paid: i64,
    /// What went back of it, in minor units.
    pub refunded: i64,
}

/// All that it costs has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OrderPaid {
    /// What has come, in minor units; 0 for an order that costs nothing.
    pub paid: i64,
}

/// All that had come went back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OrderRefunded {
    /// What went back, in minor units.
    pub refunded: i64,
}

/// Shipments tell something else than before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OrderFulfilmentChanged {
    /// How far the goods are.
    pub fulfilment: Fulfilment,
}

/// Nobody owes anything any more; what was paid goes back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OrderCancelled {
    /// Who did it.
    pub by: OrderActor,
    /// Why, in a word, such as `deadline` or `on_request`.
    pub reason: String,
    /// Why, in the words of whoever did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Nothing is left to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OrderClosed {
    /// Who did it.
    pub by: OrderActor,
}

super::events! {
    /// What happens to orders.
    OrdersEvent of Orders; {
        /// An order is there.
        Created(Box<OrderCreated>) = "souk.orders.order.created.v1",
        /// It is certain.
        Confirmed(OrderConfirmed) = "souk.orders.order.confirmed.v1",
        /// It is an account's.
        Claimed(OrderClaimed) = "souk.orders.order.claimed.v1",
        /// It is paid in another way.
        PaymentMethodChanged(OrderPaymentMethodChanged) = "souk.orders.order.payment_method_changed.v1",
        /// Payments tell something else.
        PaymentChanged(OrderPaymentChanged) = "souk.orders.order.payment_changed.v1",
        /// All has come.
        Paid(OrderPaid) = "souk.orders.order.paid.v1",
        /// All went back.
        Refunded(OrderRefunded) = "souk.orders.order.refunded.v1",
        /// Shipments tell something else.
        FulfilmentChanged(OrderFulfilmentChanged) = "souk.orders.order.fulfilment_changed.v1",
        /// It was cancelled.
        Cancelled(OrderCancelled) = "souk.orders.order.cancelled.v1",
        /// Nothing is left to do.
        Closed(OrderClosed) = "souk.orders.order.closed.v1",
    }
}
