//! What a shop has decided of tax, shipping, places, channels and deadlines, by kind and name.

use super::definitions::{Columns, Told};
use crate::projection::{Projection, Versioned, ViewTable};
use eventlog::Event;
use schemas::{
    Timestamp,
    events::{DomainEvent, SettingsEvent},
    topics::Context,
};
use sqlx::PgConnection;

/// What shops have decided.
#[derive(Debug)]
pub struct Settings;

impl Projection for Settings {
    const NAME: &'static str = "settings";
    const READS: &'static [Context] = &[Context::Settings];
    const TABLES: &'static [ViewTable] = &[ViewTable::whole("settings", "tenant_id, kind, name")];
    const VERSIONED: Option<Versioned> = Some(Versioned {
        name: "settings",
        joined_by: "settings v ON v.tenant_id = k.t AND v.name = k.name AND v.kind = CASE k.aggregate
                      WHEN 'tax_zone' THEN 'tax-zones' WHEN 'shipping_method' THEN 'shipping-methods'
                      WHEN 'location' THEN 'locations' WHEN 'channel' THEN 'channels' WHEN 'shop_policy' THEN 'policies' END",
        name_of: Some("last.payload::jsonb ->> 'name'"),
    });

    async fn apply(connection: &mut PgConnection, events: &[&Event], _: Timestamp) -> Result<(), sqlx::Error> {
        let newest = Columns::newest(events, told, SettingsEvent::content_json)?;
        if newest.is_empty() {
            return Ok(());
        }
        sqlx::query(
            "INSERT INTO settings (tenant_id, kind, name, version, body, removed_at)
             SELECT t, k, n, v, b::jsonb, r
             FROM unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[], $5::text[], $6::timestamptz[]) AS new(t, k, n, v, b, r)
             ON CONFLICT (tenant_id, kind, name) DO UPDATE
             SET version = excluded.version, body = excluded.body, removed_at = excluded.removed_at
             WHERE settings.version < excluded.version",
        )
        .bind(newest.tenants)
        .bind(newest.kinds)
        .bind(newest.names)
        .bind(newest.versions)
        .bind(newest.bodies)
        .bind(newest.removed)
        .execute(connection)
        .await?;
        Ok(())
    }
}

fn told(event: &DomainEvent) -> Option<Told<'_, SettingsEvent>> {
    let DomainEvent::Settings(event) = event else { return None };
    Some(Told { kind: event.kind().as_str(), name: event.name(), event })
}

#[cfg(test)]
mod tests {
    use super::*;
    use schemas::events::settings::SettingKind;

    #[test]
    fn every_kind_is_compared_with_the_outbox() {
        let versioned = Settings::VERSIONED.expect("settings keep versions");
        for kind in SettingKind::ALL {
            let case = format!("WHEN '{}' THEN '{}'", kind.aggregate(), kind.as_str());
            assert!(versioned.joined_by.contains(&case), "{case} is missing");
        }
    }
}
