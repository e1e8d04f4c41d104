//! What a command to a cart leads to.

use super::{
    Cart, CartChange, CartCommand, CouponCode, Destination, NewItem, OpenCart, Quantity, Rejection,
    limits::{MOST_COUPONS, MOST_LINES, MOST_PIECES},
    merge, policy,
};
use crate::domain::Aggregate;
use schemas::{
    Uuid,
    cart::CartPhase,
    events::carts::{
        CartAddressed, CartCheckedOut, CartCouponApplied, CartCouponRemoved, CartCreated, CartEnd, CartExpired,
        CartItemAdded, CartItemQuantityChanged, CartItemRemoved, CartLine, CartLocked, CartUnlocked, CartsEvent,
    },
    ids::LineId,
};

impl Aggregate for Cart {
    const NAME: &'static str = "cart";
    type Command = CartCommand;
    type Event = CartsEvent;
    type Rejection = Rejection;

    fn decide(state: Option<&Self>, command: CartCommand) -> Result<Vec<CartsEvent>, Rejection> {
        let Some(cart) = state else { return begin(command) };
        let event = match command {
            CartCommand::Open(_) if cart.phase.is_current() => None,
            // Ids are drawn anew for each cart.
            CartCommand::Open(_) => return Err(Rejection::Closed),
            CartCommand::Merge(id, other) => return merge::merge(cart, id, &other),
            CartCommand::Change(change) => {
                policy::a_cart_that_changes_is_open(cart)?;
                changed(cart, change)?
            }
            CartCommand::End(reason) => end(cart, reason)?,
            CartCommand::Lock(checkout) => lock(cart, checkout)?,
            CartCommand::Unlock(checkout) => unlock(cart, checkout)?,
            CartCommand::CheckOut(checkout) => check_out(cart, checkout)?,
        };
        Ok(event.into_iter().collect())
    }

    fn apply(state: Option<Self>, event: &CartsEvent) -> Option<Self> {
        Self::after(state, event)
    }
}

/// What a decision comes to: an event, or none where all is as it should be.
type Decided = Result<Option<CartsEvent>, Rejection>;

fn begin(command: CartCommand) -> Result<Vec<CartsEvent>, Rejection> {
    match command {
        CartCommand::Open(OpenCart { owner, currency, channel }) => {
            Ok(vec![CartsEvent::Created(CartCreated { owner, currency, channel })])
        }
        CartCommand::Change(_)
        | CartCommand::Merge(..)
        | CartCommand::End(_)
        | CartCommand::Lock(_)
        | CartCommand::Unlock(_)
        | CartCommand::CheckOut(_) => Err(Rejection::Missing),
    }
}

fn changed(cart: &Cart, change: CartChange) -> Decided {
    match change {
        CartChange::Add(item) => add(cart, item),
        CartChange::ChangeQuantity(line, quantity) => change_quantity(cart, line, quantity),
        CartChange::Remove(line_id) => {
            find(cart, line_id)?;
            Ok(Some(CartsEvent::ItemRemoved(CartItemRemoved { line_id })))
        }
        CartChange::ApplyCoupon(code) => apply_coupon(cart, &code),
        CartChange::RemoveCoupon(code) => {
            let code = code.as_str().to_owned();
            let is_there = cart.coupons.contains(&code);
            Ok(is_there.then_some(CartsEvent::CouponRemoved(CartCouponRemoved { code })))
        }
        CartChange::Address(Destination { place, shipping_method }) => {
            let is_so = cart.place == place && cart.shipping_method == shipping_method;
            Ok((!is_so).then_some(CartsEvent::Addressed(CartAddressed { place, shipping_method })))
        }
    }
}

fn find(cart: &Cart, line: LineId) -> Result<&CartLine, Rejection> {
    cart.lines.iter().find(|one| one.line_id == line).ok_or(Rejection::NoLine)
}

fn add(cart: &Cart, item: NewItem) -> Decided {
    let more = item.quantity.get();
    if let Some(line) = policy::the_line_of(&cart.lines, item.variant_id, &item.options) {
        let (line_id, has) = (line.line_id, line.quantity);
        let quantity = has.saturating_add(more);
        if quantity > MOST_PIECES {
            return Err(Rejection::TooManyPieces { has, more });
        }
        return Ok(Some(CartsEvent::ItemQuantityChanged(CartItemQuantityChanged { line_id, quantity })));
    }
    if cart.lines.len() >= MOST_LINES {
        return Err(Rejection::TooManyLines);
    }
    let NewItem { line_id, product_id, variant_id, quantity, options } = item;
    let line = CartLine { line_id, product_id, variant_id, quantity: quantity.get(), options: options.into_map() };
    Ok(Some(CartsEvent::ItemAdded(CartItemAdded { line })))
}

fn change_quantity(cart: &Cart, line_id: LineId, quantity: Quantity) -> Decided {
    let (has, quantity) = (find(cart, line_id)?.quantity, quantity.get());
    let changed = || CartsEvent::ItemQuantityChanged(CartItemQuantityChanged { line_id, quantity });
    Ok((has != quantity).then(changed))
}

fn apply_coupon(cart: &Cart, code: &CouponCode) -> Decided {
    let code = code.as_str().to_owned();
    if cart.coupons.contains(&code) {
        return Ok(None);
    }
    if cart.coupons.len() >= MOST_COUPONS {
        return Err(Rejection::TooManyCoupons);
    }
    Ok(Some(CartsEvent::CouponApplied(CartCouponApplied { code })))
}

fn end(cart: &Cart, reason: CartEnd) -> Decided {
    match cart.phase {
        CartPhase::Open => Ok(Some(CartsEvent::Expired(CartExpired { reason }))),
        CartPhase::Locked => Err(Rejection::Locked(cart.checkout_id.unwrap_or_default())),
        CartPhase::Expired => Ok(None),
        CartPhase::CheckedOut => Err(Rejection::Closed),
    }
}

fn is_of(cart: &Cart, phase: CartPhase, checkout: Uuid) -> bool {
    cart.phase == phase && cart.checkout_id == Some(checkout)
}

fn lock(cart: &Cart, checkout_id: Uuid) -> Decided {
    if is_of(cart, CartPhase::Locked, checkout_id) {
        return Ok(None);
    }
    policy::a_cart_that_changes_is_open(cart)?;
    if cart.lines.is_empty() { Err(Rejection::Empty) } else { Ok(Some(CartsEvent::Locked(CartLocked { checkout_id }))) }
}

/// A checkout that does not hold it any more has nothing to let go of.
fn unlock(cart: &Cart, checkout_id: Uuid) -> Decided {
    let is_held = is_of(cart, CartPhase::Locked, checkout_id);
    Ok(is_held.then_some(CartsEvent::Unlocked(CartUnlocked { checkout_id })))
}

fn check_out(cart: &Cart, checkout_id: Uuid) -> Decided {
    if is_of(cart, CartPhase::CheckedOut, checkout_id) {
        return Ok(None);
    }
    if !is_of(cart, CartPhase::Locked, checkout_id) {
        return Err(Rejection::NotLocked(checkout_id));
    }
    Ok(Some(CartsEvent::CheckedOut(CartCheckedOut { checkout_id })))
}
