//! Two carts become one: quantities add up, up to what a line holds, and what does not fit is told.

use super::{
    Cart, Destination, Rejection,
    limits::{MOST_COUPONS, MOST_LINES, MOST_MERGED, MOST_PIECES},
    policy,
};
use schemas::{
    Uuid,
    cart::CartPhase,
    events::carts::{CartAddressed, CartLine, CartMerged, CartsEvent, MergeNotice},
};

/// What a cart has once another was put in. The same one a second time changes nothing, and neither does one that has ended.
pub(super) fn merge(cart: &Cart, id: Uuid, other: &Cart) -> Result<Vec<CartsEvent>, Rejection> {
    if cart.merged.contains(&id) || matches!(other.phase, CartPhase::CheckedOut | CartPhase::Expired) {
        return Ok(vec![]);
    }
    policy::a_cart_that_changes_is_open(cart)?;
    policy::a_cart_that_changes_is_open(other)?;
    if cart.currency != other.currency {
        return Err(Rejection::OtherCurrency { own: cart.currency, other: other.currency });
    }
    if cart.merged.len() >= MOST_MERGED {
        return Err(Rejection::TooManyMerged);
    }
    let mut notices = Vec::new();
    let lines = lines(&cart.lines, &other.lines, &mut notices);
    let coupons = coupons(&cart.coupons, &other.coupons, &mut notices);
    let mut events = vec![CartsEvent::Merged(CartMerged { cart_id: id, lines, coupons, notices })];
    let destination =
        |cart: &Cart| Destination { place: cart.place.clone(), shipping_method: cart.shipping_method.clone() };
    let Destination { place, shipping_method } = destination(other);
    // Where a shopper said that the goods go before they signed in, they still go.
    if destination(cart).is_empty() && !destination(other).is_empty() {
        events.push(CartsEvent::Addressed(CartAddressed { place, shipping_method }));
    }
    Ok(events)
}

fn lines(own: &[CartLine], others: &[CartLine], notices: &mut Vec<MergeNotice>) -> Vec<CartLine> {
    let mut lines = own.to_vec();
    for other in others {
        let like = lines.iter().position(|line| line.variant_id == other.variant_id && line.options == other.options);
        if let Some(line) = like.and_then(|place| lines.get_mut(place)) {
            let asked = line.quantity.saturating_add(other.quantity);
            line.quantity = asked.min(MOST_PIECES);
            if line.quantity < asked {
                notices.push(MergeNotice::Capped { line_id: line.line_id, asked, quantity: line.quantity });
            }
        } else if lines.len() < MOST_LINES {
            lines.push(other.clone());
        } else {
            notices.push(MergeNotice::LineDropped { variant_id: other.variant_id, quantity: other.quantity });
        }
    }
    lines
}

fn coupons(own: &[String], others: &[String], notices: &mut Vec<MergeNotice>) -> Vec<String> {
    let mut coupons = own.to_vec();
    for code in others {
        if coupons.contains(code) {
            continue;
        }
        if coupons.len() < MOST_COUPONS {
            coupons.push(code.clone());
        } else {
            notices.push(MergeNotice::CouponDropped { code: code.clone() });
        }
    }
    coupons
}
