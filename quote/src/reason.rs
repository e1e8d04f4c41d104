//! Why a promotion does not count.

use schemas::{Timestamp, quote::NoticeCode};

/// Why a promotion does not count for a cart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reason {
    NeedsCode,
    CodesExhausted,
    NotStarted {
        from: Timestamp,
    },
    Over {
        until: Timestamp,
    },
    ExhaustedInAll,
    ExhaustedForCustomer,
    OtherCurrency,
    OtherChannel,
    OtherCustomers,
    FirstOrderOnly,
    ValueTooLow {
        least: i128,
        value: i128,
    },
    TooFewPieces {
        least: u64,
        pieces: u64,
    },
    TakesNothingOff,
    /// Another one counts instead, by its title.
    Outdone {
        by: String,
    },
    /// The gift, by its title.
    GiftSoldOut {
        gift: String,
    },
}

impl Reason {
    pub(crate) const fn code(&self) -> NoticeCode {
        match self {
            Self::NeedsCode => NoticeCode::PromotionNeedsCode,
            Self::CodesExhausted => NoticeCode::CodeExhausted,
            Self::NotStarted { .. } => NoticeCode::PromotionNotStarted,
            Self::Over { .. } => NoticeCode::PromotionOver,
            Self::ExhaustedInAll => NoticeCode::PromotionExhausted,
            Self::ExhaustedForCustomer => NoticeCode::PromotionExhaustedForCustomer,
            Self::OtherCurrency => NoticeCode::PromotionInOtherCurrency,
            Self::OtherChannel => NoticeCode::PromotionInOtherChannel,
            Self::OtherCustomers => NoticeCode::PromotionForOtherCustomers,
            Self::FirstOrderOnly => NoticeCode::PromotionForFirstOrder,
            Self::ValueTooLow { .. } | Self::TooFewPieces { .. } => NoticeCode::PromotionMinimumNotReached,
            Self::TakesNothingOff => NoticeCode::PromotionTakesNothingOff,
            Self::Outdone { .. } => NoticeCode::PromotionOutdone,
            Self::GiftSoldOut { .. } => NoticeCode::GiftSoldOut,
        }
    }

    /// Whether shoppers read it of a promotion for which they entered no code: where it tells them what to do, or what they
    /// were promised and don't get.
    pub(crate) const fn is_for_everybody(&self) -> bool {
        match self {
            Self::ValueTooLow { .. } | Self::TooFewPieces { .. } | Self::GiftSoldOut { .. } => true,
            Self::NeedsCode
            | Self::CodesExhausted
            | Self::NotStarted { .. }
            | Self::Over { .. }
            | Self::ExhaustedInAll
            | Self::ExhaustedForCustomer
            | Self::OtherCurrency
            | Self::OtherChannel
            | Self::OtherCustomers
            | Self::FirstOrderOnly
            | Self::TakesNothingOff
            | Self::Outdone { .. } => false,
        }
    }
}
