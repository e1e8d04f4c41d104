//! What goes of shops that were deleted: from the tables of each feed by whoever does its scheduled work, some rows at a time.
//! Events of such a shop are not applied any more ([`crate::projections::sources`]), so nothing comes back, whatever is read
//! again. What happened to the shop itself stays, and what staff did.

use super::{Target, standstill::stand_still};
use crate::{holds, projection::ViewTable, projections::sources::KEPT, readers};
use schemas::{Utc, Uuid, topics::Context};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

/// Rows that go from a table in one step.
const STEP: i64 = 1_000;
/// Tables of which the rows of a deleted shop stay: by the one its events are known, the other is a copy of the audit.
const STAYING: [&str; 2] = ["tenants", "activity"];
/// Tables that no feed writes, which have rows of shops.
const BESIDE: [&str; 2] = ["embeddings", "tenant_lag"];
/// The table from which the index is made: it has to be told first.
const DOCUMENTS: &str = "documents";

/// Takes one step; gives how many rows went.
///
/// # Errors
/// The database's.
pub(super) async fn sweep(target: Target, connection: &mut PgConnection) -> Result<u64, sqlx::Error> {
    if contexts(target).is_empty() {
        return Ok(0);
    }
    let shop: Option<Uuid> = sqlx::query_scalar(
        "SELECT id FROM tenants WHERE deleted AND NOT swept_by @> ARRAY[$1::text] ORDER BY id LIMIT 1",
    )
    .bind(target.name)
    .fetch_optional(&mut *connection)
    .await?;
    let Some(shop) = shop else { return Ok(0) };
    let gone = step(target, connection, shop, false).await?;
    if gone > 0 {
        return Ok(gone);
    }
    // Once nobody else applies anything: who began before the shop was deleted is through, and who begins later knows.
    step(target, connection, shop, true).await
}

/// The contexts of which nothing stays.
fn contexts(target: Target) -> Vec<&'static str> {
    let all = target.contexts().into_iter();
    all.filter(|context| !KEPT.contains(context)).map(Context::name).collect()
}

async fn step(target: Target, connection: &mut PgConnection, shop: Uuid, alone: bool) -> Result<u64, sqlx::Error> {
    let mut transaction = connection.begin().await?;
    stand_still(target, &mut transaction).await?;
    holds::gate(&mut transaction, target.name, alone).await?;
    let mut gone = 0;
    let tables = target.projections().flat_map(|projection| projection.tables);
    for ViewTable { name, tenant, .. } in tables.filter(|table| !STAYING.contains(&table.name)) {
        gone += match *name {
            DOCUMENTS => documents(&mut transaction, shop).await?,
            _ => delete(&mut transaction, name, tenant, shop).await?,
        };
    }
    gone += of_contexts(&mut transaction, target, shop).await?;
    if target.contexts().contains(&Context::Tenants) {
        for name in BESIDE {
            gone += delete(&mut transaction, name, "tenant_id", shop).await?;
        }
    }
    if let Some(changed) = target.tells.filter(|_| gone > 0) {
        readers::tell(&mut transaction, changed).await?;
    }
    if gone == 0 && alone && !waits(&mut transaction, target, shop).await? {
        sqlx::query("UPDATE tenants SET swept_by = array_append(swept_by, $2) WHERE id = $1")
            .bind(shop)
            .bind(target.name)
            .execute(&mut *transaction)
            .await?;
        tracing::info!(projection = target.name, shop.id = %shop, "nothing is left of a deleted shop");
    }
    transaction.commit().await?;
    Ok(gone)
}

async fn delete(connection: &mut PgConnection, table: &str, tenant: &str, shop: Uuid) -> Result<u64, sqlx::Error> {
    let sql =
        format!("DELETE FROM {table} WHERE ctid = ANY(ARRAY(SELECT ctid FROM {table} WHERE {tenant} = $1 LIMIT $2))");
    Ok(sqlx::query(AssertSqlSafe(sql)).bind(shop).bind(STEP).execute(connection).await?.rows_affected())
}

/// Has documents go from the index: each is told as removed, and goes itself once the broker has that.
async fn documents(connection: &mut PgConnection, shop: Uuid) -> Result<u64, sqlx::Error> {
    let told = sqlx::query(
        "WITH next AS (SELECT product_id FROM documents WHERE tenant_id = $1 AND NOT deleted LIMIT $2),
              removed AS (
           UPDATE documents AS d
           SET deleted = true, content_hash = 'removed', text_hash = NULL, doc_version = greatest(d.doc_version + 1, $3),
               body = format('{\"tenant_id\":\"%s\",\"product_id\":\"%s\",\"doc_version\":%s}', d.tenant_id, d.product_id,
                             greatest(d.doc_version + 1, $3))
           FROM next WHERE d.tenant_id = $1 AND d.product_id = next.product_id
           RETURNING d.tenant_id, d.product_id, d.doc_version)
         INSERT INTO document_outbox (tenant_id, product_id, doc_version, event_time, correlation_id)
         SELECT tenant_id, product_id, doc_version, now(), 'tenant-deleted' FROM removed
         ON CONFLICT (tenant_id, product_id) DO UPDATE SET doc_version = excluded.doc_version, event_time = excluded.event_time",
    )
    .bind(shop)
    .bind(STEP)
    .bind(Utc::now().timestamp_micros())
    .execute(&mut *connection)
    .await?;
    let gone = sqlx::query(
        "DELETE FROM documents WHERE ctid = ANY(ARRAY(
           SELECT d.ctid FROM documents AS d WHERE d.tenant_id = $1 AND d.deleted
             AND NOT EXISTS (SELECT FROM document_outbox AS o WHERE o.tenant_id = d.tenant_id AND o.product_id = d.product_id)
           LIMIT $2))",
    )
    .bind(shop)
    .bind(STEP)
    .execute(connection)
    .await?;
    Ok(told.rows_affected() + gone.rows_affected())
}

/// What is known of aggregates of the feed's contexts, and what of their events could not be applied or was given up.
async fn of_contexts(connection: &mut PgConnection, target: Target, shop: Uuid) -> Result<u64, sqlx::Error> {
    let contexts = contexts(target);
    let known = sqlx::query(
        "DELETE FROM sources WHERE ctid = ANY(ARRAY(
           SELECT ctid FROM sources WHERE tenant_id = $1 AND context = ANY($2) LIMIT $3))",
    )
    .bind(shop)
    .bind(&contexts)
    .bind(STEP)
    .execute(&mut *connection)
    .await?;
    // A second set of views has letters of its own, and no history of them.
    sqlx::query(
        "DELETE FROM dead_letter_history WHERE letter_id IN (
           SELECT id FROM public.dead_letters WHERE tenant_id = $1 AND projection = $2)",
    )
    .bind(shop)
    .bind(target.name)
    .execute(&mut *connection)
    .await?;
    let letters = sqlx::query(
        "DELETE FROM dead_letters WHERE id = ANY(ARRAY(
           SELECT id FROM dead_letters WHERE tenant_id = $1 AND projection = $2 LIMIT $3))",
    )
    .bind(shop)
    .bind(target.name)
    .bind(STEP)
    .execute(&mut *connection)
    .await?;
    let given_up = sqlx::query(
        "DELETE FROM discarded_events WHERE ctid = ANY(ARRAY(
           SELECT ctid FROM discarded_events WHERE tenant_id = $1 AND context = ANY($2) LIMIT $3))",
    )
    .bind(shop)
    .bind(&contexts)
    .bind(STEP)
    .execute(connection)
    .await?;
    Ok(known.rows_affected() + letters.rows_affected() + given_up.rows_affected())
}

/// Whether documents still wait for the broker.
async fn waits(connection: &mut PgConnection, target: Target, shop: Uuid) -> Result<bool, sqlx::Error> {
    if !target.projections().flat_map(|projection| projection.tables).any(|table| table.name == DOCUMENTS) {
        return Ok(false);
    }
    sqlx::query_scalar("SELECT EXISTS (SELECT FROM documents WHERE tenant_id = $1)")
        .bind(shop)
        .fetch_one(connection)
        .await
}
