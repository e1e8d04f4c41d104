//! A promotion: defined under a name, made another, ended, and begun again.

use super::Checked;
use crate::domain::{Aggregate, Name, Refusal};
use schemas::{
    Timestamp,
    events::{
        PromotionsEvent,
        promotions::{PromotionChanged, PromotionContent, PromotionCreated, PromotionEnd, PromotionEnded},
    },
    ids::PromotionId,
    problem::{Code, ProblemType},
};
use serde::{Deserialize, Serialize};

/// Promotions of a shop that have not ended.
pub(crate) const MOST_PROMOTIONS: i64 = 1_000;

/// What staff have defined to make carts cheaper, and whether it has ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Promotion {
    pub(crate) promotion_id: PromotionId,
    pub(crate) name: String,
    pub(crate) content: PromotionContent,
    /// Of the content, for those who look for automatic ones.
    pub(crate) needs_code: bool,
    /// Of the content, for the job that ends it.
    pub(crate) ends_at: Option<Timestamp>,
    pub(crate) is_ended: bool,
}

impl Promotion {
    fn of(promotion_id: PromotionId, name: &str, content: &PromotionContent) -> Self {
        Self {
            promotion_id,
            name: name.to_owned(),
            content: content.clone(),
            needs_code: content.needs_code,
            ends_at: content.until,
            is_ended: false,
        }
    }
}

/// A command to a promotion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PromotionCommand {
    /// It is defined, or made another.
    Define {
        promotion_id: PromotionId,
        name: Name,
        content: Box<Checked>,
        /// How many of the shop have not ended.
        open: i64,
    },
    /// Staff end it.
    End,
    /// It is ended if its span is over.
    Expire(Timestamp),
}

/// Why a promotion stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PromotionRejection {
    #[error("the shop has no promotion of this name")]
    Missing,
    #[error("a shop has at most {MOST_PROMOTIONS} promotions that have not ended; end one first")]
    TooMany,
}

impl Refusal for PromotionRejection {
    fn problem(&self) -> ProblemType {
        match self {
            Self::Missing => Code::NotFound.into(),
            Self::TooMany => Code::TooManyPromotions.into(),
        }
    }
}

impl Aggregate for Promotion {
    const NAME: &'static str = "promotion";
    type Command = PromotionCommand;
    type Event = PromotionsEvent;
    type Rejection = PromotionRejection;

    fn decide(state: Option<&Self>, command: PromotionCommand) -> Result<Vec<PromotionsEvent>, PromotionRejection> {
        match command {
            PromotionCommand::Define { promotion_id, name, content, open } => {
                let is_open = state.is_some_and(|known| !known.is_ended);
                if is_open && state.is_some_and(|known| known.content == *content.content()) {
                    return Ok(vec![]);
                }
                if !is_open && open >= MOST_PROMOTIONS {
                    return Err(PromotionRejection::TooMany);
                }
                let (name, content) = (name.as_str().to_owned(), Box::new(content.into_content()));
                Ok(vec![match state {
                    None => PromotionsEvent::Created(PromotionCreated { promotion_id, name, content }),
                    Some(_) => PromotionsEvent::Changed(PromotionChanged { promotion_id, name, content }),
                }])
            }
            PromotionCommand::End => {
                let known = state.ok_or(PromotionRejection::Missing)?;
                Ok(known.end(PromotionEnd::Staff).into_iter().collect())
            }
            PromotionCommand::Expire(now) => {
                let over = state.filter(|known| known.content.is_over(now));
                Ok(over.and_then(|known| known.end(PromotionEnd::SpanOver)).into_iter().collect())
            }
        }
    }

    fn apply(state: Option<Self>, event: &PromotionsEvent) -> Option<Self> {
        match event {
            PromotionsEvent::Created(event) => Some(Self::of(event.promotion_id, &event.name, &event.content)),
            PromotionsEvent::Changed(event) => Some(Self::of(event.promotion_id, &event.name, &event.content)),
            PromotionsEvent::Ended(_) => state.map(|known| Self { is_ended: true, ..known }),
            PromotionsEvent::CodesAdded(_)
            | PromotionsEvent::CodesGenerated(_)
            | PromotionsEvent::CodeDisabled(_)
            | PromotionsEvent::CouponReserved(_)
            | PromotionsEvent::CouponConsumed(_)
            | PromotionsEvent::CouponReleased(_) => state,
        }
    }
}

impl Promotion {
    /// That it ends, unless it has.
    fn end(&self, reason: PromotionEnd) -> Option<PromotionsEvent> {
        let ended = PromotionEnded { promotion_id: self.promotion_id, name: self.name.clone(), reason };
        (!self.is_ended).then_some(PromotionsEvent::Ended(ended))
    }
}
