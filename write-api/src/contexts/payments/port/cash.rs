//! Cash that a carrier has collected, and what it hands over: nobody is asked for it, so that whoever ships tells of it.

use super::{
    super::domain::{Payment, PaymentCommand},
    record,
};
use crate::{
    domain::Aggregate,
    pipeline::{App, Batch, Change, Done, Error, Expected, Scope, Stored, procedure::Procedure},
};
use schemas::{Uuid, contexts::Context};
use sqlx::PgConnection;

/// A carrier has collected so many minor units; `capture_id` is unique for ever, such as the id of the shipment.
///
/// # Errors
/// The payment is none in cash; the capture was made before, and is another.
pub(crate) async fn collect_cash(
    app: &App,
    scope: &Scope,
    payment_id: Uuid,
    capture_id: String,
    carrier: String,
    amount: i64,
) -> Result<Done, Error> {
    let command = PaymentCommand::CollectCash { capture_id, carrier, amount };
    app.procedure(scope, &Single { name: "collect_cash", payment_id, command }).await
}

/// The carrier has handed it over, and kept so many minor units.
///
/// # Errors
/// There is no such capture; it was handed over before, and another sum was kept.
pub(crate) async fn remit_cash(
    app: &App,
    scope: &Scope,
    payment_id: Uuid,
    capture_id: String,
    kept: i64,
) -> Result<Done, Error> {
    let command = PaymentCommand::RemitCash { capture_id, kept };
    app.procedure(scope, &Single { name: "remit_cash", payment_id, command }).await
}

/// A command on one payment, for which no provider is asked.
pub(in super::super) struct Single {
    pub(in super::super) name: &'static str,
    pub(in super::super) payment_id: Uuid,
    pub(in super::super) command: PaymentCommand,
}

impl Procedure for Single {
    const CONTEXT: Context = Context::Payments;
    type Output = Done;

    fn name(&self) -> &'static str {
        self.name
    }

    async fn run(&self, conn: &mut PgConnection, scope: &Scope) -> Result<(Change, Done), Error> {
        let (id, command) = (self.payment_id, self.command.clone());
        let mut payments = Payment::load(conn, scope, &[id]).await?;
        let done =
            payments.carry_out(id, Expected::Any, |payments| Ok(Payment::decide(payments.state(id), command)?))?;
        record::write(conn, scope, payments, Batch::default()).await?;
        Ok((done.change, done))
    }
}
