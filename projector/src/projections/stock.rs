//! Stock by place as staff see it, the SKUs of variants, and reservations that go on.
//!
//! Rows have no versions: what is known of an aggregate is always told from its beginning, and in its order.

use crate::projection::{Projection, Retold, ViewTable};
use eventlog::Event;
use schemas::{
    Timestamp, Uuid,
    events::{CatalogEvent, DomainEvent, InventoryEvent, catalog::ProductContent},
    topics::Context,
};
use sqlx::PgConnection;

mod reservations;
mod rows;

use rows::Changes;

/// Stock by place.
#[derive(Debug)]
pub struct Stock;

impl Projection for Stock {
    const NAME: &'static str = "stock";
    const READS: &'static [Context] = &[Context::Catalog, Context::Inventory];
    const TABLES: &'static [ViewTable] = &[
        ViewTable::whole("stock_levels", "tenant_id, variant_id, location"),
        ViewTable::whole("stock_skus", "tenant_id, variant_id"),
        ViewTable::whole("stock_reservations", "tenant_id, variant_id, reservation_id, location"),
    ];
    const BY_AGGREGATE: bool = true;

    async fn apply(connection: &mut PgConnection, events: &[&Event], _: Timestamp) -> Result<(), sqlx::Error> {
        let mut changes = Changes::default();
        for event in events {
            let (tenant, id) = (event.envelope.tenant.uuid(), event.envelope.aggregate_id);
            if let DomainEvent::Inventory(happened) = &event.event {
                // Whatever is known of it is no point of its history.
                if event.envelope.version == 1 {
                    changes.begin((tenant, id));
                }
                stock(&mut changes, (tenant, id), event.envelope.time, happened);
            }
            if let DomainEvent::Catalog(happened) = &event.event {
                skus(&mut changes, (tenant, id), happened);
            }
        }
        changes.store(connection).await
    }

    /// What was told anew is right again. What nothing is left of goes.
    async fn settle(connection: &mut PgConnection, retold: &[Retold], _: Timestamp) -> Result<(), sqlx::Error> {
        for (table, aggregate, column, context) in [
            ("stock_levels", "stock_item", "variant_id", Context::Inventory),
            ("stock_reservations", "stock_item", "variant_id", Context::Inventory),
            ("stock_skus", "product", "product_id", Context::Catalog),
        ] {
            let own: Vec<&Retold> = retold.iter().filter(|one| one.aggregate == aggregate).collect();
            if own.is_empty() {
                continue;
            }
            let sql = format!(
                "DELETE FROM {table} AS r USING unnest($1::uuid[], $2::uuid[]) AS k(t, a)
                 WHERE r.tenant_id = k.t AND r.{column} = k.a AND NOT EXISTS (
                   SELECT FROM sources AS s WHERE s.tenant_id = k.t AND s.context = $3 AND s.aggregate_id = k.a AND NOT s.deleted)"
            );
            sqlx::query(sqlx::AssertSqlSafe(sql))
                .bind(own.iter().map(|one| one.tenant.uuid()).collect::<Vec<_>>())
                .bind(own.iter().map(|one| one.id).collect::<Vec<_>>())
                .bind(context.name())
                .execute(&mut *connection)
                .await?;
        }
        Ok(())
    }
}

/// What an event of a stock item changes.
fn stock(changes: &mut Changes, item: (Uuid, Uuid), at: Timestamp, event: &InventoryEvent) {
    let product = event.product_id().uuid();
    event.counts().iter().for_each(|count| changes.count(item, product, count));
    if let InventoryEvent::BackordersSet(set) = event {
        changes.backorders.insert(item, (set.place.location.clone(), set.limit));
    }
    changes.reservations.apply(item, at, event);
}

/// Whose SKUs an event of a product changes.
fn skus(changes: &mut Changes, product: (Uuid, Uuid), event: &CatalogEvent) {
    let of = |content: &ProductContent| {
        content.variants.iter().map(|variant| (variant.id.uuid(), variant.sku.clone())).collect()
    };
    let known = match event {
        CatalogEvent::ProductCreated(event) => of(&event.content),
        CatalogEvent::ProductChanged(event) => of(&event.content),
        CatalogEvent::ProductDeleted(_) => Vec::new(),
        CatalogEvent::ProductPublished(_)
        | CatalogEvent::ProductArchived(_)
        | CatalogEvent::ProductScheduled(_)
        | CatalogEvent::CategoryCreated(_)
        | CatalogEvent::CategoryChanged(_)
        | CatalogEvent::CategoryDeleted(_) => return,
    };
    changes.skus.insert(product, known);
}
