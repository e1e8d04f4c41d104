//! The order is made, confirmed, told how far it is paid, or cancelled.

use super::{Answer, Asked, answered, payment};
use crate::{
    contexts::{
        checkout::process::order_id,
        orders::port::{self, Act},
    },
    pipeline::{Error, Expected},
};
use schemas::{
    buyer::BuyerKind,
    events::{
        checkout::AbortReason,
        orders::{OrderActor, OrderCreated},
    },
};

async fn act(asked: &Asked<'_>, act: Act) -> Result<Answer, Error> {
    let order = order_id(asked.id);
    answered(port::act(asked.app, asked.scope, Some(asked.key), order, Expected::Any, act).await)
}

/// Makes the order of what was agreed on.
pub(super) async fn create(asked: &Asked<'_>) -> Result<Answer, Error> {
    let started = asked.checkout.started.clone();
    let created = OrderCreated {
        checkout_id: asked.id,
        cart_id: started.cart_id,
        buyer: started.buyer,
        channel: started.channel,
        email: started.email,
        shipping_address: started.shipping_address,
        billing_address: started.billing_address,
        place: started.place,
        payment_method: asked.checkout.payment_method,
        access_digest: started.access_digest,
        guest_key: (started.buyer.kind == BuyerKind::Guest).then_some(started.customer_key),
        quote: started.quote,
    };
    act(asked, Act::Create(Box::new(created))).await
}

/// Makes the order certain. Its number is drawn here, in a transaction in which nobody else is asked.
pub(super) async fn confirm(asked: &Asked<'_>) -> Result<Answer, Error> {
    let (prefix, pay_by) = (asked.checkout.started.policy.order_prefix.clone(), asked.checkout.payment_method);
    act(asked, Act::Confirm { prefix, pay_by }).await
}

/// Tells the order how far it is paid.
pub(super) async fn tell(asked: &Asked<'_>, payments: u32) -> Result<Answer, Error> {
    let standing = payment::standing(asked, payments).await?;
    act(asked, Act::Payment { payment: standing.payment, paid: standing.paid, refunded: standing.refunded }).await
}

/// Cancels the order of a checkout that is given up.
pub(super) async fn cancel(asked: &Asked<'_>, reason: AbortReason) -> Result<Answer, Error> {
    let reason = reason.as_str().to_owned();
    act(asked, Act::Cancel { by: OrderActor::Process, reason, note: None }).await
}
