//! What shops have, measured now and then; and the end of shops that were deleted.

use schemas::{Timestamp, Uuid};
use service::jobs::{Job, JobFuture};
use sqlx::PgConnection;
use std::time::Duration;

/// Shops that are measured in one run.
const MEASURED: i64 = 1_000;
/// Rows that go in one transaction.
const STEP: i32 = 2_000;
/// Such transactions in one run: other jobs have their turn, and what is counted moves on.
const STEPS: u32 = 100;

/// Measures the shops: often where they have a quota of storage, now and then where they don't.
#[derive(Debug, Clone, Copy)]
pub struct ShopsMeasured;

impl Job for ShopsMeasured {
    fn name(&self) -> &'static str {
        "shop_usage"
    }

    fn every(&self) -> Duration {
        Duration::from_secs(60)
    }

    fn run<'a>(&'a self, connection: &'a mut PgConnection, now: Timestamp) -> JobFuture<'a> {
        Box::pin(async move {
            let due: Vec<Uuid> = sqlx::query_scalar(
                "SELECT t.tenant_id FROM tenants.tenants AS t LEFT JOIN tenants.usage AS u ON u.tenant_id = t.tenant_id
                 WHERE NOT t.deleted AND (u.measured_at IS NULL OR u.measured_at <
                   $1::timestamptz - CASE WHEN t.quotas LIKE '%\"storage_mib\"%' THEN interval '30 seconds' ELSE interval '1 hour' END)
                 ORDER BY u.measured_at NULLS FIRST LIMIT $2",
            )
            .bind(now)
            .bind(MEASURED)
            .fetch_all(&mut *connection)
            .await?;
            for shop in due {
                sqlx::query(
                    "INSERT INTO tenants.usage (tenant_id, products, bytes, measured_at)
                     SELECT $1::uuid, (SELECT count(*) FROM catalog.products WHERE tenant_id = $1), installation.bytes_of_shop($1), $2::timestamptz
                     ON CONFLICT (tenant_id) DO UPDATE
                     SET products = excluded.products, bytes = excluded.bytes, measured_at = excluded.measured_at",
                )
                .bind(shop)
                .bind(now)
                .execute(&mut *connection)
                .await?;
            }
            // None was deleted, which is what jobs count.
            Ok(0)
        })
    }
}

/// Takes the data of deleted shops away, keys first, and their names at last. It may end anywhere and goes on where it was.
#[derive(Debug, Clone, Copy)]
pub struct DeletedShops;

impl Job for DeletedShops {
    fn name(&self) -> &'static str {
        "deleted_shops"
    }

    fn every(&self) -> Duration {
        Duration::from_secs(15)
    }

    fn run<'a>(&'a self, connection: &'a mut PgConnection, _: Timestamp) -> JobFuture<'a> {
        Box::pin(async move {
            // Those that are gone are looked for once a day: a recovery may have brought something back.
            let shops: Vec<Uuid> = sqlx::query_scalar(
                "SELECT tenant_id FROM tenants.deleted
                 WHERE finished_at IS NULL OR swept_at < now() - interval '1 day' ORDER BY deleted_at",
            )
            .fetch_all(&mut *connection)
            .await?;
            let (mut gone, mut steps) = (0, STEPS);
            for shop in shops {
                gone += sweep(connection, shop, &mut steps).await?;
                if steps == 0 {
                    break;
                }
            }
            Ok(gone)
        })
    }
}

/// Takes away what is there of a shop, in at most so many steps; gives how many rows went.
async fn sweep(connection: &mut PgConnection, shop: Uuid, steps: &mut u32) -> Result<u64, sqlx::Error> {
    let may_end = is_quiet(connection, shop).await?;
    let tables: Vec<(String, String)> =
        sqlx::query_as("SELECT context, name FROM installation.tables_of_shops ORDER BY turn, context, name")
            .fetch_all(&mut *connection)
            .await?;
    let mut gone = 0;
    for (context, name) in tables {
        loop {
            let step: i64 = sqlx::query_scalar("SELECT installation.forget_shop($1, $2, $3, $4)")
                .bind(shop)
                .bind(&context)
                .bind(&name)
                .bind(STEP)
                .fetch_one(&mut *connection)
                .await?;
            gone += step.unsigned_abs();
            if step < i64::from(STEP) {
                break;
            }
            *steps -= 1;
            if *steps == 0 {
                tracing::info!(shop.id = %shop, rows.deleted = gone, "the data of a deleted shop are going");
                return Ok(gone);
            }
        }
    }
    let done = gone == 0 && may_end && !waits(connection, shop).await?;
    finish(connection, shop, done).await?;
    Ok(gone)
}

/// Whether nobody can write for the shop any more: who had looked it up before it was deleted is through.
async fn is_quiet(connection: &mut PgConnection, shop: Uuid) -> Result<bool, sqlx::Error> {
    sqlx::query("UPDATE tenants.deleted SET seen_at = now() WHERE tenant_id = $1 AND seen_at IS NULL")
        .bind(shop)
        .execute(&mut *connection)
        .await?;
    // A shop that was found is not looked up again for 2 seconds.
    sqlx::query_scalar(
        "SELECT d.seen_at < now() - interval '5 seconds' AND NOT EXISTS (
           SELECT FROM pg_stat_activity AS a
           WHERE a.datname = current_database() AND a.usename = current_user AND a.pid <> pg_backend_pid()
             AND a.xact_start < d.seen_at + interval '5 seconds')
         FROM tenants.deleted AS d WHERE d.tenant_id = $1",
    )
    .bind(shop)
    .fetch_one(connection)
    .await
}

/// Whether events of the shop wait for the relay; what happened to the shop itself stays, and has to be told as well.
async fn waits(connection: &mut PgConnection, shop: Uuid) -> Result<bool, sqlx::Error> {
    for context in super::contexts(connection).await? {
        let sql = format!("SELECT EXISTS (SELECT FROM {context}.outbox WHERE tenant_id = $1 AND published_at IS NULL)");
        if sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).bind(shop).fetch_one(&mut *connection).await? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Notes that the data were looked for; where none were left, the name is free from then on.
async fn finish(connection: &mut PgConnection, shop: Uuid, done: bool) -> Result<(), sqlx::Error> {
    sqlx::query(
        "WITH freed AS (DELETE FROM tenants.tenants WHERE tenant_id = $1 AND $2)
         UPDATE tenants.deleted SET swept_at = now(), finished_at = CASE WHEN $2 THEN coalesce(finished_at, now()) ELSE finished_at END
         WHERE tenant_id = $1",
    )
    .bind(shop)
    .bind(done)
    .execute(connection)
    .await?;
    if done {
        tracing::info!(shop.id = %shop, "nothing is left of a deleted shop");
    }
    Ok(())
}
