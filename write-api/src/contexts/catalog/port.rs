//! What other contexts may know of the catalog: which variants there are, for those that keep something about each, and what
//! stands in a cart.

mod goods;

#[allow(unused_imports, reason = "checkouts freeze quotes with it")]
pub(crate) use goods::goods;

use crate::{
    domain::validation::Findings,
    pipeline::{Failure, Rejection, Scope},
};
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

impl VariantRef {
    /// The variant that a line names in one of two ways.
    pub(crate) fn parse(sku: Option<String>, id: Option<VariantId>) -> Result<Self, Rejection> {
        match (sku, id) {
            (None, Some(id)) => Ok(Self::Id(id)),
            (Some(sku), None) => {
                let mut findings = Findings::default();
                findings.line(|| "/sku".to_owned(), &sku, 100);
                findings.done().map_err(Rejection::invalid)?;
                Ok(Self::Sku(sku))
            }
            _ => Err(Rejection::invalid_at("/sku", "name the variant by `sku` or by `variant_id`")),
        }
    }
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
    /// The variant that is named.
    ///
    /// # Errors
    /// That it is not there.
    pub(crate) fn get(&self, reference: &VariantRef) -> Result<KnownVariant, Rejection> {
        let known = match reference {
            VariantRef::Id(id) => self.by_id.get(id),
            VariantRef::Sku(sku) => self.by_sku.get(sku),
        };
        known.copied().ok_or_else(|| {
            Rejection::not_found(match reference {
                VariantRef::Id(id) => format!("there is no variant {id}"),
                VariantRef::Sku(sku) => format!("there is no variant with the SKU `{sku}`"),
            })
        })
    }

    pub(super) fn by_sku(&self, sku: &str) -> Option<KnownVariant> {
        self.by_sku.get(sku).copied()
    }

    pub(super) fn insert(&mut self, sku: &str, known: KnownVariant) {
        self.by_id.insert(known.variant_id, known);
        self.by_sku.insert(sku.to_owned(), known);
    }

    pub(super) fn remove(&mut self, sku: &str, id: VariantId) {
        self.by_id.remove(&id);
        if self.by_sku.get(sku).is_some_and(|known| known.variant_id == id) {
            self.by_sku.remove(sku);
        }
    }
}

/// Looks up the variants named, in one query.
pub(crate) async fn variants<'a>(
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
pub(super) async fn of_skus(conn: &mut PgConnection, scope: &Scope, skus: &[&str]) -> Result<KnownVariants, Failure> {
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
