//! The cart is held, let go of, or ended with the order.

use super::{Answer, Asked, answered, refused};
use crate::{
    contexts::carts::port,
    pipeline::{Error, Expected},
};

/// Holds the cart in the version that was priced.
pub(super) async fn lock(asked: &Asked<'_>) -> Result<Answer, Error> {
    let started = &asked.checkout.started;
    let expected = Expected::Version(started.cart_version);
    match port::lock(asked.app, asked.scope, (started.cart_id, started.buyer), expected, asked.id).await {
        Ok(_) => Ok(Answer::Done),
        Err(Error::Rejected(rejection)) => {
            // It has another version once it is held: by this very checkout, if the answer was lost.
            let found = port::find(&asked.app.database, asked.scope.tenant, started.cart_id).await?;
            let is_held = found.is_some_and(|(_, cart)| cart.checkout_id == Some(asked.id));
            Ok(if is_held { Answer::Done } else { refused(&rejection) })
        }
        Err(error) => Err(error),
    }
}

/// Lets go of the cart.
pub(super) async fn unlock(asked: &Asked<'_>) -> Result<Answer, Error> {
    answered(port::unlock(asked.app, asked.scope, asked.checkout.cart_id, asked.id).await)
}

/// Ends the cart with the order.
pub(super) async fn check_out(asked: &Asked<'_>) -> Result<Answer, Error> {
    answered(port::check_out(asked.app, asked.scope, asked.checkout.cart_id, asked.id).await)
}
