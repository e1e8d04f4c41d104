//! Money that has come after its payment was given up: it is never kept without a word. What a provider holds is let go of, and what
//! has come goes back.

use super::{
    super::{
        domain::{Payment, Refund, RefundCommand, payment::Rejection as PaymentRejection},
        table::{
            self,
            calls::{Call, Operation},
        },
    },
    agreed,
    call::{try_now, written},
    record,
    state::find,
    void::void,
};
use crate::{
    domain::Aggregate,
    pipeline::{App, Batch, Change, Error, Expected, Rejection, Scope, Stored, identity, procedure::Procedure},
};
use schemas::{
    Uuid,
    contexts::Context,
    events::payments::{CaptureSource, RefundRequested},
};
use sqlx::PgConnection;

/// Gives back what has come of a payment that was given up, if that is what was said then.
pub(in super::super) async fn settle_late(app: &App, scope: &Scope, payment_id: Uuid) -> Result<(), Error> {
    let Some(payment) = find(app, scope.tenant, payment_id).await? else { return Ok(()) };
    if !payment.is_given_up || !payment.gives_back {
        return Ok(());
    }
    if payment.captured() > 0 {
        return refund_late(app, scope, payment_id).await;
    }
    if payment.holding().is_some() {
        void(app, scope, payment_id, true).await?;
    }
    Ok(())
}

/// Sends back all that has come of a payment and did not go back before. The same again changes nothing. What has come by transfer
/// or in cash is asked for as a refund that staff make.
///
/// # Errors
/// There is no such payment. Where the provider does not answer, it is asked again until it does.
pub(crate) async fn refund_late(app: &App, scope: &Scope, payment_id: Uuid) -> Result<(), Error> {
    let missing = || Error::from(Rejection::from(PaymentRejection::Missing));
    let payment = find(app, scope.tenant, payment_id).await?.ok_or_else(missing)?;
    for call in app.procedure(scope, &Begin { payment_id }).await? {
        let provider = agreed::of_method(app, scope, payment.created.method).await?;
        try_now(app, scope, provider.as_ref(), &call).await?;
    }
    Ok(())
}

struct Begin {
    payment_id: Uuid,
}

impl Procedure for Begin {
    const CONTEXT: Context = Context::Payments;
    type Output = Vec<Call>;

    fn name(&self) -> &'static str {
        "refund_late_payment"
    }

    async fn run(&self, conn: &mut PgConnection, scope: &Scope) -> Result<(Change, Vec<Call>), Error> {
        let payments = Payment::load(conn, scope, &[self.payment_id]).await?;
        let payment = payments.state(self.payment_id).ok_or_else(|| Rejection::from(PaymentRejection::Missing))?;
        let known = table::refunds(&mut *conn, scope.tenant, self.payment_id).await?;
        let taken: i64 = known.iter().fold(0, |sum, refund| sum.saturating_add(refund.takes()));
        let mut left = payment.captured().saturating_sub(taken);
        let (mut refunds, mut calls) = (Batch::<Refund>::default(), Vec::new());
        for requested in wanted(scope, payment) {
            let id = requested.refund_id;
            // Asked for before; if it has failed, staff decide.
            if known.iter().any(|refund| refund.requested.refund_id == id) || left <= 0 {
                continue;
            }
            let money = payment.money(requested.money.amount.min(left));
            let requested = RefundRequested { money, ..requested };
            if let Some(reference) = reference(payment, &requested) {
                let operation = Operation::Refund { refund_id: id, reference, amount: money.amount };
                calls.push(written(conn, scope, self.payment_id, operation).await?);
            }
            refunds.carry_out(id, Expected::Any, |refunds| {
                Ok(Refund::decide(refunds.state(id), RefundCommand::Request { requested, left })?)
            })?;
            left = left.saturating_sub(money.amount);
        }
        let change = if refunds.events().len() > 0 { Change::Created } else { Change::Unchanged };
        record::write(conn, scope, Batch::default(), refunds).await?;
        Ok((change, calls))
    }
}

/// A refund for each capture.
fn wanted(scope: &Scope, payment: &Payment) -> Vec<RefundRequested> {
    let refund = |capture: &super::super::domain::payment::Capture| RefundRequested {
        refund_id: identity::named(scope.tenant, &["late_refund", &capture.capture_id]),
        payment_id: payment.created.payment_id,
        order_id: payment.created.order_id,
        source: capture.source,
        account: capture.account.clone(),
        money: payment.money(capture.amount),
        reason: "late".to_owned(),
    };
    payment.captures.iter().map(refund).collect()
}

/// What the provider calls the attempt of which it sends money back; none where no provider does.
fn reference(payment: &Payment, requested: &RefundRequested) -> Option<String> {
    match requested.source {
        CaptureSource::Provider => {
            let captured = payment.attempts.iter().find(|attempt| attempt.captured > 0)?;
            captured.reference.clone()
        }
        CaptureSource::Transfer | CaptureSource::Cash => None,
    }
}
