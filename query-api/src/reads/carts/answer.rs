//! A cart as it is answered.

use super::{asked::StoredCart, facts::facts, known::Known};
use crate::{example, goods::Offer, pieces::Pieces};
use quote::{Quote, QuoteGroup, QuoteLine, price};
use schemas::{
    Timestamp, Uuid,
    buyer::{Buyer, BuyerKind},
    cart::{Cart, CartPhase},
    events::{
        carts::{CartCreated, CartEnd, CartLine},
        catalog::Image,
    },
    good::Good,
    ids::{LineId, ProductId, VariantId},
    money::Currency,
    place::Place,
};
use serde::Serialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// A cart, what is in it, and what it costs.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(examples(json!(CartAnswer::example())))]
pub struct CartAnswer {
    /// Its id.
    id: Uuid,
    /// Its version; also the `ETag`.
    version: i64,
    /// Where it is in its life.
    phase: CartPhase,
    /// Whether its owner is a customer or a guest.
    owner: BuyerKind,
    /// The currency it is paid in.
    currency: Currency,
    /// The channel of the shop that it is of; null if it names none.
    channel: Option<String>,
    /// What is in it, in the order in which it came.
    lines: Vec<ShownCartLine>,
    /// Pieces of all lines.
    pieces: u64,
    /// The codes that were typed, and what comes of each.
    coupons: Vec<ShownCoupon>,
    /// Where the goods go; null while nobody has said it.
    place: Option<Place>,
    /// The way in which they go there, by name; null while nobody has said it.
    shipping_method: Option<String>,
    /// The checkout that holds it, or that has made an order of it; null if there is none.
    checkout_id: Option<Uuid>,
    /// Why it has ended without an order; null if it has not.
    ended: Option<CartEnd>,
    /// When it was begun.
    #[schema(value_type = String, format = DateTime)]
    begun_at: Timestamp,
    /// When it was changed last.
    #[schema(value_type = String, format = DateTime)]
    touched_at: Timestamp,
    /// What it costs and why. A checkout takes its digest as what was agreed. Null once the cart has ended, and where its numbers can't
    /// be reckoned with.
    quote: Option<Quote>,
    /// The groups in which the goods are sent, by their names; none where there is no quote.
    groups: Vec<QuoteGroup>,
    /// Why there is no price, if that is so.
    #[serde(skip_serializing_if = "Option::is_none")]
    unpriced: Option<String>,
}

/// Some pieces in a cart, with what is known of them now.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ShownCartLine {
    /// The line's id.
    line_id: LineId,
    /// The product.
    product_id: ProductId,
    /// The variant.
    variant_id: VariantId,
    /// Pieces.
    quantity: u32,
    /// What the shopper wants of them besides, by name.
    wanted: BTreeMap<String, String>,
    /// Its stock keeping unit; null if the goods are gone, as all that follows.
    sku: Option<String>,
    /// The name people read.
    title: Option<String>,
    /// The product's name in addresses.
    slug: Option<String>,
    /// The main picture.
    image: Option<Image>,
    /// What was chosen, by the name of the option.
    options: BTreeMap<String, String>,
    /// What a piece costs before promotions, in minor units; null if it has no price in the currency.
    unit_price: Option<i64>,
    /// What a piece costs when it is not on sale.
    list_price: Option<i64>,
    /// Whether it can be had.
    availability: LineAvailability,
    /// Pieces that are left, where that is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    left: Option<i64>,
}

/// Whether the pieces of a line can be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LineAvailability {
    /// As many as are wanted.
    InStock,
    /// Some, but fewer than are wanted.
    FewerLeft,
    /// None.
    SoldOut,
    /// The shop does not sell them at the moment.
    NotForSale,
    /// The shop has no such goods any more, or never had a price or stock of them.
    Gone,
}

/// A code that was typed.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ShownCoupon {
    /// In upper case.
    code: String,
    /// Whether it makes the cart cheaper.
    counts: bool,
    /// Why it does not, in words; null if it does.
    words: Option<String>,
}

/// A quote as the documents show it.
pub(in crate::reads) fn example_quote() -> Option<Quote> {
    CartAnswer::example().quote
}

impl CartAnswer {
    /// A cart with what is known around it.
    pub(super) fn of(stored: &StoredCart, known: &Known) -> Self {
        let StoredCart { id, version, cart, begun_at, touched_at } = stored;
        let (mut quote, unpriced) = match cart.phase {
            CartPhase::Open | CartPhase::Locked => match price(&facts(cart, known)) {
                Ok(quote) => (Some(quote), None),
                Err(error) => (None, Some(error.to_string())),
            },
            CartPhase::CheckedOut | CartPhase::Expired => (None, None),
        };
        let coupons = cart.coupons.iter().map(|code| ShownCoupon::of(code, quote.as_ref())).collect();
        let lines = cart.lines.iter().map(|line| {
            let priced = quote.as_ref().and_then(|quote| quote.line(line.line_id));
            ShownCartLine::of(line, known.offers.get(&line.variant_id), known.pieces.get(&line.variant_id), priced)
        });
        let lines = lines.collect();
        if let Some(quote) = &mut quote {
            // What a shopper did not ask for is not theirs to know.
            quote.notices.retain(|notice| !notice.is_for_staff);
        }
        Self {
            id: *id,
            version: *version,
            phase: cart.phase,
            owner: cart.owner_kind,
            currency: cart.currency,
            channel: cart.channel.clone(),
            lines,
            pieces: cart.lines.iter().map(|line| u64::from(line.quantity)).sum(),
            coupons,
            place: cart.place.clone(),
            shipping_method: cart.shipping_method.clone(),
            checkout_id: cart.checkout_id,
            ended: cart.ended,
            begun_at: *begun_at,
            touched_at: *touched_at,
            groups: quote.as_ref().map(Quote::groups).unwrap_or_default(),
            quote,
            unpriced,
        }
    }

    /// As the OpenAPI document shows it.
    fn example() -> Self {
        let card = example::card();
        let variant_id = VariantId(example::id(1));
        let good = Good {
            variant_id,
            product_id: card.id,
            version: 2,
            is_published: true,
            sku: "K-1".to_owned(),
            slug: card.slug,
            title: card.title,
            options: BTreeMap::new(),
            brand: card.brand,
            image: card.image,
            category_ids: BTreeSet::new(),
            attributes: BTreeMap::new(),
            tax_class: None,
            weight_grams: Some(420),
        };
        let entry = serde_json::from_str(r#"{"currency": "USD", "list_amount": 5999, "sale_amount": 4999}"#).ok();
        let offer = Offer { good, prices_version: 1, prices: entry.into_iter().collect() };
        let begun = CartCreated { owner: Buyer::guest(example::id(40)), currency: Currency::USD, channel: None };
        let (line_id, options) = (LineId(example::id(41)), BTreeMap::new());
        let line = CartLine { line_id, product_id: offer.good.product_id, variant_id, quantity: 2, options };
        let cart = Cart { lines: vec![line], coupons: vec!["SUMMER-10".to_owned()], ..Cart::begun(begun) };
        let stored = StoredCart {
            id: example::id(42),
            version: 3,
            cart,
            begun_at: example::moment(),
            touched_at: example::moment(),
        };
        let known = Known {
            now: example::moment(),
            offers: Arc::new([(variant_id, offer)].into()),
            pieces: Arc::new([(variant_id, Pieces::Left(7))].into()),
            ..Known::default()
        };
        Self::of(&stored, &known)
    }
}

impl ShownCartLine {
    fn of(line: &CartLine, offer: Option<&Offer>, pieces: Option<&Pieces>, priced: Option<&QuoteLine>) -> Self {
        let good = offer.map(|offer| &offer.good);
        let (availability, left) = availability(line.quantity, good, pieces);
        Self {
            line_id: line.line_id,
            product_id: line.product_id,
            variant_id: line.variant_id,
            quantity: line.quantity,
            wanted: line.options.clone(),
            sku: good.map(|good| good.sku.clone()),
            title: good.map(|good| good.title.clone()),
            slug: good.map(|good| good.slug.clone()),
            image: good.and_then(|good| good.image.clone()),
            options: good.map(|good| good.options.clone()).unwrap_or_default(),
            unit_price: priced.map(|priced| priced.unit_price),
            list_price: priced.map(|priced| priced.list_price),
            availability,
            left,
        }
    }
}

fn availability(wanted: u32, good: Option<&Good>, pieces: Option<&Pieces>) -> (LineAvailability, Option<i64>) {
    match (good, pieces) {
        (None, _) => (LineAvailability::Gone, None),
        (Some(good), _) if !good.is_published => (LineAvailability::NotForSale, None),
        (Some(_), Some(Pieces::Plenty)) => (LineAvailability::InStock, None),
        (Some(_), None) => (LineAvailability::SoldOut, None),
        (Some(_), Some(Pieces::Left(left))) => match *left {
            ..=0 => (LineAvailability::SoldOut, None),
            left if left < i64::from(wanted) => (LineAvailability::FewerLeft, Some(left)),
            _ => (LineAvailability::InStock, None),
        },
    }
}

impl ShownCoupon {
    fn of(code: &str, quote: Option<&Quote>) -> Self {
        let counts = quote.is_some_and(|quote| quote.discounts.iter().any(|one| one.code.as_deref() == Some(code)));
        let told = quote.and_then(|quote| quote.notices.iter().find(|notice| notice.coupon.as_deref() == Some(code)));
        let words = told.filter(|_| !counts).map(|notice| notice.words.clone());
        Self { code: code.to_owned(), counts, words }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_whether_its_pieces_can_be_had() {
        let example = CartAnswer::example();
        let line = &example.lines[0];
        assert_eq!((line.unit_price, line.list_price), (Some(4_999), Some(5_999)));
        assert_eq!((line.availability, line.left), (LineAvailability::InStock, None));
        let good = |is_published| Good {
            variant_id: line.variant_id,
            product_id: line.product_id,
            version: 1,
            is_published,
            sku: String::new(),
            slug: String::new(),
            title: String::new(),
            options: BTreeMap::new(),
            brand: None,
            image: None,
            category_ids: BTreeSet::new(),
            attributes: BTreeMap::new(),
            tax_class: None,
            weight_grams: None,
        };
        let (sold, kept) = (good(true), good(false));
        let of = |good, pieces: Option<Pieces>| availability(3, good, pieces.as_ref());
        assert_eq!(of(None, Some(Pieces::Plenty)).0, LineAvailability::Gone);
        assert_eq!(of(Some(&kept), Some(Pieces::Plenty)).0, LineAvailability::NotForSale);
        assert_eq!(of(Some(&sold), None).0, LineAvailability::SoldOut);
        assert_eq!(of(Some(&sold), Some(Pieces::Left(-1))).0, LineAvailability::SoldOut);
        assert_eq!(of(Some(&sold), Some(Pieces::Left(2))), (LineAvailability::FewerLeft, Some(2)));
        assert_eq!(of(Some(&sold), Some(Pieces::Left(3))), (LineAvailability::InStock, None));
    }

    #[test]
    fn a_code_that_is_none_is_told_and_the_price_has_its_digest() {
        let example = CartAnswer::example();
        assert!(!example.coupons[0].counts);
        assert!(example.coupons[0].words.is_some(), "{:?}", example.coupons);
        let quote = example.quote.expect("priced");
        assert_eq!((quote.totals.goods, quote.digest.len()), (9_998, 64));
    }
}
