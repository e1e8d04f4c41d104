//! Shoppers in other tax zones than the shop's.

use super::given::*;
use crate::{Facts, facts::CartLine};
use schemas::{
    events::{
        promotions::{Conditions, Effect, PromotionContent},
        settings::{ForeignPrices, TaxMode},
    },
    place::{Area, Place},
};

/// A shop in `DE` with 19 %, inclusive, and a zone of another country.
fn from(country: &str, mode: TaxMode, rate_ppm: u32, lines: Vec<CartLine>) -> Facts {
    let mut facts = shop("EUR", TaxMode::Inclusive, vec![rate("standard", "DE", 190_000)], lines);
    facts.tax_zones.insert("away".to_owned(), zone(country, mode, vec![rate("standard", country, rate_ppm)]));
    Facts { shipping: Some(in_country(country)), ..facts }
}

fn net_fixed(mut facts: Facts) -> Facts {
    facts.policy.value.foreign_prices = ForeignPrices::NetFixed;
    facts
}

#[test]
fn a_gross_price_stays_or_has_its_tax_replaced() {
    let facts = || from("FR", TaxMode::Inclusive, 200_000, vec![line(1, "EUR", 11_900, 2)]);
    let quote = facts().priced();
    assert_eq!((quote.lines[0].unit_price, quote.totals.total, quote.totals.tax), (11_900, 23_800, 3_967));
    assert_eq!(quote.tax_zone.as_deref(), Some("away"));
    let quote = net_fixed(facts()).priced();
    assert_eq!((quote.lines[0].unit_price, quote.totals.total, quote.totals.tax), (12_000, 24_000, 4_000));
    let home = net_fixed(Facts { shipping: Some(in_country("DE")), ..facts() }).priced();
    assert_eq!(home.lines[0].unit_price, 11_900);
}

#[test]
fn where_tax_comes_on_top_the_sum_stays_the_same() {
    let facts = || from("US", TaxMode::Exclusive, 100_000, vec![line(1, "EUR", 11_000, 1)]);
    let quote = facts().priced();
    assert_eq!((quote.lines[0].unit_price, quote.totals.tax, quote.totals.total), (10_000, 1_000, 11_000));
    let quote = net_fixed(facts()).priced();
    assert_eq!((quote.lines[0].unit_price, quote.totals.tax, quote.totals.total), (9_244, 924, 10_168));
}

#[test]
fn net_prices_are_shown_with_tax_where_that_is_the_mode() {
    let mut facts = from("FR", TaxMode::Inclusive, 200_000, vec![line(1, "EUR", 1_003, 1)]);
    facts.policy.value.prices = TaxMode::Exclusive;
    let quote = facts.priced();
    assert_eq!((quote.lines[0].unit_price, quote.totals.total, quote.totals.net), (1_204, 1_204, 1_003));
}

#[test]
fn outside_of_all_zones_no_tax_is_due() {
    let facts = || from("FR", TaxMode::Inclusive, 200_000, vec![line(1, "EUR", 11_900, 1)]);
    let quote = Facts { shipping: Some(in_country("CH")), ..facts() }.priced();
    assert_eq!((quote.totals.total, quote.totals.tax, quote.tax_zone), (11_900, 0, None));
    let quote = net_fixed(Facts { shipping: Some(in_country("CH")), ..facts() }).priced();
    assert_eq!((quote.totals.total, quote.totals.tax), (10_000, 0));
}

#[test]
fn the_closest_zone_counts_of_the_first_place_that_is_known() {
    let mut facts = from("US", TaxMode::Exclusive, 0, vec![line(1, "EUR", 10_000, 1)]);
    let mut state = zone("US", TaxMode::Exclusive, vec![rate("standard", "US-CA", 72_500)]);
    state.value.areas = vec![Area { region: Some("CA".to_owned()), ..of_country("US") }];
    facts.tax_zones.insert("california".to_owned(), state);
    let california = Place { region: Some("CA".to_owned()), ..in_country("US") };
    let zone_of = |shipping: Option<Place>, billing: Option<Place>| {
        Facts { shipping, billing, ..facts.clone() }.priced().tax_zone
    };
    assert_eq!(zone_of(Some(california), Some(in_country("DE"))).as_deref(), Some("california"));
    assert_eq!(zone_of(None, Some(in_country("US"))).as_deref(), Some("away"));
    assert_eq!(zone_of(None, None).as_deref(), Some("home"));
}

#[test]
fn several_taxes_on_one_class_are_one_sum() {
    let mut facts = shop("USD", TaxMode::Exclusive, vec![], vec![line(1, "USD", 1_005, 1), line(2, "USD", 995, 1)]);
    let rates =
        vec![rate("standard", "US-CA", 72_500), rate("standard", "US-CA-LA", 22_500), rate("food", "US-CA", 72_500)];
    facts.tax_zones.insert("home".to_owned(), zone("DE", TaxMode::Exclusive, rates));
    facts.lines.push(CartLine { tax_class: Some("food".to_owned()), ..line(3, "USD", 100, 1) });
    facts.lines.push(CartLine { tax_class: Some("books".to_owned()), ..line(4, "USD", 100, 1) });
    let quote = facts.priced();
    let sums: Vec<_> = quote.taxes.iter().map(|tax| (tax.jurisdiction.as_str(), tax.base, tax.amount)).collect();
    assert_eq!(sums, [("US-CA", 2_100, 152), ("US-CA-LA", 2_000, 45)]);
    assert_eq!(quote.lines.iter().map(|line| line.tax).collect::<Vec<_>>(), [95, 95, 7, 0]);
    assert_eq!(quote.totals.tax, 197);
}

/// What M02 is about, in a zone with the other mode: 11.90 gross are 10.00 net.
#[test]
fn amounts_of_promotions_and_shipping_are_in_the_mode_of_the_prices_here_too() {
    let mut facts = from("US", TaxMode::Exclusive, 190_000, vec![line(1, "EUR", 119_000, 1)]);
    facts.shipping_methods.insert("post".to_owned(), post("EUR", 595));
    let off = Effect::Amount { amounts: amounts("EUR", 11_900) };
    let least = Conditions { least_value: amounts("EUR", 119_000), ..Conditions::default() };
    let quote = facts.with("off", PromotionContent { conditions: least, ..off_order(off) }).priced();
    assert_eq!((quote.totals.goods, quote.totals.discount, quote.totals.shipping), (100_000, 10_000, 500));
    assert_eq!((quote.totals.tax, quote.totals.total), (17_195, 107_695));
    assert_eq!(quote.notices, [], "1,190.00 gross are reached");
}

#[test]
fn net_amounts_off_are_more_where_tax_is_part_of_prices() {
    let mut facts = from("FR", TaxMode::Inclusive, 200_000, vec![line(1, "EUR", 10_000, 1), line(2, "EUR", 10_000, 1)]);
    facts.policy.value.prices = TaxMode::Exclusive;
    facts.lines[1].tax_class = Some("books".to_owned());
    let off = Effect::Amount { amounts: amounts("EUR", 2_000) };
    let quote = facts.with("off", off_order(off)).priced();
    assert_eq!((quote.totals.goods, quote.totals.discount), (22_000, 2_200));
    assert_eq!(quote.totals.net, 18_000, "2.00 of 20.00 net");
}

#[test]
fn a_method_that_does_not_go_there_is_not_offered() {
    let mut facts = from("FR", TaxMode::Inclusive, 200_000, vec![line(1, "EUR", 1_000, 1)]);
    facts.shipping_methods.values_mut().for_each(|method| method.value.areas = vec![of_country("DE")]);
    let quote = facts.priced();
    assert_eq!(codes(&quote), [crate::NoticeCode::ShippingNotOffered]);
    assert_eq!(quote.obstacles().count(), 1);
    facts.shipping_methods.values_mut().for_each(|method| method.value.is_pickup = true);
    assert_eq!(codes(&facts.priced()), [], "whoever fetches goods may live anywhere");
}
