//! The steps, one after the other.

use crate::{
    Facts, PriceError, Quote, assembly,
    eligibility::{Candidate, candidate},
    notices,
    outcome::Setting,
    stacking, tax, unit_price,
    zone::Taxation,
};
use schemas::quote::Notice;

/// What a cart costs.
///
/// # Errors
/// Names the line, or the method of shipping, whose numbers can't be reckoned with.
pub fn price(facts: &Facts) -> Result<Quote, PriceError> {
    let setting = Setting { facts, taxes: Taxation::of(facts) };
    let (basket, mut notices) = unit_price::priced(facts, &setting.taxes)?;
    let candidates = candidates(facts, &mut notices);
    let settled = stacking::settled(&setting, &basket, candidates)?;
    let mut outcome = settled.outcome;
    let refused = settled.refused.iter().chain(&outcome.refused);
    notices.extend(refused.filter_map(|(candidate, reason)| notices::of_candidate(facts, candidate, reason)));
    notices.extend(notices::of_codes(facts));
    notices.append(&mut outcome.notices);
    // Gifts take their places by id: taxes are divided in that order.
    outcome.basket.lines.sort_by_key(|line| line.id());
    let taxes = tax::taxes(&setting.taxes, &outcome.basket, &outcome.charges)?;
    assembly::quote(&setting, &outcome, &taxes, notices)
}

/// The promotions that may count, with a notice for each of the others.
fn candidates<'a>(facts: &'a Facts, notices: &mut Vec<Notice>) -> Vec<Candidate<'a>> {
    let mut candidates = Vec::new();
    for (name, fact) in &facts.promotions {
        match candidate(facts, name, fact) {
            Ok(found) => candidates.push(found),
            Err(reason) => notices.push(notices::of_promotion(facts, name, fact, &reason)),
        }
    }
    candidates
}
