//! What the effect of one promotion takes off goods: the sums of steps 6 and 7. Has the rounding point R2.

use crate::{
    PriceError,
    allocation::allocated,
    eligibility::{Measured, stated_in},
    rounding::{MILLION, rounded},
};
use schemas::{
    events::promotions::{DiscountTier, Effect},
    money::Currency,
};
use std::cmp::Reverse;

/// What an effect takes off, by goods. Nowhere is it more than what is left.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Taken {
    /// The places of the goods, and what is taken off each.
    pub shares: Vec<(usize, i128)>,
    /// What a rate was on, or what was left of the target.
    pub base: i128,
    /// The rate in parts per million, where there is one.
    pub rate_ppm: Option<u32>,
    /// The pieces that are used up, by the places of their goods.
    pub used: Vec<(usize, u64)>,
}

/// What an effect takes off the goods at some places. Gifts and shipping take nothing off goods of the cart. `left` is what
/// counts for the sums, while the measured values decide what is reached.
pub(crate) fn taken(effect: &Effect, target: &[usize], measured: &Measured<'_, '_>) -> Result<Taken, PriceError> {
    let left = LeftOf::new(target, measured);
    let currency = measured.facts.currency;
    Ok(match effect {
        Effect::Percentage { rate_ppm, most } => {
            let most = stated_in(most, currency).map(|most| left.stated(most)).transpose()?;
            let part = left.part(*rate_ppm);
            left.spread(most.map_or(part, |most| part.min(most)), Some(*rate_ppm))
        }
        Effect::Amount { amounts } => {
            left.spread(stated_in(amounts, currency).map_or(Ok(0), |amount| left.stated(amount))?, None)
        }
        Effect::FixedPrice { prices } => left.down_to(stated_in(prices, currency)),
        Effect::BuyGet { buy, get, rate_ppm, most_times } => {
            left.buy_get([*buy, *get].map(u64::from), *rate_ppm, *most_times)
        }
        Effect::Tiers { tiers } => match reached(tiers, target, measured, currency)? {
            Some(rate_ppm) => left.spread(left.part(rate_ppm), Some(rate_ppm)),
            None => Taken::default(),
        },
        Effect::Gift { .. } | Effect::Shipping { .. } => Taken::default(),
    })
}

/// The rate of the last tier that the goods reach.
fn reached(
    tiers: &[DiscountTier],
    target: &[usize],
    measured: &Measured<'_, '_>,
    currency: Currency,
) -> Result<Option<u32>, PriceError> {
    let (value, pieces) =
        (measured.value(target), target.iter().map(|goods| measured.basket.pieces(*goods)).sum::<u64>());
    let mut rate_ppm = None;
    for tier in tiers {
        let is_worth = match stated_in(&tier.from_value, currency) {
            Some(from) => measured.stated(from, target)? <= value,
            None => tier.from_value.is_empty(),
        };
        if is_worth && u64::from(tier.from_quantity) <= pieces {
            rate_ppm = Some(tier.rate_ppm);
        }
    }
    Ok(rate_ppm)
}

/// What is left of the goods of a target.
struct LeftOf<'a, 'b, 'c> {
    target: &'a [usize],
    measured: &'a Measured<'b, 'c>,
    left: Vec<i128>,
}

impl<'a, 'b, 'c> LeftOf<'a, 'b, 'c> {
    fn new(target: &'a [usize], measured: &'a Measured<'b, 'c>) -> Self {
        Self { target, measured, left: target.iter().map(|goods| measured.basket.left(*goods)).collect() }
    }

    fn sum(&self) -> i128 {
        self.left.iter().sum()
    }

    /// R2: one amount for the whole target.
    fn part(&self, rate_ppm: u32) -> i128 {
        rounded(self.sum() * i128::from(rate_ppm), MILLION)
    }

    /// What an amount is on what is left, that is stated in the tax mode of the shop's prices. R2, where the mode differs.
    fn stated(&self, amount: i64) -> Result<i128, PriceError> {
        let values = self.measured.basket.values();
        Measured { values: &values, ..*self.measured }.stated(amount, self.target)
    }

    /// Divides an amount over the target, as far as something is left of it.
    fn spread(&self, amount: i128, rate_ppm: Option<u32>) -> Taken {
        let shares = allocated(amount.clamp(0, self.sum()), &self.left);
        Taken {
            shares: self.target.iter().copied().zip(shares).collect(),
            base: self.sum(),
            rate_ppm,
            used: Vec::new(),
        }
    }

    /// What is left above a price for each piece.
    fn down_to(&self, price: Option<i64>) -> Taken {
        let basket = self.measured.basket;
        let Some(price) = price else { return Taken::default() };
        let above = |(goods, left): (&usize, &i128)| {
            let unit = self.measured.taxes.unit_price(price.max(0), basket.first(*goods).facts.class());
            (*goods, (left - unit * i128::from(basket.pieces(*goods))).max(0))
        };
        let shares = self.target.iter().zip(&self.left).map(above).collect();
        Taken { shares, base: self.sum(), ..Taken::default() }
    }

    /// The cheapest pieces get it: of every `buy + get` that are not used up, `get`.
    fn buy_get(&self, [buy, get]: [u64; 2], rate_ppm: u32, most_times: Option<u32>) -> Taken {
        let basket = self.measured.basket;
        let mut free: Vec<u64> =
            self.target.iter().map(|goods| basket.pieces(*goods).saturating_sub(basket.goods[*goods].used)).collect();
        let times = free.iter().sum::<u64>() / (buy + get).max(1);
        let times = times.min(most_times.map_or(u64::MAX, u64::from));
        let cheapest_first = self.by_price();
        let mut take = |order: &mut dyn Iterator<Item = &usize>, mut wanted: u64| -> Vec<u64> {
            let mut got = vec![0; free.len()];
            for place in order {
                got[*place] = free[*place].min(wanted);
                free[*place] -= got[*place];
                wanted -= got[*place];
            }
            got
        };
        let got = take(&mut cheapest_first.iter(), times.saturating_mul(get));
        let bought = take(&mut cheapest_first.iter().rev(), times.saturating_mul(buy));
        let pieces = |place: usize| i128::from(basket.pieces(self.target[place])).max(1);
        let bases: Vec<i128> =
            got.iter().enumerate().map(|(place, got)| self.left[place] * i128::from(*got) / pieces(place)).collect();
        let base: i128 = bases.iter().sum();
        let amount = rounded(base * i128::from(rate_ppm), MILLION).clamp(0, base);
        let used = got.iter().zip(&bought).map(|(got, bought)| got + bought);
        Taken {
            shares: self.target.iter().copied().zip(allocated(amount, &bases)).collect(),
            base,
            rate_ppm: Some(rate_ppm),
            used: self.target.iter().copied().zip(used).collect(),
        }
    }

    /// The target by what is left of a piece, the cheapest first.
    fn by_price(&self) -> Vec<usize> {
        let basket = self.measured.basket;
        let mut places: Vec<usize> = (0..self.target.len()).collect();
        places.sort_by(|one, other| {
            let [(a, n), (b, m)] =
                [*one, *other].map(|place| (self.left[place], i128::from(basket.pieces(self.target[place]))));
            (a * m).cmp(&(b * n)).then(Reverse(*other).cmp(&Reverse(*one)))
        });
        places
    }
}
