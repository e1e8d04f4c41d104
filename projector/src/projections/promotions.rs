//! Promotions, their codes, and how often they are used. All events about one promotion have its key, so that they come to one
//! share, in their order.

mod codes;
mod usage;

use crate::{
    projection::{Projection, ViewTable},
    stored,
};
use eventlog::Event;
use schemas::{
    Timestamp,
    events::{
        DomainEvent, PromotionsEvent,
        promotions::{PromotionContent, PromotionEnded},
    },
    topics::Context,
};
use sqlx::{PgConnection, types::Json};

/// What makes carts cheaper.
#[derive(Debug)]
pub struct Promotions;

impl Projection for Promotions {
    const NAME: &'static str = "promotions";
    const READS: &'static [Context] = &[Context::Promotions];
    const TABLES: &'static [ViewTable] = &[
        ViewTable::whole("promotions", "tenant_id, promotion_id"),
        ViewTable::whole("promotion_codes", "tenant_id, code"),
        ViewTable::whole("promotion_figures", "tenant_id, promotion_id"),
        ViewTable::whole("promotion_customers", "tenant_id, promotion_id, customer"),
    ];

    async fn apply(connection: &mut PgConnection, events: &[&Event], _: Timestamp) -> Result<(), sqlx::Error> {
        let mut sums = usage::Sums::default();
        for event in events {
            let DomainEvent::Promotions(happened) = &event.event else { continue };
            match happened {
                PromotionsEvent::Created(created) => define(connection, event, &created.name, &created.content).await?,
                PromotionsEvent::Changed(changed) => define(connection, event, &changed.name, &changed.content).await?,
                PromotionsEvent::Ended(ended) => end(connection, event, ended).await?,
                PromotionsEvent::CodesAdded(added) => {
                    codes::add(connection, event, added.promotion_id, None, &added.codes).await?;
                    sums.codes(event, happened.promotion_id(), added.codes.len());
                }
                PromotionsEvent::CodesGenerated(generated) => {
                    let batch = Some(generated.batch_id);
                    codes::add(connection, event, generated.promotion_id, batch, &generated.codes).await?;
                    sums.codes(event, happened.promotion_id(), generated.codes.len());
                }
                PromotionsEvent::CodeDisabled(disabled) => {
                    codes::disable(connection, event, &disabled.code).await?;
                    sums.disabled(event, happened.promotion_id());
                }
                PromotionsEvent::CouponReserved(_)
                | PromotionsEvent::CouponConsumed(_)
                | PromotionsEvent::CouponReleased(_) => sums.used(event, happened),
            }
        }
        // After the codes of the same round, of which some may be used.
        sums.store(connection).await
    }
}

async fn define(
    connection: &mut PgConnection,
    event: &Event,
    name: &str,
    content: &PromotionContent,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO promotions AS known (tenant_id, promotion_id, version, name, needs_code, content, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (tenant_id, promotion_id) DO UPDATE
         SET version = excluded.version, name = excluded.name, needs_code = excluded.needs_code, content = excluded.content,
             ended_at = NULL, end_reason = NULL
         WHERE known.version < excluded.version",
    )
    .bind(event.envelope.tenant.uuid())
    .bind(event.envelope.aggregate_id)
    .bind(stored::version(event.envelope.version))
    .bind(name)
    .bind(content.needs_code)
    .bind(Json(content))
    .bind(event.envelope.time)
    .execute(connection)
    .await?;
    Ok(())
}

async fn end(connection: &mut PgConnection, event: &Event, ended: &PromotionEnded) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE promotions SET version = $3, ended_at = $4, end_reason = $5
         WHERE tenant_id = $1 AND promotion_id = $2 AND version < $3",
    )
    .bind(event.envelope.tenant.uuid())
    .bind(event.envelope.aggregate_id)
    .bind(stored::version(event.envelope.version))
    .bind(event.envelope.time)
    .bind(ended.reason.as_str())
    .execute(connection)
    .await?;
    Ok(())
}
