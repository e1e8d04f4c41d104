//! What the rest of write-api may know of keys: whose one is.

use super::{domain::Key, table};
use crate::pipeline::{Failure, database::Database};
use ::access::{KnownKey, guard::Lookup, key};
use schemas::ids::TenantId;

/// The key of that name, unless there is none or it was revoked.
pub(crate) async fn find(database: &Database, named: Lookup) -> Result<Option<KnownKey>, Failure> {
    let (digest, id) = named.either();
    // Whose it is, is what is looked for.
    let found = table::find(&mut *database.of_installation().await?, digest, id).await?;
    Ok(found.filter(|(_, found)| !found.revoked).map(|(tenant, Key { created, .. })| KnownKey {
        id: created.key_id,
        tenant: TenantId(tenant),
        kind: created.kind,
        // Those of a release that knows more of them are not granted here.
        permissions: created.permissions.iter().filter_map(|name| name.parse().ok()).collect(),
        signing_key: created.signing_key.as_deref().and_then(key::from_hex),
        expires_at: created.expires_at,
    }))
}
