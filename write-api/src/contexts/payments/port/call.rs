//! Asking a provider for what was written down before, and what follows from its answer, or from none.

use super::{
    super::{
        domain::{Payment, PaymentCommand, Refund, RefundCommand},
        table::calls::{self, Call, Operation},
    },
    note::{Said, note},
    record,
    state::find,
};
use crate::{
    domain::Aggregate,
    pipeline::{App, Batch, Change, Error, Expected, Rejection, Scope, Stored, procedure::Procedure},
    providers::{KEY_WINDOW, NewAttempt, NewRefund, Ours, Provider, ProviderError, Snapshot, Standing},
};
use schemas::{
    TimeDelta, Uuid,
    contexts::Context,
    money::Money,
    problem::{Code, Problem, ProblemType},
};
use sqlx::PgConnection;

/// An attempt may stand so much earlier in the provider's list than the call was written down: clocks differ.
const BEFORE: TimeDelta = TimeDelta::minutes(10);
/// Pages of the list that are read for one attempt.
const PAGES: usize = 20;

/// What came of asking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) enum Asked {
    /// It was noted.
    Settled,
    /// What came of it is not known.
    Unknown(String),
}

/// Asks, and notes the answer. `is_first` says that nobody can have asked before: then what was not sent was not done.
pub(in super::super) async fn perform(
    app: &App,
    scope: &Scope,
    provider: &dyn Provider,
    call: &Call,
    is_first: bool,
) -> Result<Asked, Error> {
    let settled = Some(call.operation.name());
    match ask(app, provider, call).await? {
        Ok(said) => note(app, scope, call.payment_id, said, settled).await.map(|()| Asked::Settled),
        Err(ProviderError::OtherState { code }) => {
            let reference = call.operation.reference().unwrap_or_default();
            match provider.fetch(reference).await {
                Ok(snapshot) => {
                    let said = Said::Attempt(Box::new(snapshot));
                    note(app, scope, call.payment_id, said, settled).await.map(|()| Asked::Settled)
                }
                Err(_) => Ok(Asked::Unknown(code)),
            }
        }
        Err(ProviderError::Refused { code }) => refused(app, scope, call, code).await,
        Err(ProviderError::Missing) => refused(app, scope, call, "missing".to_owned()).await,
        Err(ProviderError::Unsupported) => refused(app, scope, call, "unsupported".to_owned()).await,
        // Money that is to go back goes back, whenever the provider answers.
        Err(ProviderError::NotDone(reason)) if is_first && !matches!(call.operation, Operation::Refund { .. }) => {
            give_up(app, scope, call, "unavailable".to_owned()).await?;
            tracing::warn!(payment.id = %call.payment_id, operation = ?call.operation, reason, "a payment provider was not asked");
            let detail = "the payment provider does not answer; nothing was done, and another try may follow";
            Err(Rejection::of(Problem::new(Code::Unavailable).detail(detail)).into())
        }
        Err(ProviderError::NotDone(reason) | ProviderError::Unknown(reason)) => Ok(Asked::Unknown(reason)),
    }
}

/// The same for whoever waits for the answer: where none comes, it is found out later.
pub(super) async fn try_now(app: &App, scope: &Scope, provider: &dyn Provider, call: &Call) -> Result<Asked, Error> {
    let asked = perform(app, scope, provider, call, call.tries == 0).await?;
    if let Asked::Unknown(reason) = &asked {
        postpone(app, call, reason).await?;
    }
    Ok(asked)
}

/// Writes a call down, and gives it as it stands there.
pub(super) async fn written(
    conn: &mut PgConnection,
    scope: &Scope,
    payment_id: Uuid,
    operation: Operation,
) -> Result<Call, Error> {
    calls::write(&mut *conn, scope, payment_id, &operation).await?;
    let name = operation.name();
    let known = calls::of_payment(conn, scope.tenant, payment_id).await?;
    let new = || Call { tenant: scope.tenant, payment_id, operation, begun_at: scope.now, tries: 0 };
    Ok(known.into_iter().find(|call| call.operation.name() == name).unwrap_or_else(new))
}

async fn postpone(app: &App, call: &Call, reason: &str) -> Result<(), Error> {
    tracing::warn!(payment.id = %call.payment_id, operation = ?call.operation, tries = call.tries, reason,
        "what came of a call to a payment provider is not known");
    let mut transaction = app.database.of_shop(call.tenant).await?;
    calls::postpone(&mut *transaction, call, app.clock.now()).await?;
    Ok(transaction.commit().await?)
}

async fn ask(app: &App, provider: &dyn Provider, call: &Call) -> Result<Result<Said, ProviderError>, Error> {
    let payment = find(app, call.tenant, call.payment_id).await?;
    let payment = payment.ok_or_else(|| Rejection::not_found("the shop has no such payment"))?;
    let (key, created) = (call.key(), &payment.created);
    let answered = match &call.operation {
        Operation::Create { attempt } => {
            let ours = Ours { payment_id: call.payment_id, attempt: *attempt };
            let new = NewAttempt { ours, order_id: created.order_id, money: created.money };
            provider.create(&new, &key).await
        }
        Operation::Authorise { reference, token, .. } => provider.authorise(reference, token, &key).await,
        Operation::Capture { reference, amount, .. } => provider.capture(reference, payment.money(*amount), &key).await,
        Operation::Void { reference, .. } => provider.void(reference, &key).await,
        Operation::Refund { refund_id, reference, amount } => {
            let money: Money = payment.money(*amount);
            let refund = NewRefund { refund_id: *refund_id, reference: reference.clone(), money };
            return Ok(provider.refund(&refund, &key).await.map(Said::Refund));
        }
    };
    Ok(answered.map(|snapshot| Said::Attempt(Box::new(snapshot))))
}

async fn refused(app: &App, scope: &Scope, call: &Call, code: String) -> Result<Asked, Error> {
    tracing::warn!(payment.id = %call.payment_id, operation = ?call.operation, code, "a payment provider refuses");
    give_up(app, scope, call, code.clone()).await?;
    if matches!(call.operation, Operation::Refund { .. }) {
        return Ok(Asked::Settled);
    }
    let kind = ProblemType::conflict("payment_refused", "The payment provider refuses it");
    Err(Rejection::of(Problem::new(kind).detail(format!("the payment provider says: {code}"))).into())
}

/// It is certain that the provider has not done it.
async fn give_up(app: &App, scope: &Scope, call: &Call, reason: String) -> Result<(), Error> {
    app.procedure(scope, &GiveUp { call: call.clone(), reason }).await
}

struct GiveUp {
    call: Call,
    reason: String,
}

impl Procedure for GiveUp {
    const CONTEXT: Context = Context::Payments;
    type Output = ();

    fn name(&self) -> &'static str {
        "give_up_call"
    }

    async fn run(&self, conn: &mut PgConnection, scope: &Scope) -> Result<(Change, ()), Error> {
        let id = self.call.payment_id;
        let mut payments = Payment::load(conn, scope, &[id]).await?;
        let mut refunds = Batch::<Refund>::default();
        match &self.call.operation {
            Operation::Create { attempt } => {
                let absent = PaymentCommand::Absent { attempt: *attempt, reason: self.reason.clone() };
                payments.carry_out(id, Expected::Any, |payments| Ok(Payment::decide(payments.state(id), absent)?))?;
            }
            Operation::Refund { refund_id, .. } => {
                let id: Uuid = *refund_id;
                refunds = Refund::load(conn, scope, &[id]).await?;
                let fail = RefundCommand::Fail { reason: self.reason.clone() };
                refunds.carry_out(id, Expected::Any, |refunds| Ok(Refund::decide(refunds.state(id), fail)?))?;
            }
            Operation::Authorise { .. } | Operation::Capture { .. } | Operation::Void { .. } => {}
        }
        let changed = payments.events().len() + refunds.events().len() > 0;
        record::write(conn, scope, payments, refunds).await?;
        calls::settle(conn, scope, id, &self.call.operation.name()).await?;
        Ok((if changed { Change::Changed } else { Change::Unchanged }, ()))
    }
}

/// Finds out what came of a call to which nobody has an answer: within the provider's window by the very same request, and
/// besides by looking. Only what is certainly not there is given up.
pub(in super::super) async fn resolve(
    app: &App,
    scope: &Scope,
    provider: &dyn Provider,
    call: &Call,
) -> Result<Asked, Error> {
    let is_known = scope.now < call.begun_at + KEY_WINDOW;
    let mut reason = "the provider does not know the key any more".to_owned();
    if is_known {
        match perform(app, scope, provider, call, false).await {
            Ok(Asked::Unknown(told)) => reason = told,
            // It was noted that the provider refuses; nobody waits to be told.
            Ok(Asked::Settled) | Err(Error::Rejected(_)) => return Ok(Asked::Settled),
            Err(error) => return Err(error),
        }
    }
    let found = look(provider, call).await;
    match found {
        Ok(Some(snapshot)) => {
            let is_there = shows(&call.operation, &snapshot);
            let settled = is_there.then(|| call.operation.name());
            note(app, scope, call.payment_id, Said::Attempt(Box::new(snapshot)), settled).await?;
            match (is_there, is_known) {
                (true, _) => return Ok(Asked::Settled),
                (false, false) => {
                    give_up(app, scope, call, "absent".to_owned()).await?;
                    return Ok(Asked::Settled);
                }
                (false, true) => {}
            }
        }
        Ok(None) if !is_known => {
            give_up(app, scope, call, "absent".to_owned()).await?;
            return Ok(Asked::Settled);
        }
        Ok(None) => {}
        Err(error) => reason = error.to_string(),
    }
    postpone(app, call, &reason).await?;
    Ok(Asked::Unknown(reason))
}

/// The attempt of a call as it is now; none if the provider certainly has none.
async fn look(provider: &dyn Provider, call: &Call) -> Result<Option<Snapshot>, ProviderError> {
    let attempt = match &call.operation {
        Operation::Create { attempt } => *attempt,
        Operation::Authorise { reference, .. }
        | Operation::Capture { reference, .. }
        | Operation::Void { reference, .. }
        | Operation::Refund { reference, .. } => return provider.fetch(reference).await.map(Some),
    };
    let ours = Some(Ours { payment_id: call.payment_id, attempt });
    let mut next = None;
    for _ in 0..PAGES {
        let page = provider.list(call.begun_at - BEFORE, next).await?;
        if let Some(found) = page.attempts.into_iter().find(|attempt| attempt.ours == ours) {
            return Ok(Some(found));
        }
        next = page.next;
        if next.is_none() {
            return Ok(None);
        }
    }
    Err(ProviderError::NotDone("its list is longer than is read".to_owned()))
}

/// Whether an attempt shows that a call was carried out.
fn shows(operation: &Operation, snapshot: &Snapshot) -> bool {
    match operation {
        Operation::Create { .. } => true,
        Operation::Authorise { .. } => match &snapshot.standing {
            Standing::Authorized { .. } | Standing::Captured | Standing::Failed { .. } | Standing::Canceled => true,
            Standing::Pending | Standing::ActionRequired(_) => false,
        },
        Operation::Capture { amount, .. } => snapshot.captured >= *amount,
        Operation::Void { .. } => snapshot.is_final,
        Operation::Refund { refund_id, .. } => {
            snapshot.refunds.iter().any(|refund| refund.refund_id == Some(*refund_id))
        }
    }
}
