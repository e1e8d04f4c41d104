//! That an event was given up, as a fact of its aggregate.

use super::kept_record;
use schemas::envelope::Envelope;
use sqlx::PgConnection;

/// Records as facts of their aggregates that these were given up, so that views go past them, now and when they are built
/// anew. What says no aggregate and version has none to go past.
pub async fn record_discarded(connection: &mut PgConnection, letters: &[i64]) -> Result<(), sqlx::Error> {
    for id in letters {
        let (record, _) = kept_record(connection, *id).await?;
        let Ok(envelope) = Envelope::from_headers(record.header_pairs()) else { continue };
        sqlx::query(
            "INSERT INTO discarded_events (tenant_id, context, aggregate_id, version, aggregate, event_id, event_time)
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
        )
        .bind(envelope.tenant.uuid())
        .bind(envelope.context.name())
        .bind(envelope.aggregate_id)
        .bind(i64::try_from(envelope.version).unwrap_or(i64::MAX))
        .bind(&envelope.aggregate)
        .bind(envelope.id.0)
        .bind(envelope.time)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}
