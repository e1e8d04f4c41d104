//! What the price of a cart is made of. Pure, and put together as the checkout does it: what is the same there has the same
//! digest here.

use super::known::{Known, gifts};
use crate::{
    goods::Offer,
    pieces::{Pieces, is_orderable},
    promotions::{Applicable, CouponStatus},
};
use quote::facts::{CartLine, CodeFact, Customer, Exhausted, Facts, GROUP, GiftFact, PromotionFact, Versioned};
use schemas::{cart::Cart, events::pricing::PriceEntry};
use std::collections::BTreeMap;

/// The facts of a cart.
pub(super) fn facts(cart: &Cart, known: &Known) -> Facts {
    let lines = cart.lines.iter().filter_map(|line| {
        let offer = known.offers.get(&line.variant_id)?;
        let id = (line.line_id, line.quantity);
        // Whether all of them can be had is found out when they are reserved.
        let is_available = is_orderable(offer, known.pieces.get(&line.variant_id));
        Some(CartLine::of(id, GROUP, &offer.good, sheet(offer), is_available))
    });
    let gifts = gifts(&known.promotions.applicable).into_iter().filter_map(|variant| {
        let offer = known.offers.get(&variant)?;
        let available = if offer.good.is_published { Pieces::most(known.pieces.get(&variant)) } else { 0 };
        let gift = GiftFact::of(&offer.good, sheet(offer), available);
        Some((variant, GiftFact { group: Some(GROUP.to_owned()), ..gift }))
    });
    let customer = known.customer.as_ref();
    let facts = Facts {
        customer: customer
            .map(|customer| Customer { groups: customer.groups.clone(), is_first_order: !customer.has_ordered }),
        codes: codes(cart, known),
        lines: lines.collect(),
        promotions: promotions(&known.promotions.applicable),
        gifts: gifts.collect(),
        ..Facts::of_cart(cart, &known.settings, known.now)
    };
    facts.divided(&known.settings, &known.levels)
}

fn sheet(offer: &Offer) -> Option<Versioned<Vec<PriceEntry>>> {
    let sheet = || Versioned { version: offer.prices_version, value: offer.prices.clone() };
    (offer.prices_version > 0).then(sheet)
}

/// What each code of the cart is. One whose promotion is used up is still of that promotion, which says so.
fn codes(cart: &Cart, known: &Known) -> BTreeMap<String, CodeFact> {
    let mut codes: BTreeMap<String, CodeFact> =
        cart.coupons.iter().map(|code| (code.clone(), CodeFact::Unknown)).collect();
    for (code, status) in &known.promotions.refused {
        let fact = match status {
            CouponStatus::Unknown => CodeFact::Unknown,
            CouponStatus::NotYet => CodeFact::not_yet(),
            CouponStatus::Ended => CodeFact::ended(),
            CouponStatus::Disabled => CodeFact::disabled(),
            CouponStatus::Usable | CouponStatus::Exhausted => CodeFact::exhausted(),
        };
        codes.insert(code.clone(), fact);
    }
    for Applicable { promotion, code, .. } in &known.promotions.applicable {
        if let Some(code) = code {
            codes.insert(code.clone(), CodeFact::Promotion(promotion.name.clone()));
        }
    }
    codes
}

/// Promotions by name; one that several codes name is one promotion.
fn promotions(applicable: &[Applicable]) -> BTreeMap<String, PromotionFact> {
    let mut promotions = BTreeMap::<String, PromotionFact>::new();
    for Applicable { promotion, code, exhausted, .. } in applicable {
        let fact = || PromotionFact {
            promotion: Versioned {
                version: u64::try_from(promotion.version).unwrap_or_default(),
                value: promotion.content.clone(),
            },
            exhausted: Exhausted::default(),
        };
        let known = promotions.entry(promotion.name.clone()).or_insert_with(fact);
        known.exhausted.in_all |= exhausted.in_all;
        known.exhausted.by_customer |= exhausted.by_customer;
        known.exhausted.codes.extend(code.clone().filter(|_| exhausted.by_code));
    }
    promotions
}

#[cfg(test)]
mod tests;
