//! What it costs to send each group of lines: step 9.

use crate::{
    PriceError,
    allocation::allocated,
    eligibility::stated_in,
    facts::{Facts, ShipmentGroup},
    goods::{Basket, PricedLine},
    selection::contains,
    zone::Taxation,
};
use schemas::{
    events::{
        promotions::Selection,
        settings::{ShippingMethod, ShippingPrice},
    },
    money::Money,
    place::closest,
    quote::{Notice, NoticeCode, PromotionShare},
};
use std::collections::BTreeMap;

/// What sending one group costs, and what is left of it.
#[derive(Debug, Clone)]
pub(crate) struct Charge<'a> {
    pub group: String,
    pub method: &'a str,
    pub title: &'a str,
    pub version: u64,
    pub amount: i128,
    pub left: i128,
    pub shares: Vec<PromotionShare>,
}

/// The charges of all groups, by their names, with a notice for each group that can't be sent like that.
pub(crate) fn charges<'a>(
    facts: &'a Facts,
    taxes: &Taxation<'_>,
    basket: &Basket<'_>,
) -> Result<(Vec<Charge<'a>>, Vec<Notice>), PriceError> {
    let mut groups: BTreeMap<&str, Vec<&PricedLine<'_>>> = BTreeMap::new();
    for line in &basket.lines {
        groups.entry(&line.facts.group).or_default().push(line);
    }
    let mut sum: i128 = basket.lines.iter().map(|line| line.amount).sum();
    let is_divided = groups.len() > 1;
    let (mut charges, mut notices) = (Vec::new(), Vec::new());
    for (name, lines) in groups {
        let notice = |code, words| Notice { group: Some(name.to_owned()), ..Notice::new(code, words) };
        let Some(group) = facts.groups.get(name) else {
            let words = format!("Nothing is known of the shipment `{name}`.");
            let of_line = |line: &PricedLine<'_>| Notice {
                line: Some(line.id()),
                ..notice(NoticeCode::LineWithoutGroup, words.clone())
            };
            notices.extend(lines.into_iter().map(of_line));
            continue;
        };
        match charge(facts, taxes, (name, group), &lines)? {
            Ok(charge) => {
                sum += charge.amount;
                let method = || charge.method.to_owned();
                i64::try_from(sum).map_err(|_| PriceError::ShippingAmount { method: method() })?;
                charges.push(charge);
            }
            // What is chosen holds for all; what is offered depends on the goods.
            Err((code @ NoticeCode::ShippingNotOffered, words)) if is_divided => {
                notices.push(notice(code, format!("{}: {words}", titles(&lines))));
            }
            Err((code, words)) => notices.push(notice(code, words)),
        }
    }
    Ok((charges, notices))
}

/// The goods of a group as the shopper knows them.
fn titles(lines: &[&PricedLine<'_>]) -> String {
    let first = lines.first().map(|line| line.facts.title.as_str()).unwrap_or_default();
    match lines.len() {
        0 | 1 => first.to_owned(),
        several => format!("{first} and {} more", several - 1),
    }
}

type NotSent = (NoticeCode, String);

fn charge<'a>(
    facts: &'a Facts,
    taxes: &Taxation<'_>,
    (name, group): (&str, &'a ShipmentGroup),
    lines: &[&PricedLine<'_>],
) -> Result<Result<Charge<'a>, NotSent>, PriceError> {
    let Some(chosen) = group.method.as_deref() else {
        return Ok(Err((NoticeCode::ShippingNotChosen, "No method of shipping was chosen yet.".to_owned())));
    };
    let Some((method, found)) = facts.shipping_methods.get_key_value(chosen) else {
        return Ok(Err((NoticeCode::ShippingNotOffered, format!("There is no method of shipping `{chosen}`."))));
    };
    let content = &found.value;
    let grams = lines.iter().map(|line| grams(line)).sum();
    let price = match offered(facts, content, grams) {
        Ok(price) => price,
        Err(words) => return Ok(Err((NoticeCode::ShippingNotOffered, words))),
    };
    let too_large = || PriceError::ShippingAmount { method: method.clone() };
    let stated = tier_amount(taxes, price, lines, grams).ok_or_else(too_large)?;
    let Some(stated) = stated else {
        let words = format!("{} has no price for these goods.", content.title);
        return Ok(Err((NoticeCode::ShippingNotOffered, words)));
    };
    if stated < 0 {
        return Err(too_large());
    }
    let amount = taxes.stated(stated, taxes.shipping_class());
    let shares = Vec::new();
    let group = name.to_owned();
    Ok(Ok(Charge { group, method, title: &content.title, version: found.version, amount, left: amount, shares }))
}

fn grams(line: &PricedLine<'_>) -> i128 {
    i128::from(line.facts.weight_grams.unwrap_or_default().max(0)) * i128::from(line.facts.quantity)
}

/// The prices of a method in the cart's currency, or why it is not offered.
fn offered<'a>(facts: &Facts, method: &'a ShippingMethod, grams: i128) -> Result<&'a ShippingPrice, String> {
    let is_reached = |place| method.is_pickup || closest(&method.areas, place).is_some();
    if !facts.shipping.as_ref().is_none_or(is_reached) {
        return Err(format!("{} does not go there.", method.title));
    }
    if method.most_grams.is_some_and(|most| i128::from(most) < grams) {
        return Err(format!("The goods are too heavy for {}.", method.title));
    }
    let price = method.prices.iter().find(|price| price.currency == facts.currency);
    price.ok_or_else(|| format!("{} has no price in {}.", method.title, facts.currency))
}

/// What the last tier costs that value and weight reach. The outer none is a number that is too large.
#[expect(clippy::option_option, reason = "a number that is too large and a tier that is not reached are told apart")]
fn tier_amount(
    taxes: &Taxation<'_>,
    price: &ShippingPrice,
    lines: &[&PricedLine<'_>],
    grams: i128,
) -> Option<Option<i64>> {
    let goods: Vec<(i128, &str)> = lines.iter().map(|line| (line.left, line.facts.class())).collect();
    let value: i128 = goods.iter().map(|(left, _)| left).sum();
    let mut amount = None;
    for tier in &price.tiers {
        if taxes.stated_on(tier.from_value, &goods)? <= value && i128::from(tier.from_grams) <= grams {
            amount = Some(tier.amount);
        }
    }
    Some(amount)
}

/// What a promotion takes off the shipping of groups: all of it, or an amount; never more than is left. A group counts in
/// which a line is among the goods of the promotion.
pub(crate) fn taken(
    facts: &Facts,
    taxes: &Taxation<'_>,
    basket: &Basket<'_>,
    charges: &[Charge<'_>],
    (target, amounts): (&Selection, &[Money]),
) -> Vec<i128> {
    let is_in = |line: &&PricedLine<'_>| line.gift_of.is_none() && contains(target, &line.facts);
    let counts = |charge: &Charge<'_>| basket.lines.iter().filter(is_in).any(|line| line.facts.group == charge.group);
    let left: Vec<i128> = charges.iter().map(|charge| if counts(charge) { charge.left } else { 0 }).collect();
    let sum: i128 = left.iter().sum();
    let off = match stated_in(amounts, facts.currency) {
        Some(amount) => taxes.stated(amount, taxes.shipping_class()).clamp(0, sum),
        None => sum,
    };
    allocated(off, &left)
}
