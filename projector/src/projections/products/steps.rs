//! What is composed in steps, between which events are applied: products with a due price, and those below categories
//! that changed. Shops take turns.

use super::{Key, Origin, project, trees};
use crate::{
    blame,
    projection::Ticked,
    projections::category_walks::{self, LIMIT, STEP, Stretch},
};
use schemas::{
    Timestamp, Uuid,
    ids::{ProductId, TenantId},
};
use sqlx::{Connection, PgConnection};
use std::collections::BTreeMap;

/// How long a product rests that can't be composed.
const REST: chrono::Duration = chrono::Duration::hours(1);

/// Takes one step of each kind.
///
/// # Errors
/// The database's.
pub(super) async fn take(connection: &mut PgConnection, now: Timestamp) -> Result<Ticked, sqlx::Error> {
    let due = due(connection, now).await?;
    let walker = category_walks::longest_standing(connection).await?;
    let mut trees = trees();
    due.keys().map(|(tenant, _)| tenant).chain(&walker).for_each(|tenant| trees.alone(tenant.uuid().as_bytes()));
    // From here on no other share composes a product of these shops, or changes a walk.
    trees.take(connection).await?;
    compose(connection, &due, now).await?;
    let walked = match walker {
        Some(tenant) => category_walks::step(connection, tenant, now).await?,
        None => None,
    };
    // That a walk has ended is told as well: somebody may wait for it.
    let (has_more, moved) = (due.len() >= STEP || walked.is_some(), usize::from(walked.is_some()));
    let below = walked.map(below).unwrap_or_default();
    compose(connection, &below, now).await?;
    Ok(Ticked { changed: due.len() + below.len().max(moved), pruned: 0, has_more })
}

fn below(stretch: Stretch) -> BTreeMap<Key, Origin> {
    let Stretch { tenant, products, origin } = stretch;
    products.into_iter().map(|product| ((tenant, product), origin.clone())).collect()
}

/// Products of which a scheduled price has started or ended, at most a step: the first of each shop, then the second.
async fn due(connection: &mut PgConnection, now: Timestamp) -> Result<BTreeMap<Key, Origin>, sqlx::Error> {
    let mut rows: Vec<(Uuid, Uuid)> = sqlx::query_as(
        "SELECT tenant_id, product_id FROM product_pages WHERE next_price_change_at <= $1
         ORDER BY next_price_change_at LIMIT $2",
    )
    .bind(now)
    .bind(LIMIT)
    .fetch_all(&mut *connection)
    .await?;
    if rows.len() >= STEP {
        rows = sqlx::query_as(
            "SELECT tenant_id, product_id FROM (
               SELECT p.tenant_id, p.product_id, p.next_price_change_at AS at,
                      row_number() OVER (PARTITION BY p.tenant_id ORDER BY p.next_price_change_at) AS turn
               FROM tenants AS t CROSS JOIN LATERAL (
                 SELECT tenant_id, product_id, next_price_change_at FROM product_pages WHERE tenant_id = t.id AND next_price_change_at <= $1
                 ORDER BY next_price_change_at LIMIT $2) AS p) AS next
             ORDER BY turn, at LIMIT $2",
        )
        .bind(now)
        .bind(LIMIT)
        .fetch_all(&mut *connection)
        .await?;
    }
    let origin = Origin { event_time: now, correlation_id: "scheduled-price".to_owned(), traceparent: None };
    Ok(rows.into_iter().map(|(tenant, product)| ((TenantId(tenant), ProductId(product)), origin.clone())).collect())
}

/// Composes products. One that can't be composed is tried again an hour later and holds up no other.
async fn compose(
    connection: &mut PgConnection,
    touched: &BTreeMap<Key, Origin>,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    if touched.is_empty() || compose_behind_savepoint(connection, touched, now).await? {
        return Ok(());
    }
    for (key, origin) in touched {
        let one = BTreeMap::from([(*key, origin.clone())]);
        if !compose_behind_savepoint(connection, &one, now).await? {
            sqlx::query("UPDATE product_pages SET next_price_change_at = $3 WHERE tenant_id = $1 AND product_id = $2")
                .bind(key.0.uuid())
                .bind(key.1.uuid())
                .bind(now + REST)
                .execute(&mut *connection)
                .await?;
        }
    }
    Ok(())
}

/// Composes products; gives whether the database took it. If not, nothing of it is kept.
async fn compose_behind_savepoint(
    connection: &mut PgConnection,
    touched: &BTreeMap<Key, Origin>,
    now: Timestamp,
) -> Result<bool, sqlx::Error> {
    let mut savepoint = connection.begin().await?;
    match project(&mut savepoint, touched, now).await {
        Ok(()) => savepoint.commit().await.map(|()| true),
        Err(error) if blame::is_of_data(&error) => {
            savepoint.rollback().await?;
            tracing::error!(%error, products = touched.len(), "products can't be composed, and rest");
            Ok(false)
        }
        Err(error) => Err(error),
    }
}
