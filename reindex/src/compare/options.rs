//! The options of `reindex compare`.

use std::path::PathBuf;

/// Compare the search results of a generation with those of the active one
#[derive(Debug, Clone, clap::Args)]
#[command(
    after_help = "Examples:\n  reindex compare g2                              # the queries that shoppers asked most\n  reindex compare g2 --queries queries.txt        # one query a line\n  reindex compare g2 --judgments judgments.csv --mode hybrid\n\nThe overlap is rank-biased overlap (Webber, Moffat and Zobel 2010), extrapolated, p = 0.9, over ten places. If a limit is\nexceeded, the exit code is 3. The comparison is stored with the generation in any case."
)]
pub struct Args {
    /// The generation
    pub generation: String,
    /// The shop
    #[arg(long, env = "SOUK_TENANT", default_value = "demo")]
    pub tenant: String,
    /// File with one query a line
    #[arg(long, value_name = "FILE")]
    pub queries: Option<PathBuf>,
    /// Judgments as CSV: query, product_id (the imported id), rating
    #[arg(long, value_name = "FILE")]
    pub judgments: Option<PathBuf>,
    /// How many queries, at most
    #[arg(long, default_value_t = 300)]
    pub limit: usize,
    /// How to search: lexical, semantic or hybrid
    #[arg(long, default_value = "lexical")]
    pub mode: String,
    /// Share of queries that may lose all their hits
    #[arg(long, default_value_t = 0.02)]
    pub most_newly_empty: f64,
    /// By how much NDCG@10 may fall
    #[arg(long, default_value_t = 0.02)]
    pub most_ndcg_loss: f64,
}
