//! The events of a context, waiting for the relay.

use super::{Failure, Scope, Stored, stored_version};
use schemas::{
    Uuid,
    events::{CatalogEvent, InsightsEvent, InventoryEvent, MerchandisingEvent, PricingEvent, TenantsEvent},
    topics::Context,
};
use sqlx::PgConnection;

/// An event that an outbox can hold.
pub(crate) trait Recorded: Clone + Send + Sync + 'static {
    fn event_type(&self) -> &'static str;
    fn payload(&self) -> String;
    /// The id in the Kafka key, given the aggregate's.
    fn partition_id(&self, aggregate: Uuid) -> Uuid;
}

macro_rules! recorded {
    ($($event:ty: |$this:ident, $aggregate:ident| $partition:expr;)+) => {
        $(impl Recorded for $event {
            fn event_type(&self) -> &'static str {
                Self::event_type(self)
            }

            fn payload(&self) -> String {
                self.to_json()
            }

            fn partition_id(&self, $aggregate: Uuid) -> Uuid {
                let $this = self;
                $partition
            }
        })+
    };
}

recorded! {
    TenantsEvent: |_event, aggregate| aggregate;
    CatalogEvent: |_event, aggregate| aggregate;
    PricingEvent: |event, _aggregate| event.product_id().uuid();
    InventoryEvent: |event, _aggregate| event.product_id().uuid();
    MerchandisingEvent: |_event, aggregate| aggregate;
    InsightsEvent: |_event, aggregate| aggregate;
}

macro_rules! insert_into {
    ($schema:literal) => {
        concat!(
            "INSERT INTO ",
            $schema,
            ".outbox (event_id, tenant_id, event_type, aggregate, aggregate_id, version, partition_id, payload, \
             occurred_at, correlation_id, traceparent) \
             SELECT event_id, $1, event_type, $2, aggregate_id, version, partition_id, payload, $3, $4, $5 \
             FROM UNNEST($6::uuid[], $7::text[], $8::uuid[], $9::int8[], $10::uuid[], $11::text[]) \
             WITH ORDINALITY AS new (event_id, event_type, aggregate_id, version, partition_id, payload, n) \
             ORDER BY n"
        )
    };
}

const fn insert_sql(context: Context) -> &'static str {
    match context {
        Context::Tenants => insert_into!("tenants"),
        Context::Catalog => insert_into!("catalog"),
        Context::Pricing => insert_into!("pricing"),
        Context::Inventory => insert_into!("inventory"),
        Context::Merchandising => insert_into!("merchandising"),
        Context::Insights => insert_into!("insights"),
    }
}

/// Adds events in their order. To be called after the states were written; see [`Batch::append`](super::Batch::append).
pub(super) async fn append<A: Stored>(
    conn: &mut PgConnection,
    scope: &Scope,
    log: &[(Uuid, u64, A::Event)],
) -> Result<(), Failure> {
    let ids: Vec<Uuid> = log.iter().map(|_| scope.clock.id()).collect();
    let types: Vec<&str> = log.iter().map(|(_, _, event)| event.event_type()).collect();
    let aggregates: Vec<Uuid> = log.iter().map(|(id, _, _)| *id).collect();
    let versions: Vec<i64> = log.iter().map(|(_, version, _)| stored_version(*version)).collect();
    let partitions: Vec<Uuid> = log.iter().map(|(id, _, event)| event.partition_id(*id)).collect();
    let payloads: Vec<String> = log.iter().map(|(_, _, event)| event.payload()).collect();
    sqlx::query(insert_sql(A::CONTEXT))
        .bind(scope.tenant.uuid())
        .bind(A::NAME)
        .bind(scope.now)
        .bind(&scope.request.correlation_id)
        .bind(&scope.request.traceparent)
        .bind(ids)
        .bind(types)
        .bind(aggregates)
        .bind(versions)
        .bind(partitions)
        .bind(payloads)
        .execute(conn)
        .await?;
    Ok(())
}
