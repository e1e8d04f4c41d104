//! Whose a key or an access token is, from the write database.

use crate::{
    contexts::{access::port as keys, accounts::port as accounts},
    pipeline::{Failure, database::Database},
};
use access::{
    KnownTokenKey, Power,
    guard::{Ended, Found, Keys, Lookup, Unavailable},
};
use schemas::{Uuid, ids::TenantId};

/// Keys and sessions in the write database.
#[derive(Debug, Clone)]
pub(crate) struct StoredKeys {
    pub(crate) database: Database,
}

impl Keys for StoredKeys {
    fn find(&self, named: Lookup) -> Found<'_> {
        Box::pin(async move { keys::find(&self.database, named).await.map_err(|error| unavailable(&error)) })
    }

    fn token_key(&self, kid: Uuid) -> Found<'_, KnownTokenKey> {
        Box::pin(async move { accounts::token_key(&self.database, kid).await.map_err(|error| unavailable(&error)) })
    }

    fn ended(&self, tenant: TenantId, session: Uuid) -> Found<'_, Ended> {
        Box::pin(async move {
            let has_ended = accounts::has_ended(&self.database, tenant, session).await;
            Ok(has_ended.map_err(|error| unavailable(&error))?.then_some(Ended))
        })
    }

    fn power(&self, tenant: TenantId, user: Uuid) -> Found<'_, Power> {
        Box::pin(
            async move { accounts::power_of(&self.database, tenant, user).await.map_err(|error| unavailable(&error)) },
        )
    }
}

fn unavailable(error: &Failure) -> Unavailable {
    tracing::warn!(%error, "a key could not be looked up");
    Unavailable
}
