//! The table of price sheets. A removed sheet stays, without entries; nothing deletes one.

use super::domain::PriceSheet;
use crate::pipeline::{Column, Table, TableSpec};

impl Table for PriceSheet {
    const SPEC: TableSpec = TableSpec {
        name: "price_sheets",
        id: "variant_id",
        of_tenant: true,
        columns: &[Column::Text("product_id", "uuid"), Column::Json("entries")],
    };
}
