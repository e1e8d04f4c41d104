//! Webhooks as they came, and what is to be asked for because of them.

use crate::pipeline::Failure;
use schemas::{TimeDelta, Timestamp, Uuid, ids::TenantId};
use sqlx::{PgConnection, PgExecutor};

/// How long whoever has taken a fetch has for it.
const HELD: TimeDelta = TimeDelta::seconds(60);

/// A webhook that is believed.
pub(in super::super) struct NewWebhook<'a> {
    pub(in super::super) tenant: TenantId,
    pub(in super::super) account_id: Uuid,
    pub(in super::super) event_id: &'a str,
    pub(in super::super) kind: &'a str,
    /// The body as it came.
    pub(in super::super) sealed: &'a str,
    /// What is to be asked for.
    pub(in super::super) reference: Option<&'a str>,
}

/// Keeps a webhook, and has its object asked for; one that came before changes nothing. Gives whether it is new.
pub(in super::super) async fn keep(
    conn: &mut PgConnection,
    new: &NewWebhook<'_>,
    now: Timestamp,
) -> Result<bool, Failure> {
    let kept = sqlx::query(
        "INSERT INTO payments.webhooks (tenant_id, account_id, event_id, kind, sealed, received_at)
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
    )
    .bind(new.tenant.uuid())
    .bind(new.account_id)
    .bind(new.event_id)
    .bind(new.kind)
    .bind(new.sealed)
    .bind(now)
    .execute(&mut *conn)
    .await?;
    let is_new = kept.rows_affected() > 0;
    if let Some(reference) = new.reference.filter(|_| is_new) {
        want(conn, new.tenant, new.account_id, reference, now).await?;
    }
    Ok(is_new)
}

/// Has an object asked for: at once, or once more after whoever is asking for it now.
pub(in super::super) async fn want(
    executor: impl PgExecutor<'_>,
    tenant: TenantId,
    account: Uuid,
    reference: &str,
    now: Timestamp,
) -> Result<(), Failure> {
    sqlx::query(
        "INSERT INTO payments.fetches AS known (tenant_id, account_id, reference, wanted, first_at, tries, next_at)
         VALUES ($1, $2, $3, 1, $4, 0, $4)
         ON CONFLICT (tenant_id, account_id, reference) DO UPDATE SET wanted = known.wanted + 1",
    )
    .bind(tenant.uuid())
    .bind(account)
    .bind(reference)
    .bind(now)
    .execute(executor)
    .await?;
    Ok(())
}

/// An object to ask for.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(in super::super) struct Fetch {
    pub(in super::super) tenant_id: Uuid,
    pub(in super::super) account_id: Uuid,
    pub(in super::super) reference: String,
    wanted: i64,
    pub(in super::super) first_at: Timestamp,
    tries: i32,
}

/// Some objects that are to be asked for, of all shops; whoever gets them has them for a minute.
pub(in super::super) async fn due(
    executor: impl PgExecutor<'_>,
    now: Timestamp,
    most: i64,
) -> Result<Vec<Fetch>, Failure> {
    let found = sqlx::query_as(
        "WITH due AS (
           SELECT tenant_id, account_id, reference FROM payments.fetches WHERE next_at <= $1
           ORDER BY next_at LIMIT $3 FOR UPDATE SKIP LOCKED)
         UPDATE payments.fetches AS f SET next_at = $2 FROM due
         WHERE f.tenant_id = due.tenant_id AND f.account_id = due.account_id AND f.reference = due.reference
         RETURNING f.tenant_id, f.account_id, f.reference, f.wanted, f.first_at, f.tries",
    );
    Ok(found.bind(now).bind(now + HELD).bind(most).fetch_all(executor).await?)
}

impl Fetch {
    /// Its object was asked for. Whoever wanted it meanwhile has it asked for once more.
    pub(in super::super) async fn done(&self, conn: &mut PgConnection, now: Timestamp) -> Result<(), Failure> {
        let gone = sqlx::query(
            "DELETE FROM payments.fetches WHERE tenant_id = $1 AND account_id = $2 AND reference = $3 AND wanted = $4",
        )
        .bind(self.tenant_id)
        .bind(self.account_id)
        .bind(&self.reference)
        .bind(self.wanted)
        .execute(&mut *conn)
        .await?;
        if gone.rows_affected() == 0 {
            sqlx::query(
                "UPDATE payments.fetches SET next_at = $4, first_at = $4, tries = 0
                 WHERE tenant_id = $1 AND account_id = $2 AND reference = $3",
            )
            .bind(self.tenant_id)
            .bind(self.account_id)
            .bind(&self.reference)
            .bind(now)
            .execute(conn)
            .await?;
        }
        Ok(())
    }

    /// Its object can't be had, or nobody knows it yet: it is asked for again, later each time.
    pub(in super::super) async fn postpone(
        &self,
        executor: impl PgExecutor<'_>,
        now: Timestamp,
    ) -> Result<(), Failure> {
        sqlx::query(
            "UPDATE payments.fetches SET tries = tries + 1, next_at = $4
             WHERE tenant_id = $1 AND account_id = $2 AND reference = $3",
        )
        .bind(self.tenant_id)
        .bind(self.account_id)
        .bind(&self.reference)
        .bind(now + pause(self.tries, 60 * 60))
        .execute(executor)
        .await?;
        Ok(())
    }
}

/// The pause after so many tries, twice as long each time, up to so many seconds.
pub(super) fn pause(tries: i32, most_seconds: i64) -> TimeDelta {
    let doubled = 2_i64.saturating_pow(tries.clamp(0, 20).unsigned_abs());
    TimeDelta::seconds(doubled.min(most_seconds))
}
