use super::*;
use crate::{
    example,
    reads::carts::{Draft, PastCarts, example_quote},
};
use schemas::{
    Timestamp, Uuid,
    buyer::Buyer,
    cart::{Cart, CartPhase},
    events::{
        carts::{CartCreated, CartLine},
        promotions::PromotionContent,
    },
    quote::{LineDiscount, Notice},
};
use std::{collections::BTreeMap, sync::Arc};

/// The cart that the example's quote is of, with one more line that nothing is known of.
fn stored(quote: &Quote) -> StoredCart {
    let created = CartCreated { owner: Buyer::guest(Uuid::nil()), currency: Currency::USD, channel: None };
    let line = |id: LineId, of: &QuoteLine| CartLine {
        line_id: id,
        product_id: of.product_id,
        variant_id: of.variant_id,
        quantity: of.quantity,
        options: BTreeMap::new(),
    };
    let mut cart = Cart::begun(created);
    cart.lines = quote.lines.iter().map(|of| line(of.id, of)).collect();
    cart.lines.push(line(LineId(example::id(90)), &quote.lines[0]));
    let at = Timestamp::UNIX_EPOCH;
    StoredCart { id: example::id(42), version: 1, cart, begun_at: at, touched_at: at }
}

/// A quote of the example's cart in which promotions take off so much.
fn quote(discounts: &[(&str, i64)]) -> Quote {
    let mut quote = example_quote().expect("a quote");
    let line = quote.lines[0].id;
    quote.discounts = discounts
        .iter()
        .map(|(promotion, amount)| Discount {
            promotion: (*promotion).to_owned(),
            title: promotion.to_uppercase(),
            code: None,
            amount: *amount,
            words: "in all".to_owned(),
            lines: vec![LineDiscount { line, amount: *amount, words: "of the line".to_owned() }],
            shipping: Vec::new(),
        })
        .collect();
    quote.totals.total -= discounts.iter().map(|(_, amount)| amount).sum::<i64>();
    quote
}

fn tried(before: &[(&str, i64)], after: &[(&str, i64)]) -> Tried {
    Tried { before: quote(before), after: quote(after) }
}

fn told(tally: Tally) -> PromotionPreview {
    let content: PromotionContent = example::promotion();
    let (from, until, at) = (Timestamp::UNIX_EPOCH, example::moment(), example::moment());
    let carts = PastCarts { from, until, phases: vec![CartPhase::Open], limit: 1 };
    let asked = Asked { draft: Arc::new(Draft::new("draft".to_owned(), content)), carts, at };
    tally.told(&asked, Some(3), false)
}

#[test]
fn sums_say_what_the_draft_takes_off_and_what_it_displaces() {
    let mut tally = Tally::default();
    let whole = quote(&[]).totals.total;
    let cart = stored(&quote(&[]));
    for one in [
        tried(&[("sale", 500), ("other", 50)], &[("draft", 800), ("other", 20)]),
        tried(&[("sale", 400)], &[("sale", 400), ("draft", 100)]),
    ] {
        tally.take(&cart, "draft", Some(&one));
    }
    let told = told(tally);
    let [sums] = told.sums.as_slice() else { unreachable!("one currency") };
    assert_eq!((told.carts, told.applied, sums.carts, sums.applied), (2, 2, 2, 2));
    assert_eq!((sums.goods, sums.discount_of_draft), (2 * 9_998, 900));
    assert_eq!((sums.discounts_before, sums.discounts_after), (950, 1_320));
    assert_eq!((sums.total_before, sums.total_after), (2 * whole - 950, 2 * whole - 1_320));
    let displaced =
        |promotion: &str, carts, amount| PreviewDisplaced { promotion: promotion.to_owned(), carts, amount };
    assert_eq!(sums.displaced, [displaced("sale", 1, 500), displaced("other", 1, 30)]);
    assert_eq!(told.unpriced, PreviewUnpriced { lines_gone: 2, ..PreviewUnpriced::default() });
    let shown = &told.examples[0];
    assert_eq!(
        (shown.cart_id, &shown.before.words),
        (cart.id, &vec!["SALE: in all".to_owned(), "OTHER: in all".to_owned()])
    );
    assert_eq!(shown.lines[0].words, ["DRAFT: of the line", "OTHER: of the line"]);
    assert_eq!((told.replaces, told.assumes_code), (Some(3), true));
}

#[test]
fn carts_that_it_does_not_apply_to_are_counted_by_the_reason() {
    let mut tally = Tally::default();
    let cart = stored(&quote(&[]));
    for (reason, times) in [(NoticeCode::PromotionOutdone, 1), (NoticeCode::PromotionMinimumNotReached, 2)] {
        let mut one = tried(&[], &[]);
        let notice = Notice::new(reason, format!("{reason:?}"));
        one.after.notices.push(Notice { promotion: Some("draft".to_owned()), ..notice });
        (0..times).for_each(|_| tally.take(&cart, "draft", Some(&one)));
    }
    let told = told(tally);
    assert_eq!((told.carts, told.applied, told.examples.len()), (3, 0, 0));
    let reasons: Vec<_> = told.refused.iter().map(|one| (one.reason, one.carts, one.words.as_str())).collect();
    let expected = [
        (NoticeCode::PromotionMinimumNotReached, 2, "PromotionMinimumNotReached"),
        (NoticeCode::PromotionOutdone, 1, "PromotionOutdone"),
    ];
    assert_eq!(reasons, expected);
}

#[test]
fn what_has_no_price_is_counted_and_in_no_sum() {
    let mut tally = Tally::default();
    let mut nothing = tried(&[], &[]);
    let line = nothing.before.lines.remove(0);
    let notice = Notice::new(NoticeCode::LineUnavailable, String::new());
    nothing.before.notices.push(Notice { line: Some(line.id), ..notice });
    let cart = stored(&quote(&[]));
    tally.take(&cart, "draft", Some(&nothing));
    tally.take(&cart, "draft", None);
    let told = told(tally);
    assert_eq!((told.carts, told.applied, told.sums.len(), told.refused.len()), (2, 0, 0, 0));
    let expected =
        PreviewUnpriced { carts: 2, unreckonable: 1, lines_gone: 1, lines_unavailable: 1, lines_without_price: 0 };
    assert_eq!(told.unpriced, expected);
}

#[test]
fn no_more_than_twenty_carts_are_shown() {
    let mut tally = Tally::default();
    let (cart, one) = (stored(&quote(&[])), tried(&[], &[("draft", 1)]));
    (0..30).for_each(|_| tally.take(&cart, "draft", Some(&one)));
    let told = told(tally);
    assert_eq!((told.applied, told.examples.len()), (30, EXAMPLES));
}
