//! What an order decides.

use super::{Order, Rejection, policy};
use crate::domain::Aggregate;
use schemas::{
    Uuid,
    buyer::{Buyer, BuyerKind},
    events::{
        OrdersEvent,
        orders::{
            OrderActor, OrderCancelled, OrderClaimed, OrderClosed, OrderConfirmed, OrderCreated,
            OrderFulfilmentChanged, OrderPaid, OrderPaymentChanged, OrderPaymentMethodChanged, OrderRefunded,
        },
        settings::PaymentMethod,
    },
    order::{Fulfilment, Lifecycle, OrderPayment},
};

/// What can be done to an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum OrderCommand {
    /// It is there.
    Create(Box<OrderCreated>),
    /// It is certain, by this number.
    Confirm { number: String },
    /// It is this account's, which has proved the address of the guest.
    Claim { user: Uuid },
    /// It is paid in another way.
    PayBy(PaymentMethod),
    /// Payments tell how far it is paid.
    Payment { payment: OrderPayment, paid: i64, refunded: i64 },
    /// Shipments tell how far the goods are.
    #[allow(dead_code, reason = "shipping asks for it")]
    Fulfil(Fulfilment),
    /// It is not wanted any more.
    Cancel { by: OrderActor, reason: String, note: Option<String> },
    /// Nothing is left to do.
    #[allow(dead_code, reason = "shipping asks for it")]
    Close { by: OrderActor },
}

impl Aggregate for Order {
    const NAME: &'static str = "order";
    type Command = OrderCommand;
    type Event = OrdersEvent;
    type Rejection = Rejection;

    fn decide(state: Option<&Self>, command: OrderCommand) -> Result<Vec<OrdersEvent>, Rejection> {
        let Some(order) = state else {
            return match command {
                OrderCommand::Create(created) => Ok(vec![OrdersEvent::Created(created)]),
                OrderCommand::Confirm { .. }
                | OrderCommand::Claim { .. }
                | OrderCommand::PayBy(_)
                | OrderCommand::Payment { .. }
                | OrderCommand::Fulfil(_)
                | OrderCommand::Cancel { .. }
                | OrderCommand::Close { .. } => Err(Rejection::Missing),
            };
        };
        match command {
            OrderCommand::Create(created) => order.created_again(&created),
            OrderCommand::Confirm { number } => order.confirm(number),
            OrderCommand::Claim { user } => order.claim(user),
            OrderCommand::PayBy(method) => order.pay_by(method),
            OrderCommand::Payment { payment, paid, refunded } => order.payment(payment, paid, refunded),
            OrderCommand::Fulfil(fulfilment) => order.fulfil(fulfilment),
            OrderCommand::Cancel { by, reason, note } => order.cancel(by, reason, note),
            OrderCommand::Close { by } => order.close(by),
        }
    }

    fn apply(state: Option<Self>, event: &OrdersEvent) -> Option<Self> {
        Self::after(state, event)
    }
}

type Decision = Result<Vec<OrdersEvent>, Rejection>;

impl Order {
    fn created_again(&self, created: &OrderCreated) -> Decision {
        let first = self.revisions.first().map(|revision| &revision.quote.digest);
        let is_same = self.checkout_id == created.checkout_id && first == Some(&created.quote.digest);
        if is_same { Ok(vec![]) } else { Err(Rejection::Made) }
    }

    fn confirm(&self, number: String) -> Decision {
        match self.lifecycle {
            Lifecycle::Created => Ok(vec![OrdersEvent::Confirmed(OrderConfirmed { number })]),
            Lifecycle::Confirmed | Lifecycle::Closed => Ok(vec![]),
            Lifecycle::Cancelled => Err(Rejection::Cancelled),
        }
    }

    /// In every lifecycle: whoever has ordered may see what has become of it.
    fn claim(&self, user: Uuid) -> Decision {
        let buyer = Buyer { kind: BuyerKind::Customer, id: user };
        match self.buyer.kind {
            BuyerKind::Guest => Ok(vec![OrdersEvent::Claimed(OrderClaimed { buyer })]),
            BuyerKind::Customer if self.buyer == buyer => Ok(vec![]),
            BuyerKind::Customer => Err(Rejection::Anothers),
        }
    }

    fn pay_by(&self, payment_method: PaymentMethod) -> Decision {
        match self.lifecycle {
            _ if self.payment_method == payment_method => Ok(vec![]),
            Lifecycle::Created | Lifecycle::Confirmed => {
                Ok(vec![OrdersEvent::PaymentMethodChanged(OrderPaymentMethodChanged { payment_method })])
            }
            Lifecycle::Cancelled => Err(Rejection::Cancelled),
            Lifecycle::Closed => Err(Rejection::Closed),
        }
    }

    /// What payments tell is believed in every lifecycle: money comes and goes, whatever was decided.
    fn payment(&self, payment: OrderPayment, paid: i64, refunded: i64) -> Decision {
        if paid < 0 || refunded < 0 || refunded > paid {
            return Err(Rejection::Sums);
        }
        let mut events = Vec::new();
        if (self.payment, self.paid, self.refunded) != (payment, paid, refunded) {
            events.push(OrdersEvent::PaymentChanged(OrderPaymentChanged { payment, paid, refunded }));
        }
        if !self.was_paid && matches!(payment, OrderPayment::Paid | OrderPayment::Overpaid) {
            events.push(OrdersEvent::Paid(OrderPaid { paid }));
        }
        if !self.was_refunded && payment == OrderPayment::Refunded {
            events.push(OrdersEvent::Refunded(OrderRefunded { refunded }));
        }
        Ok(events)
    }

    fn fulfil(&self, fulfilment: Fulfilment) -> Decision {
        match self.lifecycle {
            _ if self.fulfilment == fulfilment => Ok(vec![]),
            Lifecycle::Confirmed | Lifecycle::Closed => {
                Ok(vec![OrdersEvent::FulfilmentChanged(OrderFulfilmentChanged { fulfilment })])
            }
            Lifecycle::Created => Err(Rejection::Unconfirmed),
            Lifecycle::Cancelled => Err(Rejection::Cancelled),
        }
    }

    fn cancel(&self, by: OrderActor, reason: String, note: Option<String>) -> Decision {
        if self.lifecycle == Lifecycle::Cancelled {
            return Ok(vec![]);
        }
        policy::cancellation(self)?;
        Ok(vec![OrdersEvent::Cancelled(OrderCancelled { by, reason, note })])
    }

    fn close(&self, by: OrderActor) -> Decision {
        match self.lifecycle {
            Lifecycle::Closed => Ok(vec![]),
            Lifecycle::Cancelled => Err(Rejection::Cancelled),
            Lifecycle::Created | Lifecycle::Confirmed => {
                policy::closing(self)?;
                Ok(vec![OrdersEvent::Closed(OrderClosed { by })])
            }
        }
    }
}
