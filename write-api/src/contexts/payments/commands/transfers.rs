//! Transfers that staff enter and approve.

use super::{
    super::{
        domain::{PaymentCommand, payment::NewTransfer},
        port,
    },
    actor,
};
use crate::{
    domain::validation::Findings,
    pipeline::{App, Done, Error, Rejection, Scope, identity},
};
use schemas::{Uuid, money::Money, problem::FieldError};

/// A transfer, as somebody enters it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Entered {
    pub(in super::super) payment_id: Uuid,
    pub(in super::super) amount: i64,
    /// What the bank calls it.
    pub(in super::super) reference: String,
    /// Where the proof is.
    pub(in super::super) proof: String,
}

fn check(entered: &Entered) -> Result<(), Vec<FieldError>> {
    let mut findings = Findings::default();
    findings.line(|| "/reference".to_owned(), &entered.reference, 200);
    findings.line(|| "/proof".to_owned(), &entered.proof, 1_000);
    findings.done()
}

/// Enters a transfer; gives the id of the proof with what was done. The same reference again is the same transfer.
///
/// # Errors
/// The payment is none by transfer; the transfer was entered before, and is another.
pub(in super::super) async fn enter(app: &App, scope: &Scope, entered: Entered) -> Result<(Uuid, Done), Error> {
    check(&entered).map_err(Rejection::invalid)?;
    let Entered { payment_id, amount, reference, proof } = entered;
    let proof_id = identity::named(scope.tenant, &["transfer", &payment_id.to_string(), &reference]);
    let payment = port::state(app, scope.tenant, payment_id).await?;
    let payment = payment.ok_or_else(|| Rejection::not_found("the shop has no such payment"))?;
    let money = Money { amount, currency: payment.money.currency };
    let entered = NewTransfer { payment_id, proof_id, money, reference, proof, entered_by: actor(scope) };
    let command = PaymentCommand::EnterTransfer(entered);
    let done = app.procedure(scope, &port::Single { name: "enter_transfer", payment_id, command }).await?;
    Ok((proof_id, done))
}

/// Approves a transfer that somebody else has entered: the money counts from then on.
///
/// # Errors
/// There is none; whoever approves it has entered it.
pub(in super::super) async fn approve(
    app: &App,
    scope: &Scope,
    payment_id: Uuid,
    proof_id: Uuid,
) -> Result<Done, Error> {
    let command = PaymentCommand::ApproveTransfer { proof_id, by: actor(scope) };
    let done = app.procedure(scope, &port::Single { name: "approve_transfer", payment_id, command }).await?;
    port::settle_late(app, scope, payment_id).await?;
    Ok(done)
}
