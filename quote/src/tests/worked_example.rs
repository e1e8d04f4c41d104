//! The example of `docs/guides/quote.md`, in dollars and in yen.

use super::given::*;
use crate::{Facts, Quote, facts::CartLine};
use schemas::{
    events::{
        promotions::{Effect, PromotionContent},
        settings::TaxMode,
    },
    quote::UnitRun,
};

struct Amounts {
    code: &'static str,
    prices: [i64; 3],
    off: i64,
    shipping: i64,
}

const DOLLARS: Amounts = Amounts { code: "USD", prices: [1_999, 4_990, 735], off: 1_000, shipping: 499 };
const YEN: Amounts = Amounts { code: "JPY", prices: [1_290, 4_980, 735], off: 1_000, shipping: 550 };

fn example(given: &Amounts) -> Facts {
    let code = given.code;
    let lines = vec![
        line(1, code, given.prices[0], 3),
        line(2, code, given.prices[1], 1),
        CartLine { tax_class: Some("reduced".to_owned()), ..line(3, code, given.prices[2], 2) },
    ];
    let rates = vec![rate("standard", "DE", 100_000), rate("reduced", "DE", 80_000)];
    let mut facts = shop(code, TaxMode::Inclusive, rates, lines);
    facts.shipping_methods.insert("post".to_owned(), post(code, given.shipping));
    let lamps =
        PromotionContent { title: "15 % off lamps".to_owned(), target: on(&[1]), ..promotion(percent(150_000)) };
    let amounts = Effect::Amount { amounts: amounts(code, given.off) };
    let off = PromotionContent { title: "10 off".to_owned(), needs_code: true, ..off_order(amounts) };
    facts.with("p1", lamps).with("p2", off).with_code("TEN", "p2")
}

fn by_line(quote: &Quote, read: impl Fn(&crate::QuoteLine) -> i64) -> Vec<i64> {
    quote.lines.iter().map(read).collect()
}

fn runs(quote: &Quote, line: usize) -> Vec<(u32, i64, i64)> {
    let run = |run: &UnitRun| (run.pieces, run.each.amount, run.each.tax);
    quote.lines[line].units.iter().map(run).collect()
}

#[test]
fn the_example_in_dollars() {
    let quote = example(&DOLLARS).priced();
    assert_eq!(by_line(&quote, |line| line.amount), [5_997, 4_990, 1_470]);
    assert_eq!(discounts(&quote), [("p1", 900), ("p2", 1_000)]);
    let second: Vec<i64> = quote.discounts[1].lines.iter().map(|line| line.amount).collect();
    assert_eq!(second, [441, 432, 127]);
    assert_eq!(by_line(&quote, |line| line.total), [4_656, 4_558, 1_343]);
    assert_eq!(by_line(&quote, |line| line.tax), [423, 415, 99]);
    assert_eq!((quote.shipping[0].total, quote.shipping[0].tax), (499, 45));
    let taxes: Vec<_> = quote.taxes.iter().map(|tax| (tax.rate_ppm, tax.base, tax.amount)).collect();
    assert_eq!(taxes, [(80_000, 1_343, 99), (100_000, 9_713, 883)]);
    let totals = quote.totals;
    assert_eq!((totals.goods, totals.discount, totals.shipping), (12_457, 1_900, 499));
    assert_eq!((totals.total, totals.tax, totals.net), (11_056, 982, 10_074));
    assert_eq!(runs(&quote, 0), [(3, 1_552, 141)]);
    let net: i64 = by_line(&quote, |line| line.net).iter().sum();
    assert_eq!((net, quote.shipping[0].net), (9_620, 454), "as the invoice posts it");
    assert!(quote.needs_payment);
    assert_eq!(quote.notices, []);
}

#[test]
fn the_example_in_yen() {
    let quote = example(&YEN).priced();
    assert_eq!(by_line(&quote, |line| line.amount), [3_870, 4_980, 1_470]);
    assert_eq!(discounts(&quote), [("p1", 581), ("p2", 1_000)]);
    let second: Vec<i64> = quote.discounts[1].lines.iter().map(|line| line.amount).collect();
    assert_eq!(second, [338, 511, 151]);
    assert_eq!(by_line(&quote, |line| line.total), [2_951, 4_469, 1_319]);
    assert_eq!(by_line(&quote, |line| line.tax), [268, 407, 98]);
    assert_eq!(quote.shipping[0].tax, 50);
    let taxes: Vec<_> = quote.taxes.iter().map(|tax| (tax.rate_ppm, tax.base, tax.amount)).collect();
    assert_eq!(taxes, [(80_000, 1_319, 98), (100_000, 7_970, 725)]);
    assert_eq!((quote.totals.total, quote.totals.tax, quote.totals.net), (9_289, 823, 8_466));
    assert_eq!(runs(&quote, 0), [(1, 983, 89), (1, 984, 89), (1, 984, 90)]);
}

/// The figures of the guide are those of the function.
#[test]
fn the_guide_shows_what_comes_out() {
    let guide = include_str!("../../../docs/guides/quote.md");
    let dollars = |amount: i64| format!("{}.{:02}", amount / 100, amount % 100);
    let yen = |amount: i64| {
        if amount < 1_000 { amount.to_string() } else { format!("{},{:03}", amount / 1_000, amount % 1_000) }
    };
    let of = |quote: &Quote, shown: &dyn Fn(i64) -> String| {
        let mut rows = vec![
            ("left of the lines", by_line(quote, |line| line.amount - line.discount)),
            ("total, tax, net", vec![quote.totals.total, quote.totals.tax, quote.totals.net]),
        ];
        rows.extend(
            quote
                .taxes
                .iter()
                .rev()
                .map(|tax| (if tax.rate_ppm == 100_000 { "tax of 10 %" } else { "tax of 8 %" }, vec![tax.amount])),
        );
        rows.into_iter()
            .map(|(name, amounts)| (name, amounts.into_iter().map(shown).collect::<Vec<_>>().join("; ")))
            .collect::<Vec<_>>()
    };
    let [in_dollars, in_yen] = [of(&example(&DOLLARS).priced(), &dollars), of(&example(&YEN).priced(), &yen)];
    for ((name, usd), (_, jpy)) in in_dollars.iter().zip(&in_yen) {
        let row = format!("| {name} | {usd} | {jpy} |");
        assert!(guide.contains(&row), "the guide lacks: {row}");
    }
}

#[test]
fn it_is_explained_in_words() {
    let quote = example(&DOLLARS).priced();
    let (first, second) = (&quote.discounts[0], &quote.discounts[1]);
    assert_eq!((first.title.as_str(), first.words.as_str()), ("15 % off lamps", "15 % of 59.97 USD: 9.00 USD"));
    assert_eq!(first.lines[0].words, "9.00 USD off 59.97 USD");
    assert_eq!((second.code.as_deref(), second.words.as_str()), (Some("TEN"), "10.00 USD off 115.57 USD"));
    assert_eq!(second.lines[2].words, "1.27 USD off 14.70 USD");
}

#[test]
fn the_digest_is_of_the_offer_alone() {
    let facts = example(&DOLLARS);
    let quote = facts.priced();
    assert_eq!(quote.digest.len(), 64);
    assert_eq!(quote.digest, crate::digest(&quote));
    let later = Facts { now: at("2026-06-02T00:00:00Z"), ..facts.clone() };
    assert_eq!(later.priced().digest, quote.digest, "time is no part of it");
    let mut changed = facts;
    changed.policy.version = 7;
    assert_eq!(changed.priced().digest, quote.digest, "nor are versions");
    changed.lines[1].quantity = 2;
    assert_ne!(changed.priced().digest, quote.digest);
    let text = serde_json::to_string(&quote).expect("written");
    let again: Quote = serde_json::from_str(&text).expect("read");
    assert_eq!(again, quote);
    assert_eq!(crate::digest(&again), quote.digest, "it can be checked later");
    let kinds: std::collections::BTreeSet<_> = quote.sources.iter().map(|source| source.kind).collect();
    assert_eq!(kinds.len(), 6, "{:?}", quote.sources);
}
