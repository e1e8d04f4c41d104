//! What other contexts may know of settings: each with its name and version, so that what was priced by them can say so.

use super::table::read;
use crate::pipeline::{Failure, Scope};
use schemas::{events::settings::SettingKind, settings::ShopSettings};
use sqlx::PgConnection;

/// Everything that a shop has decided, in one query, and the defaults where it has decided nothing.
pub(crate) async fn all(conn: &mut PgConnection, scope: &Scope) -> Result<ShopSettings, Failure> {
    read(conn, scope, &SettingKind::ALL).await
}
