//! What every route needs.

use crate::{
    accounts::WriteApi,
    cache::Cache,
    changes::Change,
    config::Config,
    cursor,
    defined::Defined,
    freshness::Freshness,
    index::ActiveIndex,
    keys::ViewedKeys,
    metrics::Metrics,
    operations::Operations,
    popularity::Popularity,
    previews::Previews,
    promotions::Promotions,
    reads::search::SearchPage,
    shop_settings::KnownSettings,
    tenants::Tenants,
    vectors::{QueryVectors, Vectors},
    view::View,
};
use access::{AdminKey, CallerRates, Callers, Rates};
use search::{reader::Snapshot, searcher::Searcher};
use service::{Supervisor, shutdown::Shutdown};
use sqlx::PgPool;
use std::num::NonZeroU32;
use tokio::sync::watch;

/// What every route needs.
#[derive(Debug, Clone)]
pub struct App {
    /// The read database.
    pub pool: PgPool,
    /// The active index generation.
    pub index: ActiveIndex,
    /// Vectors of queries and products.
    pub vectors: Vectors,
    /// Waiting for tokens.
    pub freshness: Freshness,
    /// Answers of searches, kept for a moment.
    pub cache: Cache<SearchPage>,
    /// Answers from views, kept for a moment.
    pub views: Cache<View>,
    /// States of the index that cursors point to.
    pub cursors: cursor::Kept<Snapshot>,
    /// What staff have defined.
    pub defined: Defined,
    /// What shops have decided.
    pub settings: KnownSettings,
    /// What shoppers like.
    pub popularity: Popularity,
    /// What makes carts cheaper.
    pub promotions: Promotions,
    /// Who tries promotions on many carts at the moment.
    pub previews: Previews,
    /// Slugs to tenants.
    pub tenants: Tenants,
    /// What is counted.
    pub metrics: Metrics,
    /// Who calls, by the key that is sent.
    pub callers: Callers,
    /// How much each shop asks.
    pub rates: Rates,
    /// Where operations are passed on to.
    pub operations: Operations,
    /// Where what accounts want is passed on to, if it is.
    pub write_api: Option<WriteApi>,
    /// Answers searches, a bounded number at a time.
    pub searcher: Searcher,
    /// That this process is to end.
    pub shutdown: Shutdown,
}

impl App {
    /// Over the read database, whose changes are signalled; it begins to watch the folder of the index. Reads stop waiting
    /// soon after `shutdown` was triggered.
    #[must_use]
    pub fn new(
        config: &Config,
        pool: PgPool,
        changes: watch::Receiver<Change>,
        supervisor: &Supervisor,
        registry: &service::Metrics,
        shutdown: Shutdown,
    ) -> Self {
        let metrics = Metrics::new(registry);
        let vectors = QueryVectors::new(config.models(), metrics.held("query_vectors"));
        let index = ActiveIndex::watch(
            pool.clone(),
            config.index_dir.clone(),
            config.query_listen,
            vectors.clone(),
            supervisor,
        );
        Self {
            freshness: Freshness::new(pool.clone(), changes.clone(), index.clone(), config.wait_limits(), supervisor),
            popularity: Popularity::new(pool.clone()),
            promotions: Promotions::new(pool.clone()),
            previews: Previews::default(),
            defined: Defined::new(pool.clone(), changes.clone()),
            settings: KnownSettings::new(pool.clone(), changes.clone()),
            cache: Cache::new(config.search_cache_mib << 20, changes.clone(), metrics.held("searches")),
            views: Cache::new(config.view_cache_mib << 20, changes, metrics.held("views")),
            cursors: cursor::Kept::new(),
            tenants: Tenants::new(pool.clone()),
            metrics,
            searcher: Searcher::new(config.search_limits()),
            rates: Rates::of_shops(NonZeroU32::new(config.shop_reads_per_second), |quotas| quotas.reads_per_second),
            callers: Callers::new(
                AdminKey::new(config.admin_key.as_deref()),
                ViewedKeys { pool: pool.clone() },
                config.shop_domain.clone(),
            )
            .with_rates(CallerRates::new(NonZeroU32::new(config.caller_requests_per_second))),
            write_api: config.write_url.clone().map(WriteApi::at),
            operations: Operations {
                url: config.operations_url.clone(),
                key: access::key::header(config.admin_key.as_deref()),
                http: reqwest::Client::new(),
            },
            vectors: Vectors::new(pool.clone(), vectors),
            index,
            pool,
            shutdown,
        }
    }
}
