//! Which variants there are, for the contexts that keep something about each.

use super::{Failure, Scope};
use schemas::{
    Uuid,
    ids::{ProductId, VariantId},
};
use sqlx::PgConnection;
use std::collections::HashMap;

/// How a command names a variant.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum VariantRef {
    /// By its id.
    Id(VariantId),
    /// By its SKU.
    Sku(String),
}

/// A variant of the catalog.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct KnownVariant {
    pub(crate) variant_id: VariantId,
    pub(crate) product_id: ProductId,
}

/// Variants by how they were named.
#[derive(Debug, Default)]
pub(crate) struct KnownVariants {
    by_id: HashMap<VariantId, KnownVariant>,
    by_sku: HashMap<String, KnownVariant>,
}

impl KnownVariants {
    pub(crate) fn get(&self, reference: &VariantRef) -> Option<KnownVariant> {
        match reference {
            VariantRef::Id(id) => self.by_id.get(id).copied(),
            VariantRef::Sku(sku) => self.by_sku.get(sku).copied(),
        }
    }

    pub(crate) fn by_sku(&self, sku: &str) -> Option<KnownVariant> {
        self.by_sku.get(sku).copied()
    }

    pub(crate) fn ids(&self) -> Vec<Uuid> {
        self.by_id.keys().map(|id| id.uuid()).collect()
    }

    pub(crate) fn insert(&mut self, sku: &str, known: KnownVariant) {
        self.by_id.insert(known.variant_id, known);
        self.by_sku.insert(sku.to_owned(), known);
    }

    pub(crate) fn remove(&mut self, sku: &str, id: VariantId) {
        self.by_id.remove(&id);
        if self.by_sku.get(sku).is_some_and(|known| known.variant_id == id) {
            self.by_sku.remove(sku);
        }
    }
}

/// Looks up the variants named, in one query.
pub(crate) async fn find<'a>(
    conn: &mut PgConnection,
    scope: &Scope,
    references: impl Iterator<Item = &'a VariantRef>,
) -> Result<KnownVariants, Failure> {
    let (mut ids, mut skus): (Vec<Uuid>, Vec<&str>) = (Vec::new(), Vec::new());
    for reference in references {
        match reference {
            VariantRef::Id(id) => ids.push(id.uuid()),
            VariantRef::Sku(sku) => skus.push(sku),
        }
    }
    fetch(conn, scope, &ids, &skus).await
}

/// Looks up the variants of some SKUs.
pub(crate) async fn of_skus(conn: &mut PgConnection, scope: &Scope, skus: &[&str]) -> Result<KnownVariants, Failure> {
    fetch(conn, scope, &[], skus).await
}

async fn fetch(conn: &mut PgConnection, scope: &Scope, ids: &[Uuid], skus: &[&str]) -> Result<KnownVariants, Failure> {
    let mut known = KnownVariants::default();
    if ids.is_empty() && skus.is_empty() {
        return Ok(known);
    }
    let rows: Vec<(Uuid, Uuid, String)> = sqlx::query_as(
        "SELECT variant_id, product_id, sku FROM catalog.variants WHERE tenant_id = $1 AND variant_id = ANY($2) \
         UNION ALL \
         SELECT variant_id, product_id, sku FROM catalog.variants WHERE tenant_id = $1 AND sku = ANY($3)",
    )
    .bind(scope.tenant.uuid())
    .bind(ids)
    .bind(skus)
    .fetch_all(conn)
    .await?;
    for (variant_id, product_id, sku) in rows {
        known.insert(&sku, KnownVariant { variant_id: VariantId(variant_id), product_id: ProductId(product_id) });
    }
    Ok(known)
}
