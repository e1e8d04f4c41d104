//! What accounts leave behind: codes and refresh tokens that are over, mails that were given up; and keys that an older
//! master key has wrapped.

use crate::contexts::accounts::port::Accounts;
use schemas::{TimeDelta, Timestamp};
use service::jobs::{Job, JobFuture};
use sqlx::{AssertSqlSafe, PgConnection};
use std::time::Duration;

/// Rows of one step.
const STEP: u64 = 2_000;
/// How long a refresh token that was used is known: so long its second use is noticed. Sessions end before.
const KEPT_AFTER: TimeDelta = TimeDelta::days(90);
/// How long mails that were given up stay to be looked at.
const GIVEN_UP: TimeDelta = TimeDelta::days(7);
/// Keys that are wrapped anew in one step.
const REWRAPPED: i64 = 200;

/// Deletes what is over.
#[derive(Debug, Clone, Copy)]
pub struct AccountsEnd;

impl Job for AccountsEnd {
    fn name(&self) -> &'static str {
        "accounts_end"
    }

    fn every(&self) -> Duration {
        Duration::from_secs(10 * 60)
    }

    fn run<'a>(&'a self, connection: &'a mut PgConnection, now: Timestamp) -> JobFuture<'a> {
        Box::pin(async move {
            let mut deleted = 0;
            for (table, condition, before) in [
                ("codes", "expires_at < $1", now),
                ("refresh_tokens", "expires_at < $1", now - KEPT_AFTER),
                ("mails", "given_up_at < $1", now - GIVEN_UP),
                ("identity_requests", "expires_at < $1", now),
            ] {
                let sql = format!(
                    "DELETE FROM accounts.{table} WHERE ctid = ANY(ARRAY(
                       SELECT ctid FROM accounts.{table} WHERE {condition} LIMIT {STEP}))"
                );
                loop {
                    let query = sqlx::query(AssertSqlSafe(sql.clone())).bind(before);
                    let step = query.execute(&mut *connection).await?.rows_affected();
                    deleted += step;
                    if step < STEP {
                        break;
                    }
                }
            }
            Ok(deleted)
        })
    }
}

/// Wraps keys anew with the first master key: once it is done, the others can be taken away.
#[derive(Debug, Clone)]
pub(crate) struct KeysRewrap {
    pub(crate) accounts: Accounts,
}

impl Job for KeysRewrap {
    fn name(&self) -> &'static str {
        "master_keys"
    }

    fn every(&self) -> Duration {
        Duration::from_secs(60)
    }

    fn run<'a>(&'a self, connection: &'a mut PgConnection, _: Timestamp) -> JobFuture<'a> {
        Box::pin(async move {
            let Some(parts) = self.accounts.get() else { return Ok(0) };
            loop {
                let wrapped = parts.rewrap(connection, REWRAPPED).await?;
                if wrapped == 0 {
                    // None was deleted, which is what jobs count.
                    return Ok(0);
                }
                tracing::info!(
                    job.name = self.name(),
                    keys.wrapped = wrapped,
                    "keys are wrapped by another master key"
                );
            }
        })
    }
}
