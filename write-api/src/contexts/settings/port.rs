//! What other contexts may know of settings: each with its name and version, so that what was priced by them can say so.
//!
//! Each function is one query. Who needs several kinds asks for [`all`].
#![allow(dead_code, reason = "each kind has its function, whichever of them other contexts ask for")]

use super::table::read;
use crate::pipeline::{Failure, Scope};
use schemas::{
    events::settings::{Channel, Location, SettingKind, ShippingMethod, ShopPolicy, TaxZone},
    settings::{Setting, ShopSettings},
};
use sqlx::PgConnection;

/// Everything that a shop has decided, and [`ShopPolicy::default`] where it has decided nothing.
pub(crate) async fn all(conn: &mut PgConnection, scope: &Scope) -> Result<ShopSettings, Failure> {
    read(conn, scope, &SettingKind::ALL).await
}

/// What holds for the whole shop; in version 0, if that is [`ShopPolicy::default`].
pub(crate) async fn policy(conn: &mut PgConnection, scope: &Scope) -> Result<Setting<ShopPolicy>, Failure> {
    Ok(read(conn, scope, &[SettingKind::ShopPolicy]).await?.policy)
}

/// Where which taxes are due.
pub(crate) async fn tax_zones(conn: &mut PgConnection, scope: &Scope) -> Result<Vec<Setting<TaxZone>>, Failure> {
    Ok(read(conn, scope, &[SettingKind::TaxZone]).await?.tax_zones)
}

/// How goods reach shoppers.
pub(crate) async fn shipping_methods(
    conn: &mut PgConnection,
    scope: &Scope,
) -> Result<Vec<Setting<ShippingMethod>>, Failure> {
    Ok(read(conn, scope, &[SettingKind::ShippingMethod]).await?.shipping_methods)
}

/// Where goods are kept.
pub(crate) async fn locations(conn: &mut PgConnection, scope: &Scope) -> Result<Vec<Setting<Location>>, Failure> {
    Ok(read(conn, scope, &[SettingKind::Location]).await?.locations)
}

/// Where the shop sells.
pub(crate) async fn channels(conn: &mut PgConnection, scope: &Scope) -> Result<Vec<Setting<Channel>>, Failure> {
    Ok(read(conn, scope, &[SettingKind::Channel]).await?.channels)
}
