//! What becomes of the cart when some promotions count: steps 6, 7 and 9, one after the other.

use crate::{
    PriceError,
    effect::{self, Taken},
    eligibility::{Candidate, Measured},
    facts::Facts,
    gift,
    goods::{Basket, PricedLine},
    reason::Reason,
    selection::contains,
    shipping::{self, Charge},
    zone::Taxation,
};
use schemas::{
    events::promotions::{Effect, Level},
    ids::LineId,
    quote::{Notice, PromotionShare},
};

/// What a promotion did.
#[derive(Debug, Clone)]
pub(crate) struct Applied<'a> {
    pub candidate: Candidate<'a>,
    /// What a rate was on, or what was left of the target.
    pub base: i128,
    pub rate_ppm: Option<u32>,
    /// Lines, with what was left of each before and what was taken off.
    pub lines: Vec<(LineId, i128, i128)>,
    /// The same of shipping, by group.
    pub shipping: Vec<(String, i128, i128)>,
}

impl Applied<'_> {
    /// What it took off in all.
    pub(crate) fn amount(&self) -> i128 {
        let lines: i128 = self.lines.iter().map(|(_, _, amount)| amount).sum();
        lines + self.shipping.iter().map(|(_, _, amount)| amount).sum::<i128>()
    }
}

/// The cart after promotions.
#[derive(Debug, Clone)]
pub(crate) struct Outcome<'a> {
    pub basket: Basket<'a>,
    pub charges: Vec<Charge<'a>>,
    /// What they did, in the order in which they counted.
    pub applied: Vec<Applied<'a>>,
    /// Those that took nothing off after all.
    pub refused: Vec<(Candidate<'a>, Reason)>,
    /// What there is to say of shipping.
    pub notices: Vec<Notice>,
}

/// Where a cart is priced.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Setting<'a> {
    pub facts: &'a Facts,
    pub taxes: Taxation<'a>,
}

impl<'a> Setting<'a> {
    /// Lets promotions count, which are given in their order.
    pub(crate) fn outcome(&self, basket: &Basket<'a>, promotions: &[Candidate<'a>]) -> Result<Outcome<'a>, PriceError> {
        let basket = basket.clone();
        let (charges, applied, refused, notices) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut outcome = Outcome { basket, charges, applied, refused, notices };
        let before = outcome.basket.values();
        self.goods_promotions(&mut outcome, promotions, Level::Item, &before)?;
        let after_items = outcome.basket.values();
        self.goods_promotions(&mut outcome, promotions, Level::Order, &after_items)?;
        (outcome.charges, outcome.notices) = shipping::charges(self.facts, &self.taxes, &outcome.basket)?;
        for candidate in promotions {
            let values = match candidate.content.level {
                Level::Item => &before,
                Level::Order => &after_items,
            };
            self.shipping_promotion(&mut outcome, candidate, values)?;
        }
        Ok(outcome)
    }

    /// Steps 6 and 7, by the level.
    fn goods_promotions(
        &self,
        outcome: &mut Outcome<'a>,
        promotions: &[Candidate<'a>],
        level: Level,
        values: &[i128],
    ) -> Result<(), PriceError> {
        for candidate in promotions.iter().filter(|candidate| candidate.content.level == level) {
            let measured = Measured { facts: self.facts, taxes: &self.taxes, basket: &outcome.basket, values };
            let target = measured.of(|goods| contains(&candidate.content.target, &outcome.basket.first(goods).facts));
            let counted = match (&candidate.content.effect, measured.is_enough(&candidate.content.conditions)?) {
                (Effect::Shipping { .. }, _) => continue,
                (_, Err(reason)) => Err(reason),
                (_, Ok(())) if target.is_empty() => Err(Reason::TakesNothingOff),
                (Effect::Gift { variant, quantity }, Ok(())) => {
                    gift::line(self.facts, &self.taxes, &outcome.basket, candidate, (*variant, *quantity))
                        .map(|line| Change::Gift(Box::new(line)))
                }
                (effect, Ok(())) => Ok(Change::Taken(effect::taken(effect, &target, &measured)?)),
            };
            match counted {
                Ok(Change::Gift(line)) => outcome.add_gift(candidate, *line)?,
                Ok(Change::Taken(taken)) => outcome.take(candidate, &taken),
                Err(reason) => outcome.refused.push((*candidate, reason)),
            }
        }
        Ok(())
    }

    /// A promotion of step 9.
    fn shipping_promotion(
        &self,
        outcome: &mut Outcome<'a>,
        candidate: &Candidate<'a>,
        values: &[i128],
    ) -> Result<(), PriceError> {
        let Effect::Shipping { amounts } = &candidate.content.effect else { return Ok(()) };
        let measured = Measured { facts: self.facts, taxes: &self.taxes, basket: &outcome.basket, values };
        if let Err(reason) = measured.is_enough(&candidate.content.conditions)? {
            outcome.refused.push((*candidate, reason));
            return Ok(());
        }
        let target = (&candidate.content.target, amounts.as_slice());
        let shares = shipping::taken(self.facts, &self.taxes, &outcome.basket, &outcome.charges, target);
        outcome.take_off_shipping(candidate, &shares);
        Ok(())
    }
}

/// What a promotion does to the lines.
enum Change<'a> {
    Gift(Box<PricedLine<'a>>),
    Taken(Taken),
}

impl<'a> Outcome<'a> {
    fn add_gift(&mut self, candidate: &Candidate<'a>, mut line: PricedLine<'a>) -> Result<(), PriceError> {
        let amount = line.amount;
        line.take(candidate.name, amount);
        let lines = vec![(line.id(), amount, amount)];
        if self.basket.lines.iter().any(|other| other.id() == line.id()) {
            return Err(PriceError::DuplicateLine { line: line.id() });
        }
        self.basket.add(line)?;
        self.applied.push(Applied { candidate: *candidate, base: amount, rate_ppm: None, lines, shipping: Vec::new() });
        Ok(())
    }

    fn take(&mut self, candidate: &Candidate<'a>, taken: &Taken) {
        let before: Vec<i128> = self.basket.lines.iter().map(|line| line.left).collect();
        for (goods, amount) in &taken.shares {
            self.basket.take(*goods, candidate.name, *amount);
        }
        let changes =
            self.basket.lines.iter().zip(before).map(|(line, before)| (line.id(), before, before - line.left));
        let lines: Vec<_> = changes.filter(|(_, _, amount)| *amount != 0).collect();
        if lines.is_empty() {
            self.refused.push((*candidate, Reason::TakesNothingOff));
            return;
        }
        for (goods, pieces) in &taken.used {
            self.basket.goods[*goods].used += pieces;
        }
        let (base, rate_ppm) = (taken.base, taken.rate_ppm);
        self.applied.push(Applied { candidate: *candidate, base, rate_ppm, lines, shipping: Vec::new() });
    }

    fn take_off_shipping(&mut self, candidate: &Candidate<'a>, shares: &[i128]) {
        let base = self.charges.iter().map(|charge| charge.left).sum();
        let mut shipping = Vec::new();
        for (charge, share) in self.charges.iter_mut().zip(shares).filter(|(_, share)| **share != 0) {
            shipping.push((charge.group.clone(), charge.left, *share));
            charge.left -= share;
            // It is at most the charge's amount, which fits.
            let amount = i64::try_from(*share).unwrap_or(i64::MAX);
            charge.shares.push(PromotionShare { promotion: candidate.name.to_owned(), amount });
        }
        if shipping.is_empty() {
            self.refused.push((*candidate, Reason::TakesNothingOff));
        } else {
            let lines = Vec::new();
            self.applied.push(Applied { candidate: *candidate, base, rate_ppm: None, lines, shipping });
        }
    }

    /// What promotions took off in all.
    pub(crate) fn taken_off(&self) -> i128 {
        self.applied.iter().map(Applied::amount).sum()
    }
}
