//! Uses of promotions are kept, used up, or given back.

use super::{Answer, Asked, answered};
use crate::{
    contexts::{
        checkout::domain::Phase,
        promotions::port::{self, Use},
    },
    pipeline::Error,
};

/// Keeps a use of each promotion that took something off.
pub(super) async fn reserve(asked: &Asked<'_>) -> Result<Answer, Error> {
    let started = &asked.checkout.started;
    let mut uses: Vec<Use> = Vec::new();
    for discount in &started.quote.discounts {
        let code = discount.code.as_ref().map(|code| code.to_uppercase());
        let one = Use { promotion: discount.promotion.clone(), code, customer: started.customer_key.clone() };
        if !uses.contains(&one) {
            uses.push(one);
        }
    }
    answered(port::reserve(asked.app, asked.scope, asked.id, &uses).await)
}

/// The order has used them up.
pub(super) async fn consume(asked: &Asked<'_>) -> Result<Answer, Error> {
    answered(port::consume(asked.app, asked.scope, asked.id).await)
}

/// Gives them back: all of a checkout that was given up, those that may be of an order that was cancelled.
pub(super) async fn release(asked: &Asked<'_>) -> Result<Answer, Error> {
    let is_cancelled = asked.checkout.phase == Phase::Completed;
    answered(port::release(asked.app, asked.scope, asked.id, is_cancelled).await)
}
