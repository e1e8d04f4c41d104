//! `souk demo`: a catalog made up by a seeded generator, for trying souk out.
//!
//! What exists stands in `demo/departments/*.toml`: departments, kinds of product, their attributes,
//! options and phrases. The generator draws from it; the same seed and number give the same bytes on
//! every machine. To add a kind of product, add a `[[types]]` block to its department.

mod catalog;
mod draw;
mod generate;
mod name;
mod phrase;
mod product;
pub mod promotions;
pub mod settings;

pub use generate::Generator;
pub use product::{DemoProduct, DemoVariant};

pub use draw::Draw;

use crate::{
    import::{self, ImportError, Progress, WaitFor},
    key::KeyArgs,
};
use std::{
    fs::File,
    io::{BufWriter, Write},
    path::{Path, PathBuf},
};

/// The seed of the catalog that `souk up --demo` loads.
pub const DEFAULT_SEED: u64 = 7;
/// How many products that catalog has.
pub const DEFAULT_PRODUCTS: u32 = 10_000;

const EXAMPLES: &str = "Examples:
  souk demo                                   load 10,000 products into the shop `demo`
  souk demo --seed 42 --products 50000 --tenant big
  souk demo --out demo.ndjson                 write the file only
  souk import demo.ndjson --mapping demo      what `souk demo` does with it";

/// Generate a demo catalog and load it, or write it to a file
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Seed; the same seed gives the same catalog, byte for byte
    #[arg(long, default_value_t = DEFAULT_SEED)]
    pub seed: u64,
    /// Number of products
    #[arg(long, value_name = "N", default_value_t = DEFAULT_PRODUCTS, value_parser = clap::value_parser!(u32).range(1..=500_000))]
    pub products: u32,
    /// Write the catalog as NDJSON to this file instead of loading it
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
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
    /// Wait at the end until everything can be found, and print how long that took
    #[arg(long, value_enum)]
    pub wait: Option<WaitFor>,
    /// Folder for the generated file and the position of the import while it is loaded
    #[arg(long, env = "SOUK_POSITIONS", value_name = "FOLDER", default_value = ".souk/imports")]
    pub positions: PathBuf,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
}

impl Args {
    /// The catalog that `souk up --demo` loads.
    #[must_use]
    pub fn of(tenant: &str, write_url: &str, query_url: &str, positions: PathBuf) -> Self {
        Self {
            seed: DEFAULT_SEED,
            products: DEFAULT_PRODUCTS,
            out: None,
            tenant: tenant.to_owned(),
            write_url: write_url.to_owned(),
            query_url: query_url.to_owned(),
            key: KeyArgs::default(),
            wait: Some(WaitFor::Searchable),
            positions,
            json: false,
        }
    }
}

/// Makes the catalog and loads it, or writes it to the file that was named.
///
/// # Errors
/// [`ImportError`] when the file can't be written or the catalog can't be loaded.
pub async fn run(args: Args) -> Result<(), ImportError> {
    if let Some(out) = &args.out {
        write(out, args.seed, args.products)?;
        println!("{} products in {}", import::report::grouped(u64::from(args.products)), out.display());
        return Ok(());
    }
    std::fs::create_dir_all(&args.positions).map_err(ImportError::writing(&args.positions))?;
    let file = args.positions.join(format!("demo-{}-{}.ndjson", args.seed, args.products));
    write(&file, args.seed, args.products)?;
    let mut import = import::Args::of(file.clone(), "demo", &args.tenant, &args.write_url, args.positions);
    import.query_url = args.query_url;
    import.key = args.key;
    import.wait = args.wait;
    import.json = args.json;
    import::run(import).await?;
    std::fs::remove_file(&file).map_err(ImportError::writing(&file))
}

fn write(path: &Path, seed: u64, products: u32) -> Result<(), ImportError> {
    let failed = ImportError::writing(path);
    let mut file = BufWriter::new(File::create(path).map_err(&failed)?);
    let mut progress = Progress::begin("making up products", u64::from(products));
    for (product, done) in Generator::new(seed).take(products as usize).zip(1_u64..) {
        serde_json::to_writer(&mut file, &product).map_err(|error| failed(error.into()))?;
        file.write_all(b"\n").map_err(&failed)?;
        if done.is_multiple_of(1_000) {
            progress.at(done, u64::from(products), done, "products");
        }
    }
    progress.end();
    file.flush().map_err(&failed)
}

#[cfg(test)]
mod tests;
