//! `souk import`: a catalog file through the write API's bulk endpoints.
//!
//! A thread reads and maps records ([`reader`], [`mapping`]) and cuts them into batches; each batch is
//! written as products, then prices and stock, a few batches under way at once; what is settled moves
//! the position, so that the same command goes on after an interruption. What is wrong in a record and can be put right is
//! repaired, counted and listed ([`repair`]); rows that are one product are put together (`grouping`); `guess` proposes
//! a mapping. To support one more file format, add a reader under `reader/` and recognise it in
//! [`reader::Records::open`].

pub mod mapping;
pub mod reader;
pub mod repair;
pub mod report;

mod categories;
mod chunks;
mod client;
mod error;
#[cfg(test)]
mod feeds;
mod grouping;
mod guess;
mod listing;
mod pipeline;
mod position;
mod progress;
mod wait;
mod writer;

pub use client::OnError;
pub use error::ImportError;
pub use listing::{Rejected, RepairedLine};
#[cfg(test)]
pub(crate) use position::sha256_hex;
pub use progress::Progress;
pub use wait::WaitFor;

use crate::key::KeyArgs;
use chunks::Cutting;
use client::WriteClient;
use listing::Listing;
use mapping::Mapping;
use pipeline::{Listings, Outcome, Pipeline};
use position::{Position, PositionFile, PositionKey};
use report::Report;
use schemas::money::Currency;
use std::{
    path::PathBuf,
    time::{Duration, Instant},
};
use wait::{ReadSide, Waited};
use writer::Writer;

const EXAMPLES: &str = "Examples:
  souk import products.ndjson.gz --mapping electronics
  souk import prices.csv --mapping my-shop.toml --tenant my-shop --currency EUR
  souk import products.json --mapping my-shop.toml --dry-run
  souk import products_export.csv --mapping shopify --tenant my-shop --currency EUR
  souk import feed.xml --mapping google-merchant --tenant my-shop
  souk import unknown.csv --guess > my-shop.toml
  souk import products.ndjson.gz --mapping electronics --wait vectors --json

The file may be NDJSON, a JSON array, CSV or XML, plain or gzip, in UTF-8, UTF-16 or Windows-1252; its content tells.
A mapping is a TOML file, target = \"source field\". Print a shipped one: souk import --show-mapping electronics. Have one
proposed: souk import FILE --guess. What can be repaired is repaired, counted and listed; see docs/guides/importing.md";

/// Import a catalog: products with categories, prices and stock
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Catalog file: NDJSON, a JSON array, CSV or XML, plain or gzip
    #[arg(required_unless_present = "show_mapping")]
    pub file: Option<PathBuf>,
    /// Mapping of the file's fields: demo, electronics, google-merchant, icecat, plain, shopify, woocommerce, or the path of a TOML file
    #[arg(long, value_name = "NAME|FILE", required_unless_present_any = ["show_mapping", "guess"])]
    pub mapping: Option<String>,
    /// Propose a mapping for the file, show the first five products it would make, and write nothing
    #[arg(long, conflicts_with = "mapping", requires = "file")]
    pub guess: bool,
    /// Print the mapping of that name, which explains each key, and exit
    #[arg(long, value_name = "NAME")]
    pub show_mapping: Option<String>,
    /// Slug of the tenant; created if it does not exist
    #[arg(long, env = "SOUK_TENANT", default_value = "demo")]
    pub tenant: String,
    /// Address of write-api
    #[arg(long, env = "SOUK_WRITE_URL", default_value = "http://127.0.0.1:8080")]
    pub write_url: String,
    /// Address of query-api, for --wait
    #[arg(long, env = "SOUK_QUERY_URL", default_value = "http://127.0.0.1:8081")]
    pub query_url: String,
    /// Who asks
    #[command(flatten)]
    pub key: KeyArgs,
    /// What to do with the other lines when one is rejected
    #[arg(long, value_enum, default_value = "skip")]
    pub on_error: OnError,
    /// Check every line without writing any; the tenant is created if it does not exist
    #[arg(long)]
    pub dry_run: bool,
    /// Currency of prices that have no currency field; overrides the mapping
    #[arg(long, value_name = "CODE")]
    pub currency: Option<Currency>,
    /// Continue where the same import was interrupted (the default)
    #[arg(long, conflicts_with = "restart")]
    pub resume: bool,
    /// Start at the first line, even if an earlier run was interrupted
    #[arg(long)]
    pub restart: bool,
    /// File for rejected lines and their reasons [default: <FILE's name>.rejected.ndjson in the current folder]
    #[arg(long, value_name = "FILE")]
    pub rejects: Option<PathBuf>,
    /// File for repaired values, before and after [default: <FILE's name>.repaired.ndjson in the current folder]
    #[arg(long, value_name = "FILE")]
    pub repairs: Option<PathBuf>,
    /// Products per request
    #[arg(long, value_name = "N", default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=5_000))]
    pub batch: u32,
    /// Requests sent at the same time
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=16))]
    pub in_flight: u32,
    /// Seconds to keep trying while write-api does not answer
    #[arg(long, value_name = "SECONDS", default_value_t = 120)]
    pub retry_for: u64,
    /// Wait at the end until everything can be found, and print how long that took
    #[arg(long, value_enum)]
    pub wait: Option<WaitFor>,
    /// Folder with the positions of interrupted imports
    #[arg(long, env = "SOUK_POSITIONS", value_name = "FOLDER", default_value = ".souk/imports")]
    pub positions: PathBuf,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
}

impl Args {
    /// An import of one file with everything else as by default.
    #[must_use]
    pub fn of(file: PathBuf, mapping: &str, tenant: &str, write_url: &str, positions: PathBuf) -> Self {
        Self {
            file: Some(file),
            mapping: Some(mapping.to_owned()),
            guess: false,
            show_mapping: None,
            tenant: tenant.to_owned(),
            write_url: write_url.to_owned(),
            query_url: String::new(),
            key: KeyArgs::default(),
            on_error: OnError::Skip,
            dry_run: false,
            currency: None,
            resume: false,
            restart: false,
            rejects: None,
            repairs: None,
            batch: 500,
            in_flight: 3,
            retry_for: 120,
            wait: None,
            positions,
            json: false,
        }
    }
}

/// Runs an import and prints what it came to.
///
/// # Errors
/// [`ImportError`], also when lines were rejected and `--on-error` says that this ends the import.
pub async fn run(args: Args) -> Result<(), ImportError> {
    if let Some(name) = &args.show_mapping {
        let shipped = mapping::SHIPPED.iter().find(|(shipped, _)| shipped == name);
        let (_, text) = shipped.ok_or_else(|| mapping::unknown(name))?;
        print!("{text}");
        return Ok(());
    }
    if let (true, Some(file)) = (args.guess, &args.file) {
        let guess = guess::guess(file, args.currency)?;
        eprintln!("{}", guess.preview);
        print!("{}", guess.mapping);
        return Ok(());
    }
    let (report, failure) = import(&args).await?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&report).map_err(|error| ImportError::Broken(error.to_string()))?);
    } else {
        println!("{}", report.text());
    }
    failure.map_or(Ok(()), Err)
}

/// Runs an import. The second part says what ended it early, if anything did.
///
/// # Errors
/// [`ImportError`] when it could not begin or go on.
pub async fn import(args: &Args) -> Result<(Report, Option<ImportError>), ImportError> {
    let began = Instant::now();
    let (Some(file), Some(name)) = (args.file.clone(), args.mapping.as_deref()) else {
        return Err(ImportError::BadOption("give the file to import and --mapping NAME".to_owned()));
    };
    let mut mapping = Mapping::load(name)?;
    if let Some(currency) = args.currency {
        mapping.set_currency(currency);
    }
    let bytes = std::fs::metadata(&file).map_err(ImportError::reading(&file))?.len();
    let records = reader::Records::open(&file)?;
    let (position_file, position) = position(args, &file, &mapping)?;
    let (resumed_after, goes_on) = (position.counts.read, position.records > 0);
    let rejects_path = args.rejects.clone().unwrap_or_else(|| beside(&file, "rejected"));
    let repairs_path = args.repairs.clone().unwrap_or_else(|| beside(&file, "repaired"));
    let listings =
        Listings { rejects: Listing::begin(&rejects_path, goes_on)?, repairs: Listing::begin(&repairs_path, goes_on)? };
    let client = WriteClient::new(
        &args.write_url,
        &args.tenant,
        args.key.headers(&[&args.write_url]),
        Duration::from_secs(args.retry_for),
    )?;
    client.open_tenant().await?;

    let whole = args.on_error == OnError::AllOrNothing;
    let size = (!whole).then_some(args.batch as usize);
    let chunks = chunks::cut(records, Cutting { mapping, skip: position.records, size });
    let writer = Writer { client, on_error: args.on_error, dry_run: args.dry_run };
    let mut pipeline = Pipeline::new(file, bytes, writer, position, listings);
    pipeline.in_flight = if args.on_error == OnError::Skip { args.in_flight as usize } else { 1 };
    pipeline.position_file = (!args.dry_run).then_some(position_file);
    pipeline.tokens = (args.wait.is_some() && !args.dry_run).then(Vec::new);
    if whole {
        pipeline.progress.note("all lines are sent in one transaction; there is no progress to show before its end");
    }
    let outcome = pipeline.run(chunks).await?;
    let last_write = Instant::now();

    // What was imported is told, also when the read side can't be waited for.
    let (waited, unseen) = match wait(args, &outcome, last_write).await {
        Ok(waited) => (waited, None),
        Err(error) => (Waited::default(), Some(error)),
    };
    let failure = failure(args, &outcome).or(unseen);
    let seconds = last_write.duration_since(began).as_secs_f64();
    let written = outcome.counts.read - outcome.counts.not_tried - resumed_after;
    #[expect(clippy::cast_precision_loss, reason = "shown rounded")]
    let products_per_second = written as f64 / seconds.max(0.001);
    Ok((
        Report {
            counts: outcome.counts,
            resumed_after,
            seconds,
            products_per_second,
            dry_run: args.dry_run,
            rejects: (outcome.counts.rejected > 0).then_some(rejects_path),
            repairs: (outcome.repaired.records > 0).then_some(repairs_path),
            repaired: outcome.repaired,
            waited,
        },
        failure,
    ))
}

fn position(args: &Args, file: &std::path::Path, mapping: &Mapping) -> Result<(PositionFile, Position), ImportError> {
    let key = PositionKey {
        file_sha256: &position::sha256_of_file(file)?,
        mapping_digest: &mapping.digest,
        tenant: &args.tenant,
        write_url: &args.write_url,
    };
    let position_file = PositionFile::new(&args.positions, &key);
    let from_start = args.restart || args.dry_run || args.on_error == OnError::AllOrNothing;
    let position = if from_start { Position::default() } else { position_file.load() };
    if position.records > 0 {
        let lines = report::grouped(position.counts.read);
        eprintln!("going on after {lines} lines that an earlier run settled (--restart begins anew)");
    }
    Ok((position_file, position))
}

fn beside(file: &std::path::Path, what: &str) -> PathBuf {
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    PathBuf::from(format!("{name}.{what}.ndjson"))
}

fn failure(args: &Args, outcome: &Outcome) -> Option<ImportError> {
    let (line, reason) = outcome.first_rejected.clone()?;
    match args.on_error {
        OnError::Skip => None,
        OnError::Stop => Some(ImportError::Stopped { line, reason }),
        OnError::AllOrNothing => {
            let (rejected, read) = (outcome.counts.rejected, outcome.counts.read);
            Some(ImportError::NothingImported { rejected, read, line, reason })
        }
    }
}

async fn wait(args: &Args, outcome: &Outcome, last_write: Instant) -> Result<Waited, ImportError> {
    let mut waited = Waited::default();
    let Some(until) = args.wait.filter(|_| !args.dry_run) else { return Ok(waited) };
    let read_side = ReadSide::new(&args.query_url, &args.tenant, args.key.headers(&[&args.query_url]))?;
    read_side.until_searchable(&outcome.tokens).await?;
    waited.searchable_ms = Some(u64::try_from(last_write.elapsed().as_millis()).unwrap_or(u64::MAX));
    if until == WaitFor::Vectors {
        waited.vectors = Some(read_side.until_embedded(last_write).await?);
    }
    Ok(waited)
}
