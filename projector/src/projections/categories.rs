//! The category tree with the path to each node; a change touches every product below.

use super::{
    category_walks,
    touched::{Origin, Touched},
};
use schemas::{
    Uuid,
    events::catalog::CategoryContent,
    ids::{CategoryId, TenantId},
};
use search::document::DocumentCategory;
use sqlx::{PgConnection, Row};
use std::collections::{BTreeMap, BTreeSet};

/// Deepest tree whose paths are followed; a ring of parents ends here too.
const MAX_DEPTH: usize = 32;

/// Rewrites the tree of each tenant whose categories changed and adds the products below to `touched`; very many
/// are left to a walk.
///
/// # Errors
/// The database's.
pub async fn project(connection: &mut PgConnection, touched: &mut Touched) -> Result<(), sqlx::Error> {
    for (tenant, (changed, origin)) in std::mem::take(&mut touched.categories) {
        let Some(origin) = origin else { continue };
        let contents = contents(connection, tenant).await?;
        let before = stored_paths(connection, tenant).await?;
        let after = paths(&contents);
        let mut moved: BTreeSet<CategoryId> = changed;
        moved.extend(after.iter().filter(|(id, path)| before.get(id) != Some(path)).map(|(id, _)| *id));
        store(connection, tenant, &contents, &after, &moved).await?;
        touch_products(connection, touched, tenant, &moved, &origin).await?;
    }
    Ok(())
}

/// The path of each category; a parent that is not known (yet) starts a path of its own.
fn paths(contents: &BTreeMap<CategoryId, CategoryContent>) -> BTreeMap<CategoryId, DocumentCategory> {
    contents.keys().map(|id| (*id, path(contents, *id))).collect()
}

fn path(contents: &BTreeMap<CategoryId, CategoryContent>, leaf: CategoryId) -> DocumentCategory {
    let mut path = DocumentCategory { path_ids: vec![], path_slugs: vec![], path_names: vec![] };
    let mut next = Some(leaf);
    while let Some((id, content)) = next.and_then(|id| Some((id, contents.get(&id)?))) {
        if path.path_ids.len() == MAX_DEPTH || path.path_ids.contains(&id) {
            break;
        }
        path.path_ids.insert(0, id);
        path.path_slugs.insert(0, content.slug.clone());
        path.path_names.insert(0, content.name.clone());
        next = content.parent_id;
    }
    path
}

async fn contents(
    connection: &mut PgConnection,
    tenant: TenantId,
) -> Result<BTreeMap<CategoryId, CategoryContent>, sqlx::Error> {
    let rows: Vec<(Uuid, String)> = sqlx::query_as(
        "SELECT aggregate_id, body FROM sources
         WHERE tenant_id = $1 AND context = 'catalog' AND aggregate = 'category' AND NOT deleted",
    )
    .bind(tenant.uuid())
    .fetch_all(connection)
    .await?;
    let read = |(id, body): (Uuid, String)| match serde_json::from_str(&body) {
        Ok(content) => Ok((CategoryId(id), content)),
        Err(error) => Err(sqlx::Error::Decode(Box::new(error))),
    };
    rows.into_iter().map(read).collect()
}

/// The paths of all categories of some tenants, or of those that are named.
///
/// # Errors
/// The database's.
pub async fn stored_paths(
    connection: &mut PgConnection,
    tenant: TenantId,
) -> Result<BTreeMap<CategoryId, DocumentCategory>, sqlx::Error> {
    let rows = sqlx::query("SELECT category_id, path_ids, path_slugs, path_names FROM categories WHERE tenant_id = $1")
        .bind(tenant.uuid())
        .fetch_all(connection)
        .await?;
    let mut paths = BTreeMap::new();
    for row in rows {
        let path = DocumentCategory {
            path_ids: row.try_get::<Vec<Uuid>, _>("path_ids")?.into_iter().map(CategoryId).collect(),
            path_slugs: row.try_get("path_slugs")?,
            path_names: row.try_get("path_names")?,
        };
        paths.insert(CategoryId(row.try_get("category_id")?), path);
    }
    Ok(paths)
}

async fn store(
    connection: &mut PgConnection,
    tenant: TenantId,
    contents: &BTreeMap<CategoryId, CategoryContent>,
    paths: &BTreeMap<CategoryId, DocumentCategory>,
    moved: &BTreeSet<CategoryId>,
) -> Result<(), sqlx::Error> {
    for id in moved {
        let (Some(content), Some(path)) = (contents.get(id), paths.get(id)) else {
            sqlx::query("DELETE FROM categories WHERE tenant_id = $1 AND category_id = $2")
                .bind(tenant.uuid())
                .bind(id.uuid())
                .execute(&mut *connection)
                .await?;
            continue;
        };
        sqlx::query(
            "INSERT INTO categories (tenant_id, category_id, parent_id, slug, name, position, external_id, path_ids, path_slugs,
                                     path_names)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
             ON CONFLICT (tenant_id, category_id) DO UPDATE
             SET parent_id = excluded.parent_id, slug = excluded.slug, name = excluded.name, position = excluded.position,
                 external_id = excluded.external_id, path_ids = excluded.path_ids, path_slugs = excluded.path_slugs,
                 path_names = excluded.path_names",
        )
        .bind(tenant.uuid())
        .bind(id.uuid())
        .bind(content.parent_id.map(CategoryId::uuid))
        .bind(&content.slug)
        .bind(&content.name)
        .bind(content.position)
        .bind(&content.external_id)
        .bind(path.path_ids.iter().map(|id| id.uuid()).collect::<Vec<_>>())
        .bind(&path.path_slugs)
        .bind(&path.path_names)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

async fn touch_products(
    connection: &mut PgConnection,
    touched: &mut Touched,
    tenant: TenantId,
    moved: &BTreeSet<CategoryId>,
    origin: &Origin,
) -> Result<(), sqlx::Error> {
    match category_walks::few_below(connection, tenant, moved).await? {
        Some(products) => products.into_iter().for_each(|product| touched.product(tenant, product, origin)),
        None => category_walks::begin(connection, tenant, moved, origin).await?,
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u128) -> CategoryId {
        CategoryId(Uuid::from_u128(n))
    }

    fn content(slug: &str, parent: Option<u128>) -> CategoryContent {
        CategoryContent {
            external_id: None,
            parent_id: parent.map(id),
            slug: slug.to_owned(),
            name: slug.to_uppercase(),
            position: 0,
        }
    }

    #[test]
    fn a_path_leads_from_the_root() {
        let contents = BTreeMap::from([
            (id(1), content("a", None)),
            (id(2), content("b", Some(1))),
            (id(3), content("c", Some(2))),
        ]);
        assert_eq!(paths(&contents)[&id(3)].path_slugs, ["a", "b", "c"]);
    }

    #[test]
    fn a_ring_and_a_missing_parent_end() {
        let contents = BTreeMap::from([
            (id(1), content("a", Some(2))),
            (id(2), content("b", Some(1))),
            (id(3), content("c", Some(9))),
        ]);
        assert_eq!(paths(&contents)[&id(1)].path_slugs, ["b", "a"]);
        assert_eq!(paths(&contents)[&id(3)].path_slugs, ["c"]);
    }
}
