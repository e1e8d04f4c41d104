//! How far a payment is, as those who wait for it are told.

use super::super::{
    domain::{
        Payment,
        payment::{
            Status,
            policy::{Settlement, the_difference_is_settled},
        },
    },
    table::{self, accounts},
};
use crate::pipeline::{App, Error, Failure};
use schemas::{Uuid, ids::TenantId, money::Money};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What actions are sealed for.
pub(super) const ACTION: &str = "payment action";

/// What the shopper has to do: either is given to them alone.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum NextAction {
    /// To say with what they pay, on the shop's page, by this secret.
    Confirm(String),
    /// To go to this page.
    Redirect(String),
}

/// The secret stands in no log.
impl fmt::Debug for NextAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NextAction(..)")
    }
}

/// How far a payment is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PaymentState {
    pub(crate) payment_id: Uuid,
    pub(crate) version: u64,
    pub(crate) status: Status,
    /// The number of the last attempt; 0 for none.
    pub(crate) attempt: u32,
    pub(crate) money: Money,
    /// Minor units that the provider holds.
    pub(crate) held: i64,
    /// Minor units that have come.
    pub(crate) captured: i64,
    /// What is due, or has come beyond what was.
    pub(crate) settlement: Settlement,
    /// Minor units that went back, or are going to.
    pub(crate) refunded: i64,
    /// Why the last attempt has failed, in a word.
    pub(crate) failure: Option<String>,
    /// What the shopper has to do.
    pub(crate) action: Option<NextAction>,
}

impl PaymentState {
    /// Whether the shopper has to go to a page of the provider.
    pub(crate) fn redirects(&self) -> bool {
        matches!(self.action, Some(NextAction::Redirect(_)))
    }
}

/// How far a payment is, if there is one.
pub(crate) async fn state(app: &App, tenant: TenantId, payment_id: Uuid) -> Result<Option<PaymentState>, Error> {
    let mut transaction = app.database.of_shop(tenant).await?;
    let Some((version, payment)) = table::payments(&mut *transaction, tenant, &[payment_id]).await?.pop() else {
        return Ok(None);
    };
    let refunds = table::refunds(&mut *transaction, tenant, payment_id).await?;
    let sealed = match payment.status {
        Status::ActionRequired => accounts::action(&mut *transaction, tenant, payment_id, payment.number()).await?,
        Status::Created
        | Status::Pending
        | Status::Authorized
        | Status::PartlyCaptured
        | Status::Captured
        | Status::Failed
        | Status::Voided
        | Status::Expired => None,
    };
    drop(transaction);
    let action = match sealed {
        Some(sealed) => Some(app.open(tenant, ACTION, &sealed).await?),
        None => None,
    };
    Ok(Some(PaymentState {
        payment_id,
        version,
        status: payment.status,
        attempt: payment.number(),
        money: payment.created.money,
        held: payment.holding().map_or(0, |attempt| attempt.held()),
        captured: payment.captured(),
        settlement: the_difference_is_settled(payment.created.money.amount, payment.captured()),
        refunded: refunds.iter().fold(0, |sum, refund| sum.saturating_add(refund.takes())),
        failure: payment.failure,
        action,
    }))
}

/// A payment as it is kept, not locked.
pub(super) async fn find(app: &App, tenant: TenantId, payment_id: Uuid) -> Result<Option<Payment>, Failure> {
    let mut transaction = app.database.of_shop(tenant).await?;
    Ok(table::payments(&mut *transaction, tenant, &[payment_id]).await?.pop().map(|(_, payment)| payment))
}
