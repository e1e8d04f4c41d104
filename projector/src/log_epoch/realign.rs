//! Bringing the read side in line with a write side that may have gone back in time: what the views have seen must
//! be a point of the write side's history. An aggregate of which that is not true is forgotten and told anew from
//! its outbox, before any new event can take a version that is known here with another content.

use crate::{
    projection::{Registered, Retold},
    projections::sources,
    registry, relay,
};
use eventlog::Event;
use schemas::{Timestamp, Utc, Uuid, ids::TenantId, topics::Context};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use std::collections::{BTreeMap, BTreeSet};

/// Aggregates compared at a time.
const CHUNK: i64 = 5_000;
/// Events projected at a time.
const EVENTS: usize = 2_000;

/// What the views know of one aggregate.
#[derive(Debug, Clone, sqlx::FromRow)]
struct Seen {
    tenant_id: Uuid,
    context: String,
    aggregate_id: Uuid,
    aggregate: String,
    product_id: Option<Uuid>,
    version: i64,
    event_time: Timestamp,
}

/// Compares every aggregate of the views with the outboxes and mends what differs; gives how many did.
///
/// # Errors
/// The databases'; what was mended stays so.
pub async fn realign(write: &mut PgConnection, read: &mut PgConnection) -> Result<u64, sqlx::Error> {
    let mut after = (Uuid::nil(), String::new(), Uuid::nil());
    let mut whole = BTreeSet::new();
    let mut cut = 0;
    loop {
        let seen: Vec<Seen> = sqlx::query_as(
            "SELECT tenant_id, context, aggregate_id, aggregate, product_id, version, event_time FROM sources
             WHERE (tenant_id, context, aggregate_id) > ($1, $2, $3) ORDER BY tenant_id, context, aggregate_id LIMIT $4",
        )
        .bind(after.0)
        .bind(&after.1)
        .bind(after.2)
        .bind(CHUNK)
        .fetch_all(&mut *read)
        .await?;
        let Some(last) = seen.last() else { return Ok(cut) };
        after = (last.tenant_id, last.context.clone(), last.aggregate_id);
        let mut strangers = Vec::new();
        for context in Context::ALL {
            let of_context: Vec<&Seen> = seen.iter().filter(|seen| seen.context == context.name()).collect();
            strangers.extend(strangers_of(write, context, &of_context).await?);
        }
        cut += strangers.len() as u64;
        mend(write, read, &strangers, &mut whole).await?;
    }
}

/// Those whose version and time are no point of the write side's history.
async fn strangers_of(write: &mut PgConnection, context: Context, seen: &[&Seen]) -> Result<Vec<Seen>, sqlx::Error> {
    if seen.is_empty() {
        return Ok(Vec::new());
    }
    let places: Vec<i64> = sqlx::query_scalar(AssertSqlSafe(format!(
        "SELECT k.n FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::timestamptz[]) WITH ORDINALITY AS k(t, a, v, e, n)
         WHERE NOT EXISTS (SELECT FROM {context}.outbox AS o WHERE o.tenant_id = k.t AND o.aggregate_id = k.a
                           AND o.version = k.v AND o.occurred_at = k.e)"
    )))
    .bind(seen.iter().map(|seen| seen.tenant_id).collect::<Vec<_>>())
    .bind(seen.iter().map(|seen| seen.aggregate_id).collect::<Vec<_>>())
    .bind(seen.iter().map(|seen| seen.version).collect::<Vec<_>>())
    .bind(seen.iter().map(|seen| seen.event_time).collect::<Vec<_>>())
    .fetch_all(write)
    .await?;
    let at =
        |place: &i64| usize::try_from(place - 1).ok().and_then(|place| seen.get(place)).map(|seen| (*seen).clone());
    Ok(places.iter().filter_map(at).collect())
}

/// Which events of a context are to be told again.
enum Again {
    /// Those of some aggregates, as tenant and id.
    Aggregates(Vec<Uuid>, Vec<Uuid>),
    /// All of a tenant: the views that follow from them know no single aggregate.
    Tenant(Uuid),
}

/// What has to be told anew together: contexts, and the projections whose rows of a tenant follow from them as a whole.
#[derive(Debug, Default)]
struct Group {
    contexts: BTreeSet<Context>,
    projections: Vec<&'static Registered>,
}

/// The group of a context; without projections where each of its aggregates can be told anew alone.
fn group(context: Context) -> Group {
    let mut group = Group { contexts: [context].into(), projections: Vec::new() };
    // A projection that sums up a second context is told that one anew, too, and so is whoever else sums that up.
    loop {
        let known: Vec<&str> = group.projections.iter().map(|projection| projection.name).collect();
        let next = registry::projections().find(|projection| {
            !projection.by_aggregate
                && !known.contains(&projection.name)
                && projection.reads.iter().any(|context| group.contexts.contains(context))
        });
        let Some(next) = next else { return group };
        group.contexts.extend(next.reads);
        group.projections.push(next);
    }
}

/// Forgets aggregates and tells them anew, in one transaction. `whole` names what was told anew as a whole already.
async fn mend(
    write: &mut PgConnection,
    read: &mut PgConnection,
    strangers: &[Seen],
    whole: &mut BTreeSet<(Uuid, Context)>,
) -> Result<(), sqlx::Error> {
    if strangers.is_empty() {
        return Ok(());
    }
    let mut transaction = read.begin().await?;
    let mut again: Vec<(Context, Again)> = Vec::new();
    let mut single: BTreeMap<Context, (Vec<Uuid>, Vec<Uuid>)> = BTreeMap::new();
    let mut retold = Vec::new();
    for seen in strangers {
        let Ok(context) = seen.context.parse::<Context>() else { continue };
        let tenant = seen.tenant_id;
        retold.push(seen.retold());
        let group = group(context);
        if group.projections.is_empty() {
            let ids = single.entry(context).or_default();
            ids.0.push(tenant);
            ids.1.push(seen.aggregate_id);
        } else if !whole.contains(&(tenant, context)) {
            forget_tenant(&mut transaction, tenant, &group).await?;
            for context in group.contexts {
                whole.insert((tenant, context));
                again.push((context, Again::Tenant(tenant)));
            }
        }
    }
    for (context, (tenants, ids)) in single {
        forget(&mut transaction, context, &tenants, &ids).await?;
        again.push((context, Again::Aggregates(tenants, ids)));
    }
    let now = Utc::now();
    for (context, which) in &again {
        let events = events(write, *context, which).await?;
        for chunk in events.chunks(EVENTS) {
            // What can't be applied comes again with the new log, and is parked then.
            let (new, _) = sources::advance(&mut transaction, chunk).await?;
            for projection in registry::projections() {
                projection.apply(&mut transaction, &new, now).await?;
            }
        }
    }
    for projection in registry::projections() {
        projection.settle(&mut transaction, &retold, now).await?;
    }
    transaction.commit().await
}

impl Seen {
    fn retold(&self) -> Retold {
        Retold {
            tenant: TenantId(self.tenant_id),
            aggregate: self.aggregate.clone(),
            id: self.aggregate_id,
            product: self.product_id,
            event_time: self.event_time,
        }
    }
}

async fn forget(read: &mut PgConnection, context: Context, tenants: &[Uuid], ids: &[Uuid]) -> Result<(), sqlx::Error> {
    sqlx::query(
        "DELETE FROM sources USING unnest($2::uuid[], $3::uuid[]) AS k(t, a)
         WHERE tenant_id = k.t AND context = $1 AND aggregate_id = k.a",
    )
    .bind(context.name())
    .bind(tenants)
    .bind(ids)
    .execute(read)
    .await?;
    Ok(())
}

async fn forget_tenant(read: &mut PgConnection, tenant: Uuid, group: &Group) -> Result<(), sqlx::Error> {
    for table in group.projections.iter().flat_map(|projection| projection.tables) {
        let sql = format!("DELETE FROM {} WHERE {} = $1", table.name, table.tenant);
        sqlx::query(AssertSqlSafe(sql)).bind(tenant).execute(&mut *read).await?;
    }
    sqlx::query("DELETE FROM sources WHERE tenant_id = $1 AND context = ANY($2)")
        .bind(tenant)
        .bind(group.contexts.iter().map(|context| context.name()).collect::<Vec<_>>())
        .execute(read)
        .await?;
    Ok(())
}

async fn events(write: &mut PgConnection, context: Context, which: &Again) -> Result<Vec<Event>, sqlx::Error> {
    let columns = relay::waiting::COLUMNS;
    let rows = match which {
        Again::Tenant(tenant) => {
            let sql = format!("SELECT {columns} FROM {context}.outbox WHERE tenant_id = $1 ORDER BY id");
            sqlx::query(AssertSqlSafe(sql)).bind(tenant).fetch_all(write).await?
        }
        Again::Aggregates(tenants, ids) => {
            let sql = format!(
                "SELECT {columns} FROM {context}.outbox JOIN unnest($1::uuid[], $2::uuid[]) AS k(t, a)
                 ON tenant_id = k.t AND aggregate_id = k.a ORDER BY id"
            );
            sqlx::query(AssertSqlSafe(sql)).bind(tenants).bind(ids).fetch_all(write).await?
        }
    };
    let mut events = Vec::with_capacity(rows.len());
    for row in &rows {
        // What can't be read comes again with the new log, and is parked then.
        if let Ok(event) = relay::event(row, context)? {
            events.push(event);
        }
    }
    Ok(events)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_told_anew_as_a_whole_and_products_one_by_one() {
        let tables = |context| -> Vec<&str> {
            group(context).projections.iter().flat_map(|one| one.tables).map(|table| table.name).collect()
        };
        assert_eq!(tables(Context::Insights), ["insight_searches", "insight_queries", "insight_products"]);
        assert_eq!(tables(Context::Merchandising), ["merchandising"]);
        assert!(tables(Context::Catalog).is_empty() && tables(Context::Pricing).is_empty());
    }
}
