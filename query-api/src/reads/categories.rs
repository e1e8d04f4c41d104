//! The category tree with the number of products below each node.

use crate::{
    app::App,
    problem::Refusal,
    read_model::{Expected, Isolation, ReadModel},
    request::{ReadContext, ReadHeaders, ReadParameters},
    view::View,
};
use access::{Routes, Rule};
use axum::{extract::State, response::Response};
use schemas::{Uuid, ids::TenantId};
use serde::Serialize;
use sqlx::{PgPool, Row};
use std::collections::HashMap;
use utoipa_axum::routes;

/// The category tree.
pub const READ: ReadModel = ReadModel {
    routes,
    isolation: &[Isolation::of("/v1/categories", "/v1/categories", Expected::Empty("/categories"))],
};

fn routes() -> Routes<App> {
    Routes::default().allow(Rule::Shopper, routes!(tree))
}

/// The category tree of a tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(examples(json!(CategoryTree::example())))]
pub struct CategoryTree {
    /// The categories at the root, in their order, each with those below.
    pub categories: Vec<CategoryNode>,
}

impl CategoryTree {
    fn example() -> Self {
        let node = |id, slug: &str, name: &str, products, children| CategoryNode {
            id: Uuid::from_u128(id),
            external_id: None,
            slug: slug.to_owned(),
            name: name.to_owned(),
            products,
            children,
        };
        let below = node(0x0190_0000_0000_7000_8000_0000_0000_0002, "kettles", "Kettles", 7, Vec::new());
        Self {
            categories: vec![node(0x0190_0000_0000_7000_8000_0000_0000_0001, "kitchen", "Kitchen", 42, vec![below])],
        }
    }
}

/// A category with those below it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(no_recursion)]
pub struct CategoryNode {
    /// Its id.
    pub id: Uuid,
    /// The id it was imported under.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// The name in addresses.
    pub slug: String,
    /// The name people read.
    pub name: String,
    /// Published products in it and below.
    pub products: i64,
    /// The nodes below, in their order.
    pub children: Vec<CategoryNode>,
}

/// A category by name, for suggestions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The name in addresses.
    pub slug: String,
    /// The name people read.
    pub name: String,
    /// The names from the root.
    pub path: Vec<String>,
    /// Products in it and below.
    pub products: u64,
}

/// The names of categories, by slug and count of products, in their order.
///
/// # Errors
/// The database's.
pub async fn names(pool: &PgPool, tenant: TenantId, slugs: &[(String, u64)]) -> Result<Vec<Named>, sqlx::Error> {
    if slugs.is_empty() {
        return Ok(Vec::new());
    }
    let nodes = nodes(pool, tenant).await?;
    let mut named = Vec::new();
    for (slug, products) in slugs {
        if let Some(path) = path_to(&nodes, slug) {
            let name = path.last().cloned().unwrap_or_default();
            named.push(Named { slug: slug.clone(), name, path, products: *products });
        }
    }
    Ok(named)
}

fn path_to(nodes: &[CategoryNode], slug: &str) -> Option<Vec<String>> {
    nodes.iter().find_map(|node| {
        let below = if node.slug == slug { Some(Vec::new()) } else { path_to(&node.children, slug) };
        below.map(|mut path| {
            path.insert(0, node.name.clone());
            path
        })
    })
}

struct Flat {
    node: CategoryNode,
    parent: Option<Uuid>,
}

/// The whole tree.
///
/// # Errors
/// The database's.
async fn nodes(pool: &PgPool, tenant: TenantId) -> Result<Vec<CategoryNode>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT c.category_id, c.parent_id, c.external_id, c.slug, c.name, coalesce(n.products, 0) AS products
         FROM categories c
         LEFT JOIN (SELECT category_id, count(*) AS products FROM listing WHERE tenant_id = $1 GROUP BY category_id) AS n
              USING (category_id)
         WHERE c.tenant_id = $1 ORDER BY c.position, c.name, c.category_id",
    )
    .bind(tenant.uuid())
    .fetch_all(pool)
    .await?;
    let mut flat = Vec::with_capacity(rows.len());
    for row in rows {
        let node = CategoryNode {
            id: row.try_get("category_id")?,
            external_id: row.try_get("external_id")?,
            slug: row.try_get("slug")?,
            name: row.try_get("name")?,
            products: row.try_get("products")?,
            children: Vec::new(),
        };
        flat.push(Flat { node, parent: row.try_get("parent_id")? });
    }
    Ok(nest(flat))
}

/// Nodes under their parents; one whose parent is not known (yet) stands at the root.
fn nest(flat: Vec<Flat>) -> Vec<CategoryNode> {
    let known: std::collections::HashSet<Uuid> = flat.iter().map(|flat| flat.node.id).collect();
    let mut below: HashMap<Option<Uuid>, Vec<CategoryNode>> = HashMap::new();
    for Flat { node, parent } in flat {
        below.entry(parent.filter(|parent| known.contains(parent))).or_default().push(node);
    }
    take(&mut below, None)
}

fn take(below: &mut HashMap<Option<Uuid>, Vec<CategoryNode>>, parent: Option<Uuid>) -> Vec<CategoryNode> {
    // Taken out before descending, so that a ring of parents can't be followed twice.
    let mut nodes = below.remove(&parent).unwrap_or_default();
    for node in &mut nodes {
        node.children = take(below, Some(node.id));
    }
    nodes
}

/// The slug of a category by its id or slug.
///
/// # Errors
/// The database's.
pub async fn find(pool: &PgPool, tenant: TenantId, name: &str) -> Result<Option<String>, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT slug FROM categories WHERE tenant_id = $1 AND (slug = $2 OR category_id = $3) ORDER BY slug = $2 DESC LIMIT 1",
    )
    .bind(tenant.uuid())
    .bind(name)
    .bind(name.parse::<Uuid>().ok())
    .fetch_optional(pool)
    .await
}

/// The category tree with counts.
#[utoipa::path(get, path = "/v1/categories", tag = "catalog", params(ReadHeaders, ReadParameters),
    responses((status = 200, description = "The tree", body = CategoryTree)))]
pub async fn tree(State(app): State<App>, context: ReadContext) -> Result<Response, Refusal> {
    let read = async || View::of(&CategoryTree { categories: nodes(&app.pool, context.tenant).await? });
    context.view(&app, "tree".to_owned(), read).await
}
