//! The table of what is decided, and beside it the areas of tax zones, of which no two have the same.

use super::domain::{Others, Setting};
use crate::{
    domain::definition::Definition,
    pipeline::{Failure, Row, Scope, definition::Kept},
};
use schemas::{
    Uuid,
    events::settings::{Channel, Location, SettingKind, ShippingMethod, ShopPolicy, TaxZone},
    settings::ShopSettings,
};
use sqlx::PgConnection;
use std::{collections::BTreeSet, str::FromStr};

impl Kept for ShippingMethod {}
impl Kept for Location {}
impl Kept for Channel {}
impl Kept for ShopPolicy {}

impl Kept for TaxZone {
    /// An area that somebody else has just taken is a conflict, and is decided again.
    async fn write_parts(
        conn: &mut PgConnection,
        scope: &Scope,
        rows: &[Row<'_, Definition<Self>>],
    ) -> Result<(), Failure> {
        let (mut gone, mut new) = (BTreeSet::new(), BTreeSet::new());
        for row in rows {
            let (before, after) = (row.before.map(areas).unwrap_or_default(), areas(row.state));
            gone.extend(before.difference(&after).cloned());
            new.extend(after.difference(&before).map(|area| (area.clone(), row.id)));
        }
        if !gone.is_empty() {
            sqlx::query("DELETE FROM settings.tax_areas WHERE tenant_id = $1 AND area = ANY($2)")
                .bind(scope.tenant.uuid())
                .bind(gone.into_iter().collect::<Vec<_>>())
                .execute(&mut *conn)
                .await?;
        }
        if !new.is_empty() {
            let (areas, zones): (Vec<String>, Vec<Uuid>) = new.into_iter().unzip();
            // In the order of areas, so that two that want the same wait for each other in one order.
            sqlx::query(
                "INSERT INTO settings.tax_areas (tenant_id, area, definition_id) \
                 SELECT $1, new.* FROM UNNEST($2::text[], $3::uuid[]) AS new (area, definition_id) ORDER BY new.area",
            )
            .bind(scope.tenant.uuid())
            .bind(areas)
            .bind(zones)
            .execute(conn)
            .await?;
        }
        Ok(())
    }
}

fn areas(zone: &Definition<TaxZone>) -> BTreeSet<String> {
    zone.content.iter().flat_map(|zone| &zone.areas).map(ToString::to_string).collect()
}

/// What of a kind there is, and whose these areas are.
pub(super) async fn others<C: Setting>(
    conn: &mut PgConnection,
    scope: &Scope,
    areas: &[String],
) -> Result<Others, Failure> {
    let standing: Vec<Uuid> = sqlx::query_scalar(
        "SELECT definition_id FROM settings.definitions WHERE tenant_id = $1 AND kind = $2 AND content IS NOT NULL",
    )
    .bind(scope.tenant.uuid())
    .bind(C::WORDS.kind)
    .fetch_all(&mut *conn)
    .await?;
    let mut others = Others { standing: standing.into_iter().collect(), ..Others::default() };
    if !areas.is_empty() {
        let taken: Vec<(String, Uuid, String)> = sqlx::query_as(
            "SELECT a.area, a.definition_id, d.name FROM settings.tax_areas AS a \
             JOIN settings.definitions AS d ON d.tenant_id = a.tenant_id AND d.definition_id = a.definition_id \
             WHERE a.tenant_id = $1 AND a.area = ANY($2)",
        )
        .bind(scope.tenant.uuid())
        .bind(areas)
        .fetch_all(conn)
        .await?;
        others.areas = taken.into_iter().map(|(area, id, name)| (area, (id, name))).collect();
    }
    Ok(others)
}

/// What of some kinds is decided, in one query.
pub(super) async fn read(
    conn: &mut PgConnection,
    scope: &Scope,
    kinds: &[SettingKind],
) -> Result<ShopSettings, Failure> {
    let rows: Vec<(String, String, i64, String)> = sqlx::query_as(
        "SELECT kind, name, version, content FROM settings.definitions \
         WHERE tenant_id = $1 AND kind = ANY($2) AND content IS NOT NULL ORDER BY kind, name",
    )
    .bind(scope.tenant.uuid())
    .bind(kinds.iter().map(|kind| kind.as_str()).collect::<Vec<_>>())
    .fetch_all(conn)
    .await?;
    let mut settings = ShopSettings::default();
    for (kind, name, version, content) in rows {
        let kind = SettingKind::from_str(&kind).map_err(|error| Failure::Unreadable("setting", error.to_string()))?;
        let taken = settings.take(kind, &name, version.unsigned_abs(), &content);
        taken.map_err(|error| Failure::Unreadable(kind.aggregate(), error.to_string()))?;
    }
    Ok(settings)
}
