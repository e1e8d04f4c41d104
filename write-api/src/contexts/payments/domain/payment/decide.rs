//! What a command leads to.

use super::{Capture, NewPayment, NewTransfer, Payment, PaymentCommand, Rejection, Status, observe, policy};
use crate::domain::Aggregate;
use schemas::{
    Uuid,
    events::{
        PaymentsEvent,
        payments::{
            CaptureSource, CashRemitted, Mismatch, PaymentCaptured, PaymentFailed, PaymentPending, PaymentVoided,
            TransferApproved,
        },
        settings::PaymentMethod,
    },
};

type Decided = Result<Vec<PaymentsEvent>, Rejection>;

impl Aggregate for Payment {
    const NAME: &'static str = "payment";
    type Command = PaymentCommand;
    type Event = PaymentsEvent;
    type Rejection = Rejection;

    fn decide(state: Option<&Self>, command: PaymentCommand) -> Decided {
        if let PaymentCommand::Create(new) = command {
            return create(state, new);
        }
        let payment = state.ok_or(Rejection::Missing)?;
        match command {
            PaymentCommand::Create(new) => create(state, new),
            PaymentCommand::Begin { attempt } => begin(payment, attempt),
            PaymentCommand::Observe(seen) => observe::observe(payment, seen),
            PaymentCommand::Absent { attempt, reason } => absent(payment, attempt, reason),
            PaymentCommand::Void { gives_back } => void(payment, gives_back),
            PaymentCommand::EnterTransfer(entered) => enter(payment, entered),
            PaymentCommand::ApproveTransfer { proof_id, by } => approve(payment, proof_id, by),
            PaymentCommand::CollectCash { capture_id, carrier, amount } => {
                collect(payment, capture_id, carrier, amount)
            }
            PaymentCommand::RemitCash { capture_id, kept } => remit(payment, &capture_id, kept),
            PaymentCommand::Differ { reference, ours, theirs } => {
                Ok(observe::differs(payment, reference, Mismatch::Refunded, ours, payment.money(theirs)))
            }
        }
    }

    fn apply(state: Option<Self>, event: &PaymentsEvent) -> Option<Self> {
        Self::after(state, event)
    }
}

fn create(state: Option<&Payment>, new: NewPayment) -> Decided {
    policy::a_sum_is_above_zero(new.money.amount)?;
    match state {
        None => Ok(vec![PaymentsEvent::PaymentCreated(new)]),
        Some(payment) if payment.created == new => Ok(vec![]),
        Some(_) => Err(Rejection::Exists),
    }
}

fn begin(payment: &Payment, attempt: u32) -> Decided {
    if !payment.is_by_provider() {
        return Err(Rejection::Method);
    }
    let current = payment.number();
    let next = current.saturating_add(1);
    if attempt == current && current > 0 {
        return Ok(vec![]);
    }
    if attempt != next {
        return Err(Rejection::Number { next });
    }
    match payment.status {
        Status::Created | Status::Failed | Status::Expired => {
            let payment_id = payment.created.payment_id;
            Ok(vec![PaymentsEvent::PaymentPending(PaymentPending { payment_id, attempt })])
        }
        Status::Pending | Status::ActionRequired | Status::Authorized => Err(Rejection::Open { number: current }),
        Status::PartlyCaptured | Status::Captured | Status::Voided => Err(Rejection::Status { status: payment.status }),
    }
}

fn absent(payment: &Payment, attempt: u32, reason: String) -> Decided {
    let is_open = matches!(payment.status, Status::Pending | Status::ActionRequired);
    if attempt != payment.number() || !is_open {
        return Ok(vec![]);
    }
    let (payment_id, reference) = (payment.created.payment_id, None);
    Ok(vec![PaymentsEvent::PaymentFailed(PaymentFailed { payment_id, attempt, reason, reference })])
}

fn void(payment: &Payment, gives_back: bool) -> Decided {
    let held = payment.holding();
    if payment.is_given_up && held.is_none() {
        return Ok(vec![]);
    }
    if payment.captured() > 0 {
        return Err(Rejection::Status { status: payment.status });
    }
    let (attempt, amount) = held.map_or((payment.number(), 0), |attempt| (attempt.number, attempt.held()));
    let (payment_id, money) = (payment.created.payment_id, payment.money(amount));
    Ok(vec![PaymentsEvent::PaymentVoided(PaymentVoided { payment_id, attempt, money, gives_back })])
}

fn enter(payment: &Payment, entered: NewTransfer) -> Decided {
    if payment.created.method != PaymentMethod::Transfer {
        return Err(Rejection::Method);
    }
    policy::a_sum_is_above_zero(entered.money.amount)?;
    let currency = payment.created.money.currency;
    if entered.money.currency != currency {
        return Err(Rejection::Currency { expected: currency.to_string() });
    }
    match payment.transfers.iter().find(|known| known.entered.proof_id == entered.proof_id) {
        // Whoever enters it again: the first entered it.
        Some(known) if (known.entered.money, &known.entered.proof) == (entered.money, &entered.proof) => Ok(vec![]),
        Some(_) => Err(Rejection::TransferExists),
        None if payment.transfers.len() >= policy::MOST_TRANSFERS => {
            Err(Rejection::TooMany { most: policy::MOST_TRANSFERS })
        }
        None => Ok(vec![PaymentsEvent::TransferEntered(entered)]),
    }
}

fn approve(payment: &Payment, proof_id: Uuid, by: String) -> Decided {
    let known = payment.transfers.iter().find(|known| known.entered.proof_id == proof_id);
    let known = known.ok_or(Rejection::NoTransfer)?;
    if known.approved_by.is_some() {
        return Ok(vec![]);
    }
    if known.entered.entered_by == by {
        return Err(Rejection::OwnTransfer);
    }
    let (payment_id, account) = (payment.created.payment_id, payment.created.account.clone());
    let captured = come(payment, proof_id.to_string(), CaptureSource::Transfer, account, known.entered.money.amount);
    Ok(vec![
        PaymentsEvent::TransferApproved(TransferApproved { payment_id, proof_id, approved_by: by }),
        PaymentsEvent::PaymentCaptured(captured),
    ])
}

fn collect(payment: &Payment, capture_id: String, carrier: String, amount: i64) -> Decided {
    if payment.created.method != PaymentMethod::CashOnDelivery {
        return Err(Rejection::Method);
    }
    policy::a_sum_is_above_zero(amount)?;
    match payment.captures.iter().find(|known| known.capture_id == capture_id) {
        Some(Capture { amount: captured, account, .. }) if *captured == amount && *account == carrier => Ok(vec![]),
        Some(Capture { amount: captured, .. }) => Err(Rejection::CapturedOther { captured: *captured }),
        None => {
            let captured = come(payment, capture_id, CaptureSource::Cash, carrier, amount);
            Ok(vec![PaymentsEvent::PaymentCaptured(captured)])
        }
    }
}

/// Money that nobody held before.
fn come(payment: &Payment, capture_id: String, source: CaptureSource, account: String, amount: i64) -> PaymentCaptured {
    PaymentCaptured {
        payment_id: payment.created.payment_id,
        order_id: payment.created.order_id,
        capture_id,
        source,
        account,
        money: payment.money(amount),
        from_hold: 0,
        released: 0,
        attempt: None,
    }
}

fn remit(payment: &Payment, capture_id: &str, kept: i64) -> Decided {
    let is_it = |known: &&Capture| known.capture_id == capture_id && known.source == CaptureSource::Cash;
    let known = payment.captures.iter().find(is_it).ok_or(Rejection::NoCash)?;
    if !(0..=known.amount).contains(&kept) {
        return Err(Rejection::Amount { most: known.amount });
    }
    match known.kept {
        Some(before) if before == kept => Ok(vec![]),
        Some(_) => Err(Rejection::CapturedOther { captured: known.amount }),
        None => Ok(vec![PaymentsEvent::CashRemitted(CashRemitted {
            payment_id: payment.created.payment_id,
            capture_id: known.capture_id.clone(),
            carrier: known.account.clone(),
            money: payment.money(known.amount),
            kept,
        })]),
    }
}
