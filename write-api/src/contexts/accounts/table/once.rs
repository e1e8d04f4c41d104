//! What is used once: codes that were sent, refresh tokens, mails that wait.

use crate::pipeline::Failure;
use schemas::{Timestamp, Uuid, ids::TenantId};
use sqlx::PgExecutor;

/// What a code is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Purpose {
    /// Proves the address that somebody signed up with.
    SignUp,
    /// Proves another address.
    NewEmail,
    /// Sets another password.
    Reset,
    /// Takes an invitation.
    Invitation,
}

impl Purpose {
    const ALL: [Self; 4] = [Self::SignUp, Self::NewEmail, Self::Reset, Self::Invitation];

    /// As the table has it; what a code brings along is sealed for it.
    pub(in super::super) const fn as_str(self) -> &'static str {
        match self {
            Self::SignUp => "sign_up",
            Self::NewEmail => "new_email",
            Self::Reset => "reset",
            Self::Invitation => "invitation",
        }
    }
}

/// A code that was sent.
#[derive(Debug, Clone)]
pub(in super::super) struct Code {
    pub(in super::super) digest: String,
    pub(in super::super) purpose: Purpose,
    pub(in super::super) user: Uuid,
    /// What happens once it comes back.
    pub(in super::super) sealed: String,
    pub(in super::super) expires_at: Timestamp,
}

impl Code {
    /// Keeps it; from here on those that were sent before for the same purpose are none.
    pub(in super::super) async fn keep(&self, conn: &mut sqlx::PgConnection, tenant: TenantId) -> Result<(), Failure> {
        sqlx::query("DELETE FROM accounts.codes WHERE tenant_id = $1 AND user_id = $2 AND purpose = $3")
            .bind(tenant.uuid())
            .bind(self.user)
            .bind(self.purpose.as_str())
            .execute(&mut *conn)
            .await?;
        sqlx::query(
            "INSERT INTO accounts.codes (tenant_id, digest, purpose, user_id, sealed, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(tenant.uuid())
        .bind(&self.digest)
        .bind(self.purpose.as_str())
        .bind(self.user)
        .bind(&self.sealed)
        .bind(self.expires_at)
        .execute(conn)
        .await?;
        Ok(())
    }

    /// What one that was sent to somebody brings along, if there is one that is good.
    pub(in super::super) async fn pending(
        executor: impl PgExecutor<'_>,
        tenant: TenantId,
        user: Uuid,
        purpose: Purpose,
        now: Timestamp,
    ) -> Result<Option<String>, Failure> {
        let found = sqlx::query_scalar(
            "SELECT sealed FROM accounts.codes WHERE tenant_id = $1 AND user_id = $2 AND purpose = $3 AND expires_at > $4",
        );
        let found = found.bind(tenant.uuid()).bind(user).bind(purpose.as_str()).bind(now);
        Ok(found.fetch_optional(executor).await?)
    }

    /// Uses one up, if there is one that is good.
    pub(in super::super) async fn take(
        executor: impl PgExecutor<'_>,
        tenant: TenantId,
        digest: &str,
        now: Timestamp,
    ) -> Result<Option<Self>, Failure> {
        let row: Option<(String, Uuid, String, Timestamp)> = sqlx::query_as(
            "DELETE FROM accounts.codes WHERE tenant_id = $1 AND digest = $2 AND expires_at > $3
             RETURNING purpose, user_id, sealed, expires_at",
        )
        .bind(tenant.uuid())
        .bind(digest)
        .bind(now)
        .fetch_optional(executor)
        .await?;
        Ok(row.and_then(|(purpose, user, sealed, expires_at)| {
            // A purpose that a newer release knows is none here.
            let purpose = Purpose::ALL.into_iter().find(|known| known.as_str() == purpose)?;
            Some(Self { digest: digest.to_owned(), purpose, user, sealed, expires_at })
        }))
    }
}

/// A refresh token, as far as it is kept.
#[derive(Debug, Clone)]
pub(in super::super) struct RefreshToken {
    pub(in super::super) digest: String,
    pub(in super::super) session: Uuid,
    pub(in super::super) expires_at: Timestamp,
}

impl RefreshToken {
    /// From here on it can be used.
    pub(in super::super) async fn keep(&self, executor: impl PgExecutor<'_>, tenant: TenantId) -> Result<(), Failure> {
        sqlx::query(
            "INSERT INTO accounts.refresh_tokens (tenant_id, digest, session_id, expires_at) VALUES ($1, $2, $3, $4)",
        )
        .bind(tenant.uuid())
        .bind(&self.digest)
        .bind(self.session)
        .bind(self.expires_at)
        .execute(executor)
        .await?;
        Ok(())
    }

    /// Marks one as used; gives its session and whether it was used before.
    pub(in super::super) async fn take(
        executor: impl PgExecutor<'_>,
        tenant: TenantId,
        digest: &str,
        now: Timestamp,
    ) -> Result<Option<(Uuid, bool)>, Failure> {
        // The second of two that come at once waits for the row, and sees it used.
        let taken: Option<(Uuid, bool)> = sqlx::query_as(
            "WITH found AS (SELECT tenant_id, digest, used_at FROM accounts.refresh_tokens
                            WHERE tenant_id = $1 AND digest = $2 AND expires_at > $3 FOR UPDATE)
             UPDATE accounts.refresh_tokens AS t SET used_at = coalesce(found.used_at, $3) FROM found
             WHERE t.tenant_id = found.tenant_id AND t.digest = found.digest
             RETURNING t.session_id, found.used_at IS NOT NULL",
        )
        .bind(tenant.uuid())
        .bind(digest)
        .bind(now)
        .fetch_optional(executor)
        .await?;
        Ok(taken)
    }
}

/// A mail that waits to be sent.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(in super::super) struct WaitingMail {
    pub(in super::super) mail_id: Uuid,
    pub(in super::super) tenant_id: Uuid,
    pub(in super::super) user_id: Option<Uuid>,
    /// To whom, and what it says.
    pub(in super::super) sealed: String,
    pub(in super::super) created_at: Timestamp,
    /// With this one.
    pub(in super::super) tries: i32,
}

impl WaitingMail {
    /// Has it sent.
    pub(in super::super) async fn keep(&self, executor: impl PgExecutor<'_>) -> Result<(), Failure> {
        sqlx::query(
            "INSERT INTO accounts.mails (mail_id, tenant_id, user_id, sealed, created_at, next_try_at)
             VALUES ($1, $2, $3, $4, $5, $5)",
        )
        .bind(self.mail_id)
        .bind(self.tenant_id)
        .bind(self.user_id)
        .bind(&self.sealed)
        .bind(self.created_at)
        .execute(executor)
        .await?;
        Ok(())
    }

    /// Those that are due, for this process: no other gets them before `until`.
    pub(in super::super) async fn due(
        executor: impl PgExecutor<'_>,
        now: Timestamp,
        until: Timestamp,
        most: i64,
    ) -> Result<Vec<Self>, sqlx::Error> {
        sqlx::query_as(
            "UPDATE accounts.mails SET next_try_at = $2, tries = tries + 1 WHERE mail_id IN (
               SELECT mail_id FROM accounts.mails WHERE given_up_at IS NULL AND next_try_at <= $1
               ORDER BY next_try_at LIMIT $3 FOR UPDATE SKIP LOCKED)
             RETURNING mail_id, tenant_id, user_id, sealed, created_at, tries",
        )
        .bind(now)
        .bind(until)
        .bind(most)
        .fetch_all(executor)
        .await
    }

    /// It was sent: nothing of it stays.
    pub(in super::super) async fn sent(&self, executor: impl PgExecutor<'_>) -> Result<(), sqlx::Error> {
        let delete = sqlx::query("DELETE FROM accounts.mails WHERE mail_id = $1");
        delete.bind(self.mail_id).execute(executor).await.map(drop)
    }

    /// It was not sent, and is tried again at a time, or never.
    pub(in super::super) async fn failed(
        &self,
        executor: impl PgExecutor<'_>,
        error: &str,
        now: Timestamp,
        again_at: Option<Timestamp>,
    ) -> Result<(), sqlx::Error> {
        sqlx::query(
            "UPDATE accounts.mails SET last_error = $2, next_try_at = coalesce($3, next_try_at),
                    given_up_at = CASE WHEN $3::timestamptz IS NULL THEN $4::timestamptz END WHERE mail_id = $1",
        )
        .bind(self.mail_id)
        .bind(error)
        .bind(again_at)
        .bind(now)
        .execute(executor)
        .await
        .map(drop)
    }
}
