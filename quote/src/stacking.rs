//! How promotions go with each other: the second half of step 5.

use crate::{
    PriceError,
    eligibility::Candidate,
    goods::Basket,
    outcome::{Outcome, Setting},
    reason::Reason,
};
use std::{cmp::Reverse, collections::BTreeMap};

/// The cart after the promotions that count, and why the others don't.
pub(crate) struct Settled<'a> {
    pub outcome: Outcome<'a>,
    pub refused: Vec<(Candidate<'a>, Reason)>,
}

/// An exclusive promotion counts alone. Of each group the one counts that takes off the most by itself. The rest all count,
/// by priority and name.
pub(crate) fn settled<'a>(
    setting: &Setting<'a>,
    basket: &Basket<'a>,
    mut candidates: Vec<Candidate<'a>>,
) -> Result<Settled<'a>, PriceError> {
    candidates.sort_by_key(|candidate| (candidate.content.stacking.priority, candidate.name));
    let mut refused = Vec::new();
    let (exclusive, mut open): (Vec<_>, Vec<_>) =
        candidates.into_iter().partition(|candidate| candidate.content.stacking.is_exclusive);
    let exclusive = alone(setting, basket, exclusive, &mut refused)?;
    if let Some(best) = best(&exclusive) {
        let others = exclusive.into_iter().map(|(candidate, _)| candidate).chain(open);
        refused.extend(others.filter(|other| other.name != best.name).map(|other| (other, outdone_by(&best))));
        let outcome = setting.outcome(basket, &[best])?;
        return Ok(Settled { outcome, refused });
    }
    loop {
        let (chosen, contested, outdone) = best_of_groups(setting, basket, &open, &mut refused)?;
        let outcome = setting.outcome(basket, &chosen)?;
        // Alone it took something off, with the others it does not: the next of its group has its turn.
        let failed = outcome.refused.iter().find(|(candidate, _)| contested.contains(&candidate.name)).cloned();
        let Some((failed, reason)) = failed else {
            refused.extend(outdone);
            return Ok(Settled { outcome, refused });
        };
        open.retain(|candidate| {
            candidate.name != failed.name && !refused.iter().any(|(gone, _)| gone.name == candidate.name)
        });
        refused.push((failed, reason));
    }
}

type Refused<'a> = Vec<(Candidate<'a>, Reason)>;

/// What promotions take off, each by itself; those that take nothing off are refused.
fn alone<'a>(
    setting: &Setting<'a>,
    basket: &Basket<'a>,
    candidates: Vec<Candidate<'a>>,
    refused: &mut Refused<'a>,
) -> Result<Vec<(Candidate<'a>, i128)>, PriceError> {
    let mut counted = Vec::new();
    for candidate in candidates {
        let outcome = setting.outcome(basket, &[candidate])?;
        if outcome.applied.is_empty() {
            refused.extend(outcome.refused);
        } else {
            counted.push((candidate, outcome.taken_off()));
        }
    }
    Ok(counted)
}

/// The one that takes off the most; of equal ones the first.
fn best<'a>(counted: &[(Candidate<'a>, i128)]) -> Option<Candidate<'a>> {
    counted.iter().min_by_key(|(_, amount)| Reverse(*amount)).map(|(candidate, _)| *candidate)
}

fn outdone_by(best: &Candidate<'_>) -> Reason {
    Reason::Outdone { by: best.content.title.clone() }
}

/// The promotions that count, the names of those that have rivals, and the rivals.
type Chosen<'a> = (Vec<Candidate<'a>>, Vec<&'a str>, Refused<'a>);

fn best_of_groups<'a>(
    setting: &Setting<'a>,
    basket: &Basket<'a>,
    open: &[Candidate<'a>],
    refused: &mut Refused<'a>,
) -> Result<Chosen<'a>, PriceError> {
    let mut groups: BTreeMap<&str, Vec<Candidate<'a>>> = BTreeMap::new();
    for candidate in open {
        if let Some(group) = candidate.content.stacking.group.as_deref() {
            groups.entry(group).or_default().push(*candidate);
        }
    }
    let (mut dropped, mut contested, mut outdone) = (Vec::new(), Vec::new(), Vec::new());
    for members in groups.into_values().filter(|members| members.len() > 1) {
        let before = refused.len();
        let counted = alone(setting, basket, members, refused)?;
        dropped.extend(refused[before..].iter().map(|(candidate, _)| candidate.name));
        let Some(best) = best(&counted) else { continue };
        let rivals = counted.into_iter().filter(|(rival, _)| rival.name != best.name);
        let rivals: Refused<'a> = rivals.map(|(rival, _)| (rival, outdone_by(&best))).collect();
        if !rivals.is_empty() {
            contested.push(best.name);
        }
        dropped.extend(rivals.iter().map(|(rival, _)| rival.name));
        outdone.extend(rivals);
    }
    let chosen = open.iter().filter(|candidate| !dropped.contains(&candidate.name)).copied().collect();
    Ok((chosen, contested, outdone))
}
