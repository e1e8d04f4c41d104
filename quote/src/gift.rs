//! What a promotion adds to the cart for nothing: a line at its list price, with a discount of the same amount.

use crate::{
    eligibility::Candidate,
    facts::{CartLine, Facts, GiftFact, MOST_PIECES},
    goods::{Basket, PricedLine},
    price_choice,
    reason::Reason,
    zone::Taxation,
};
use schemas::{
    Uuid,
    ids::{LineId, VariantId},
};
use sha2::{Digest, Sha256};
use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

/// The line of a gift, before its discount.
pub(crate) fn line<'a>(
    facts: &Facts,
    taxes: &Taxation<'_>,
    basket: &Basket<'_>,
    candidate: &Candidate<'_>,
    (variant, quantity): (VariantId, u32),
) -> Result<PricedLine<'a>, Reason> {
    let title = |gift: Option<&GiftFact>| gift.map_or_else(|| variant.to_string(), |gift| gift.title.clone());
    let sold_out = |gift| Reason::GiftSoldOut { gift: title(gift) };
    let gift = facts.gifts.get(&variant).ok_or_else(|| sold_out(None))?;
    let of_variant = basket.lines.iter().filter(|line| line.facts.variant_id == variant);
    let in_cart: u64 = of_variant.map(|line| u64::from(line.facts.quantity)).sum();
    if !(1..=MOST_PIECES).contains(&quantity) || in_cart + u64::from(quantity) > u64::from(gift.available) {
        return Err(sold_out(Some(gift)));
    }
    let entry = price_choice::chosen(facts, gift.prices.as_ref(), u64::from(quantity));
    let list = entry.map(|entry| entry.list_amount).filter(|amount| *amount >= 0).ok_or(Reason::OtherCurrency)?;
    let group = gift.group.as_ref().or(basket.lines.first().map(|line| &line.facts.group)).cloned().unwrap_or_default();
    let line = CartLine {
        id: id(candidate.name, variant),
        quantity,
        group,
        product_id: gift.product_id,
        product_version: gift.product_version,
        variant_id: variant,
        sku: gift.sku.clone(),
        title: gift.title.clone(),
        brand: None,
        category_ids: BTreeSet::new(),
        attributes: BTreeMap::new(),
        tax_class: gift.tax_class.clone(),
        weight_grams: gift.weight_grams,
        prices: gift.prices.clone(),
        is_available: true,
    };
    let price = taxes.unit_price(list, line.class());
    let mut priced = PricedLine::new(Cow::Owned(line), price, price);
    priced.gift_of = Some(candidate.name.to_owned());
    Ok(priced)
}

/// An id that the gift of a promotion always has, so that its line stays the same from quote to quote.
fn id(promotion: &str, variant: VariantId) -> LineId {
    let digest = Sha256::new_with_prefix("gift").chain_update(variant.uuid()).chain_update(promotion).finalize();
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(digest).for_each(|(byte, random)| *byte = random);
    // RFC 9562, version 8: what its bits mean is ours to say.
    bytes[6] = bytes[6] & 0x0f | 0x80;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    LineId(Uuid::from_bytes(bytes))
}
