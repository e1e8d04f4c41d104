//! Facts that no context lets through: numbers of any size and sign, names that lead nowhere.

use super::{super::given::*, carts::carts};
use crate::Facts;
use proptest::prelude::*;
use schemas::{
    events::{
        promotions::{DiscountTier, Effect},
        settings::{CashRounding, TaxRate},
    },
    money::Money,
};

fn any_amount() -> impl Strategy<Value = i64> {
    prop_oneof![any::<i64>(), Just(i64::MAX), Just(i64::MIN), Just(-1), Just(0), Just(1), 0..i64::MAX / 1_000]
}

fn any_count() -> impl Strategy<Value = u32> {
    prop_oneof![any::<u32>(), Just(u32::MAX), Just(0), 1_u32..2_000]
}

fn any_effect(code: &'static str) -> impl Strategy<Value = Effect> {
    let stated = move || any_amount().prop_map(move |amount| amounts(code, amount));
    prop_oneof![
        (any_count(), stated()).prop_map(|(rate_ppm, most)| Effect::Percentage { rate_ppm, most }),
        stated().prop_map(|amounts| Effect::Amount { amounts }),
        stated().prop_map(|prices| Effect::FixedPrice { prices }),
        (any_count(), any_count(), any_count(), prop::option::of(any_count()))
            .prop_map(|(buy, get, rate_ppm, most_times)| Effect::BuyGet { buy, get, rate_ppm, most_times }),
        any_count().prop_map(|quantity| Effect::Gift { variant: variant(50), quantity }),
        stated().prop_map(|amounts| Effect::Shipping { amounts }),
        (any_count(), any_count(), stated()).prop_map(|(rate_ppm, from_quantity, from_value)| Effect::Tiers {
            tiers: vec![DiscountTier { from_quantity, from_value, rate_ppm }]
        }),
    ]
}

/// One thing after the other that is put out of order.
#[derive(Debug, Clone)]
enum Disorder {
    Price(usize, i64),
    List(usize, i64),
    Quantity(usize, u32),
    SameId(usize),
    Weight(usize, i64),
    Group(usize),
    Rate(u32),
    Shipping(i64),
    TierValue(i64),
    Gift(i64, u32),
    Effect(Effect),
    LeastValue(i64),
    LeastOrder(i64),
    Coin(i64),
}

fn disorder() -> impl Strategy<Value = Disorder> {
    let line = 0..5_usize;
    prop_oneof![
        (line.clone(), any_amount()).prop_map(|(line, amount)| Disorder::Price(line, amount)),
        (line.clone(), any_amount()).prop_map(|(line, amount)| Disorder::List(line, amount)),
        (line.clone(), any_count()).prop_map(|(line, quantity)| Disorder::Quantity(line, quantity)),
        line.clone().prop_map(Disorder::SameId),
        (line.clone(), any_amount()).prop_map(|(line, grams)| Disorder::Weight(line, grams)),
        line.prop_map(Disorder::Group),
        any_count().prop_map(Disorder::Rate),
        any_amount().prop_map(Disorder::Shipping),
        any_amount().prop_map(Disorder::TierValue),
        (any_amount(), any_count()).prop_map(|(list, available)| Disorder::Gift(list, available)),
        prop::sample::select(&["JPY", "USD", "KWD"][..]).prop_flat_map(any_effect).prop_map(Disorder::Effect),
        any_amount().prop_map(Disorder::LeastValue),
        any_amount().prop_map(Disorder::LeastOrder),
        any_amount().prop_map(Disorder::Coin),
    ]
}

impl Facts {
    fn put_out_of_order(&mut self, disorder: Disorder) {
        let (count, currency) = (self.lines.len(), self.currency);
        let stated = |amount| vec![Money { amount, currency }];
        let line = |place: usize| place % count;
        match disorder {
            Disorder::Price(place, amount) => self.lines[line(place)].prices = sheet(currency.code(), amount),
            Disorder::List(place, amount) => {
                if let Some(sheet) = &mut self.lines[line(place)].prices {
                    sheet.value[0].sale_amount = Some(sheet.value[0].list_amount);
                    sheet.value[0].list_amount = amount;
                }
            }
            Disorder::Quantity(place, quantity) => self.lines[line(place)].quantity = quantity,
            Disorder::SameId(place) => self.lines[line(place)].id = line_id(1),
            Disorder::Weight(place, grams) => self.lines[line(place)].weight_grams = Some(grams),
            Disorder::Group(place) => self.lines[line(place)].group.clear(),
            Disorder::Rate(rate_ppm) => {
                let more = TaxRate { rate_ppm, ..rate("standard", "XX", 0) };
                self.tax_zones.values_mut().for_each(|zone| zone.value.rates.push(more.clone()));
            }
            Disorder::Shipping(amount) => {
                let tiers = self.shipping_methods.values_mut().flat_map(|method| &mut method.value.prices[0].tiers);
                tiers.for_each(|tier| tier.amount = amount);
            }
            Disorder::TierValue(from) => {
                let tiers = self.shipping_methods.values_mut().flat_map(|method| &mut method.value.prices[0].tiers);
                tiers.for_each(|tier| tier.from_value = from);
            }
            Disorder::Gift(list, available) => {
                let gift = self.gifts.values_mut();
                gift.for_each(|gift| (gift.prices, gift.available) = (sheet(currency.code(), list), available));
            }
            Disorder::Effect(effect) => *self = self.clone().with("strange", promotion(effect)),
            Disorder::LeastValue(amount) => {
                let contents = self.promotions.values_mut().map(|fact| &mut fact.promotion.value.conditions);
                contents.for_each(|conditions| conditions.least_value = stated(amount));
            }
            Disorder::LeastOrder(amount) => self.policy.value.least_order = stated(amount),
            Disorder::Coin(to) => self.policy.value.cash_rounding = vec![CashRounding { currency, to }],
        }
    }
}

/// Carts with up to five things out of order.
pub fn wild() -> impl Strategy<Value = Facts> {
    (carts(), prop::collection::vec(disorder(), 1..6)).prop_map(|(mut facts, disorders)| {
        disorders.into_iter().for_each(|disorder| facts.put_out_of_order(disorder));
        facts
    })
}
