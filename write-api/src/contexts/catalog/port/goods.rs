//! What stands in a cart, for those who price it.

use crate::{
    contexts::catalog::{domain::product::Status, table::products},
    pipeline::{Failure, Scope, batch::read_version},
};
use schemas::{
    Uuid,
    events::catalog::ProductContent,
    good::{Good, Lineages},
    ids::{CategoryId, ProductId, VariantId},
};
use sqlx::PgConnection;
use std::collections::{BTreeSet, HashMap};

/// A product with those of its variants that are asked for.
type Row = (Uuid, i64, String, String, Vec<Uuid>);

/// The goods of these variants, in two queries; a variant that is not there is left out.
pub(crate) async fn goods(
    conn: &mut PgConnection,
    scope: &Scope,
    variants: &[VariantId],
) -> Result<HashMap<VariantId, Good>, Failure> {
    let ids: Vec<Uuid> = variants.iter().map(|id| id.uuid()).collect();
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT p.product_id, p.version, p.status, p.content, v.variant_ids \
         FROM (SELECT product_id, array_agg(variant_id) AS variant_ids FROM catalog.variants \
               WHERE tenant_id = $1 AND variant_id = ANY($2) GROUP BY product_id) AS v \
         JOIN catalog.products AS p ON p.tenant_id = $1 AND p.product_id = v.product_id",
    )
    .bind(scope.tenant.uuid())
    .bind(ids)
    .fetch_all(&mut *conn)
    .await?;
    let mut contents = Vec::with_capacity(rows.len());
    for row in &rows {
        contents.push(products::read(&row.3)?);
    }
    let lineages = lineages(conn, scope, &contents).await?;
    let mut goods = HashMap::with_capacity(variants.len());
    for ((product_id, version, status, _, wanted), content) in rows.into_iter().zip(&contents) {
        let status = Status::parse(&status).ok_or_else(|| Failure::Unreadable("status", status.clone()))?;
        let product = (ProductId(product_id), read_version(version));
        let of = |id| Good::of(product, status == Status::Published, content, VariantId(id), &lineages);
        goods.extend(wanted.into_iter().filter_map(of).map(|good| (good.variant_id, good)));
    }
    Ok(goods)
}

/// The categories of some products with all that are above them.
async fn lineages(conn: &mut PgConnection, scope: &Scope, contents: &[ProductContent]) -> Result<Lineages, Failure> {
    let ids: BTreeSet<Uuid> = contents.iter().flat_map(|content| &content.category_ids).map(|id| id.uuid()).collect();
    if ids.is_empty() {
        return Ok(Lineages::new());
    }
    let rows: Vec<(Uuid, Uuid)> = sqlx::query_as(
        "WITH RECURSIVE above (start, category_id, parent_id) AS ( \
           SELECT category_id, category_id, parent_id FROM catalog.categories \
           WHERE tenant_id = $1 AND category_id = ANY($2) \
           UNION SELECT above.start, c.category_id, c.parent_id FROM above \
                 JOIN catalog.categories AS c ON c.tenant_id = $1 AND c.category_id = above.parent_id) \
         SELECT start, category_id FROM above",
    )
    .bind(scope.tenant.uuid())
    .bind(ids.into_iter().collect::<Vec<_>>())
    .fetch_all(conn)
    .await?;
    let mut lineages = Lineages::new();
    for (start, id) in rows {
        lineages.entry(CategoryId(start)).or_default().insert(CategoryId(id));
    }
    Ok(lineages)
}
