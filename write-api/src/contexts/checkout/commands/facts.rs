//! What a price is made of, put together from what other contexts know. Pure, and as the read of a cart does it: what is the same
//! there has the same digest here.

use crate::contexts::promotions::port::active::{Active, ActivePromotion, RefusedCode, WhyNot};
use quote::facts::{CartLine, CodeFact, Customer, Exhausted, Facts, GROUP, GiftFact, Levels, PromotionFact, Versioned};
use schemas::{
    Timestamp,
    cart::Cart,
    events::{pricing::PriceEntry, settings::PaymentMethod},
    good::Good,
    ids::VariantId,
    place::Place,
    settings::ShopSettings,
};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What other contexts know.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) settings: ShopSettings,
    pub(super) goods: HashMap<VariantId, Good>,
    pub(super) sheets: HashMap<VariantId, (u64, Vec<PriceEntry>)>,
    /// Pieces that can be ordered, of variants that have ever been in stock.
    pub(super) left: HashMap<VariantId, i64>,
    /// What lies where, in a shop that sends goods from several locations.
    pub(super) levels: Levels,
    pub(super) promotions: Active,
}

/// What the shopper has said.
#[derive(Debug, Clone)]
pub(super) struct Said {
    pub(super) shipping: Option<Place>,
    pub(super) billing: Option<Place>,
    pub(super) shipping_method: Option<String>,
    pub(super) payment: PaymentMethod,
    /// The groups of whoever has signed in.
    pub(super) groups: Option<BTreeSet<String>>,
}

/// The variants that promotions may add.
pub(super) fn gifts(active: &Active) -> BTreeSet<VariantId> {
    quote::facts::gifts(active.promotions.iter().map(|promotion| &promotion.content))
}

/// The facts of a cart. Goods that are no more have no line: whoever asks has looked for them.
pub(super) fn facts(cart: &Cart, known: &Known, said: &Said, now: Timestamp) -> Facts {
    let mut facts = Facts::of_cart(cart, &known.settings, now);
    facts.shipping = said.shipping.clone().or(facts.shipping);
    facts.billing.clone_from(&said.billing);
    facts.customer =
        said.groups.clone().map(|groups| Customer { groups, is_first_order: !known.promotions.has_first_order });
    facts.payment = Some(said.payment);
    if let (Some(method), Some(group)) = (&said.shipping_method, facts.groups.get_mut(GROUP)) {
        group.method = Some(method.clone());
    }
    facts.codes = codes(&known.promotions);
    facts.lines = cart.lines.iter().filter_map(|line| cart_line(line, known)).collect();
    facts.promotions = promotions(&known.promotions);
    let gifts = gifts(&known.promotions).into_iter();
    facts.gifts = gifts.filter_map(|variant| Some((variant, gift(variant, known)?))).collect();
    facts.divided(&known.settings, &known.levels)
}

fn sheet(variant: VariantId, known: &Known) -> Option<Versioned<Vec<PriceEntry>>> {
    let (version, entries) = known.sheets.get(&variant)?;
    Some(Versioned { version: *version, value: entries.clone() })
}

/// Pieces that can be ordered. Whether as many as are wanted can be had is found out when they are reserved.
fn left(variant: VariantId, known: &Known) -> u32 {
    let left = known.left.get(&variant).copied().unwrap_or_default();
    u32::try_from(left.max(0)).unwrap_or(u32::MAX)
}

fn cart_line(line: &schemas::events::carts::CartLine, known: &Known) -> Option<CartLine> {
    let good = known.goods.get(&line.variant_id)?;
    let is_in_stock = left(line.variant_id, known) > 0;
    Some(CartLine::of((line.line_id, line.quantity), GROUP, good, sheet(line.variant_id, known), is_in_stock))
}

fn gift(variant: VariantId, known: &Known) -> Option<GiftFact> {
    let good = known.goods.get(&variant)?;
    let gift = GiftFact::of(good, sheet(variant, known), left(variant, known));
    Some(GiftFact { group: Some(GROUP.to_owned()), ..gift })
}

fn codes(active: &Active) -> BTreeMap<String, CodeFact> {
    let usable = active
        .promotions
        .iter()
        .filter_map(|promotion| Some((promotion.code.clone()?, CodeFact::Promotion(promotion.name.clone()))));
    let refused = active.refused.iter().map(|RefusedCode { code, why }| {
        let fact = match why {
            WhyNot::Unknown => CodeFact::Unknown,
            WhyNot::NotYet => CodeFact::not_yet(),
            WhyNot::Ended => CodeFact::ended(),
            WhyNot::Exhausted => CodeFact::exhausted(),
            WhyNot::Disabled => CodeFact::disabled(),
        };
        (code.clone(), fact)
    });
    refused.chain(usable).collect()
}

/// Promotions by name, with where each is used up; two codes of one promotion are one of it.
fn promotions(active: &Active) -> BTreeMap<String, PromotionFact> {
    let mut facts: BTreeMap<String, PromotionFact> = BTreeMap::new();
    for ActivePromotion { version, name, content, code, exhausted, .. } in &active.promotions {
        let fact = facts.entry(name.clone()).or_insert_with(|| PromotionFact {
            promotion: Versioned { version: *version, value: content.clone() },
            exhausted: Exhausted::default(),
        });
        fact.exhausted.in_all |= exhausted.in_all;
        fact.exhausted.by_customer |= exhausted.by_customer;
        fact.exhausted.codes.extend(code.clone().filter(|_| exhausted.by_code));
    }
    facts
}
