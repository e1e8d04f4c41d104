//! The lines of the cart with the price of a piece and their amounts: steps 1, 3 and 4. Has the rounding point R1.

use crate::{
    PriceError,
    facts::{CartLine, Facts, MOST_PIECES},
    goods::{Basket, PricedLine},
    price_choice,
    zone::Taxation,
};
use schemas::{
    ids::VariantId,
    quote::{Notice, NoticeCode},
};
use std::{borrow::Cow, collections::BTreeMap};

/// The cart before promotions, with a notice for each line that was refused.
pub(crate) fn priced<'a>(facts: &'a Facts, taxes: &Taxation<'_>) -> Result<(Basket<'a>, Vec<Notice>), PriceError> {
    let mut cart: Vec<&CartLine> = facts.lines.iter().collect();
    cart.sort_by_key(|line| line.id);
    if let Some(pair) = cart.windows(2).find(|pair| pair[0].id == pair[1].id) {
        return Err(PriceError::DuplicateLine { line: pair[0].id });
    }
    // Pieces of one variant count together, however they are spread over lines.
    let mut pieces: BTreeMap<VariantId, u64> = BTreeMap::new();
    for line in &cart {
        *pieces.entry(line.variant_id).or_default() += u64::from(line.quantity);
    }
    let (mut basket, mut notices) = (Basket::default(), Vec::new());
    for line in cart {
        let of_variant = pieces.get(&line.variant_id).copied().unwrap_or_default();
        match priced_line(facts, taxes, line, of_variant)? {
            Ok(priced) => basket.add(priced)?,
            Err(refused) => notices.push(refused),
        }
    }
    basket.join_same_goods();
    Ok((basket, notices))
}

fn priced_line<'a>(
    facts: &Facts,
    taxes: &Taxation<'_>,
    line: &'a CartLine,
    pieces: u64,
) -> Result<Result<PricedLine<'a>, Notice>, PriceError> {
    if !(1..=MOST_PIECES).contains(&line.quantity) {
        return Err(PriceError::Quantity { line: line.id, quantity: line.quantity });
    }
    if !line.is_available {
        let words = format!("{} can't be had at the moment.", line.title);
        return Ok(Err(Notice { line: Some(line.id), ..Notice::new(NoticeCode::LineUnavailable, words) }));
    }
    let Some(entry) = price_choice::chosen(facts, line.prices.as_ref(), pieces) else {
        let words = format!("{} has no price in {}.", line.title, facts.currency);
        return Ok(Err(Notice { line: Some(line.id), ..Notice::new(NoticeCode::LineWithoutPrice, words) }));
    };
    if entry.amount() < 0 || entry.list_amount < 0 {
        return Err(PriceError::NegativePrice { line: line.id });
    }
    let unit = taxes.unit_price(entry.amount(), line.class());
    let list = taxes.unit_price(entry.list_amount, line.class());
    Ok(Ok(PricedLine::new(Cow::Borrowed(line), list, unit)))
}
