//! The codes of one promotion, as far as rules ask for it: how many there are. The codes themselves are rows.

use super::code::{CODES_OF_AN_EVENT, Code, MOST_CODES};
use crate::domain::{Aggregate, Refusal};
use schemas::{
    Uuid,
    events::{
        PromotionsEvent,
        promotions::{CodeDisabled, CodesAdded, CodesGenerated},
    },
    ids::PromotionId,
    problem::{self, ProblemType},
};
use serde::{Deserialize, Serialize};

/// How many codes a promotion has.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CodeList {
    pub(crate) codes: u64,
    pub(crate) disabled: u64,
}

/// A command to the codes of a promotion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CodeListCommand {
    pub(crate) promotion_id: PromotionId,
    pub(crate) promotion: String,
    pub(crate) change: CodeChange,
}

/// What becomes of codes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CodeChange {
    /// These are new.
    Add(Vec<Code>),
    /// These were drawn for one command.
    Generate(Uuid, Vec<Code>),
    /// This one can't be used any more; it could be.
    Disable(Code),
}

/// Why the codes stay as they are.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CodeListRejection {
    #[error("a promotion has at most {MOST_CODES} codes; it would have {0}")]
    TooMany(u64),
}

impl Refusal for CodeListRejection {
    fn problem(&self) -> ProblemType {
        match self {
            Self::TooMany(_) => problem::Code::TooManyCodes.into(),
        }
    }
}

impl Aggregate for CodeList {
    const NAME: &'static str = "code_list";
    type Command = CodeListCommand;
    type Event = PromotionsEvent;
    type Rejection = CodeListRejection;

    fn decide(state: Option<&Self>, command: CodeListCommand) -> Result<Vec<PromotionsEvent>, CodeListRejection> {
        let CodeListCommand { promotion_id, promotion, change } = command;
        let room = |new: usize| {
            let codes = state.map_or(0, |list| list.codes).saturating_add(counted(new));
            if codes <= MOST_CODES { Ok(()) } else { Err(CodeListRejection::TooMany(codes)) }
        };
        let texts = |codes: &[Code]| codes.iter().map(|code| code.as_str().to_owned()).collect();
        match change {
            CodeChange::Add(codes) => {
                room(codes.len())?;
                let added = |part: &[Code]| {
                    let (promotion, codes) = (promotion.clone(), texts(part));
                    PromotionsEvent::CodesAdded(CodesAdded { promotion_id, promotion, codes })
                };
                Ok(codes.chunks(CODES_OF_AN_EVENT).map(added).collect())
            }
            CodeChange::Generate(batch_id, codes) => {
                room(codes.len())?;
                let parts = u32::try_from(codes.len().div_ceil(CODES_OF_AN_EVENT)).unwrap_or(u32::MAX);
                let generated = |(part, codes): (u32, &[Code])| {
                    let (promotion, codes) = (promotion.clone(), texts(codes));
                    let event = CodesGenerated { promotion_id, promotion, batch_id, part, parts, codes };
                    PromotionsEvent::CodesGenerated(event)
                };
                Ok((1..).zip(codes.chunks(CODES_OF_AN_EVENT)).map(generated).collect())
            }
            CodeChange::Disable(code) => {
                let code = code.as_str().to_owned();
                Ok(vec![PromotionsEvent::CodeDisabled(CodeDisabled { promotion_id, promotion, code })])
            }
        }
    }

    fn apply(state: Option<Self>, event: &PromotionsEvent) -> Option<Self> {
        let list = state.clone().unwrap_or_default();
        match event {
            PromotionsEvent::CodesAdded(event) => Some(list.with(event.codes.len())),
            PromotionsEvent::CodesGenerated(event) => Some(list.with(event.codes.len())),
            PromotionsEvent::CodeDisabled(_) => Some(Self { disabled: list.disabled.saturating_add(1), ..list }),
            PromotionsEvent::Created(_)
            | PromotionsEvent::Changed(_)
            | PromotionsEvent::Ended(_)
            | PromotionsEvent::CouponReserved(_)
            | PromotionsEvent::CouponConsumed(_)
            | PromotionsEvent::CouponReleased(_) => state,
        }
    }
}

impl CodeList {
    fn with(self, new: usize) -> Self {
        Self { codes: self.codes.saturating_add(counted(new)), ..self }
    }
}

fn counted(codes: usize) -> u64 {
    u64::try_from(codes).unwrap_or(u64::MAX)
}
