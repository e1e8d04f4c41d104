//! The tables of promotions, of their codes and of their uses.

pub(super) mod codes;
pub(super) mod counters;
pub(super) mod first_orders;
pub(super) mod lookup;

use super::domain::{CodeList, CouponUsage, Promotion, counting::Counts};
use crate::pipeline::{Column, Failure, Row, Scope, Table, TableSpec};
use sqlx::PgConnection;

impl Table for Promotion {
    const SPEC: TableSpec = TableSpec {
        name: "promotions",
        id: "promotion_id",
        of_tenant: true,
        columns: &[
            Column::Text("name", "text"),
            Column::Plain("needs_code", "bool"),
            Column::Text("ends_at", "timestamptz"),
            Column::Plain("is_ended", "bool"),
            Column::Json("state"),
        ],
    };

    /// Counts once what was used before, where something is limited that was not.
    async fn write_parts(conn: &mut PgConnection, scope: &Scope, rows: &[Row<'_, Self>]) -> Result<(), Failure> {
        for row in rows {
            let Some(before) = row.before else { continue };
            for counts in Counts::ALL {
                let was = counts.limit(&before.content.limits);
                if let Some(most) = counts.limit(&row.state.content.limits).filter(|_| was.is_none()) {
                    counters::count_anew(conn, scope.tenant, row.state.promotion_id, counts, most).await?;
                }
            }
        }
        Ok(())
    }
}

impl Table for CodeList {
    const SPEC: TableSpec =
        TableSpec { name: "code_lists", id: "code_list_id", of_tenant: true, columns: &[Column::Json("state")] };
}

impl Table for CouponUsage {
    const SPEC: TableSpec = TableSpec {
        name: "usages",
        id: "usage_id",
        of_tenant: true,
        columns: &[
            Column::Text("checkout_id", "uuid"),
            Column::Text("promotion_id", "uuid"),
            Column::Text("code", "text"),
            Column::Text("customer", "text"),
            Column::Text("stage", "text"),
            Column::Json("state"),
        ],
    };
}
