//! Events of the promotions context. All about one promotion stand in one partition, whatever their aggregate is.

use super::PromotionContent;
use crate::{events::events, ids::PromotionId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// Staff have defined a promotion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PromotionCreated {
    /// The promotion; also the aggregate id.
    pub promotion_id: PromotionId,
    /// What staff call it, unique in the shop.
    pub name: String,
    /// What it is.
    pub content: Box<PromotionContent>,
}

/// Staff have made a promotion another. One that had ended has begun again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PromotionChanged {
    /// The promotion; also the aggregate id.
    pub promotion_id: PromotionId,
    /// What staff call it.
    pub name: String,
    /// All of what it is now.
    pub content: Box<PromotionContent>,
}

/// Why a promotion has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PromotionEnd {
    /// Staff have ended it.
    Staff,
    /// Its span is over.
    SpanOver,
}

impl PromotionEnd {
    /// As events say it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Staff => "staff",
            Self::SpanOver => "span_over",
        }
    }
}

/// A promotion counts no longer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PromotionEnded {
    /// The promotion; also the aggregate id.
    pub promotion_id: PromotionId,
    /// What staff call it.
    pub name: String,
    /// Why.
    pub reason: PromotionEnd,
}

/// Staff have given codes to a promotion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CodesAdded {
    /// The promotion; the partition key.
    pub promotion_id: PromotionId,
    /// What staff call it.
    pub promotion: String,
    /// The codes, at most 5,000.
    pub codes: Vec<String>,
}

/// Codes were drawn for a promotion: a part of those that one command has asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CodesGenerated {
    /// The promotion; the partition key.
    pub promotion_id: PromotionId,
    /// What staff call it.
    pub promotion: String,
    /// What the codes of one command have in common.
    pub batch_id: Uuid,
    /// Which part of them, from 1.
    pub part: u32,
    /// How many parts there are.
    pub parts: u32,
    /// The codes, at most 5,000.
    pub codes: Vec<String>,
}

/// A code can't be used any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CodeDisabled {
    /// The promotion; the partition key.
    pub promotion_id: PromotionId,
    /// What staff call it.
    pub promotion: String,
    /// The code.
    pub code: String,
}

/// A use of a promotion by one checkout.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct CouponUse {
    /// The promotion; the partition key.
    pub promotion_id: PromotionId,
    /// What staff call it.
    pub promotion: String,
    /// The checkout that uses it.
    pub checkout_id: Uuid,
    /// The code by which it is used; none of one that needs none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Who uses it: the id of an account, or a digest that stands for a guest.
    pub customer: String,
    /// Whether it is used as the customer's first order.
    #[serde(default)]
    pub is_first_order: bool,
    /// Whether it is given back when the order is cancelled after it was paid.
    #[serde(default)]
    pub is_given_back: bool,
}

/// A checkout has a use of a promotion for itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CouponReserved {
    /// Of what, by whom.
    #[serde(flatten)]
    pub usage: CouponUse,
}

/// The checkout of a reserved use has become an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CouponConsumed {
    /// Of what, by whom.
    #[serde(flatten)]
    pub usage: CouponUse,
}

/// A use can be had by others again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CouponReleased {
    /// Of what, by whom.
    #[serde(flatten)]
    pub usage: CouponUse,
    /// Whether it had been consumed, and the order was cancelled.
    #[serde(default)]
    pub was_consumed: bool,
}

/// What an event adds to the counters of a use, or takes from them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct UsageStep {
    /// Uses that checkouts have for themselves.
    pub reserved: i64,
    /// Uses of orders.
    pub consumed: i64,
}

events! {
    /// What happens to promotions.
    PromotionsEvent of Promotions, partitioned by "promotion" = |event| event.promotion_id().uuid(); {
        /// Staff have defined one.
        Created(PromotionCreated) = "souk.promotions.promotion.created.v1",
        /// Staff have made it another.
        Changed(PromotionChanged) = "souk.promotions.promotion.changed.v1",
        /// It counts no longer.
        Ended(PromotionEnded) = "souk.promotions.promotion.ended.v1",
        /// Staff have given codes to it.
        CodesAdded(CodesAdded) = "souk.promotions.code_list.codes_added.v1",
        /// Codes were drawn for it.
        CodesGenerated(CodesGenerated) = "souk.promotions.code_list.codes_generated.v1",
        /// A code can't be used any more.
        CodeDisabled(CodeDisabled) = "souk.promotions.code_list.code_disabled.v1",
        /// A checkout has a use for itself.
        CouponReserved(CouponReserved) = "souk.promotions.coupon_usage.reserved.v1",
        /// The checkout has become an order.
        CouponConsumed(CouponConsumed) = "souk.promotions.coupon_usage.consumed.v1",
        /// The use can be had by others again.
        CouponReleased(CouponReleased) = "souk.promotions.coupon_usage.released.v1",
    }
}

impl PromotionsEvent {
    /// The promotion that it is about.
    #[must_use]
    pub const fn promotion_id(&self) -> PromotionId {
        match self {
            Self::Created(event) => event.promotion_id,
            Self::Changed(event) => event.promotion_id,
            Self::Ended(event) => event.promotion_id,
            Self::CodesAdded(event) => event.promotion_id,
            Self::CodesGenerated(event) => event.promotion_id,
            Self::CodeDisabled(event) => event.promotion_id,
            Self::CouponReserved(event) => event.usage.promotion_id,
            Self::CouponConsumed(event) => event.usage.promotion_id,
            Self::CouponReleased(event) => event.usage.promotion_id,
        }
    }

    /// The use that it is about, and what becomes of its counters; none of what is about no use.
    #[must_use]
    pub const fn step(&self) -> Option<(&CouponUse, UsageStep)> {
        match self {
            Self::CouponReserved(event) => Some((&event.usage, UsageStep { reserved: 1, consumed: 0 })),
            Self::CouponConsumed(event) => Some((&event.usage, UsageStep { reserved: -1, consumed: 1 })),
            Self::CouponReleased(event) if event.was_consumed => {
                Some((&event.usage, UsageStep { reserved: 0, consumed: -1 }))
            }
            Self::CouponReleased(event) => Some((&event.usage, UsageStep { reserved: -1, consumed: 0 })),
            Self::Created(_)
            | Self::Changed(_)
            | Self::Ended(_)
            | Self::CodesAdded(_)
            | Self::CodesGenerated(_)
            | Self::CodeDisabled(_) => None,
        }
    }
}
