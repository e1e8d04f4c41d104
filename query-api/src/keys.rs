//! Whose a key or an access token is, from the views.

use access::{
    KnownKey, KnownTokenKey, Power,
    guard::{Ended, Found, Keys, Lookup, Unavailable},
    key,
    tokens::PublicKey,
};
use schemas::{Timestamp, Uuid, ids::TenantId};
use sqlx::PgPool;

/// Keys and sessions in the read database.
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
            .map_err(|error| unavailable(&error))?;
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

    fn token_key(&self, kid: Uuid) -> Found<'_, KnownTokenKey> {
        Box::pin(async move {
            let row: Option<(Uuid, String, Timestamp)> = sqlx::query_as(
                "SELECT tenant_id, public, valid_until FROM token_keys WHERE key_id = $1 AND revoked_at IS NULL LIMIT 1",
            )
            .bind(kid)
            .fetch_optional(&self.pool)
            .await
            .map_err(|error| unavailable(&error))?;
            // A kind of key that a newer release knows is none here.
            Ok(row.and_then(|(tenant, public, valid_until)| {
                Some(KnownTokenKey {
                    tenant: TenantId(tenant),
                    public: PublicKey::from_json(&public).ok()?,
                    valid_until,
                })
            }))
        })
    }

    fn ended(&self, tenant: TenantId, session: Uuid) -> Found<'_, Ended> {
        Box::pin(async move {
            let row: Option<i32> = sqlx::query_scalar(
                "SELECT 1 FROM sessions WHERE tenant_id = $1 AND session_id = $2 AND ended_at IS NOT NULL",
            )
            .bind(tenant.uuid())
            .bind(session)
            .fetch_optional(&self.pool)
            .await
            .map_err(|error| unavailable(&error))?;
            Ok(row.map(|_| Ended))
        })
    }

    fn power(&self, tenant: TenantId, user: Uuid) -> Found<'_, Power> {
        Box::pin(async move {
            let row: Option<(Vec<String>, Vec<String>)> = sqlx::query_as(
                "SELECT u.roles, array(SELECT unnest(r.permissions) FROM roles r
                   WHERE r.tenant_id = u.tenant_id AND r.role_id::text = ANY(u.roles) AND r.removed_at IS NULL)
                 FROM users u WHERE u.tenant_id = $1 AND u.user_id = $2 AND u.erased_at IS NULL",
            )
            .bind(tenant.uuid())
            .bind(user)
            .fetch_optional(&self.pool)
            .await
            .map_err(|error| unavailable(&error))?;
            Ok(row.and_then(|(roles, permissions)| {
                // A permission that a newer release knows is none here.
                let known = permissions.iter().filter_map(|name| name.parse().ok());
                Power::of(roles.iter().map(String::as_str), known)
            }))
        })
    }
}

fn unavailable(error: &sqlx::Error) -> Unavailable {
    tracing::warn!(%error, "a key could not be looked up");
    Unavailable
}
