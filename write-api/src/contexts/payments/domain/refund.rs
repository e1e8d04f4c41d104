//! A refund: money that goes back of what was captured.

use crate::domain::{Aggregate, Refusal};
use schemas::{
    events::{
        PaymentsEvent,
        payments::{RefundFailed, RefundRequested, RefundSubmitted, RefundSucceeded},
    },
    problem::{Code, ProblemType},
};
use serde::{Deserialize, Serialize};

/// How far a refund is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundStatus {
    /// It is to be sent.
    Requested,
    /// The provider has taken it on.
    Submitted,
    /// The money has gone back.
    Succeeded,
    /// It has not.
    Failed,
}

/// A refund.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refund {
    /// What was asked for.
    #[serde(flatten)]
    pub requested: RefundRequested,
    /// How far it is.
    pub status: RefundStatus,
    /// What the provider calls it, as soon as that is known.
    pub reference: Option<String>,
}

/// What can be done to a refund.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefundCommand {
    /// Money is to go back.
    Request {
        /// What is asked for.
        requested: RefundRequested,
        /// What was captured and neither went back nor is going to, in minor units.
        left: i64,
    },
    /// The provider has taken it on.
    Submit {
        /// What the provider calls it.
        reference: String,
    },
    /// The money has gone back.
    Succeed {
        /// What the provider calls it.
        reference: String,
    },
    /// It has not.
    Fail {
        /// Why, in a word.
        reason: String,
    },
}

/// Why a refund stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// There is none.
    #[error("the shop has no such refund")]
    Missing,
    /// It was asked for before, and is another.
    #[error("the refund was asked for before, of another payment or another amount")]
    Exists,
    /// Nothing would go back.
    #[error("a refund is above zero")]
    Nothing,
    /// More would go back than was captured.
    #[error("{left} minor units are left of what was captured; no more can go back")]
    TooMuch {
        /// How much is left.
        left: i64,
    },
    /// It has failed, and another one has to be asked for.
    #[error("the refund has failed; ask for another one")]
    Over,
}

impl Refusal for Rejection {
    fn problem(&self) -> ProblemType {
        match self {
            Self::Missing => Code::NotFound.into(),
            Self::Exists => ProblemType::conflict("refund_exists", "The refund was asked for before"),
            Self::Nothing => Code::ValidationFailed.into(),
            Self::TooMuch { .. } => ProblemType::conflict("exceeds_captured", "More than was captured"),
            Self::Over => Code::StatusConflict.into(),
        }
    }

    fn pointer(&self) -> Option<String> {
        match self {
            Self::Nothing | Self::TooMuch { .. } => Some("/amount".to_owned()),
            Self::Missing | Self::Exists | Self::Over => None,
        }
    }
}

impl Aggregate for Refund {
    const NAME: &'static str = "refund";
    type Command = RefundCommand;
    type Event = PaymentsEvent;
    type Rejection = Rejection;

    fn decide(state: Option<&Self>, command: RefundCommand) -> Result<Vec<PaymentsEvent>, Rejection> {
        match (state, command) {
            (Some(refund), RefundCommand::Request { requested, .. }) => {
                if refund.requested == requested {
                    Ok(vec![])
                } else {
                    Err(Rejection::Exists)
                }
            }
            (None, RefundCommand::Request { requested, left }) => request(requested, left),
            (None, RefundCommand::Submit { .. } | RefundCommand::Succeed { .. } | RefundCommand::Fail { .. }) => {
                Err(Rejection::Missing)
            }
            (Some(refund), RefundCommand::Submit { reference }) => refund.submit(reference),
            (Some(refund), RefundCommand::Succeed { reference }) => refund.succeed(reference),
            (Some(refund), RefundCommand::Fail { reason }) => Ok(refund.fail(reason)),
        }
    }

    fn apply(state: Option<Self>, event: &PaymentsEvent) -> Option<Self> {
        if let PaymentsEvent::RefundRequested(requested) = event {
            return Some(Self { requested: requested.clone(), status: RefundStatus::Requested, reference: None });
        }
        let refund = state?;
        let (status, reference) = match event {
            PaymentsEvent::RefundSubmitted(submitted) => (RefundStatus::Submitted, Some(submitted.reference.clone())),
            PaymentsEvent::RefundSucceeded(_) => (RefundStatus::Succeeded, refund.reference.clone()),
            PaymentsEvent::RefundFailed(_) => (RefundStatus::Failed, refund.reference.clone()),
            _ => return Some(refund),
        };
        Some(Self { status, reference, ..refund })
    }
}

fn request(requested: RefundRequested, left: i64) -> Result<Vec<PaymentsEvent>, Rejection> {
    match requested.money.amount {
        ..=0 => Err(Rejection::Nothing),
        amount if amount > left => Err(Rejection::TooMuch { left }),
        _ => Ok(vec![PaymentsEvent::RefundRequested(requested)]),
    }
}

impl Refund {
    /// How much of the captured money it takes; nothing once it has failed.
    #[must_use]
    pub const fn takes(&self) -> i64 {
        match self.status {
            RefundStatus::Requested | RefundStatus::Submitted | RefundStatus::Succeeded => self.requested.money.amount,
            RefundStatus::Failed => 0,
        }
    }

    fn submit(&self, reference: String) -> Result<Vec<PaymentsEvent>, Rejection> {
        match self.status {
            RefundStatus::Requested => Ok(vec![self.submitted(reference)]),
            RefundStatus::Submitted | RefundStatus::Succeeded => Ok(vec![]),
            RefundStatus::Failed => Err(Rejection::Over),
        }
    }

    fn succeed(&self, reference: String) -> Result<Vec<PaymentsEvent>, Rejection> {
        let RefundRequested { refund_id, payment_id, order_id, source, account, money, .. } = self.requested.clone();
        let succeeded =
            PaymentsEvent::RefundSucceeded(RefundSucceeded { refund_id, payment_id, order_id, source, account, money });
        match self.status {
            RefundStatus::Requested => Ok(vec![self.submitted(reference), succeeded]),
            RefundStatus::Submitted => Ok(vec![succeeded]),
            RefundStatus::Succeeded => Ok(vec![]),
            RefundStatus::Failed => Err(Rejection::Over),
        }
    }

    fn submitted(&self, reference: String) -> PaymentsEvent {
        let RefundRequested { refund_id, payment_id, order_id, source, account, money, .. } = self.requested.clone();
        PaymentsEvent::RefundSubmitted(RefundSubmitted {
            refund_id,
            payment_id,
            order_id,
            source,
            account,
            money,
            reference,
        })
    }

    fn fail(&self, reason: String) -> Vec<PaymentsEvent> {
        let was_submitted = match self.status {
            RefundStatus::Requested => false,
            // Banks send money back days after it was taken for gone.
            RefundStatus::Submitted | RefundStatus::Succeeded => true,
            RefundStatus::Failed => return vec![],
        };
        let RefundRequested { refund_id, payment_id, order_id, source, account, money, .. } = self.requested.clone();
        vec![PaymentsEvent::RefundFailed(RefundFailed {
            refund_id,
            payment_id,
            order_id,
            source,
            account,
            money,
            was_submitted,
            reason,
        })]
    }
}
