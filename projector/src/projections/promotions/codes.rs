//! The codes of promotions, thousands with one event.

use eventlog::Event;
use schemas::{Uuid, ids::PromotionId};
use sqlx::PgConnection;

pub(super) async fn add(
    connection: &mut PgConnection,
    event: &Event,
    promotion: PromotionId,
    batch: Option<Uuid>,
    codes: &[String],
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO promotion_codes (tenant_id, code, promotion_id, batch_id, added_at)
         SELECT $1::uuid, new.code, $2::uuid, $3::uuid, $4::timestamptz FROM unnest($5::text[]) AS new(code)
         ON CONFLICT (tenant_id, code) DO NOTHING",
    )
    .bind(event.envelope.tenant.uuid())
    .bind(promotion.uuid())
    .bind(batch)
    .bind(event.envelope.time)
    .bind(codes)
    .execute(connection)
    .await?;
    Ok(())
}

pub(super) async fn disable(connection: &mut PgConnection, event: &Event, code: &str) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE promotion_codes SET disabled_at = $3 WHERE tenant_id = $1 AND code = $2 AND disabled_at IS NULL",
    )
    .bind(event.envelope.tenant.uuid())
    .bind(code)
    .bind(event.envelope.time)
    .execute(connection)
    .await?;
    Ok(())
}
