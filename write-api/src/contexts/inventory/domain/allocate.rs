//! Where the pieces of a reservation lie.

use super::{Level, Rejection, StockItem, command::Location, reservation::Hold};
use std::collections::BTreeMap;

/// One place, if one has enough; else the first that have some. What is missing then is promised where the shop allows it.
///
/// # Errors
/// [`Rejection::TooFew`].
pub fn one_place_if_one_suffices(item: &StockItem, hold: &Hold) -> Result<Vec<(String, i64)>, Rejection> {
    let places = in_order(item, hold);
    let one = places.iter().find(|(_, level)| level.available() >= hold.quantity);
    if let Some((place, _)) = one {
        return Ok(vec![((*place).to_owned(), hold.quantity)]);
    }
    let (mut left, mut taken) = (hold.quantity, BTreeMap::<&str, i64>::new());
    for (place, level) in &places {
        let here = level.available().clamp(0, left);
        if here > 0 {
            taken.insert(place, here);
            left -= here;
        }
    }
    if left > 0 {
        let (place, _) = promised(item, hold).filter(|(_, room)| *room >= left).ok_or_else(|| too_few(item, hold))?;
        *taken.entry(place).or_default() += left;
    }
    Ok(taken.into_iter().map(|(place, pieces)| (place.to_owned(), pieces)).collect())
}

/// The places that may be taken from: those that are preferred, then the others by name.
fn in_order<'a>(item: &'a StockItem, hold: &'a Hold) -> Vec<(&'a str, Level)> {
    if let Some(location) = &hold.location {
        return vec![(location.as_str(), item.level(location.as_str()))];
    }
    let preferred = hold.preferred.iter().map(Location::as_str).filter(|place| item.levels.contains_key(*place));
    let others = item.levels.keys().map(String::as_str);
    let mut order: Vec<&str> = Vec::with_capacity(item.levels.len());
    for place in preferred.chain(others) {
        if !order.contains(&place) {
            order.push(place);
        }
    }
    order.into_iter().map(|place| (place, item.level(place))).collect()
}

/// Where pieces may be promised that are not there, and how many more.
fn promised<'a>(item: &'a StockItem, hold: &Hold) -> Option<(&'a str, i64)> {
    let place = item.backorder_location.as_deref()?;
    let is_allowed = hold.location.as_ref().is_none_or(|only| only.as_str() == place);
    let missing = item.level(place).available().min(0).saturating_neg();
    is_allowed.then_some((place, item.backorder_limit.saturating_sub(missing)))
}

fn too_few(item: &StockItem, hold: &Hold) -> Rejection {
    let there = in_order(item, hold).iter().fold(0_i64, |sum, (_, level)| level.available().max(0).saturating_add(sum));
    let promised = promised(item, hold).map_or(0, |(_, room)| room.max(0));
    Rejection::TooFew { available: there.saturating_add(promised), wanted: hold.quantity }
}
