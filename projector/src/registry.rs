//! Every feed and every projection, on one screen.
//!
//! A feed follows the events of some contexts with a checkpoint, a connection and transactions of its own: what waits
//! in one never delays another. Its projections share the transaction, in the order they stand here. A context
//! belongs to one feed. To add a read model: a file in `projections/`, and its line here.

use crate::{
    projection::{Registered, ViewTable},
    projections::{
        accounts, activity, carts, checkout, insights, keys, ledger, merchandising, orders, payments, products,
        promotions, settings, sources, stock, tenants,
    },
};
use schemas::{
    signals::Changed,
    topics::{Context, Topic},
};

/// Some contexts that are followed together.
#[derive(Debug, Clone, Copy)]
pub struct Feed {
    /// The name in checkpoints, status, dead letters and metrics. It never changes: the checkpoint is stored under it.
    pub name: &'static str,
    /// What its readers are told after a commit.
    pub changes: Changed,
    /// What its events are turned into.
    pub projections: &'static [Registered],
}

/// The feeds.
pub const FEEDS: &[Feed] = &[
    Feed {
        name: "products",
        changes: Changed::Products,
        projections: &[
            Registered::of::<tenants::Tenants>(),
            Registered::of::<products::Products>(),
            Registered::of::<stock::Stock>(),
        ],
    },
    Feed {
        name: "merchandising",
        changes: Changed::Anything,
        projections: &[
            Registered::of::<merchandising::Merchandising>(),
            Registered::of::<keys::Keys>(),
            Registered::of::<settings::Settings>(),
        ],
    },
    Feed { name: "activity", changes: Changed::Figures, projections: &[Registered::of::<activity::Activity>()] },
    Feed { name: "accounts", changes: Changed::Figures, projections: &[Registered::of::<accounts::Accounts>()] },
    Feed { name: "promotions", changes: Changed::Figures, projections: &[Registered::of::<promotions::Promotions>()] },
    Feed {
        name: "orders",
        changes: Changed::Figures,
        projections: &[Registered::of::<orders::Orders>(), Registered::of::<checkout::Checkouts>()],
    },
    Feed { name: "carts", changes: Changed::Figures, projections: &[Registered::of::<carts::Carts>()] },
    Feed {
        name: "payments",
        changes: Changed::Figures,
        projections: &[Registered::of::<payments::Payments>(), Registered::of::<ledger::Ledger>()],
    },
    Feed { name: "insights", changes: Changed::Figures, projections: &[Registered::of::<insights::Insights>()] },
];

/// Tables of the read database that no projection writes, and so none of the views.
pub const OTHER_TABLES: &[&str] = &[
    "checkpoints",
    "dead_letter_history",
    "dead_letters",
    "discarded_events",
    "document_outbox",
    "embeddings",
    "generation_copies",
    "generation_proofs",
    "index_generations",
    "index_nodes",
    "index_switches",
    "index_watches",
    "insight_retention",
    "leases",
    "log_epoch",
    "operations",
    "probes",
    "projection_status",
    "query_nodes",
    "reconciliations",
    "tenant_lag",
    "vector_sets",
    "views_standby",
];

impl Feed {
    /// The contexts it follows, each once.
    #[must_use]
    pub fn contexts(&self) -> Vec<Context> {
        let reads = |context: &Context| self.projections.iter().any(|projection| projection.reads.contains(context));
        Context::ALL.into_iter().filter(reads).collect()
    }

    /// The topics it follows.
    #[must_use]
    pub fn topics(&self) -> Vec<Topic> {
        self.contexts().into_iter().map(Context::topic).collect()
    }

    /// The lock of those who run it, each with some of its partitions.
    #[must_use]
    pub fn lock(&self) -> String {
        format!("souk:feed:{}", self.name)
    }
}

/// The names of all feeds.
#[must_use]
pub fn names() -> Vec<&'static str> {
    FEEDS.iter().map(|feed| feed.name).collect()
}

/// Every projection of every feed.
pub fn projections() -> impl Iterator<Item = &'static Registered> {
    FEEDS.iter().flat_map(|feed| feed.projections)
}

/// Every table of the views: those of all projections, and the versions that the feeds keep.
#[must_use]
pub fn tables() -> Vec<ViewTable> {
    [sources::TABLE].into_iter().chain(projections().flat_map(|projection| projection.tables).copied()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{collections::BTreeSet, path::Path};

    #[test]
    fn every_context_belongs_to_one_feed() {
        for context in Context::ALL {
            let feeds: Vec<_> =
                FEEDS.iter().filter(|feed| feed.contexts().contains(&context)).map(|feed| feed.name).collect();
            assert_eq!(feeds.len(), 1, "the context {context} has to belong to one feed of FEEDS, not to {feeds:?}");
        }
    }

    #[test]
    fn names_of_feeds_projections_and_tables_differ() {
        let tables = tables();
        let projections: Vec<_> = projections().map(|projection| projection.name).collect();
        for names in [names(), projections, tables.iter().map(|table| table.name).collect()] {
            assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "{names:?}");
        }
    }

    /// The tables that a migration makes.
    fn made(sql: &str) -> impl Iterator<Item = &str> {
        sql.lines().filter_map(|line| line.trim_start().strip_prefix("CREATE TABLE ")).filter_map(|rest| {
            let name = rest.trim_start_matches("IF NOT EXISTS ").split([' ', '(']).next()?;
            (!name.contains('.')).then_some(name)
        })
    }

    /// Tables of some migrations that neither a projection nor [`OTHER_TABLES`] names.
    fn unnamed(migrations: &[String]) -> Vec<&str> {
        let tables = tables();
        let is_named = |name: &str| OTHER_TABLES.contains(&name) || tables.iter().any(|table| table.name == name);
        migrations.iter().flat_map(|sql| made(sql)).filter(|name| !is_named(name)).collect()
    }

    #[test]
    fn every_table_of_the_read_database_is_named() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations/read");
        let files = std::fs::read_dir(folder).expect("the migrations");
        let migrations: Vec<String> = files
            .filter_map(|file| Some(file.ok()?.path()).filter(|path| path.extension().is_some_and(|end| end == "sql")))
            .map(|path| std::fs::read_to_string(path).expect("a migration"))
            .collect();
        assert!(migrations.iter().flat_map(|sql| made(sql)).count() > 20);
        let unnamed = unnamed(&migrations);
        assert!(unnamed.is_empty(), "name them in a projection's TABLES or in OTHER_TABLES: {unnamed:?}");
    }

    #[test]
    fn a_table_that_nobody_names_is_found() {
        let migration = "CREATE TABLE left_behind (\n  tenant_id uuid NOT NULL\n);".to_owned();
        assert_eq!(unnamed(&[migration]), ["left_behind"]);
    }
}
