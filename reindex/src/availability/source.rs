//! What a checkout would go by, with its versions.

use super::{
    chosen::Variant,
    said::{Said, Versions},
};
use crate::failure::Failure;
use sqlx::PgPool;

/// What is known at the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    /// The versions of what it follows from.
    pub versions: Versions,
    /// What a checkout would say; none where the write database is not at hand.
    pub said: Option<Said>,
}

/// What the write side says of a variant, or only the versions that the views have of it.
pub async fn told(read: &PgPool, write: Option<&PgPool>, variant: &Variant) -> Result<Told, Failure> {
    match write {
        Some(write) => of_write(write, variant).await,
        None => of_views(read, variant).await,
    }
}

type Row = (i64, i64, bool, i64, i64);

async fn of_write(write: &PgPool, variant: &Variant) -> Result<Told, Failure> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT catalog_version, stock_version, is_published, available, promised FROM installation.orderable($1, $2)",
    )
    .bind(variant.shop)
    .bind(variant.id)
    .fetch_optional(write)
    .await
    .map_err(|error| Failure::Other(format!("the write database failed: {error}")))?;
    Ok(row.map_or_else(gone, |(catalog, stock, is_published, available, promised)| Told {
        versions: Versions { catalog, stock },
        said: Some(Said {
            published: Some(is_published),
            in_stock: Some(available > 0),
            orderable: Some(is_published && (available > 0 || promised > 0)),
        }),
    }))
}

/// The catalog has no such variant: it is for sale nowhere, whatever stock there is.
fn gone() -> Told {
    let said = Said { published: Some(false), in_stock: None, orderable: Some(false) };
    Told { versions: Versions::default(), said: Some(said) }
}

async fn of_views(read: &PgPool, variant: &Variant) -> Result<Told, Failure> {
    let (catalog, stock) = sqlx::query_as(
        "SELECT coalesce(max(version) FILTER (WHERE context = 'catalog'), 0), coalesce(max(version) FILTER (WHERE context = 'inventory'), 0)
         FROM sources WHERE tenant_id = $1 AND ((context = 'catalog' AND aggregate_id = $2) OR (context = 'inventory' AND aggregate_id = $3))",
    )
    .bind(variant.shop)
    .bind(variant.product)
    .bind(variant.id)
    .fetch_one(read)
    .await?;
    Ok(Told { versions: Versions { catalog, stock }, said: None })
}
