//! What follows from what a provider says of an attempt. The same said twice, or in another order, leads to the same: what
//! happened is derived from the difference to what is known.

use super::{Observed, ObservedStatus, Payment, Rejection, Status};
use schemas::{
    events::{
        PaymentsEvent,
        payments::{
            AuthorizationExpired, CaptureSource, FeeCharged, Mismatch, PaymentActionRequired, PaymentAuthorized,
            PaymentCaptured, PaymentFailed, PaymentMismatchFound,
        },
    },
    money::Money,
};
use std::cmp::Ordering;

/// A payment, and what has happened to it on the way.
struct Story {
    payment: Payment,
    events: Vec<PaymentsEvent>,
}

impl Story {
    fn tell(&mut self, event: PaymentsEvent) {
        self.payment = Payment::after(Some(self.payment.clone()), &event).unwrap_or_else(|| self.payment.clone());
        self.events.push(event);
    }

    fn held(&self, attempt: u32) -> i64 {
        self.payment.attempt(attempt).map_or(0, super::Attempt::held)
    }

    fn captured(&self, attempt: u32) -> i64 {
        self.payment.attempt(attempt).map_or(0, |attempt| attempt.captured)
    }
}

pub(super) fn observe(payment: &Payment, seen: Observed) -> Result<Vec<PaymentsEvent>, Rejection> {
    let known = payment.attempt(seen.attempt).ok_or(Rejection::Number { next: payment.number().saturating_add(1) })?;
    if seen.money != payment.created.money {
        let ours = payment.created.money.amount;
        return Ok(differs(payment, seen.reference, Mismatch::Amount, ours, seen.money));
    }
    let was_authorized = known.authorized > 0;
    let mut story = Story { payment: payment.clone(), events: Vec::new() };
    if !was_authorized && has_money(&seen) {
        story.tell(authorized(payment, &seen));
    }
    captured(&mut story, &seen);
    status(&mut story, &seen);
    if let Some((transaction, money)) = seen.fee.filter(|(id, money)| money.amount > 0 && !payment.fees.contains(id)) {
        let (payment_id, account) = (payment.created.payment_id, payment.created.account.clone());
        story.tell(PaymentsEvent::FeeCharged(FeeCharged { payment_id, account, transaction, money }));
    }
    Ok(story.events)
}

fn has_money(seen: &Observed) -> bool {
    match seen.status {
        ObservedStatus::Authorized { .. } | ObservedStatus::Captured => true,
        ObservedStatus::Pending
        | ObservedStatus::ActionRequired(_)
        | ObservedStatus::Failed { .. }
        | ObservedStatus::Canceled => seen.captured > 0,
    }
}

fn authorized(payment: &Payment, seen: &Observed) -> PaymentsEvent {
    let until = match &seen.status {
        ObservedStatus::Authorized { until } => *until,
        ObservedStatus::Pending
        | ObservedStatus::ActionRequired(_)
        | ObservedStatus::Captured
        | ObservedStatus::Failed { .. }
        | ObservedStatus::Canceled => None,
    };
    PaymentsEvent::PaymentAuthorized(PaymentAuthorized {
        payment_id: payment.created.payment_id,
        attempt: seen.attempt,
        reference: seen.reference.clone(),
        money: seen.money,
        until,
    })
}

fn captured(story: &mut Story, seen: &Observed) {
    let (held, known) = (story.held(seen.attempt), story.captured(seen.attempt));
    let more = seen.captured.saturating_sub(known);
    match more.cmp(&0) {
        Ordering::Equal => {}
        Ordering::Greater if more <= held => {
            let created = &story.payment.created;
            // Of a provider that captures once, the attempt says which capture it is, whoever notices it first.
            let capture_id = match known {
                0 => format!("{}:{}:capture", created.payment_id, seen.attempt),
                _ => format!("{}:{}:capture:{}", created.payment_id, seen.attempt, seen.captured),
            };
            let event = PaymentCaptured {
                payment_id: created.payment_id,
                order_id: created.order_id,
                capture_id,
                source: CaptureSource::Provider,
                account: created.account.clone(),
                money: story.payment.money(more),
                from_hold: more,
                released: if seen.is_final { held.saturating_sub(more) } else { 0 },
                attempt: Some(seen.attempt),
            };
            story.tell(PaymentsEvent::PaymentCaptured(event));
        }
        Ordering::Greater | Ordering::Less => {
            let theirs = story.payment.money(seen.captured);
            for event in differs(&story.payment, seen.reference.clone(), Mismatch::Captured, known, theirs) {
                story.tell(event);
            }
        }
    }
}

fn status(story: &mut Story, seen: &Observed) {
    let (payment_id, attempt) = (story.payment.created.payment_id, seen.attempt);
    let is_current = story.payment.number() == attempt;
    let is_open = is_current && matches!(story.payment.status, Status::Pending | Status::ActionRequired);
    let reference = Some(seen.reference.clone());
    match &seen.status {
        ObservedStatus::Pending | ObservedStatus::Authorized { .. } | ObservedStatus::Captured => {}
        ObservedStatus::ActionRequired(action) if is_current && story.payment.status == Status::Pending => {
            let (reference, action) = (seen.reference.clone(), *action);
            story.tell(PaymentsEvent::PaymentActionRequired(PaymentActionRequired {
                payment_id,
                attempt,
                reference,
                action,
            }));
        }
        ObservedStatus::ActionRequired(_) => {}
        ObservedStatus::Failed { reason } if is_open => {
            let reason = reason.clone();
            story.tell(PaymentsEvent::PaymentFailed(PaymentFailed { payment_id, attempt, reason, reference }));
        }
        ObservedStatus::Failed { .. } => {}
        ObservedStatus::Canceled => {
            let held = story.held(attempt);
            if held > 0 {
                let money = story.payment.money(held);
                story.tell(PaymentsEvent::AuthorizationExpired(AuthorizationExpired { payment_id, attempt, money }));
            } else if is_open {
                let reason = "canceled".to_owned();
                story.tell(PaymentsEvent::PaymentFailed(PaymentFailed { payment_id, attempt, reason, reference }));
            }
        }
    }
}

/// Tells of a difference, once.
pub(super) fn differs(
    payment: &Payment,
    reference: String,
    what: Mismatch,
    ours: i64,
    theirs: Money,
) -> Vec<PaymentsEvent> {
    let (payment_id, ours) = (payment.created.payment_id, payment.money(ours));
    let found = PaymentMismatchFound { payment_id, reference, what, ours, theirs };
    if payment.mismatch.as_ref() == Some(&found) {
        return Vec::new();
    }
    vec![PaymentsEvent::PaymentMismatchFound(found)]
}
