//! Which promotions may count for the cart: step 5.

use crate::{
    PriceError,
    facts::{Facts, PromotionFact},
    goods::Basket,
    reason::Reason,
    selection::contains,
    zone::Taxation,
};
use schemas::{
    events::promotions::{Conditions, DiscountTier, Effect, PromotionContent},
    ids::LineId,
    money::{Currency, Money},
};

/// A promotion that may count.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Candidate<'a> {
    pub name: &'a str,
    pub content: &'a PromotionContent,
    pub version: u64,
    /// The code that was entered for it and can be used.
    pub code: Option<&'a str>,
}

/// A promotion as far as it does not depend on the goods.
pub(crate) fn candidate<'a>(facts: &'a Facts, name: &'a str, fact: &'a PromotionFact) -> Result<Candidate<'a>, Reason> {
    let content = &fact.promotion.value;
    let code = usable_code(facts, name, fact)?;
    if let Some(from) = content.from.filter(|from| facts.now < *from) {
        return Err(Reason::NotStarted { from });
    }
    if let Some(until) = content.until.filter(|until| *until <= facts.now) {
        return Err(Reason::Over { until });
    }
    if fact.exhausted.in_all {
        return Err(Reason::ExhaustedInAll);
    }
    if fact.exhausted.by_customer {
        return Err(Reason::ExhaustedForCustomer);
    }
    if !states_amounts(content, facts.currency) {
        return Err(Reason::OtherCurrency);
    }
    is_for_buyer(facts, &content.conditions)?;
    Ok(Candidate { name, content, version: fact.promotion.version, code })
}

/// The codes that were entered for a promotion.
pub(crate) fn codes_of<'a>(facts: &'a Facts, promotion: &str) -> impl Iterator<Item = &'a str> {
    use crate::facts::CodeFact;
    let is_its = move |fact: &CodeFact| match fact {
        CodeFact::Promotion(name) => name == promotion,
        CodeFact::Unknown | CodeFact::Unusable(_) => false,
    };
    facts.codes.iter().filter(move |(_, fact)| is_its(fact)).map(|(code, _)| code.as_str())
}

fn usable_code<'a>(facts: &'a Facts, name: &str, fact: &PromotionFact) -> Result<Option<&'a str>, Reason> {
    let usable = codes_of(facts, name).find(|code| !fact.exhausted.codes.contains(*code));
    if usable.is_some() || !fact.promotion.value.needs_code {
        return Ok(usable);
    }
    Err(if codes_of(facts, name).next().is_some() { Reason::CodesExhausted } else { Reason::NeedsCode })
}

/// The amount in a currency, of such as are stated for several.
pub(crate) fn stated_in(amounts: &[Money], currency: Currency) -> Option<i64> {
    amounts.iter().find(|money| money.currency == currency).map(|money| money.amount)
}

/// Whether a promotion states what it needs in the currency: nothing is converted.
fn states_amounts(content: &PromotionContent, currency: Currency) -> bool {
    let is_stated = |amounts: &[Money]| stated_in(amounts, currency).is_some();
    let if_any = |amounts: &[Money]| amounts.is_empty() || is_stated(amounts);
    let effect = match &content.effect {
        Effect::Percentage { most, .. } => if_any(most),
        Effect::Amount { amounts } => is_stated(amounts),
        Effect::FixedPrice { prices } => is_stated(prices),
        Effect::BuyGet { .. } | Effect::Gift { .. } => true,
        Effect::Shipping { amounts } => if_any(amounts),
        Effect::Tiers { tiers } => tiers.is_empty() || tiers.iter().any(|tier: &DiscountTier| if_any(&tier.from_value)),
    };
    effect && if_any(&content.conditions.least_value)
}

fn is_for_buyer(facts: &Facts, conditions: &Conditions) -> Result<(), Reason> {
    let customer = facts.customer.as_ref();
    let is_in = |group: &String| customer.is_some_and(|customer| customer.groups.contains(group));
    if !conditions.channels.is_empty() && facts.channel.as_ref().is_none_or(|here| !conditions.channels.contains(here))
    {
        return Err(Reason::OtherChannel);
    }
    if !conditions.groups.is_empty() && !conditions.groups.iter().any(is_in) {
        return Err(Reason::OtherCustomers);
    }
    if conditions.first_order && !customer.is_some_and(|customer| customer.is_first_order) {
        return Err(Reason::FirstOrderOnly);
    }
    Ok(())
}

/// What the goods of a cart are worth, each by its place, when a promotion looks whether they are enough.
pub(crate) struct Measured<'a, 'b> {
    pub facts: &'a Facts,
    pub taxes: &'a Taxation<'a>,
    pub basket: &'a Basket<'b>,
    pub values: &'a [i128],
}

impl Measured<'_, '_> {
    /// Whether the goods are worth as much and as many as a promotion asks for.
    pub(crate) fn is_enough(&self, conditions: &Conditions) -> Result<Result<(), Reason>, PriceError> {
        let chosen = self.of(|goods| contains(&conditions.goods, &self.basket.first(goods).facts));
        let pieces: u64 = chosen.iter().map(|goods| self.basket.pieces(*goods)).sum();
        let least = u64::from(conditions.least_quantity);
        if pieces < least {
            return Ok(Err(Reason::TooFewPieces { least, pieces }));
        }
        let Some(amount) = stated_in(&conditions.least_value, self.facts.currency) else { return Ok(Ok(())) };
        let value = self.value(&chosen);
        let least = self.stated(amount, &chosen)?;
        Ok(if value < least { Err(Reason::ValueTooLow { least, value }) } else { Ok(()) })
    }

    /// The goods that something holds for.
    pub(crate) fn of(&self, holds: impl Fn(usize) -> bool) -> Vec<usize> {
        (0..self.basket.goods.len()).filter(|goods| holds(*goods)).collect()
    }

    pub(crate) fn value(&self, goods: &[usize]) -> i128 {
        goods.iter().map(|goods| self.values[*goods]).sum()
    }

    /// What an amount is on goods, that is stated in the tax mode of the shop's prices.
    pub(crate) fn stated(&self, amount: i64, goods: &[usize]) -> Result<i128, PriceError> {
        let of = |goods: &usize| (self.values[*goods], self.basket.first(*goods).facts.class());
        let parts: Vec<(i128, &str)> = goods.iter().map(of).collect();
        self.taxes.stated_on(amount, &parts).ok_or_else(|| PriceError::Overflow { line: self.line_of(goods) })
    }

    fn line_of(&self, goods: &[usize]) -> LineId {
        goods.first().map_or(LineId(schemas::Uuid::nil()), |goods| self.basket.first(*goods).id())
    }
}
