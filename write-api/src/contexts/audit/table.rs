//! The table of trails.

use super::domain::Trail;
use crate::pipeline::{Column, Table, TableSpec};

impl Table for Trail {
    const SPEC: TableSpec =
        TableSpec { name: "trails", id: "trail_id", of_tenant: true, columns: &[Column::Text("digest", "text")] };
}
