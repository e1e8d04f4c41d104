//! What a quote has to say of things that did not count.

use crate::ids::LineId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Something that did not count, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
#[schema(as = QuoteNotice)]
pub struct Notice {
    /// Why.
    pub code: NoticeCode,
    /// The line it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<LineId>,
    /// The promotion it is about, by its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promotion: Option<String>,
    /// The code of a coupon, as it was entered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coupon: Option<String>,
    /// The group of shipment it is about, by its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Whether it tells of a promotion that the shopper did not ask for and may not know.
    #[serde(default)]
    pub is_for_staff: bool,
    /// The same in words.
    pub words: String,
}

impl Notice {
    /// A notice about nothing in particular, for the shopper.
    #[must_use]
    pub const fn new(code: NoticeCode, words: String) -> Self {
        Self { code, line: None, promotion: None, coupon: None, group: None, is_for_staff: false, words }
    }
}

/// Why something did not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = QuoteNoticeCode)]
pub enum NoticeCode {
    /// The line has no price in the currency at the moment; nothing is converted.
    LineWithoutPrice,
    /// The goods of the line can't be had.
    LineUnavailable,
    /// The line names a group of shipment that nothing is known of.
    LineWithoutGroup,
    /// The code is none of the shop's.
    CodeUnknown,
    /// The code can't be used any more or not yet.
    CodeUnusable,
    /// The code was used as often as it may be.
    CodeExhausted,
    /// The promotion was used as often as it may be.
    PromotionExhausted,
    /// The customer used the promotion as often as one may.
    PromotionExhaustedForCustomer,
    /// The promotion asks for a code.
    PromotionNeedsCode,
    /// The promotion begins later.
    PromotionNotStarted,
    /// The promotion is over.
    PromotionOver,
    /// The promotion states no amount in the currency of the cart.
    PromotionInOtherCurrency,
    /// The promotion is for another channel.
    PromotionInOtherChannel,
    /// The promotion is for customers of other groups.
    PromotionForOtherCustomers,
    /// The promotion is for the first order of a customer who has signed in.
    PromotionForFirstOrder,
    /// The goods are fewer or cheaper than the promotion asks for.
    PromotionMinimumNotReached,
    /// The cart has nothing that the promotion makes cheaper.
    PromotionTakesNothingOff,
    /// Another promotion counts instead.
    PromotionOutdone,
    /// The gift of the promotion can't be had.
    GiftSoldOut,
    /// No method of shipping was chosen for the group.
    ShippingNotChosen,
    /// The method that was chosen is not offered for the group: not there, not in the currency, or not that heavy.
    ShippingNotOffered,
    /// The goods are worth less than the shop takes orders for.
    LeastOrderNotReached,
    /// The cart is empty, or all its lines were refused.
    NothingToOrder,
}

impl NoticeCode {
    /// Whether nothing can be ordered as long as it holds.
    #[must_use]
    pub const fn is_obstacle(self) -> bool {
        match self {
            Self::LineWithoutPrice
            | Self::LineUnavailable
            | Self::LineWithoutGroup
            | Self::ShippingNotChosen
            | Self::ShippingNotOffered
            | Self::LeastOrderNotReached
            | Self::NothingToOrder => true,
            Self::CodeUnknown
            | Self::CodeUnusable
            | Self::CodeExhausted
            | Self::PromotionExhausted
            | Self::PromotionExhaustedForCustomer
            | Self::PromotionNeedsCode
            | Self::PromotionNotStarted
            | Self::PromotionOver
            | Self::PromotionInOtherCurrency
            | Self::PromotionInOtherChannel
            | Self::PromotionForOtherCustomers
            | Self::PromotionForFirstOrder
            | Self::PromotionMinimumNotReached
            | Self::PromotionTakesNothingOff
            | Self::PromotionOutdone
            | Self::GiftSoldOut => false,
        }
    }
}
