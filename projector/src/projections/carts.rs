//! Carts, as their owners see them: each is what it is after its events.

use crate::{
    projection::{Projection, Versioned, ViewTable},
    stored,
};
use eventlog::Event;
use schemas::{Timestamp, Uuid, cart::Cart, events::DomainEvent, topics::Context};
use sqlx::PgConnection;
use std::collections::BTreeMap;

/// Carts.
#[derive(Debug)]
pub struct Carts;

impl Projection for Carts {
    const NAME: &'static str = "carts";
    const READS: &'static [Context] = &[Context::Carts];
    const TABLES: &'static [ViewTable] = &[ViewTable::whole("carts", "tenant_id, cart_id")];
    const VERSIONED: Option<Versioned> =
        Some(Versioned { name: "carts", joined_by: "carts v ON v.tenant_id = k.t AND v.cart_id = k.a", name_of: None });

    async fn apply(connection: &mut PgConnection, events: &[&Event], _: Timestamp) -> Result<(), sqlx::Error> {
        let mut known = load(connection, events).await?;
        for event in events {
            known.follow(event);
        }
        store(connection, &known.0).await
    }
}

/// A tenant and a cart.
type Key = (Uuid, Uuid);

/// What is known of the carts of some events.
#[derive(Debug, Default)]
struct Known(BTreeMap<Key, Row>);

#[derive(Debug)]
struct Row {
    version: u64,
    cart: Cart,
    begun_at: Timestamp,
    touched_at: Timestamp,
}

impl Known {
    /// What comes of an event. One of a cart whose beginning was given up shows nothing.
    fn follow(&mut self, event: &Event) {
        let DomainEvent::Carts(happened) = &event.event else { return };
        let envelope = &event.envelope;
        let key = (envelope.tenant.uuid(), envelope.aggregate_id);
        let (cart, begun_at) = match self.0.remove(&key) {
            Some(row) => (Some(row.cart), row.begun_at),
            None => (None, envelope.time),
        };
        if let Some(cart) = Cart::after(cart, happened) {
            self.0.insert(key, Row { version: envelope.version, cart, begun_at, touched_at: envelope.time });
        }
    }
}

async fn load(connection: &mut PgConnection, events: &[&Event]) -> Result<Known, sqlx::Error> {
    let keys: Vec<Key> =
        events.iter().map(|event| (event.envelope.tenant.uuid(), event.envelope.aggregate_id)).collect();
    let (tenants, carts): (Vec<Uuid>, Vec<Uuid>) = keys.into_iter().unzip();
    let rows: Vec<(Uuid, Uuid, i64, String, Timestamp, Timestamp)> = sqlx::query_as(
        "SELECT c.tenant_id, c.cart_id, c.version, c.state, c.begun_at, c.touched_at FROM carts AS c
         WHERE (c.tenant_id, c.cart_id) IN (SELECT * FROM unnest($1::uuid[], $2::uuid[]))",
    )
    .bind(tenants)
    .bind(carts)
    .fetch_all(connection)
    .await?;
    let read = |(tenant, id, version, state, begun_at, touched_at): (_, _, i64, String, _, _)| {
        let cart = serde_json::from_str(&state).map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
        Ok(((tenant, id), Row { version: stored::read_version(version), cart, begun_at, touched_at }))
    };
    rows.into_iter().map(read).collect::<Result<_, sqlx::Error>>().map(Known)
}

async fn store(connection: &mut PgConnection, rows: &BTreeMap<Key, Row>) -> Result<(), sqlx::Error> {
    let state = |row: &Row| serde_json::to_string(&row.cart).map_err(|error| sqlx::Error::Encode(Box::new(error)));
    let states: Vec<String> = rows.values().map(state).collect::<Result<_, _>>()?;
    sqlx::query(
        "INSERT INTO carts (tenant_id, cart_id, version, owner_kind, owner_id, phase, state, begun_at, touched_at)
         SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::text[], $5::uuid[], $6::text[], $7::text[],
                              $8::timestamptz[], $9::timestamptz[])
         ON CONFLICT (tenant_id, cart_id) DO UPDATE
         SET version = excluded.version, phase = excluded.phase, state = excluded.state, touched_at = excluded.touched_at
         WHERE carts.version < excluded.version",
    )
    .bind(rows.keys().map(|(tenant, _)| *tenant).collect::<Vec<_>>())
    .bind(rows.keys().map(|(_, cart)| *cart).collect::<Vec<_>>())
    .bind(rows.values().map(|row| stored::version(row.version)).collect::<Vec<_>>())
    .bind(rows.values().map(|row| row.cart.owner_kind.as_str()).collect::<Vec<_>>())
    .bind(rows.values().map(|row| row.cart.owner_id).collect::<Vec<_>>())
    .bind(rows.values().map(|row| row.cart.phase.as_str()).collect::<Vec<_>>())
    .bind(states)
    .bind(rows.values().map(|row| row.begun_at).collect::<Vec<_>>())
    .bind(rows.values().map(|row| row.touched_at).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use schemas::{
        buyer::Buyer,
        cart::CartPhase,
        envelope::Envelope,
        events::{
            CartsEvent,
            carts::{CartCouponApplied, CartCreated, CartEnd, CartExpired},
        },
        ids::{EventId, TenantId},
    };

    fn event(version: u64, carts: CartsEvent) -> Event {
        let envelope = Envelope {
            id: EventId(Uuid::nil()),
            event_type: carts.event_type().to_owned(),
            tenant: TenantId(Uuid::from_u128(1)),
            context: Context::Carts,
            aggregate: "cart".to_owned(),
            aggregate_id: Uuid::from_u128(2),
            version,
            time: Timestamp::from_timestamp(i64::try_from(version).expect("small"), 0).expect("a time"),
            correlation_id: "x".to_owned(),
            causation_id: None,
            traceparent: None,
        };
        Event { key: "x".to_owned(), envelope, event: DomainEvent::Carts(carts) }
    }

    #[test]
    fn a_cart_is_what_it_is_after_its_events() {
        let owner = Buyer::guest(Uuid::from_u128(3));
        let begun = CartCreated { owner, currency: "EUR".parse().expect("a code"), channel: None };
        let code = CartCouponApplied { code: "A".to_owned() };
        let mut known = Known::default();
        // Nothing shows before it was begun.
        known.follow(&event(1, CartsEvent::CouponApplied(code.clone())));
        assert!(known.0.is_empty());
        known.follow(&event(1, CartsEvent::Created(begun)));
        known.follow(&event(2, CartsEvent::CouponApplied(code)));
        let row = known.0.first_key_value().expect("a cart").1;
        assert_eq!(
            (row.version, row.cart.coupons.len(), row.begun_at.timestamp(), row.touched_at.timestamp()),
            (2, 1, 1, 2)
        );
        known.follow(&event(3, CartsEvent::Expired(CartExpired { reason: CartEnd::Untouched })));
        let row = known.0.first_key_value().expect("a cart").1;
        assert_eq!((row.cart.phase, row.cart.coupons.len(), row.cart.owner()), (CartPhase::Expired, 0, owner));
    }
}
