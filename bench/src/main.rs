//! `souk-bench`, also `souk bench`.

use bench::{
    BenchError, chaos, checkout, embed, first, freshness, ingest, lag, noisy, orders, rebuild, reindexing,
    reservations, searches,
};
use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Measure a running souk
#[derive(Debug, Parser)]
#[command(name = "souk-bench", version)]
struct Cli {
    #[command(subcommand)]
    measurement: Measurement,
}

#[derive(Debug, Subcommand)]
enum Measurement {
    #[command(name = "first-search")]
    First(Box<first::Args>),
    Freshness(freshness::Args),
    Lag(lag::Args),
    Noisy(noisy::Args),
    Embed(embed::Args),
    Search(searches::Args),
    Reindex(reindexing::Args),
    Rebuild(rebuild::Args),
    Ingest(ingest::Args),
    Reservations(reservations::Args),
    Chaos(chaos::Args),
    Checkout(Box<checkout::Args>),
    /// Have seeded shoppers order, and check what has to hold: `souk demo-orders`
    Orders(Box<orders::Args>),
}

// The projector's: what bare tantivy is compared with has the same.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    match run(Cli::parse().measurement).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(measurement: Measurement) -> Result<(), BenchError> {
    match measurement {
        Measurement::First(args) => first::run(*args).await,
        Measurement::Freshness(args) => freshness::run(args).await,
        Measurement::Lag(args) => lag::run(args).await,
        Measurement::Noisy(args) => noisy::run(args).await,
        Measurement::Embed(args) => embed::run(args).await,
        Measurement::Search(args) => searches::run(args).await,
        Measurement::Reindex(args) => reindexing::run(args).await,
        Measurement::Rebuild(args) => rebuild::run(args).await,
        Measurement::Ingest(args) => ingest::run(args).await,
        Measurement::Reservations(args) => reservations::run(args).await,
        Measurement::Chaos(args) => chaos::run(args).await,
        Measurement::Checkout(args) => checkout::run(*args).await,
        Measurement::Orders(args) => orders::run(*args).await,
    }
}
