//! What a preview answers with.

use crate::example;
use schemas::{
    Timestamp, Uuid,
    cart::CartPhase,
    ids::{LineId, VariantId},
    money::Currency,
    quote::{NoticeCode, Totals},
};
use serde::Serialize;

/// What carts would cost with a promotion that is not there yet. Amounts are in minor units.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(examples(json!(PromotionPreview::example())))]
pub struct PromotionPreview {
    /// What the draft is to be called.
    pub(super) name: String,
    /// The version of the promotion that has this name, whose place the draft takes; null if there is none.
    pub(super) replaces: Option<i64>,
    /// Whether every cart was taken to have a code of the draft, which needs one.
    pub(super) assumes_code: bool,
    /// The moment at which promotions and prices had to count. The prices are today's.
    #[schema(value_type = String, format = DateTime)]
    pub(super) at: Timestamp,
    /// Carts that were changed last at this moment or later.
    #[schema(value_type = String, format = DateTime)]
    pub(super) from: Timestamp,
    /// And before this one.
    #[schema(value_type = String, format = DateTime)]
    pub(super) until: Timestamp,
    /// How many carts were looked at, the newest first.
    pub(super) carts: u64,
    /// Whether there are more: beyond the limit, or beyond what could be priced in time.
    pub(super) is_cut: bool,
    /// To how many the draft would have applied.
    pub(super) applied: u64,
    /// Sums of the carts of which something has a price, by currency.
    pub(super) sums: Vec<PreviewSums>,
    /// Why it did not apply to the others, the most frequent reason first.
    pub(super) refused: Vec<PreviewReason>,
    /// What could not be priced.
    pub(super) unpriced: PreviewUnpriced,
    /// Carts that it applied to, the newest first, at most 20.
    pub(super) examples: Vec<PreviewCart>,
}

/// What all carts of a currency cost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct PreviewSums {
    /// The currency.
    pub(super) currency: Currency,
    /// How many carts.
    pub(super) carts: u64,
    /// To how many of them the draft would have applied.
    pub(super) applied: u64,
    /// Their goods without any promotion; gifts are not among them.
    pub(super) goods: i64,
    /// What the draft takes off goods and shipping.
    pub(super) discount_of_draft: i64,
    /// What all promotions take off without the draft.
    pub(super) discounts_before: i64,
    /// What all promotions take off with it.
    pub(super) discounts_after: i64,
    /// What is paid without it, with shipping and tax.
    pub(super) total_before: i64,
    /// What is paid with it.
    pub(super) total_after: i64,
    /// Promotions that take off less, since the draft counts instead or before them; the ones that lose the most first.
    pub(super) displaced: Vec<PreviewDisplaced>,
}

/// A promotion that takes off less than before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct PreviewDisplaced {
    /// Its name.
    pub(super) promotion: String,
    /// In how many carts.
    pub(super) carts: u64,
    /// How much less.
    pub(super) amount: i64,
}

/// Why the draft did not apply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct PreviewReason {
    /// The reason.
    pub(super) reason: NoticeCode,
    /// To how many carts.
    pub(super) carts: u64,
    /// The same in words, of the newest of them.
    pub(super) words: String,
}

/// What could not be priced.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct PreviewUnpriced {
    /// Carts of which nothing has a price today; they are in no sum.
    pub(super) carts: u64,
    /// Carts among these whose numbers can't be reckoned with.
    pub(super) unreckonable: u64,
    /// Lines of all carts whose goods the shop has no more.
    pub(super) lines_gone: u64,
    /// Lines whose goods are not sold, or sold out, today.
    pub(super) lines_unavailable: u64,
    /// Lines whose goods have no price in the currency.
    pub(super) lines_without_price: u64,
}

/// A cart that the draft applied to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct PreviewCart {
    /// Its id.
    pub(super) cart_id: Uuid,
    /// Where it is in its life.
    pub(super) status: CartPhase,
    /// When it was changed last.
    #[schema(value_type = String, format = DateTime)]
    pub(super) touched_at: Timestamp,
    /// The currency.
    pub(super) currency: Currency,
    /// What it costs without the draft.
    pub(super) before: PreviewPrice,
    /// What it costs with it.
    pub(super) after: PreviewPrice,
    /// Its lines with the draft, gifts included.
    pub(super) lines: Vec<PreviewLine>,
}

/// What a cart costs, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct PreviewPrice {
    /// The sums.
    pub(super) totals: Totals,
    /// What each promotion took off, in words.
    pub(super) words: Vec<String>,
}

/// Pieces of one variant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct PreviewLine {
    /// The line.
    pub(super) line_id: LineId,
    /// The variant.
    pub(super) variant_id: VariantId,
    /// Its stock keeping unit.
    pub(super) sku: String,
    /// How the shopper reads it.
    pub(super) title: String,
    /// Pieces.
    pub(super) quantity: u32,
    /// What they cost before promotions.
    pub(super) amount: i64,
    /// What promotions took off.
    pub(super) discount: i64,
    /// What each of them took off, in words.
    pub(super) words: Vec<String>,
}

impl PromotionPreview {
    /// As the OpenAPI document shows it: of two carts one is worth enough.
    fn example() -> Self {
        let sums = PreviewSums {
            currency: Currency::USD,
            carts: 2,
            applied: 1,
            goods: 12_998,
            discount_of_draft: 1_000,
            discounts_before: 0,
            discounts_after: 1_000,
            total_before: 12_998,
            total_after: 11_998,
            displaced: Vec::new(),
        };
        let words = "10 % off: it counts from 50.00 USD of goods on, and there are 29.98 USD.".to_owned();
        Self {
            name: "spring".to_owned(),
            replaces: None,
            assumes_code: false,
            at: example::moment(),
            from: example::moment() - schemas::TimeDelta::days(30),
            until: example::moment(),
            carts: 2,
            is_cut: false,
            applied: 1,
            sums: vec![sums],
            refused: vec![PreviewReason { reason: NoticeCode::PromotionMinimumNotReached, carts: 1, words }],
            unpriced: PreviewUnpriced::default(),
            examples: vec![PreviewCart::example()],
        }
    }
}

impl PreviewCart {
    fn example() -> Self {
        let totals = Totals { goods: 10_000, total: 10_000, net: 10_000, ..Totals::default() };
        let lower = Totals { discount: 1_000, total: 9_000, net: 9_000, ..totals };
        let line = PreviewLine {
            line_id: LineId(example::id(41)),
            variant_id: VariantId(example::id(1)),
            sku: "K-1".to_owned(),
            title: "Gooseneck kettle".to_owned(),
            quantity: 2,
            amount: 10_000,
            discount: 1_000,
            words: vec!["10 % off: 10.00 USD off 100.00 USD".to_owned()],
        };
        Self {
            cart_id: example::id(42),
            status: CartPhase::Open,
            touched_at: example::moment(),
            currency: Currency::USD,
            before: PreviewPrice { totals, words: Vec::new() },
            after: PreviewPrice { totals: lower, words: vec!["10 % off: 10 % of 100.00 USD: 10.00 USD".to_owned()] },
            lines: vec![line],
        }
    }
}
