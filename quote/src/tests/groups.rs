//! Goods of several locations: which lines are sent together, and what that costs.

use super::given::*;
use crate::{
    Facts, NoticeCode, Quote,
    facts::{GROUP, Levels},
};
use proptest::prelude::*;
use schemas::{
    events::settings::{Location, ShippingTier, TaxMode},
    quote::{group_from, location_of},
    settings::{Setting, ShopSettings},
};
use std::collections::{BTreeMap, BTreeSet};

/// A shop that sends goods from these locations, in this order.
fn sending(names: &[&str]) -> ShopSettings {
    let location = |(position, name): (i32, &&str)| Setting {
        name: (*name).to_owned(),
        version: 1,
        content: Location { title: (*name).to_owned(), place: in_country("DE"), ships: true, position },
    };
    ShopSettings { locations: (0..).zip(names).map(location).collect(), ..ShopSettings::default() }
}

/// Pieces by the number of a variant and location.
fn levels(known: &[(u128, &str, i64)]) -> Levels {
    let mut levels = Levels::new();
    for (n, location, pieces) in known {
        levels.entry(variant(*n)).or_default().insert((*location).to_owned(), *pieces);
    }
    levels
}

/// One piece each of the variants 1 to `n`.
fn cart(n: u128) -> Facts {
    let lines = (1..=n).map(|n| line(n, "USD", 1_000, 1)).collect();
    let mut facts = shop("USD", TaxMode::Inclusive, vec![rate("standard", "DE", 190_000)], lines);
    facts.shipping_methods.insert("post".to_owned(), post("USD", 500));
    facts
}

/// The location of each line.
fn from(facts: &Facts) -> Vec<&str> {
    facts.lines.iter().map(|line| location_of(&line.group).unwrap_or("nowhere")).collect()
}

/// The location of each line of a shop that sends from `a`, `b` and `c`.
fn from_three(facts: Facts, known: &[(u128, &str, i64)]) -> Vec<String> {
    let facts = facts.divided(&sending(&["a", "b", "c"]), &levels(known));
    from(&facts).into_iter().map(str::to_owned).collect()
}

#[test]
fn one_location_that_has_everything_sends_everything() {
    assert_eq!(from_three(cart(2), &[(1, "a", 5), (1, "b", 1), (2, "b", 1), (2, "c", 9)]), ["b", "b"]);
    assert_eq!(from_three(cart(2), &[(1, "b", 1), (2, "b", 1), (1, "c", 9), (2, "c", 9)]), ["b", "b"], "the first");
}

#[test]
fn else_the_location_that_has_the_most_goods_comes_first() {
    let known = [(1, "a", 1), (2, "b", 1), (3, "b", 1), (1, "c", 1)];
    assert_eq!(from_three(cart(3), &known), ["a", "b", "b"]);
    assert_eq!(from_three(cart(2), &[(1, "c", 1), (2, "b", 1)]), ["c", "b"]);
}

#[test]
fn what_no_location_has_whole_is_sent_from_where_most_of_it_lies() {
    let mut facts = cart(2);
    facts.lines[0].quantity = 5;
    assert_eq!(from_three(facts.clone(), &[(1, "a", 2), (1, "c", 3), (2, "b", 1)]), ["c", "b"]);
    assert_eq!(from_three(facts, &[(1, "b", 2), (1, "c", 2), (2, "b", 1)]), ["b", "b"], "the first");
}

#[test]
fn all_lines_of_a_variant_are_sent_together() {
    let mut facts = cart(2);
    facts.lines.push(crate::facts::CartLine { id: line_id(3), ..facts.lines[0].clone() });
    assert_eq!(from_three(facts, &[(1, "a", 1), (1, "c", 2), (2, "b", 1)]), ["c", "b", "c"]);
}

#[test]
fn what_lies_nowhere_goes_along_with_the_first_group() {
    let known = [(1, "c", 1), (2, "b", 1), (3, "b", 0), (3, "elsewhere", 7)];
    assert_eq!(from_three(cart(3), &known), ["c", "b", "b"]);
    let mut facts = cart(2);
    // What can't be had makes no parcel.
    facts.lines[0].is_available = false;
    assert_eq!(from_three(facts, &[(1, "a", 1), (2, "b", 1)]), ["b", "b"]);
}

#[test]
fn nothing_changes_where_there_is_no_choice() {
    let facts = cart(2);
    let known = levels(&[(1, "a", 1), (2, "b", 1)]);
    let digest = facts.priced().digest;
    for settings in [sending(&[]), sending(&["a"])] {
        assert_eq!(facts.clone().divided(&settings, &known).priced().digest, digest);
    }
    let mut closed = sending(&["a", "b"]);
    closed.locations[1].content.ships = false;
    assert_eq!(facts.clone().divided(&closed, &known), facts);
    assert_eq!(facts.clone().divided(&sending(&["a", "b"]), &levels(&[(1, "elsewhere", 4)])), facts);
}

fn shipping(quote: &Quote) -> Vec<(&str, i64)> {
    quote.shipping.iter().map(|charge| (charge.group.as_str(), charge.amount)).collect()
}

#[test]
fn each_group_is_charged_by_itself_and_shows_its_lines() {
    let facts = cart(2).divided(&sending(&["a", "b"]), &levels(&[(1, "b", 1), (2, "a", 1)]));
    let quote = facts.priced();
    assert_eq!(shipping(&quote), [("from-a", 500), ("from-b", 500)]);
    assert_eq!((quote.totals.shipping, quote.totals.total), (1_000, 3_000));
    let shown = quote.groups();
    let location = |n: usize| shown[n].location.as_deref();
    assert_eq!((location(0), location(1)), (Some("a"), Some("b")));
    assert_eq!((&shown[0].lines, &shown[1].lines), (&vec![line_id(2)], &vec![line_id(1)]));
    assert_eq!((shown[0].method.as_deref(), shown[0].shipping), (Some("post"), Some(500)));
    let whole = cart(2).priced().groups();
    assert_eq!((whole.len(), whole[0].name.as_str(), whole[0].location.as_deref()), (1, GROUP, None));
}

#[test]
fn tiers_look_at_the_goods_of_their_group_alone() {
    let mut facts = cart(3);
    let free = ShippingTier { from_value: 2_000, from_grams: 0, amount: 0 };
    facts.shipping_methods.get_mut("post").expect("the post").value.prices[0].tiers.push(free);
    let facts = facts.divided(&sending(&["a", "b"]), &levels(&[(1, "a", 1), (2, "b", 1), (3, "b", 1)]));
    assert_eq!(shipping(&facts.priced()), [("from-a", 500), ("from-b", 0)]);
}

#[test]
fn a_method_that_can_not_send_a_group_says_which_goods_it_is_about() {
    let mut facts = cart(3);
    facts.lines[0].weight_grams = Some(9_000);
    facts.shipping_methods.get_mut("post").expect("the post").value.most_grams = Some(5_000);
    let known = levels(&[(1, "a", 1), (2, "b", 1), (3, "b", 1)]);
    let quote = facts.divided(&sending(&["a", "b"]), &known).priced();
    let told: Vec<_> = quote.obstacles().map(|notice| (notice.code, notice.words.as_str())).collect();
    assert_eq!(told, [(NoticeCode::ShippingNotOffered, "Thing 1: The goods are too heavy for Post.")]);
    let mut facts = cart(3).divided(&sending(&["a", "b"]), &known);
    facts.shipping_methods.clear();
    let words: Vec<String> = facts.priced().obstacles().map(|notice| notice.words.clone()).collect();
    assert!(words.iter().any(|words| words.starts_with("Thing 2 and 1 more: ")), "{words:?}");
}

#[test]
fn a_gift_goes_along_with_a_group_that_has_it() {
    let gift = || cart(2).with_gift(50, "USD", 300, 9).with("gift", promotion(gift_of(50)));
    let group = |known: &[(u128, &str, i64)]| {
        let quote = gift().divided(&sending(&["a", "b", "c"]), &levels(known)).priced();
        quote.lines.iter().find(|line| line.gift_of.is_some()).map(|line| line.group.clone())
    };
    assert_eq!(group(&[(1, "a", 1), (2, "b", 1), (50, "b", 9)]), Some(group_from("b")));
    assert_eq!(group(&[(1, "a", 1), (2, "b", 1), (50, "c", 9)]), Some(group_from("a")), "no parcel of its own");
}

fn gift_of(n: u128) -> schemas::events::promotions::Effect {
    schemas::events::promotions::Effect::Gift { variant: variant(n), quantity: 1 }
}

const PLACES: [&str; 4] = ["a", "b", "c", "main"];

/// Pieces of each line, and what lies where of it.
fn carts() -> impl Strategy<Value = Vec<(u32, [i64; 4])>> {
    let levels = prop::array::uniform4(prop_oneof![Just(0_i64), -2_i64..12]);
    prop::collection::vec((1_u32..10, levels), 1..6)
}

fn of(drawn: &[(u32, [i64; 4])]) -> (Facts, Levels) {
    let mut facts = cart(drawn.len() as u128);
    let mut known = Vec::new();
    for (n, (line, (quantity, levels))) in (1..).zip(facts.lines.iter_mut().zip(drawn)) {
        line.quantity = *quantity;
        known.extend(PLACES.into_iter().zip(levels).map(|(place, pieces)| (n, place, *pieces)));
    }
    (facts, levels(&known))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn each_line_is_in_a_group_that_is_there(drawn in carts()) {
        let (facts, levels) = of(&drawn);
        let facts = facts.divided(&sending(&PLACES), &levels);
        let used: BTreeSet<&String> = facts.lines.iter().map(|line| &line.group).collect();
        prop_assert_eq!(used, facts.groups.keys().collect::<BTreeSet<_>>());
        for (name, group) in &facts.groups {
            prop_assert_eq!((location_of(name), group.method.as_deref()), (group.location.as_deref(), Some("post")));
        }
        let quote = facts.priced();
        prop_assert_eq!(quote.groups().iter().filter_map(|group| group.shipping).sum::<i64>(), quote.totals.shipping);
    }

    #[test]
    fn the_order_of_lines_changes_no_group(drawn in carts(), turns in prop::collection::vec(any::<prop::sample::Index>(), 6)) {
        let (facts, levels) = of(&drawn);
        let mut turned = facts.clone();
        for (place, turn) in turns.iter().enumerate().take(turned.lines.len()) {
            let other = turn.index(turned.lines.len());
            turned.lines.swap(place, other);
        }
        let digest = |facts: Facts| facts.divided(&sending(&PLACES), &levels).priced().digest;
        prop_assert_eq!(digest(turned), digest(facts));
    }

    #[test]
    fn who_has_all_sends_all_and_what_is_whole_somewhere_comes_from_there(drawn in carts()) {
        let (facts, levels) = of(&drawn);
        let divided = facts.divided(&sending(&PLACES), &levels);
        let has = |line: &crate::facts::CartLine, place: &str| levels[&line.variant_id][place] >= i64::from(line.quantity);
        if PLACES.iter().any(|place| divided.lines.iter().all(|line| has(line, place))) {
            prop_assert_eq!(divided.groups.len(), 1);
        }
        for line in &divided.lines {
            if PLACES.iter().any(|place| has(line, place)) {
                prop_assert!(location_of(&line.group).is_some_and(|place| has(line, place)), "{line:?}");
            }
        }
    }

    #[test]
    fn what_somebody_else_keeps_changes_no_group(drawn in carts(), others in prop::collection::vec(1_i64..50, 6)) {
        let (facts, levels) = of(&drawn);
        let mut more = levels.clone();
        for (known, pieces) in more.values_mut().zip(others) {
            known.insert("closed".to_owned(), pieces);
        }
        more.insert(variant(900), BTreeMap::from([("a".to_owned(), 4)]));
        let divided = |levels| facts.clone().divided(&sending(&PLACES), levels);
        prop_assert_eq!(divided(&levels), divided(&more));
    }
}
