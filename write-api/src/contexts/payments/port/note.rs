//! Noting what a provider has said: what follows for the payment, for its refunds and for the ledger, in one transaction.

use super::{
    super::{
        domain::{
            Payment, PaymentCommand, Refund, RefundCommand,
            payment::{Observed, ObservedStatus, Rejection as PaymentRejection},
        },
        table::{
            self, accounts,
            calls::{self, Operation},
        },
    },
    record,
    state::{ACTION, NextAction},
};
use crate::{
    domain::Aggregate,
    pipeline::{App, Batch, Change, Error, Expected, Rejection, Scope, Stored, identity, procedure::Procedure},
    providers::{Action, RefundSnapshot, RefundStanding, Snapshot, Standing},
};
use schemas::{
    Uuid,
    contexts::Context,
    events::payments::{ActionKind, CaptureSource, RefundRequested},
};
use sqlx::PgConnection;

/// What a provider has said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) enum Said {
    /// How an attempt is.
    Attempt(Box<Snapshot>),
    /// How a refund is.
    Refund(RefundSnapshot),
}

/// Notes it. `settled` names the call that it answers.
pub(in super::super) async fn note(
    app: &App,
    scope: &Scope,
    payment_id: Uuid,
    said: Said,
    settled: Option<String>,
) -> Result<(), Error> {
    let action = match &said {
        Said::Attempt(snapshot) => match &snapshot.standing {
            Standing::ActionRequired(Action::Confirm { client_secret }) => {
                Some(NextAction::Confirm(client_secret.clone()))
            }
            Standing::ActionRequired(Action::Redirect { url }) => Some(NextAction::Redirect(url.clone())),
            Standing::Pending
            | Standing::Authorized { .. }
            | Standing::Captured
            | Standing::Failed { .. }
            | Standing::Canceled => None,
        },
        Said::Refund(_) => None,
    };
    let sealed = match action {
        Some(action) => Some(app.seal(scope.tenant, ACTION, &action).await?),
        None => None,
    };
    app.procedure(scope, &Note { payment_id, said, sealed, settled }).await
}

struct Note {
    payment_id: Uuid,
    said: Said,
    /// What the shopper has to do.
    sealed: Option<String>,
    settled: Option<String>,
}

impl Procedure for Note {
    const CONTEXT: Context = Context::Payments;
    type Output = ();

    fn name(&self) -> &'static str {
        "note_payment"
    }

    async fn run(&self, conn: &mut PgConnection, scope: &Scope) -> Result<(Change, ()), Error> {
        let id = self.payment_id;
        let mut payments = Payment::load(conn, scope, &[id]).await?;
        let seen = match &self.said {
            Said::Attempt(snapshot) => {
                self.observe(conn, scope, &mut payments, snapshot).await?;
                snapshot.refunds.as_slice()
            }
            Said::Refund(refund) => std::slice::from_ref(refund),
        };
        let refunds = adopt(conn, scope, &mut payments, id, seen).await?;
        let changed = payments.events().len() + refunds.events().len() > 0;
        record::write(conn, scope, payments, refunds).await?;
        if let Some(name) = &self.settled {
            calls::settle(conn, scope, id, name).await?;
        }
        Ok((if changed { Change::Changed } else { Change::Unchanged }, ()))
    }
}

impl Note {
    async fn observe(
        &self,
        conn: &mut PgConnection,
        scope: &Scope,
        payments: &mut Batch<Payment>,
        snapshot: &Snapshot,
    ) -> Result<(), Error> {
        let id = self.payment_id;
        let ours = snapshot.ours.filter(|ours| ours.payment_id == id);
        let Some(ours) = ours else { return Err(Rejection::from(PaymentRejection::Missing).into()) };
        let gives_up =
            gives_up(conn, scope, id, ours.attempt).await?.filter(|_| snapshot.standing == Standing::Canceled);
        let given_up = gives_up.map(|gives_back| PaymentCommand::Void { gives_back });
        let observed = PaymentCommand::Observe(observed(snapshot, ours.attempt));
        for command in given_up.into_iter().chain([observed]) {
            payments.carry_out(id, Expected::Any, |payments| Ok(Payment::decide(payments.state(id), command)?))?;
        }
        match &self.sealed {
            Some(sealed) => accounts::keep_action(conn, scope, id, ours.attempt, sealed).await?,
            None => accounts::forget_action(conn, scope, id, ours.attempt).await?,
        }
        Ok(())
    }
}

/// Whether a payment is given up with an attempt that is canceled because the shop has asked for it.
async fn gives_up(conn: &mut PgConnection, scope: &Scope, payment: Uuid, number: u32) -> Result<Option<bool>, Error> {
    let calls = calls::of_payment(conn, scope.tenant, payment).await?;
    Ok(calls.into_iter().find_map(|call| match call.operation {
        Operation::Void { attempt, gives_up, .. } if attempt == number => gives_up,
        Operation::Void { .. }
        | Operation::Create { .. }
        | Operation::Authorise { .. }
        | Operation::Capture { .. }
        | Operation::Refund { .. } => None,
    }))
}

/// What was seen, as the rules have it.
pub(in super::super) fn observed(snapshot: &Snapshot, attempt: u32) -> Observed {
    let status = match &snapshot.standing {
        Standing::Pending => ObservedStatus::Pending,
        Standing::ActionRequired(Action::Confirm { .. }) => ObservedStatus::ActionRequired(ActionKind::Confirm),
        Standing::ActionRequired(Action::Redirect { .. }) => ObservedStatus::ActionRequired(ActionKind::Redirect),
        Standing::Authorized { until } => ObservedStatus::Authorized { until: *until },
        Standing::Captured => ObservedStatus::Captured,
        Standing::Failed { reason } => ObservedStatus::Failed { reason: reason.clone() },
        Standing::Canceled => ObservedStatus::Canceled,
    };
    Observed {
        attempt,
        reference: snapshot.reference.clone(),
        money: snapshot.money,
        status,
        captured: snapshot.captured,
        is_final: snapshot.is_final,
        fee: snapshot.fee.as_ref().map(|fee| (fee.transaction.clone(), fee.money)),
    }
}

/// Takes in what the provider says of refunds; those that were made in its console are the shop's from then on.
async fn adopt(
    conn: &mut PgConnection,
    scope: &Scope,
    payments: &mut Batch<Payment>,
    payment_id: Uuid,
    seen: &[RefundSnapshot],
) -> Result<Batch<Refund>, Error> {
    if seen.is_empty() {
        return Ok(Batch::default());
    }
    let Some(payment) = payments.state(payment_id).cloned() else {
        return Err(Rejection::from(PaymentRejection::Missing).into());
    };
    let known = table::refunds(&mut *conn, scope.tenant, payment_id).await?;
    let is_ours = |id: &Uuid| known.iter().any(|refund| refund.requested.refund_id == *id);
    let id_of = |seen: &RefundSnapshot| {
        let named = || identity::named(scope.tenant, &["refund", &payment.created.account, &seen.reference]);
        seen.refund_id.filter(is_ours).unwrap_or_else(named)
    };
    let ids: Vec<Uuid> = seen.iter().map(id_of).collect();
    let mut refunds = Refund::load(conn, scope, &ids).await?;
    let mut taken: i64 = known.iter().fold(0, |sum, refund| sum.saturating_add(refund.takes()));
    for (id, seen) in ids.into_iter().zip(seen) {
        let left = payment.captured().saturating_sub(taken);
        let before = refunds.state(id).map(Refund::takes);
        if !follow(&mut refunds, &payment, id, seen, left) {
            let (reference, ours, theirs) = (seen.reference.clone(), before.unwrap_or_default(), seen.money.amount);
            let differ = PaymentCommand::Differ { reference, ours, theirs };
            payments.carry_out(payment_id, Expected::Any, |payments| {
                Ok(Payment::decide(payments.state(payment_id), differ)?)
            })?;
        }
        let after = refunds.state(id).map_or(0, Refund::takes);
        taken = taken.saturating_add(after).saturating_sub(before.unwrap_or_default());
    }
    Ok(refunds)
}

/// Brings one refund to where the provider says it is; false if the rules forbid it.
fn follow(refunds: &mut Batch<Refund>, payment: &Payment, id: Uuid, seen: &RefundSnapshot, left: i64) -> bool {
    let mut commands = Vec::new();
    match refunds.state(id) {
        Some(known) if known.requested.money != seen.money => return false,
        Some(_) => {}
        // What has failed before the shop knew of it took nothing.
        None if matches!(seen.standing, RefundStanding::Failed { .. }) => return true,
        None => {
            let requested = RefundRequested {
                refund_id: id,
                payment_id: payment.created.payment_id,
                order_id: payment.created.order_id,
                source: CaptureSource::Provider,
                account: payment.created.account.clone(),
                money: seen.money,
                reason: "provider".to_owned(),
            };
            commands.push(RefundCommand::Request { requested, left });
        }
    }
    let reference = seen.reference.clone();
    commands.push(match &seen.standing {
        RefundStanding::Pending => RefundCommand::Submit { reference },
        RefundStanding::Succeeded => RefundCommand::Succeed { reference },
        RefundStanding::Failed { reason } => RefundCommand::Fail { reason: reason.clone() },
    });
    commands.into_iter().all(|command| {
        let decided = refunds.carry_out(id, Expected::Any, |refunds| Ok(Refund::decide(refunds.state(id), command)?));
        decided.is_ok()
    })
}
