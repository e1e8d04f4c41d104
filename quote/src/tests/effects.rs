//! What each effect takes off, and off what.

use super::given::*;
use crate::{Facts, Quote, facts::CartLine};
use schemas::{
    Uuid,
    events::{
        catalog::AttributeValue,
        promotions::{DiscountTier, Effect, PromotionContent, Selection},
        settings::{ShippingTier, TaxMode},
    },
    ids::CategoryId,
};

fn cart(prices: &[(i64, u32)]) -> Facts {
    let lines = (1..).zip(prices).map(|(n, (price, quantity))| line(n, "USD", *price, *quantity)).collect();
    shop("USD", TaxMode::Inclusive, vec![], lines)
}

fn off_lines(quote: &Quote) -> Vec<i64> {
    quote.lines.iter().map(|line| line.discount).collect()
}

fn by_effect(prices: &[(i64, u32)], effect: Effect) -> Vec<i64> {
    off_lines(&cart(prices).with("p", promotion(effect)).priced())
}

#[test]
fn a_part_of_the_whole_target_is_rounded_once() {
    // Each line by itself would give 3 times 0.335, rounded to 0.34.
    assert_eq!(by_effect(&[(335, 1), (335, 1), (335, 1)], percent(100_000)), [34, 34, 33]);
    assert_eq!(by_effect(&[(1_000, 1)], percent(2_000_000)), [1_000], "never more than is left");
    let most = Effect::Percentage { rate_ppm: 500_000, most: amounts("USD", 300) };
    assert_eq!(by_effect(&[(1_000, 1), (500, 1)], most), [200, 100]);
}

#[test]
fn an_amount_is_divided_over_its_target() {
    let off = |amount| Effect::Amount { amounts: amounts("USD", amount) };
    assert_eq!(by_effect(&[(1_000, 1), (500, 1)], off(300)), [200, 100]);
    assert_eq!(by_effect(&[(1_000, 1), (500, 1)], off(9_999)), [1_000, 500]);
    assert_eq!(by_effect(&[(1_000, 1)], off(-5)), [0]);
}

#[test]
fn a_fixed_price_is_never_higher_than_the_price() {
    let fixed = Effect::FixedPrice { prices: amounts("USD", 700) };
    assert_eq!(by_effect(&[(1_000, 2), (500, 1)], fixed), [600, 0]);
}

#[test]
fn the_cheapest_pieces_are_free() {
    let three_for_two = |most_times| Effect::BuyGet { buy: 2, get: 1, rate_ppm: 1_000_000, most_times };
    assert_eq!(by_effect(&[(1_000, 3)], three_for_two(None)), [1_000], "of one SKU, too");
    assert_eq!(by_effect(&[(1_000, 2)], three_for_two(None)), [0], "not of fewer");
    assert_eq!(by_effect(&[(1_000, 2), (300, 1), (200, 3)], three_for_two(None)), [0, 0, 400], "two of six");
    assert_eq!(by_effect(&[(1_000, 2), (300, 1), (200, 3)], three_for_two(Some(1))), [0, 0, 200]);
    let half = Effect::BuyGet { buy: 1, get: 1, rate_ppm: 500_000, most_times: None };
    assert_eq!(by_effect(&[(333, 2)], half), [167], "half up");
}

#[test]
fn a_piece_counts_for_one_such_offer_only() {
    let three_for_two = || promotion(Effect::BuyGet { buy: 2, get: 1, rate_ppm: 1_000_000, most_times: None });
    let quote = cart(&[(1_000, 5)]).with("a", three_for_two()).with("b", three_for_two()).priced();
    assert_eq!(discounts(&quote), [("a", 1_000)], "two are left, and three are needed");
    let quote = cart(&[(1_000, 6)]).with("a", three_for_two()).priced();
    assert_eq!(discounts(&quote), [("a", 2_000)]);
}

#[test]
fn the_last_tier_that_is_reached_counts() {
    let tier = |from_quantity, from: Option<i64>, rate_ppm| DiscountTier {
        from_quantity,
        from_value: from.map_or(vec![], |from| amounts("USD", from)),
        rate_ppm,
    };
    let tiers = || Effect::Tiers { tiers: vec![tier(2, None, 100_000), tier(4, Some(5_000), 200_000)] };
    assert_eq!(by_effect(&[(1_000, 1)], tiers()), [0]);
    assert_eq!(by_effect(&[(1_000, 4)], tiers()), [400], "many enough, but not worth enough");
    assert_eq!(by_effect(&[(1_000, 5)], tiers()), [1_000]);
}

#[test]
fn goods_are_selected_by_what_they_are() {
    let category = CategoryId(Uuid::from_u128(77));
    let lamp = CartLine {
        brand: Some("Lumen".to_owned()),
        category_ids: [category].into(),
        attributes: [
            ("colour".to_owned(), AttributeValue::Texts(vec!["red".into(), "blue".into()])),
            ("watts".to_owned(), AttributeValue::Number(40.0)),
            ("dimmable".to_owned(), AttributeValue::Bool(true)),
        ]
        .into(),
        ..line(1, "USD", 1_000, 1)
    };
    let product = lamp.product_id;
    let facts = shop("USD", TaxMode::Inclusive, vec![], vec![lamp, line(2, "USD", 1_000, 1)]);
    let of = |selection: Selection| {
        let target = PromotionContent { target: selection, ..promotion(percent(100_000)) };
        off_lines(&facts.clone().with("p", target).priced())
    };
    let has = |name: &str, value: &str| Selection {
        attributes: [(name.to_owned(), vec![value.to_owned()])].into(),
        ..Selection::default()
    };
    let lamps = [
        Selection { products: vec![product], ..Selection::default() },
        Selection { categories: vec![category], ..Selection::default() },
        Selection { brands: vec!["Other".into(), "Lumen".into()], ..Selection::default() },
        Selection { brands: vec!["Lumen".into()], ..on(&[1, 2]) },
        has("colour", "blue"),
        has("watts", "40"),
        has("dimmable", "true"),
    ];
    for selection in lamps {
        assert_eq!(of(selection.clone()), [100, 0], "{selection:?}");
    }
    assert_eq!(of(Selection { without_products: vec![product], ..Selection::default() }), [0, 100]);
    assert_eq!(of(Selection { without_categories: vec![category], ..Selection::default() }), [0, 100]);
    assert_eq!(of(Selection { brands: vec!["Lumen".into()], ..on(&[2]) }), [0, 0], "all that is named has to be met");
    assert_eq!(of(has("colour", "green")), [0, 0]);
}

#[test]
fn shipping_is_by_weight_and_by_value_after_discounts() {
    let tier = |from_value, from_grams, amount| ShippingTier { from_value, from_grams, amount };
    let with = |prices: &[(i64, u32)], rate_ppm| {
        let mut facts = cart(prices).with("p", promotion(percent(rate_ppm)));
        let tiers = vec![tier(0, 0, 500), tier(0, 1_000, 900), tier(10_000, 0, 0)];
        facts.shipping_methods.values_mut().for_each(|method| method.value.prices[0].tiers = tiers.clone());
        facts.priced().totals.shipping
    };
    assert_eq!(with(&[(1_000, 1)], 1), 500);
    assert_eq!(with(&[(100, 10)], 1), 900, "ten pieces of 100 g");
    assert_eq!(with(&[(10_000, 1)], 0), 0);
    assert_eq!(with(&[(10_000, 1)], 10_000), 500, "worth 99.00 after discounts");
}

#[test]
fn free_shipping_is_for_groups_with_goods_of_the_promotion() {
    let mut facts = cart(&[(1_000, 1), (2_000, 1)]);
    facts.lines[1].group = "other".to_owned();
    facts.groups.insert("other".to_owned(), facts.groups["main"].clone());
    facts.shipping_methods.insert("post".to_owned(), post("USD", 500));
    let target = PromotionContent { target: on(&[2]), ..promotion(Effect::Shipping { amounts: vec![] }) };
    let quote = facts.with("p", target).priced();
    assert_eq!(quote.shipping.iter().map(|charge| charge.total).collect::<Vec<_>>(), [500, 0]);
}
