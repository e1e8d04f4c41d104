//! Carts as shops have them: any goods, promotions and shipping, in numbers that fit.

use super::super::given::*;
use crate::{
    Facts,
    facts::{CartLine, ShipmentGroup},
};
use proptest::prelude::*;
use schemas::events::{
    promotions::{Conditions, DiscountTier, Effect, Level, PromotionContent, Selection, Stacking},
    settings::{CashRounding, ForeignPrices, PaymentMethod, ShippingTier, TaxMode},
};

/// Of what a shop sells in: no decimals, two, three.
const CURRENCIES: [&str; 3] = ["JPY", "USD", "KWD"];
const CLASSES: [Option<&str>; 4] = [None, Some("reduced"), Some("double"), Some("free")];
const GROUPS: [&str; 2] = ["main", "other"];

fn mode(is_inclusive: bool) -> TaxMode {
    if is_inclusive { TaxMode::Inclusive } else { TaxMode::Exclusive }
}

#[derive(Debug, Clone)]
struct Line {
    amount: i64,
    quantity: u32,
    class: usize,
    group: usize,
    grams: i64,
}

fn lines() -> impl Strategy<Value = Vec<Line>> {
    let amount = prop_oneof![0_i64..20, 0_i64..10_000, 0_i64..5_000_000];
    let line = (amount, 1_u32..7, 0..CLASSES.len(), 0..GROUPS.len(), 0_i64..2_000);
    prop::collection::vec(
        line.prop_map(|(amount, quantity, class, group, grams)| Line { amount, quantity, class, group, grams }),
        1..6,
    )
}

fn effect(code: &'static str) -> impl Strategy<Value = Effect> {
    let rate = || prop_oneof![Just(150_000_u32), Just(333_333), 0_u32..=1_000_000];
    let sum = || prop_oneof![0_i64..100, 0_i64..20_000];
    let stated = move || sum().prop_map(move |amount| amounts(code, amount));
    prop_oneof![
        (rate(), prop::option::of(stated()))
            .prop_map(|(rate_ppm, most)| Effect::Percentage { rate_ppm, most: most.unwrap_or_default() }),
        stated().prop_map(|amounts| Effect::Amount { amounts }),
        stated().prop_map(|prices| Effect::FixedPrice { prices }),
        (1_u32..4, 1_u32..3, rate(), prop::option::of(1_u32..3))
            .prop_map(|(buy, get, rate_ppm, most_times)| Effect::BuyGet { buy, get, rate_ppm, most_times }),
        (1_u32..3).prop_map(|quantity| Effect::Gift { variant: variant(50), quantity }),
        prop::option::of(stated()).prop_map(|amounts| Effect::Shipping { amounts: amounts.unwrap_or_default() }),
        (rate(), rate(), 0_u32..9).prop_map(|(first, second, from_quantity)| Effect::Tiers {
            tiers: vec![
                DiscountTier { from_quantity: 0, from_value: vec![], rate_ppm: first },
                DiscountTier { from_quantity, from_value: vec![], rate_ppm: second },
            ]
        }),
    ]
}

/// Some of the goods by their numbers; all, if none is named.
fn selection() -> impl Strategy<Value = Selection> {
    prop::collection::vec(1_u128..6, 0..4).prop_map(|numbers| on(&numbers))
}

fn content(code: &'static str) -> impl Strategy<Value = PromotionContent> {
    let stacking = (-1_i32..2, 0..12_u8).prop_map(|(priority, kind)| Stacking {
        priority,
        is_exclusive: kind == 0,
        group: (1..5).contains(&kind).then(|| format!("group {}", kind % 2)),
    });
    let conditions =
        (selection(), prop::option::of(0_i64..30_000), 0_u32..4).prop_map(move |(goods, least, least_quantity)| {
            let least_value = least.map_or(vec![], |least| amounts(code, least));
            Conditions { goods, least_value, least_quantity, ..Conditions::default() }
        });
    (effect(code), selection(), conditions, stacking, any::<bool>()).prop_map(
        |(effect, target, conditions, stacking, of_order)| {
            let level = if of_order { Level::Order } else { Level::Item };
            PromotionContent { target, conditions, stacking, level, ..promotion(effect) }
        },
    )
}

/// Tax modes of shop and zone, whether the zone is another one, and whether net prices are fixed.
type Place = (bool, bool, bool, bool);

fn facts(code: &str, lines: Vec<Line>, promotions: Vec<PromotionContent>, shipping: [i64; 3], place: Place) -> Facts {
    let (shop_mode, zone_mode, is_away, is_net_fixed) = place;
    let priced = (1..).zip(lines).map(|(n, given)| CartLine {
        tax_class: CLASSES[given.class].map(str::to_owned),
        group: GROUPS[given.group].to_owned(),
        weight_grams: Some(given.grams),
        ..line(n, code, given.amount, given.quantity)
    });
    let rates = |country: &str, standard| {
        let second = rate("double", "US-CA-LA", 22_500);
        vec![
            rate("standard", country, standard),
            rate("reduced", country, 80_000),
            rate("double", country, standard),
            second,
        ]
    };
    let mut facts = shop(code, mode(shop_mode), rates("DE", 190_000), priced.collect());
    facts.tax_zones.insert("away".to_owned(), zone("FR", mode(zone_mode), rates("FR", 100_000)));
    facts.shipping = Some(in_country(if is_away { "FR" } else { "DE" }));
    facts.policy.value.foreign_prices = if is_net_fixed { ForeignPrices::NetFixed } else { ForeignPrices::GrossFixed };
    facts.policy.value.cash_rounding = vec![CashRounding { currency: currency("KWD"), to: 5 }];
    facts.payment = Some(PaymentMethod::CashOnDelivery);
    for (name, amount) in GROUPS.iter().zip(shipping) {
        facts.groups.insert((*name).to_owned(), ShipmentGroup { location: None, method: Some((*name).to_owned()) });
        let mut method = post(code, amount);
        method.value.prices[0].tiers.push(ShippingTier {
            from_value: 0,
            from_grams: 3_000,
            amount: amount + shipping[2],
        });
        facts.shipping_methods.insert((*name).to_owned(), method);
    }
    let names = (0..).map(|n| format!("p{n}"));
    let facts = facts.with_gift(50, code, 1_999, 3);
    promotions.into_iter().zip(names).fold(facts, |facts, (content, name)| facts.with(&name, content))
}

/// Carts of one to five lines with up to four promotions.
pub fn carts() -> impl Strategy<Value = Facts> {
    prop::sample::select(&CURRENCIES[..]).prop_flat_map(|code| {
        let promotions = prop::collection::vec(content(code), 0..5);
        let place = (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>());
        (lines(), promotions, prop::array::uniform3(0_i64..1_500), place)
            .prop_map(move |(lines, promotions, shipping, place)| facts(code, lines, promotions, shipping, place))
    })
}
