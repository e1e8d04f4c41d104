//! What a shopper does once a checkout is begun.

use crate::{
    contexts::{
        checkout::{
            domain::{Checkout, CheckoutCommand, Rejection as Refused},
            port::act,
            table,
        },
        payments::port::{self as payments, NextAction},
    },
    pipeline::{App, Done, Error, Rejection, Scope, idempotency::Key},
};
use ::access::key::digest_text;
use schemas::{
    Uuid,
    buyer::Buyer,
    events::{checkout::AbortedBy, settings::PaymentMethod},
};

/// By what somebody shows that a checkout is theirs.
#[derive(Debug, Clone)]
pub(in super::super) enum Whose {
    /// They have signed in, or are a guest.
    Buyer(Buyer),
    /// They have the token that was given out with it.
    Access(String),
}

/// Somebody's checkout. Of another's nobody is told that it is there.
pub(in super::super) async fn own(app: &App, scope: &Scope, id: Uuid, whose: &Whose) -> Result<(u64, Checkout), Error> {
    let found = table::checkout(&mut *app.database.of_shop(scope.tenant).await?, scope.tenant, id).await?;
    let is_theirs = |checkout: &Checkout| match whose {
        Whose::Buyer(buyer) => checkout.started.buyer == *buyer,
        Whose::Access(token) => checkout.started.access_digest.as_deref() == Some(digest_text(token).as_str()),
    };
    Ok(found.filter(|(_, checkout)| is_theirs(checkout)).ok_or(Refused::Missing).map_err(Rejection::from)?)
}

/// Tries to pay once more, in this way.
pub(in super::super) async fn pay(
    app: &App,
    scope: &Scope,
    key: Option<&Key>,
    (id, whose): (Uuid, &Whose),
    method: PaymentMethod,
) -> Result<Done, Error> {
    own(app, scope, id, whose).await?;
    act::act(app, scope, key, id, "choose_payment", CheckoutCommand::ChoosePayment(method)).await
}

/// What the shopper pays with: a secret of the provider, or its page.
pub(in super::super) async fn payment_action(
    app: &App,
    scope: &Scope,
    id: Uuid,
    whose: &Whose,
) -> Result<NextAction, Error> {
    let (_, checkout) = own(app, scope, id, whose).await?;
    let nothing = || Rejection::from(Refused::NotAwaiting);
    let payment = checkout.awaiting.filter(|_| !checkout.is_over).ok_or_else(nothing)?.payment_id;
    let payment = payments::state(app, scope.tenant, payment).await?;
    Ok(payment.and_then(|payment| payment.action).ok_or_else(nothing)?)
}

/// Does not want it any more.
pub(in super::super) async fn abort(
    app: &App,
    scope: &Scope,
    key: Option<&Key>,
    (id, whose): (Uuid, &Whose),
) -> Result<Done, Error> {
    own(app, scope, id, whose).await?;
    act::act(app, scope, key, id, "abort_checkout", CheckoutCommand::AskAbort(AbortedBy::Shopper)).await
}
