//! What a checkout decides.

use super::{Checkout, Rejection, state::Phase};
use crate::domain::Aggregate;
use schemas::events::{
    CheckoutEvent,
    checkout::{
        AbortedBy, CheckoutAbortAsked, CheckoutAborted, CheckoutAwaitingPayment, CheckoutCompleted, CheckoutParked,
        CheckoutPaymentChosen, CheckoutResumed, CheckoutStarted,
    },
    settings::PaymentMethod,
};

/// What can be done to a checkout. The shopper starts it, pays and asks for its end; all else its process tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CheckoutCommand {
    /// The shopper wants what is in the cart.
    Start(Box<CheckoutStarted>),
    /// The shopper tries to pay once more.
    ChoosePayment(PaymentMethod),
    /// Somebody does not want it any more.
    AskAbort(AbortedBy),
    /// It waits.
    Await(CheckoutAwaitingPayment),
    /// It has become an order.
    Complete(CheckoutCompleted),
    /// No order comes of it.
    Abort(CheckoutAborted),
    /// It does not go on by itself.
    Park(CheckoutParked),
    /// Staff let it go on.
    Resume(CheckoutResumed),
}

impl Aggregate for Checkout {
    const NAME: &'static str = "checkout";
    type Command = CheckoutCommand;
    type Event = CheckoutEvent;
    type Rejection = Rejection;

    fn decide(state: Option<&Self>, command: CheckoutCommand) -> Decision {
        let Some(checkout) = state else {
            return match command {
                CheckoutCommand::Start(started) => begin(started),
                CheckoutCommand::ChoosePayment(_)
                | CheckoutCommand::AskAbort(_)
                | CheckoutCommand::Await(_)
                | CheckoutCommand::Complete(_)
                | CheckoutCommand::Abort(_)
                | CheckoutCommand::Park(_)
                | CheckoutCommand::Resume(_) => Err(Rejection::Missing),
            };
        };
        match command {
            CheckoutCommand::Start(started) if started.cart_id == checkout.cart_id => Ok(vec![]),
            CheckoutCommand::Start(_) => Err(Rejection::Started),
            CheckoutCommand::ChoosePayment(method) => checkout.choose_payment(method),
            CheckoutCommand::AskAbort(by) => checkout.ask_abort(by),
            CheckoutCommand::Await(awaiting) => checkout.wait(awaiting),
            CheckoutCommand::Complete(completed) => checkout.complete(completed),
            CheckoutCommand::Abort(aborted) => checkout.abort(aborted),
            CheckoutCommand::Park(parked) => Ok(vec![CheckoutEvent::Parked(parked)]),
            CheckoutCommand::Resume(resumed) => Ok(vec![CheckoutEvent::Resumed(resumed)]),
        }
    }

    fn apply(state: Option<Self>, event: &CheckoutEvent) -> Option<Self> {
        Self::after(state, event)
    }
}

type Decision = Result<Vec<CheckoutEvent>, Rejection>;

/// A shop takes the methods of payment that it has named.
fn begin(started: Box<CheckoutStarted>) -> Decision {
    let is_offered = started.policy.payments.iter().any(|terms| terms.method == started.payment_method);
    if !is_offered && started.quote.needs_payment {
        return Err(Rejection::Method);
    }
    Ok(vec![CheckoutEvent::Started(started)])
}

impl Checkout {
    fn open(&self) -> Result<(), Rejection> {
        match self.phase {
            Phase::Open | Phase::AwaitingPayment { .. } => Ok(()),
            Phase::Completed => Err(Rejection::Completed),
            Phase::Aborted { .. } => Err(Rejection::Aborted),
        }
    }

    fn choose_payment(&self, payment_method: PaymentMethod) -> Decision {
        self.open()?;
        let Phase::AwaitingPayment { attempt } = self.phase else { return Err(Rejection::NotAwaiting) };
        let policy = &self.started.policy;
        if !policy.payments.iter().any(|terms| terms.method == payment_method) {
            return Err(Rejection::Method);
        }
        if self.is_abort_asked {
            return Err(Rejection::NotAwaiting);
        }
        if attempt >= policy.payment_attempts {
            return Err(Rejection::Attempts);
        }
        Ok(vec![CheckoutEvent::PaymentChosen(CheckoutPaymentChosen { payment_method })])
    }

    fn ask_abort(&self, by: AbortedBy) -> Decision {
        match self.phase {
            Phase::Completed => Err(Rejection::Completed),
            Phase::Aborted { .. } => Ok(vec![]),
            Phase::Open | Phase::AwaitingPayment { .. } if self.is_abort_asked => Ok(vec![]),
            Phase::Open | Phase::AwaitingPayment { .. } => {
                Ok(vec![CheckoutEvent::AbortAsked(CheckoutAbortAsked { by })])
            }
        }
    }

    fn wait(&self, awaiting: CheckoutAwaitingPayment) -> Decision {
        self.open()?;
        if self.awaiting.as_ref() == Some(&awaiting) && self.phase != Phase::Open {
            return Ok(vec![]);
        }
        Ok(vec![CheckoutEvent::AwaitingPayment(awaiting)])
    }

    fn complete(&self, completed: CheckoutCompleted) -> Decision {
        match self.phase {
            Phase::Open | Phase::AwaitingPayment { .. } => Ok(vec![CheckoutEvent::Completed(completed)]),
            Phase::Completed => Ok(vec![]),
            Phase::Aborted { .. } => Err(Rejection::Aborted),
        }
    }

    fn abort(&self, aborted: CheckoutAborted) -> Decision {
        match self.phase {
            Phase::Open | Phase::AwaitingPayment { .. } => Ok(vec![CheckoutEvent::Aborted(aborted)]),
            Phase::Aborted { .. } => Ok(vec![]),
            Phase::Completed => Err(Rejection::Completed),
        }
    }
}
