//! Orders and their history, without anything personal.

use super::checkout::{json, method};
use crate::{
    projection::{Projection, Versioned, ViewTable, refusal},
    stored,
};
use eventlog::Event;
use schemas::{
    Timestamp, Uuid,
    events::{DomainEvent, OrdersEvent, orders::OrderActor},
    order::{Fulfilment, Lifecycle, OrderPayment, status},
    topics::Context,
};
use sqlx::PgConnection;

/// Orders.
#[derive(Debug)]
pub struct Orders;

impl Projection for Orders {
    const NAME: &'static str = "orders";
    const READS: &'static [Context] = &[Context::Orders];
    const TABLES: &'static [ViewTable] = &[
        ViewTable::whole("orders", "tenant_id, order_id"),
        ViewTable::whole("order_history", "tenant_id, order_id, version"),
    ];
    const VERSIONED: Option<Versioned> = Some(Versioned {
        name: "orders",
        joined_by: "orders v ON v.tenant_id = k.t AND v.order_id = k.a",
        name_of: None,
    });

    async fn apply(connection: &mut PgConnection, events: &[&Event], _: Timestamp) -> Result<(), sqlx::Error> {
        for event in events {
            if let DomainEvent::Orders(happened) = &event.event {
                change(&mut *connection, event, happened).await?;
                tell(&mut *connection, event, happened).await?;
            }
        }
        Ok(())
    }
}

// What events do to the rows. The first four parameters are tenant, order, version and time.
const CREATED: &str = "INSERT INTO orders (tenant_id, order_id, version, created_at, changed_at, checkout_id, buyer_kind, buyer_id,
      access_digest, channel, country, payment_method, currency, total, quote, lifecycle, payment, fulfilment, status)
    VALUES ($1, $2, $3, $4, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, 'created', 'unpaid', 'unfulfilled', 'created')
    ON CONFLICT (tenant_id, order_id) DO NOTHING";
const CONFIRMED: &str = "UPDATE orders SET version = $3, changed_at = $4, lifecycle = 'confirmed', number = $5
    WHERE tenant_id = $1 AND order_id = $2 AND version < $3";
const CLAIMED: &str = "UPDATE orders SET version = $3, changed_at = $4, buyer_kind = $5, buyer_id = $6
    WHERE tenant_id = $1 AND order_id = $2 AND version < $3";
const METHOD: &str = "UPDATE orders SET version = $3, changed_at = $4, payment_method = $5
    WHERE tenant_id = $1 AND order_id = $2 AND version < $3";
const PAYMENT: &str = "UPDATE orders SET version = $3, changed_at = $4, payment = $5, paid = $6, refunded = $7
    WHERE tenant_id = $1 AND order_id = $2 AND version < $3";
const TOUCHED: &str = "UPDATE orders SET version = $3, changed_at = $4
    WHERE tenant_id = $1 AND order_id = $2 AND version < $3";
const FULFILMENT: &str = "UPDATE orders SET version = $3, changed_at = $4, fulfilment = $5
    WHERE tenant_id = $1 AND order_id = $2 AND version < $3";
const LIFECYCLE: &str = "UPDATE orders SET version = $3, changed_at = $4, lifecycle = $5
    WHERE tenant_id = $1 AND order_id = $2 AND version < $3";

async fn change(connection: &mut PgConnection, event: &Event, happened: &OrdersEvent) -> Result<(), sqlx::Error> {
    let envelope = &event.envelope;
    let about = |sql: &'static str| {
        let query = sqlx::query(sql).bind(envelope.tenant.uuid()).bind(envelope.aggregate_id);
        query.bind(stored::version(envelope.version)).bind(envelope.time)
    };
    let query = match happened {
        OrdersEvent::Created(created) => about(CREATED)
            .bind(created.checkout_id)
            .bind(created.buyer.kind.as_str())
            .bind(created.buyer.id)
            .bind(&created.access_digest)
            .bind(&created.channel)
            .bind(created.place.as_ref().map(|place| place.country.as_str()))
            .bind(method(created.payment_method))
            .bind(created.quote.currency.to_string())
            .bind(created.quote.totals.total)
            .bind(json(&created.quote)?),
        OrdersEvent::Confirmed(confirmed) => about(CONFIRMED).bind(&confirmed.number),
        OrdersEvent::Claimed(claimed) => about(CLAIMED).bind(claimed.buyer.kind.as_str()).bind(claimed.buyer.id),
        OrdersEvent::PaymentMethodChanged(changed) => about(METHOD).bind(method(changed.payment_method)),
        OrdersEvent::PaymentChanged(changed) => {
            about(PAYMENT).bind(changed.payment.as_str()).bind(changed.paid).bind(changed.refunded)
        }
        OrdersEvent::Paid(_) | OrdersEvent::Refunded(_) => about(TOUCHED),
        OrdersEvent::FulfilmentChanged(changed) => about(FULFILMENT).bind(changed.fulfilment.as_str()),
        OrdersEvent::Cancelled(_) => about(LIFECYCLE).bind(Lifecycle::Cancelled.as_str()),
        OrdersEvent::Closed(_) => about(LIFECYCLE).bind(Lifecycle::Closed.as_str()),
    };
    query.execute(&mut *connection).await?;
    show(connection, envelope.tenant.uuid(), envelope.aggregate_id).await
}

/// Sets the word that is shown, which follows from the three axes.
async fn show(connection: &mut PgConnection, tenant: Uuid, order: Uuid) -> Result<(), sqlx::Error> {
    let axes: Option<(String, String, String)> =
        sqlx::query_as("SELECT lifecycle, payment, fulfilment FROM orders WHERE tenant_id = $1 AND order_id = $2")
            .bind(tenant)
            .bind(order)
            .fetch_optional(&mut *connection)
            .await?;
    // An order whose beginning was given up is not shown.
    let Some((lifecycle, payment, fulfilment)) = axes else { return Ok(()) };
    let shown = status(
        read(Lifecycle::ALL, &lifecycle, Lifecycle::as_str)?,
        read(OrderPayment::ALL, &payment, OrderPayment::as_str)?,
        read(Fulfilment::ALL, &fulfilment, Fulfilment::as_str)?,
    );
    sqlx::query("UPDATE orders SET status = $3 WHERE tenant_id = $1 AND order_id = $2 AND status <> $3")
        .bind(tenant)
        .bind(order)
        .bind(shown.as_str())
        .execute(connection)
        .await?;
    Ok(())
}

fn read<T: Copy>(all: &[T], word: &str, as_str: impl Fn(T) -> &'static str) -> Result<T, sqlx::Error> {
    let found = all.iter().copied().find(|one| as_str(*one) == word);
    found.ok_or_else(|| refusal(format!("an order has the unknown word `{word}`")))
}

/// Adds the event to the history of the order.
async fn tell(connection: &mut PgConnection, event: &Event, happened: &OrdersEvent) -> Result<(), sqlx::Error> {
    let envelope = &event.envelope;
    let (by, reason, note) = match happened {
        OrdersEvent::Created(_) | OrdersEvent::Claimed(_) => (OrderActor::Buyer, None, None),
        OrdersEvent::Cancelled(cancelled) => {
            (cancelled.by.clone(), Some(cancelled.reason.as_str()), cancelled.note.as_deref())
        }
        OrdersEvent::Closed(closed) => (closed.by.clone(), None, None),
        OrdersEvent::PaymentChanged(changed) => (OrderActor::Process, Some(changed.payment.as_str()), None),
        OrdersEvent::FulfilmentChanged(changed) => (OrderActor::Process, Some(changed.fulfilment.as_str()), None),
        OrdersEvent::PaymentMethodChanged(changed) => (OrderActor::Buyer, Some(method(changed.payment_method)), None),
        OrdersEvent::Confirmed(_) | OrdersEvent::Paid(_) | OrdersEvent::Refunded(_) => {
            (OrderActor::Process, None, None)
        }
    };
    let verb = happened.event_type().split('.').nth(3).unwrap_or_default();
    sqlx::query(
        "INSERT INTO order_history (tenant_id, order_id, version, at, what, done_by, reason, note)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (tenant_id, order_id, version) DO NOTHING",
    )
    .bind(envelope.tenant.uuid())
    .bind(envelope.aggregate_id)
    .bind(stored::version(envelope.version))
    .bind(envelope.time)
    .bind(verb)
    .bind(json(&by)?)
    .bind(reason)
    .bind(note)
    .execute(connection)
    .await?;
    Ok(())
}
