//! What other contexts do with orders: a checkout makes them, payments and shipments tell of them.

use super::{
    domain::{Order, OrderCommand},
    table,
};
use crate::{
    domain::Aggregate,
    pipeline::{
        App, Change, Done, Error, Expected, Scope, Stored,
        idempotency::{self, Key},
        procedure::Procedure,
    },
};
use schemas::{
    Uuid,
    contexts::Context,
    events::{
        orders::{OrderActor, OrderCreated},
        settings::PaymentMethod,
    },
    order::OrderPayment,
};
use sqlx::PgConnection;

/// What is done to an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Act {
    /// Makes it.
    Create(Box<OrderCreated>),
    /// Makes it certain, by the next number behind this prefix, paid in this way: that may have changed since it was made.
    Confirm { prefix: String, pay_by: PaymentMethod },
    /// It is this account's.
    Claim { user: Uuid },
    /// Tells how far it is paid.
    Payment { payment: OrderPayment, paid: i64, refunded: i64 },
    /// Cancels it.
    Cancel { by: OrderActor, reason: String, note: Option<String> },
}

impl Act {
    const fn name(&self) -> &'static str {
        match self {
            Self::Create(_) => "create_order",
            Self::Confirm { .. } => "confirm_order",
            Self::Claim { .. } => "claim_order",
            Self::Payment { .. } => "record_payment",
            Self::Cancel { .. } => "cancel_order",
        }
    }
}

/// Does something to an order, once for a key.
pub(crate) async fn act(
    app: &App,
    scope: &Scope,
    key: Option<&Key>,
    order: Uuid,
    expected: Expected,
    act: Act,
) -> Result<Done, Error> {
    app.procedure(scope, &Acting { key, order, expected, act }).await
}

struct Acting<'a> {
    key: Option<&'a Key>,
    order: Uuid,
    expected: Expected,
    act: Act,
}

impl Procedure for Acting<'_> {
    const CONTEXT: Context = Context::Orders;
    type Output = Done;

    fn name(&self) -> &'static str {
        self.act.name()
    }

    async fn run(&self, conn: &mut PgConnection, scope: &Scope) -> Result<(Change, Done), Error> {
        if let Some(done) = idempotency::claim(&mut *conn, Self::CONTEXT, scope, self.key).await? {
            return Ok((Change::Unchanged, done));
        }
        let mut orders = Order::load(&mut *conn, scope, &[self.order]).await?;
        if let Act::Confirm { pay_by, .. } = &self.act {
            let command = OrderCommand::PayBy(*pay_by);
            orders
                .carry_out(self.order, self.expected, |orders| Ok(Order::decide(orders.state(self.order), command)?))?;
        }
        let command = self.command(&mut *conn, scope, orders.state(self.order)).await?;
        let done = orders
            .carry_out(self.order, self.expected, |orders| Ok(Order::decide(orders.state(self.order), command)?))?;
        orders.append(&mut *conn, scope).await?;
        idempotency::keep(conn, Self::CONTEXT, scope, self.key, &done).await?;
        Ok((done.change, done))
    }
}

impl Acting<'_> {
    async fn command(
        &self,
        conn: &mut PgConnection,
        scope: &Scope,
        order: Option<&Order>,
    ) -> Result<OrderCommand, Error> {
        Ok(match self.act.clone() {
            Act::Create(created) => OrderCommand::Create(created),
            Act::Confirm { prefix, .. } => {
                // One that is confirmed keeps its number.
                let number = match order.and_then(|order| order.number.clone()) {
                    Some(number) => number,
                    None => format!("{prefix}{}", table::draw_number(conn, scope.tenant).await?),
                };
                OrderCommand::Confirm { number }
            }
            Act::Claim { user } => OrderCommand::Claim { user },
            Act::Payment { payment, paid, refunded } => OrderCommand::Payment { payment, paid, refunded },
            Act::Cancel { by, reason, note } => OrderCommand::Cancel { by, reason, note },
        })
    }
}
