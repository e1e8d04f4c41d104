//! Where checkouts stand. What their process keeps to itself is not here.

use crate::{
    projection::{Projection, Versioned, ViewTable},
    stored,
};
use eventlog::Event;
use schemas::{
    Timestamp,
    events::{CheckoutEvent, DomainEvent, settings::PaymentMethod},
    topics::Context,
};
use serde::Serialize;
use sqlx::PgConnection;

/// Checkouts.
#[derive(Debug)]
pub struct Checkouts;

impl Projection for Checkouts {
    const NAME: &'static str = "checkouts";
    const READS: &'static [Context] = &[Context::Checkout];
    const TABLES: &'static [ViewTable] = &[ViewTable::whole("checkouts", "tenant_id, checkout_id")];
    const VERSIONED: Option<Versioned> = Some(Versioned {
        name: "checkouts",
        joined_by: "checkouts v ON v.tenant_id = k.t AND v.checkout_id = k.a",
        name_of: None,
    });

    async fn apply(connection: &mut PgConnection, events: &[&Event], _: Timestamp) -> Result<(), sqlx::Error> {
        for event in events {
            if let DomainEvent::Checkout(happened) = &event.event {
                apply(&mut *connection, event, happened).await?;
            }
        }
        Ok(())
    }
}

// What events do to the rows. The first four parameters are tenant, checkout, version and time.
const STARTED: &str = "INSERT INTO checkouts (tenant_id, checkout_id, version, started_at, changed_at, buyer_kind, buyer_id, access_digest,
      cart_id, payment_method, currency, total, quote, phase)
    VALUES ($1, $2, $3, $4, $4, $5, $6, $7, $8, $9, $10, $11, $12, 'open') ON CONFLICT (tenant_id, checkout_id) DO NOTHING";
const AWAITING: &str = "UPDATE checkouts SET version = $3, changed_at = $4, phase = 'awaiting_payment', awaiting = $5,
      payment_method = $6, order_id = $7
    WHERE tenant_id = $1 AND checkout_id = $2 AND version < $3";
const CHOSEN: &str =
    "UPDATE checkouts SET version = $3, changed_at = $4, phase = 'open', awaiting = NULL, payment_method = $5
    WHERE tenant_id = $1 AND checkout_id = $2 AND version < $3";
const TOUCHED: &str = "UPDATE checkouts SET version = $3, changed_at = $4
    WHERE tenant_id = $1 AND checkout_id = $2 AND version < $3";
const COMPLETED: &str =
    "UPDATE checkouts SET version = $3, changed_at = $4, phase = 'completed', awaiting = NULL, order_id = $5
    WHERE tenant_id = $1 AND checkout_id = $2 AND version < $3";
const ABORTED: &str =
    "UPDATE checkouts SET version = $3, changed_at = $4, phase = 'aborted', awaiting = NULL, abort_reason = $5,
      obstacles = $6
    WHERE tenant_id = $1 AND checkout_id = $2 AND version < $3";
const PARKED: &str =
    "UPDATE checkouts SET version = $3, changed_at = $4, parked_at = $4, parked_step = $5, parked_reason = $6
    WHERE tenant_id = $1 AND checkout_id = $2 AND version < $3";
const RESUMED: &str =
    "UPDATE checkouts SET version = $3, changed_at = $4, parked_at = NULL, parked_step = NULL, parked_reason = NULL
    WHERE tenant_id = $1 AND checkout_id = $2 AND version < $3";

async fn apply(connection: &mut PgConnection, event: &Event, happened: &CheckoutEvent) -> Result<(), sqlx::Error> {
    let about = |sql: &'static str| {
        let envelope = &event.envelope;
        let query = sqlx::query(sql).bind(envelope.tenant.uuid()).bind(envelope.aggregate_id);
        query.bind(stored::version(envelope.version)).bind(envelope.time)
    };
    let query = match happened {
        CheckoutEvent::Started(started) => about(STARTED)
            .bind(started.buyer.kind.as_str())
            .bind(started.buyer.id)
            .bind(&started.access_digest)
            .bind(started.cart_id)
            .bind(method(started.payment_method))
            .bind(started.quote.currency.to_string())
            .bind(started.quote.totals.total)
            .bind(json(&started.quote)?),
        CheckoutEvent::AwaitingPayment(awaiting) => {
            about(AWAITING).bind(json(awaiting)?).bind(method(awaiting.payment_method)).bind(awaiting.order_id)
        }
        CheckoutEvent::PaymentChosen(chosen) => about(CHOSEN).bind(method(chosen.payment_method)),
        CheckoutEvent::AbortAsked(_) => about(TOUCHED),
        CheckoutEvent::Completed(completed) => about(COMPLETED).bind(completed.order_id),
        CheckoutEvent::Aborted(aborted) => about(ABORTED).bind(aborted.reason.as_str()).bind(json(&aborted.obstacles)?),
        CheckoutEvent::Parked(parked) => about(PARKED).bind(&parked.step).bind(&parked.reason),
        CheckoutEvent::Resumed(_) => about(RESUMED),
    };
    query.execute(connection).await?;
    Ok(())
}

/// A method of payment as tables have it.
pub(super) const fn method(method: PaymentMethod) -> &'static str {
    match method {
        PaymentMethod::Card => "card",
        PaymentMethod::Transfer => "transfer",
        PaymentMethod::CashOnDelivery => "cash_on_delivery",
    }
}

/// What a column of JSON holds.
pub(super) fn json(value: &impl Serialize) -> Result<String, sqlx::Error> {
    serde_json::to_string(value).map_err(|error| sqlx::Error::Encode(Box::new(error)))
}
