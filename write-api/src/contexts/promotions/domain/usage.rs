//! A use of a promotion by one checkout: reserved, then consumed or released, and each of it once.

use crate::domain::{Aggregate, Refusal};
use schemas::{
    Uuid,
    events::{
        PromotionsEvent,
        promotions::{CouponConsumed, CouponReleased, CouponReserved, CouponUse},
    },
    ids::PromotionId,
    problem::{Code, ProblemType},
};
use serde::{Deserialize, Serialize};

/// How far a use is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Stage {
    /// A checkout has it.
    Reserved,
    /// An order has it.
    Consumed,
    /// Others can have it again.
    Released,
}

/// A use of a promotion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CouponUsage {
    pub(crate) usage: CouponUse,
    pub(crate) stage: Stage,
    /// Of the use, for those who look for it.
    pub(crate) checkout_id: Uuid,
    pub(crate) promotion_id: PromotionId,
    pub(crate) code: Option<String>,
    pub(crate) customer: String,
}

impl CouponUsage {
    fn reserved(usage: &CouponUse) -> Self {
        Self {
            checkout_id: usage.checkout_id,
            promotion_id: usage.promotion_id,
            code: usage.code.clone(),
            customer: usage.customer.clone(),
            usage: usage.clone(),
            stage: Stage::Reserved,
        }
    }
}

/// A command to a use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum UsageCommand {
    /// A checkout wants it.
    Reserve(CouponUse),
    /// The checkout has become an order.
    Consume,
    /// It was aborted; or the order was cancelled after it was paid.
    Release { is_cancelled: bool },
}

/// Why a use stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UsageRejection {
    #[error("this checkout has reserved no such use")]
    Missing,
    #[error("this checkout has released the use; what was released is not reserved or consumed again")]
    Released,
    #[error("the use was consumed; only a cancelled order gives it back")]
    Consumed,
}

impl Refusal for UsageRejection {
    fn problem(&self) -> ProblemType {
        match self {
            Self::Missing => Code::NotFound.into(),
            Self::Released | Self::Consumed => Code::CouponSettled.into(),
        }
    }
}

impl Aggregate for CouponUsage {
    const NAME: &'static str = "coupon_usage";
    type Command = UsageCommand;
    type Event = PromotionsEvent;
    type Rejection = UsageRejection;

    fn decide(state: Option<&Self>, command: UsageCommand) -> Result<Vec<PromotionsEvent>, UsageRejection> {
        let Some(known) = state else {
            return match command {
                UsageCommand::Reserve(usage) => Ok(vec![PromotionsEvent::CouponReserved(CouponReserved { usage })]),
                UsageCommand::Consume | UsageCommand::Release { .. } => Err(UsageRejection::Missing),
            };
        };
        match (command, known.stage) {
            (UsageCommand::Reserve(_), Stage::Reserved | Stage::Consumed)
            | (UsageCommand::Consume, Stage::Consumed)
            | (UsageCommand::Release { .. }, Stage::Released) => Ok(vec![]),
            (UsageCommand::Consume, Stage::Reserved) => {
                Ok(vec![PromotionsEvent::CouponConsumed(CouponConsumed { usage: known.usage.clone() })])
            }
            (UsageCommand::Release { .. }, Stage::Reserved) => Ok(vec![known.release(false)]),
            (UsageCommand::Release { is_cancelled: true }, Stage::Consumed) => {
                Ok(known.usage.is_given_back.then(|| known.release(true)).into_iter().collect())
            }
            (UsageCommand::Release { is_cancelled: false }, Stage::Consumed) => Err(UsageRejection::Consumed),
            (UsageCommand::Reserve(_) | UsageCommand::Consume, Stage::Released) => Err(UsageRejection::Released),
        }
    }

    fn apply(state: Option<Self>, event: &PromotionsEvent) -> Option<Self> {
        match event {
            PromotionsEvent::CouponReserved(event) => Some(Self::reserved(&event.usage)),
            PromotionsEvent::CouponConsumed(_) => state.map(|known| Self { stage: Stage::Consumed, ..known }),
            PromotionsEvent::CouponReleased(_) => state.map(|known| Self { stage: Stage::Released, ..known }),
            PromotionsEvent::Created(_)
            | PromotionsEvent::Changed(_)
            | PromotionsEvent::Ended(_)
            | PromotionsEvent::CodesAdded(_)
            | PromotionsEvent::CodesGenerated(_)
            | PromotionsEvent::CodeDisabled(_) => state,
        }
    }
}

impl CouponUsage {
    fn release(&self, was_consumed: bool) -> PromotionsEvent {
        PromotionsEvent::CouponReleased(CouponReleased { usage: self.usage.clone(), was_consumed })
    }
}
