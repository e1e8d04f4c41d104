//! Whose a key is, from the view of keys.

use access::{
    KnownKey,
    guard::{Found, Keys, Lookup, Unavailable},
    key,
};
use schemas::{Timestamp, Uuid, ids::TenantId};
use sqlx::PgPool;

/// The keys in the read database.
#[derive(Debug, Clone)]
pub struct ViewedKeys {
    /// The read database.
    pub pool: PgPool,
}

#[derive(sqlx::FromRow)]
struct Row {
    tenant_id: Uuid,
    key_id: Uuid,
    kind: String,
    permissions: Vec<String>,
    signing_key: Option<String>,
    expires_at: Option<Timestamp>,
}

impl Keys for ViewedKeys {
    fn find(&self, named: Lookup) -> Found<'_> {
        Box::pin(async move {
            let (digest, id) = named.either();
            let row: Option<Row> = sqlx::query_as(
                "SELECT tenant_id, key_id, kind, permissions, signing_key, expires_at FROM keys
                 WHERE (digest = $1 OR key_id = $2) AND revoked_at IS NULL LIMIT 1",
            )
            .bind(digest)
            .bind(id)
            .fetch_optional(&self.pool)
            .await
            .map_err(|error| {
                tracing::warn!(%error, "a key could not be looked up");
                Unavailable
            })?;
            // A kind that a newer release knows is none here.
            Ok(row.and_then(|row| {
                Some(KnownKey {
                    id: row.key_id,
                    tenant: TenantId(row.tenant_id),
                    kind: row.kind.parse().ok()?,
                    permissions: row.permissions.iter().filter_map(|name| name.parse().ok()).collect(),
                    signing_key: row.signing_key.as_deref().and_then(key::from_hex),
                    expires_at: row.expires_at,
                })
            }))
        })
    }
}
