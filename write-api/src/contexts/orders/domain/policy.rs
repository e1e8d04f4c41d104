//! What may be done to an order when, each rule by its name.

use super::{Order, Rejection};
use schemas::order::{Fulfilment, Lifecycle, OrderPayment};

/// An order is cancelled until the first goods leave, paid or not: what was paid goes back.
pub(super) fn cancellation(order: &Order) -> Result<(), Rejection> {
    match (order.lifecycle, order.fulfilment) {
        (Lifecycle::Closed, _) => Err(Rejection::Closed),
        (_, Fulfilment::Unfulfilled) => Ok(()),
        (
            _,
            Fulfilment::PartlyShipped
            | Fulfilment::Shipped
            | Fulfilment::Delivered
            | Fulfilment::Undeliverable
            | Fulfilment::Returned,
        ) => Err(Rejection::Shipped),
    }
}

/// An order is closed once the goods are where they belong and nobody owes money.
pub(super) fn closing(order: &Order) -> Result<(), Rejection> {
    let goods = match order.fulfilment {
        Fulfilment::Delivered | Fulfilment::Returned => true,
        Fulfilment::Unfulfilled | Fulfilment::PartlyShipped | Fulfilment::Shipped | Fulfilment::Undeliverable => false,
    };
    let money = match order.payment {
        OrderPayment::Paid | OrderPayment::PartlyRefunded | OrderPayment::Refunded | OrderPayment::ChargedBack => true,
        OrderPayment::Unpaid
        | OrderPayment::Pending
        | OrderPayment::Authorized
        | OrderPayment::PartlyPaid
        | OrderPayment::Disputed
        | OrderPayment::Overpaid => false,
    };
    match order.lifecycle {
        Lifecycle::Confirmed if (goods || order.payment == OrderPayment::Refunded) && money => Ok(()),
        Lifecycle::Confirmed | Lifecycle::Created => Err(Rejection::Open),
        Lifecycle::Closed | Lifecycle::Cancelled => Ok(()),
    }
}
