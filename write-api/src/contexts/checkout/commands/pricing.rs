//! What a cart costs now, as other contexts know it.

use super::facts::{self, Known, Said};
use crate::{
    contexts::{
        catalog::port as catalog, inventory::port as inventory, pricing::port as pricing,
        promotions::port as promotions, settings::port as settings,
    },
    pipeline::{App, Error, Failure, Rejection, Scope},
};
use quote::facts::{Levels, has_a_choice};
use schemas::{
    cart::Cart,
    events::checkout::CheckoutPolicy,
    ids::VariantId,
    problem::{FieldError, Problem, ProblemType},
    quote::{Notice, Quote},
};
use std::collections::BTreeSet;

/// A cart with its price, and what of the shop's policy holds for it.
pub(super) struct Priced {
    pub(super) quote: Quote,
    pub(super) policy: CheckoutPolicy,
}

/// Prices a cart for whoever is counted by this key.
///
/// # Errors
/// `checkout_obstacles`, if it can't be ordered as it is.
pub(super) async fn price(app: &App, scope: &Scope, cart: &Cart, said: &Said, customer: &str) -> Result<Priced, Error> {
    let mut transaction = app.database.of_shop(scope.tenant).await?;
    let settings = settings::all(&mut transaction, scope).await?;
    let promotions = promotions::active(&mut transaction, scope, &cart.coupons, Some(customer)).await?;
    let mut variants: BTreeSet<VariantId> = cart.lines.iter().map(|line| line.variant_id).collect();
    variants.extend(facts::gifts(&promotions));
    let variants: Vec<VariantId> = variants.into_iter().collect();
    let goods = catalog::goods(&mut transaction, scope, &variants).await?;
    let sheets = pricing::sheets(&mut transaction, scope, &variants).await?;
    let left = inventory::left(&mut transaction, scope, &variants).await?;
    let has_choice = has_a_choice(&settings);
    let levels = if has_choice { inventory::levels(&mut transaction, scope, &variants).await? } else { Levels::new() };
    drop(transaction);
    let gone = cart.lines.iter().enumerate().filter(|(_, line)| !goods.contains_key(&line.variant_id));
    let gone: Vec<FieldError> =
        gone.map(|(at, _)| FieldError::new(format!("/lines/{at}"), "the goods are no more")).collect();
    if !gone.is_empty() {
        return Err(obstacles(gone).into());
    }
    let known = Known { settings, goods, sheets, left, levels, promotions };
    let facts = facts::facts(cart, &known, said, scope.now);
    let quote = quote::price(&facts).map_err(|error| Failure::Unreadable("cart", error.to_string()))?;
    let mut found: Vec<FieldError> = quote.obstacles().map(|notice| obstacle(notice, cart)).collect();
    // What holds for several groups is told once.
    found.dedup();
    if !found.is_empty() {
        return Err(obstacles(found).into());
    }
    let policy = known.settings.policy.content;
    let policy = CheckoutPolicy {
        payments: policy.payments,
        payment_attempts: policy.payment_attempts,
        late_payments: policy.late_payments,
        order_prefix: policy.order_prefix,
    };
    Ok(Priced { quote, policy })
}

/// What stands in the way, at the line that it is about.
fn obstacle(notice: &Notice, cart: &Cart) -> FieldError {
    let at = notice.line.and_then(|id| cart.lines.iter().position(|line| line.line_id == id));
    let pointer = match (at, &notice.group) {
        (Some(at), _) => format!("/lines/{at}"),
        (None, Some(_)) => "/shipping_method".to_owned(),
        (None, None) => "/cart_id".to_owned(),
    };
    FieldError::new(pointer, notice.words.clone())
}

fn obstacles(errors: Vec<FieldError>) -> Rejection {
    let problem = ProblemType::conflict("checkout_obstacles", "The cart can't be ordered as it is");
    Rejection::of(Problem::new(problem).errors(errors))
}
