//! The attribute names of a shop, of which there is a bound: each is a column of the index, whichever products have it.

use crate::pipeline::{Failure, Scope};
use schemas::events::catalog::ProductContent;
use sqlx::PgConnection;
use std::collections::{BTreeSet, HashSet};

/// The names that some products have.
#[derive(Debug, Default)]
pub(in crate::contexts::catalog) struct AttributeNames {
    known: HashSet<String>,
    new: BTreeSet<String>,
    /// How many names the shop has; looked up only if one of these is new.
    used: usize,
}

/// The names in a product, those of its variants included.
pub(in crate::contexts::catalog) fn of(content: &ProductContent) -> impl Iterator<Item = &str> {
    let variants = content.variants.iter().flat_map(|variant| variant.attributes.keys());
    content.attributes.keys().chain(variants).map(String::as_str)
}

impl AttributeNames {
    /// Looks up which of these names the shop has.
    pub(in crate::contexts::catalog) async fn find(
        conn: &mut PgConnection,
        scope: &Scope,
        names: &BTreeSet<&str>,
    ) -> Result<Self, Failure> {
        if names.is_empty() {
            return Ok(Self::default());
        }
        let known: Vec<String> =
            sqlx::query_scalar("SELECT name FROM catalog.attribute_names WHERE tenant_id = $1 AND name = ANY($2)")
                .bind(scope.tenant.uuid())
                .bind(names.iter().copied().collect::<Vec<_>>())
                .fetch_all(&mut *conn)
                .await?;
        let mut used = known.len();
        if used < names.len() {
            let count: i64 = sqlx::query_scalar("SELECT count(*) FROM catalog.attribute_names WHERE tenant_id = $1")
                .bind(scope.tenant.uuid())
                .fetch_one(conn)
                .await?;
            used = usize::try_from(count).unwrap_or(usize::MAX);
        }
        Ok(Self { known: known.into_iter().collect(), new: BTreeSet::new(), used })
    }

    /// Those names of a product that the shop does not have.
    pub(in crate::contexts::catalog) fn missing(&self, content: &ProductContent) -> BTreeSet<String> {
        of(content).filter(|name| !self.known.contains(*name)).map(str::to_owned).collect()
    }

    /// How many names the shop has, with those that were taken in.
    pub(in crate::contexts::catalog) fn used(&self) -> usize {
        self.used.saturating_add(self.new.len())
    }

    /// Takes in the names of a product that will be written.
    pub(in crate::contexts::catalog) fn follow(&mut self, content: &ProductContent) {
        for name in self.missing(content) {
            self.known.insert(name.clone());
            self.new.insert(name);
        }
    }

    /// Writes down the names that are new. Two writers that have the same one at once wait for each other in one order.
    pub(in crate::contexts::catalog) async fn write(
        self,
        conn: &mut PgConnection,
        scope: &Scope,
    ) -> Result<(), Failure> {
        if self.new.is_empty() {
            return Ok(());
        }
        sqlx::query(
            "INSERT INTO catalog.attribute_names (tenant_id, name) SELECT $1, name FROM unnest($2::text[]) AS name \
             ORDER BY name ON CONFLICT DO NOTHING",
        )
        .bind(scope.tenant.uuid())
        .bind(self.new.into_iter().collect::<Vec<_>>())
        .execute(conn)
        .await?;
        Ok(())
    }
}
