//! Accounts of shoppers, their sessions, and the keys that their tokens are signed with. Nothing of it is personal: what is,
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

/// What an event does to the rows. Its first four parameters are tenant, aggregate, version and time.
fn statement<'q>(event: &Event, happened: &'q AccountsEvent) -> Query<'q, Postgres, PgArguments> {
    let about = |sql: &'static str| {
        let envelope = &event.envelope;
        let query = sqlx::query(sql).bind(envelope.tenant.uuid()).bind(envelope.aggregate_id);
        query.bind(stored::version(envelope.version)).bind(envelope.time)
    };
    match happened {
        AccountsEvent::UserRegistered(_) => about(
            "INSERT INTO users (tenant_id, user_id, version, registered_at) VALUES ($1, $2, $3, $4)
             ON CONFLICT (tenant_id, user_id) DO NOTHING",
        ),
        AccountsEvent::EmailVerified(_) | AccountsEvent::EmailChanged(_) => about(
            "UPDATE users SET version = $3, verified_at = coalesce(verified_at, $4)
             WHERE tenant_id = $1 AND user_id = $2 AND version < $3",
        ),
        AccountsEvent::PasswordChanged(_)
        | AccountsEvent::UserProfileUpdated(_)
        | AccountsEvent::AddressSaved(_)
        | AccountsEvent::AddressRemoved(_)
        | AccountsEvent::IdentityLinked(_)
        | AccountsEvent::IdentityUnlinked(_) => about(
            "UPDATE users SET version = $3 WHERE tenant_id = $1 AND user_id = $2 AND version < $3 AND $4::timestamptz IS NOT NULL",
        ),
        AccountsEvent::UserErased(_) => about(
            "UPDATE users SET version = $3, erased_at = $4 WHERE tenant_id = $1 AND user_id = $2 AND version < $3",
        ),
        AccountsEvent::SessionStarted(started) => about(
            "INSERT INTO sessions (tenant_id, session_id, version, started_at, user_id, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (tenant_id, session_id) DO NOTHING",
        )
        .bind(started.user_id)
        .bind(started.expires_at),
        AccountsEvent::SessionEnded(_) => about(
            "UPDATE sessions SET version = $3, ended_at = $4 WHERE tenant_id = $1 AND session_id = $2 AND version < $3",
        ),
        AccountsEvent::TokenKeyAdded(added) => about(
            "INSERT INTO token_keys (tenant_id, key_id, version, signs_from, public, valid_until)
             SELECT $1, $2, $3, $6, $5, $7 WHERE $4::timestamptz IS NOT NULL ON CONFLICT (tenant_id, key_id) DO NOTHING",
        )
        .bind(&added.public)
        .bind(added.signs_from)
        .bind(added.valid_until),
        AccountsEvent::TokenKeyRevoked(_) => about(
            "UPDATE token_keys SET version = $3, revoked_at = $4 WHERE tenant_id = $1 AND key_id = $2 AND version < $3",
        ),
        AccountsEvent::IdentityProviderSet(set) => about(
            "INSERT INTO identity_providers AS known (tenant_id, provider_id, version, slug, name)
             SELECT $1, $2, $3, $5, $6 WHERE $4::timestamptz IS NOT NULL
             ON CONFLICT (tenant_id, provider_id) DO UPDATE
             SET version = excluded.version, slug = excluded.slug, name = excluded.name, removed_at = NULL
             WHERE known.version < excluded.version",
        )
        .bind(&set.slug)
        .bind(&set.name),
        AccountsEvent::IdentityProviderRemoved(_) => about(
            "UPDATE identity_providers SET version = $3, removed_at = $4
             WHERE tenant_id = $1 AND provider_id = $2 AND version < $3",
        ),
    }
}
