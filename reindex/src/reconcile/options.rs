//! The options of `reindex reconcile`.

/// Compare the write side, views, documents, index and vectors, and repair what differs
#[derive(Debug, Clone, clap::Args)]
#[command(
    after_help = "Examples:\n  reindex reconcile                     # 500 of each at random\n  reindex reconcile --all --dry-run\n  reindex reconcile --all --tenant demo # everything of one shop\n  reindex reconcile --sample 5000 --write-database-url postgres://souk@127.0.0.1/souk_write\n\nWithout --write-database-url, the views are not compared with the write side."
)]
pub struct Args {
    /// How many aggregates of each context and how many products to compare, at random
    #[arg(long, default_value_t = 500)]
    pub sample: i64,
    /// Compare everything
    #[arg(long, conflicts_with = "sample")]
    pub all: bool,
    /// Only this shop, by slug or id
    #[arg(long, value_name = "SHOP")]
    pub tenant: Option<String>,
    /// Events younger than this many seconds are not compared
    #[arg(long, default_value_t = 15.0)]
    pub settle: f64,
    /// Repair nothing
    #[arg(long)]
    pub dry_run: bool,
    /// The write database: its versions are compared, and its events are published again
    #[arg(long, env = "SOUK_WRITE_DATABASE_URL", hide_env_values = true)]
    pub write_database_url: Option<String>,
}
