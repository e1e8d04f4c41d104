//! Accounts of shoppers, the roles of those who work for a shop, their sessions, and the keys that their tokens are signed with. Nothing of it is personal: what is,
//! is sealed, and is not kept here. Versions decide what is kept, and what has ended stays as a row, so that no older event
//! brings it back.

use crate::{
    projection::{Projection, ViewTable},
    stored,
};
use eventlog::Event;
use schemas::{
    Timestamp,
    events::{AccountsEvent, DomainEvent},
    topics::Context,
};
use sqlx::{PgConnection, Postgres, postgres::PgArguments, query::Query};

/// Accounts.
#[derive(Debug)]
pub struct Accounts;

impl Projection for Accounts {
    const NAME: &'static str = "accounts";
    const READS: &'static [Context] = &[Context::Accounts];
    const TABLES: &'static [ViewTable] = &[
        ViewTable::whole("users", "tenant_id, user_id"),
        ViewTable::whole("roles", "tenant_id, role_id"),
        ViewTable::whole("sessions", "tenant_id, session_id"),
        ViewTable::whole("token_keys", "tenant_id, key_id"),
        ViewTable::whole("identity_providers", "tenant_id, provider_id"),
    ];

    async fn apply(connection: &mut PgConnection, events: &[&Event], _: Timestamp) -> Result<(), sqlx::Error> {
        for event in events {
            if let DomainEvent::Accounts(happened) = &event.event {
                statement(event, happened).execute(&mut *connection).await?;
            }
        }
        Ok(())
    }
}

// What events do to the rows. The first four parameters are tenant, aggregate, version and time.
const REGISTERED: &str = "INSERT INTO users (tenant_id, user_id, version, registered_at) VALUES ($1, $2, $3, $4)
    ON CONFLICT (tenant_id, user_id) DO NOTHING";
const VERIFIED: &str = "UPDATE users SET version = $3, verified_at = coalesce(verified_at, $4)
    WHERE tenant_id = $1 AND user_id = $2 AND version < $3";
const TOUCHED: &str = "UPDATE users SET version = $3 WHERE tenant_id = $1 AND user_id = $2 AND version < $3 AND $4::timestamptz IS NOT NULL";
const ERASED: &str =
    "UPDATE users SET version = $3, erased_at = $4, groups = '{}', roles = '{}', has_second_factor = false
    WHERE tenant_id = $1 AND user_id = $2 AND version < $3";
const GROUPS: &str = "UPDATE users SET version = $3, groups = $5
    WHERE tenant_id = $1 AND user_id = $2 AND version < $3 AND $4::timestamptz IS NOT NULL";
const GRANTED: &str = "UPDATE users SET version = $3, roles = array_append(array_remove(roles, $5), $5)
    WHERE tenant_id = $1 AND user_id = $2 AND version < $3 AND $4::timestamptz IS NOT NULL";
const REVOKED: &str = "UPDATE users SET version = $3, roles = array_remove(roles, $5)
    WHERE tenant_id = $1 AND user_id = $2 AND version < $3 AND $4::timestamptz IS NOT NULL";
const CODES: &str = "UPDATE users SET version = $3, has_second_factor = true
    WHERE tenant_id = $1 AND user_id = $2 AND version < $3 AND $4::timestamptz IS NOT NULL";
const NO_CODES: &str = "UPDATE users SET version = $3, has_second_factor = false
    WHERE tenant_id = $1 AND user_id = $2 AND version < $3 AND $4::timestamptz IS NOT NULL";
const ROLE: &str = "INSERT INTO roles (tenant_id, role_id, version, slug, name, permissions)
    SELECT $1, $2, $3, $5, $6, $7 WHERE $4::timestamptz IS NOT NULL
    ON CONFLICT (tenant_id, role_id) DO UPDATE
    SET version = excluded.version, slug = excluded.slug, name = excluded.name,
        permissions = excluded.permissions, removed_at = NULL WHERE roles.version < excluded.version";
const NO_ROLE: &str =
    "UPDATE roles SET version = $3, removed_at = $4 WHERE tenant_id = $1 AND role_id = $2 AND version < $3";
const SESSION: &str = "INSERT INTO sessions (tenant_id, session_id, version, started_at, user_id, expires_at)
    VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (tenant_id, session_id) DO NOTHING";
const CODE_SHOWN: &str = "UPDATE sessions SET version = $3
    WHERE tenant_id = $1 AND session_id = $2 AND version < $3 AND $4::timestamptz IS NOT NULL";
const NO_SESSION: &str =
    "UPDATE sessions SET version = $3, ended_at = $4 WHERE tenant_id = $1 AND session_id = $2 AND version < $3";
const TOKEN_KEY: &str = "INSERT INTO token_keys (tenant_id, key_id, version, signs_from, public, valid_until)
    SELECT $1, $2, $3, $6, $5, $7 WHERE $4::timestamptz IS NOT NULL ON CONFLICT (tenant_id, key_id) DO NOTHING";
const NO_TOKEN_KEY: &str =
    "UPDATE token_keys SET version = $3, revoked_at = $4 WHERE tenant_id = $1 AND key_id = $2 AND version < $3";
const PROVIDER: &str = "INSERT INTO identity_providers AS known (tenant_id, provider_id, version, slug, name)
    SELECT $1, $2, $3, $5, $6 WHERE $4::timestamptz IS NOT NULL
    ON CONFLICT (tenant_id, provider_id) DO UPDATE
    SET version = excluded.version, slug = excluded.slug, name = excluded.name, removed_at = NULL
    WHERE known.version < excluded.version";
const NO_PROVIDER: &str = "UPDATE identity_providers SET version = $3, removed_at = $4
    WHERE tenant_id = $1 AND provider_id = $2 AND version < $3";

/// What an event does to the rows. Its first four parameters are tenant, aggregate, version and time.
fn statement<'q>(event: &Event, happened: &'q AccountsEvent) -> Query<'q, Postgres, PgArguments> {
    let about = |sql: &'static str| {
        let envelope = &event.envelope;
        let query = sqlx::query(sql).bind(envelope.tenant.uuid()).bind(envelope.aggregate_id);
        query.bind(stored::version(envelope.version)).bind(envelope.time)
    };
    match happened {
        AccountsEvent::UserRegistered(_) => about(REGISTERED),
        AccountsEvent::EmailVerified(_) | AccountsEvent::EmailChanged(_) => about(VERIFIED),
        AccountsEvent::PasswordChanged(_)
        | AccountsEvent::UserProfileUpdated(_)
        | AccountsEvent::AddressSaved(_)
        | AccountsEvent::AddressRemoved(_)
        | AccountsEvent::IdentityLinked(_)
        | AccountsEvent::IdentityUnlinked(_) => about(TOUCHED),
        AccountsEvent::UserErased(_) => about(ERASED),
        AccountsEvent::GroupsSet(set) => about(GROUPS).bind(&set.groups),
        AccountsEvent::RoleGranted(granted) => about(GRANTED).bind(&granted.role),
        AccountsEvent::RoleRevoked(revoked) => about(REVOKED).bind(&revoked.role),
        AccountsEvent::SecondFactorEnabled(_) => about(CODES),
        AccountsEvent::SecondFactorDisabled(_) => about(NO_CODES),
        AccountsEvent::RoleDefined(defined) => {
            about(ROLE).bind(&defined.slug).bind(&defined.name).bind(&defined.permissions)
        }
        AccountsEvent::RoleRemoved(_) => about(NO_ROLE),
        AccountsEvent::SessionStarted(started) => about(SESSION).bind(started.user_id).bind(started.expires_at),
        AccountsEvent::SecondFactorShown(_) => about(CODE_SHOWN),
        AccountsEvent::SessionEnded(_) => about(NO_SESSION),
        AccountsEvent::TokenKeyAdded(added) => {
            about(TOKEN_KEY).bind(&added.public).bind(added.signs_from).bind(added.valid_until)
        }
        AccountsEvent::TokenKeyRevoked(_) => about(NO_TOKEN_KEY),
        AccountsEvent::IdentityProviderSet(set) => about(PROVIDER).bind(&set.slug).bind(&set.name),
        AccountsEvent::IdentityProviderRemoved(_) => about(NO_PROVIDER),
    }
}
