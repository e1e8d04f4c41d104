//! Events of the checkout context: how a cart becomes an order, or why it does not. Who buys is sealed as in accounts.

use super::{
    accounts::Sealed,
    settings::{LatePayments, PaymentMethod, PaymentTerms},
};
use crate::{Timestamp, buyer::Buyer, money::Money, place::Place, quote::Quote};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// What of the shop's policy holds for one checkout, as it was when it began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CheckoutPolicy {
    /// The methods of payment, and how long each may take.
    pub payments: Vec<PaymentTerms>,
    /// How often the shopper may try to pay.
    pub payment_attempts: u32,
    /// What becomes of a payment that succeeds too late.
    #[serde(default)]
    pub late_payments: LatePayments,
    /// What the number of the order begins with.
    #[serde(default)]
    pub order_prefix: String,
}

/// A shopper wants what is in the cart, at this price.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CheckoutStarted {
    /// The client's own id of it: the same again is the same checkout.
    pub client_request_id: String,
    /// Who buys.
    pub buyer: Buyer,
    /// By which uses of coupons are counted: the account's id, or a digest that stands for a guest's address.
    pub customer_key: String,
    /// The cart.
    pub cart_id: Uuid,
    /// The cart's version that was priced.
    pub cart_version: u64,
    /// The channel it is bought in.
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
    /// How it is to be paid.
    pub payment_method: PaymentMethod,
    /// SHA-256 of the token by which whoever has no account sees it, in hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_digest: Option<String>,
    /// What it costs. None of it changes from here on.
    pub quote: Quote,
    /// What of the shop's policy holds for it.
    pub policy: CheckoutPolicy,
}

/// What the shopper has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CheckoutAction {
    /// To say with what they pay, on the shop's page.
    Confirm,
    /// To go to a page of the provider, or of their bank.
    Redirect,
    /// To transfer the money.
    Transfer,
    /// To try again, or to pay in another way: the last attempt has failed.
    PayAgain,
    /// To wait: the provider has not said yet what came of it.
    Wait,
}

/// It waits for the shopper, or for a payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct CheckoutAwaitingPayment {
    /// The order that is paid.
    pub order_id: Uuid,
    /// The payment.
    pub payment_id: Uuid,
    /// How it is paid.
    pub payment_method: PaymentMethod,
    /// How often the shopper has tried so far.
    pub attempt: u32,
    /// What they have to do.
    pub action: CheckoutAction,
    /// How much.
    pub money: Money,
    /// When it is given up.
    #[schema(value_type = String, format = DateTime)]
    pub until: Timestamp,
    /// Why the last attempt has failed, in a word, such as `card_declined`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub declined: Option<String>,
}

/// The shopper tries to pay once more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CheckoutPaymentChosen {
    /// How.
    pub payment_method: PaymentMethod,
}

/// Who does not want it any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AbortedBy {
    /// The shopper.
    Shopper,
    /// Staff.
    Staff,
}

/// Somebody does not want it any more. It ends once it may.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CheckoutAbortAsked {
    /// Who.
    pub by: AbortedBy,
}

/// It has become an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CheckoutCompleted {
    /// The order.
    pub order_id: Uuid,
    /// Whether it was given up before, and a payment came late.
    #[serde(default)]
    pub is_late: bool,
}

/// Why no order has come of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AbortReason {
    /// The shopper did not want it any more.
    Shopper,
    /// Staff have ended it.
    Staff,
    /// Nobody has paid in time.
    Deadline,
    /// The cart was changed, or another checkout has it.
    CartChanged,
    /// A coupon was used as often as it may be.
    CouponExhausted,
    /// Goods can't be had any more.
    OutOfStock,
    /// Each attempt to pay has failed.
    PaymentFailed,
    /// The order was refused.
    OrderRefused,
}

impl AbortReason {
    /// As tables and answers have it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Shopper => "shopper",
            Self::Staff => "staff",
            Self::Deadline => "deadline",
            Self::CartChanged => "cart_changed",
            Self::CouponExhausted => "coupon_exhausted",
            Self::OutOfStock => "out_of_stock",
            Self::PaymentFailed => "payment_failed",
            Self::OrderRefused => "order_refused",
        }
    }
}

/// What stood in the way of one line, or of one code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct Obstacle {
    /// The stock keeping unit, or the code.
    pub name: String,
    /// Why, as the shopper reads it.
    pub words: String,
}

/// No order has come of it, and all that was held for it is free again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CheckoutAborted {
    /// Why.
    pub reason: AbortReason,
    /// What stood in the way.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub obstacles: Vec<Obstacle>,
}

/// It does not go on by itself: staff have to look after it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CheckoutParked {
    /// The step that it stands at, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// Why, for staff.
    pub reason: String,
}

/// What staff have done about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Resumption {
    /// It tries again.
    Retry,
    /// It goes on as if the step were done.
    Skip,
    /// It is to end.
    Abort,
}

/// Staff have let it go on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CheckoutResumed {
    /// How.
    pub how: Resumption,
    /// The step that was skipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// Why, in the words of whoever did it.
    pub reason: String,
}

super::events! {
    /// What happens to checkouts.
    CheckoutEvent of Checkout; {
        /// A shopper wants what is in the cart.
        Started(Box<CheckoutStarted>) = "souk.checkout.checkout.started.v1",
        /// It waits for the shopper, or for a payment.
        AwaitingPayment(CheckoutAwaitingPayment) = "souk.checkout.checkout.awaiting_payment.v1",
        /// The shopper tries to pay once more.
        PaymentChosen(CheckoutPaymentChosen) = "souk.checkout.checkout.payment_chosen.v1",
        /// Somebody does not want it any more.
        AbortAsked(CheckoutAbortAsked) = "souk.checkout.checkout.abort_asked.v1",
        /// It has become an order.
        Completed(CheckoutCompleted) = "souk.checkout.checkout.completed.v1",
        /// No order has come of it.
        Aborted(CheckoutAborted) = "souk.checkout.checkout.aborted.v1",
        /// It does not go on by itself.
        Parked(CheckoutParked) = "souk.checkout.checkout.parked.v1",
        /// Staff have let it go on.
        Resumed(CheckoutResumed) = "souk.checkout.checkout.resumed.v1",
    }
}
