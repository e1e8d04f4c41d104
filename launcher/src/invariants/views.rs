//! Views against what they are made from: each aggregate in its last version.

use super::Offenders;
use schemas::Uuid;
use sqlx::PgConnection;
use std::collections::HashMap;

/// A table of the write side, and the view that follows it.
pub(super) struct Followed {
    pub(super) name: &'static str,
    /// Gives shop, id and version of each row that the view has to have.
    write: &'static str,
    /// Gives the same of the view.
    read: &'static str,
}

/// All that is compared row by row. What rebuilt views have is proved by their own certificates.
pub(super) const ALL: &[Followed] = &[
    Followed {
        name: "orders are shown as they are",
        write: "SELECT tenant_id, order_id, version FROM orders.orders",
        read: "SELECT tenant_id, order_id, version FROM orders",
    },
    Followed {
        name: "checkouts are shown as they are",
        write: "SELECT tenant_id, checkout_id, version FROM checkout.checkouts",
        read: "SELECT tenant_id, checkout_id, version FROM checkouts",
    },
    Followed {
        name: "payments are shown as they are",
        write: "SELECT tenant_id, payment_id, version FROM payments.payments",
        read: "SELECT tenant_id, payment_id, version FROM payments",
    },
    Followed {
        name: "the ledger is shown as it is",
        write: "SELECT tenant_id, transaction_id, count(*) FROM payments.ledger_entries GROUP BY 1, 2",
        read: "SELECT tenant_id, transaction_id, count(*) FROM ledger_entries GROUP BY 1, 2",
    },
];

type Versions = HashMap<(Uuid, Uuid), i64>;

async fn versions(connection: &mut PgConnection, sql: &'static str) -> Result<Versions, sqlx::Error> {
    let rows: Vec<(Uuid, Uuid, i64)> = sqlx::query_as(sql).fetch_all(connection).await?;
    Ok(rows.into_iter().map(|(shop, id, version)| ((shop, id), version)).collect())
}

impl Followed {
    pub(super) async fn compare(
        &self,
        snapshot: &mut PgConnection,
        read: &mut PgConnection,
    ) -> Result<Offenders, sqlx::Error> {
        let (written, mut shown) = (versions(snapshot, self.write).await?, versions(read, self.read).await?);
        let mut found = Vec::new();
        for ((shop, id), version) in written {
            match shown.remove(&(shop, id)) {
                // What was written since the snapshot is ahead of it.
                Some(other) if other >= version => {}
                Some(other) => found.push(format!("{id}: shown in version {other} of {version}")),
                None => found.push(format!("{id}: version {version} is not shown")),
            }
        }
        Ok(Offenders::of(found))
    }
}
