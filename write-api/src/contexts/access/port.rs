//! What the rest of write-api may know of keys: whose one is.

use super::{domain::Key, table};
use ::access::{
    KnownKey,
    guard::{Found, Keys, Lookup, Unavailable},
    key,
};
use schemas::ids::TenantId;
use sqlx::PgPool;

/// The keys in the write database.
#[derive(Debug, Clone)]
pub(crate) struct StoredKeys {
    pub(crate) pool: PgPool,
}

impl Keys for StoredKeys {
    fn find(&self, named: Lookup) -> Found<'_> {
        Box::pin(async move {
            let (digest, id) = named.either();
            let found = table::find(&self.pool, digest, id).await.map_err(|error| {
                tracing::warn!(%error, "a key could not be looked up");
                Unavailable
            })?;
            Ok(found.filter(|(_, found)| !found.revoked).map(|(tenant, Key { created, .. })| KnownKey {
                id: created.key_id,
                tenant: TenantId(tenant),
                kind: created.kind,
                // Those of a release that knows more of them are not granted here.
                permissions: created.permissions.iter().filter_map(|name| name.parse().ok()).collect(),
                signing_key: created.signing_key.as_deref().and_then(key::from_hex),
                expires_at: created.expires_at,
            }))
        })
    }
}
