//! The bare speed of the embedding model on the texts of a catalog, with nothing else running it.

use crate::BenchError;
use launcher::{
    artifacts::Artifacts,
    import::{Progress, mapping::Mapping, reader::Records},
    settings::default_cache,
};
use search::{
    bundle::{EmbeddedText, MODEL_ID, Model},
    document::SearchProduct,
    embed::{BATCH, Models, embedding_text},
};
use serde::Serialize;
use std::{path::PathBuf, time::Instant};

const EXAMPLES: &str = "Examples:
  souk bench embed --file products.ndjson.gz --mapping electronics
  souk bench embed --file products.ndjson.gz --mapping electronics --limit 2000 --threads 1 --json

Reads the catalog as `souk import` does, makes of each product the text that is embedded, and counts how
many of them the model takes in a second: the speed that the embedding writer can have at most.";

/// Measure the embedding model alone
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// A catalog file, as for `souk import`
    #[arg(long, value_name = "FILE")]
    pub file: PathBuf,
    /// Mapping of the catalog file
    #[arg(long, value_name = "NAME|FILE", default_value = "electronics")]
    pub mapping: String,
    /// Most documents to embed
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    pub limit: usize,
    /// Threads of the model
    #[arg(long, value_name = "N", default_value_t = 2)]
    pub threads: usize,
    /// Folder with model.onnx and the tokenizer's files [default: the one that `souk up` downloaded]
    #[arg(long, env = "SOUK_MODEL_DIR", value_name = "FOLDER")]
    pub model_dir: Option<PathBuf>,
    /// Path of libonnxruntime.so [default: the one that `souk up` downloaded]
    #[arg(long, env = "SOUK_ONNXRUNTIME", value_name = "FILE")]
    pub onnxruntime: Option<PathBuf>,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Serialize)]
struct Report {
    model: &'static str,
    documents: usize,
    mean_characters: usize,
    threads: usize,
    load_ms: u128,
    seconds: f64,
    documents_per_second: f64,
}

/// Measures and prints.
///
/// # Errors
/// [`BenchError`] if the texts can't be read or the model can't be loaded.
pub async fn run(args: Args) -> Result<(), BenchError> {
    let json = args.json;
    let report = tokio::task::spawn_blocking(move || measure(&args)).await;
    let report = report.map_err(|error| BenchError::Broken(error.to_string()))??;
    if json {
        println!("{}", crate::json(&report)?);
        return Ok(());
    }
    let Report { model, documents, mean_characters, threads, load_ms, seconds, documents_per_second } = report;
    println!("{model}: {documents_per_second:.1} documents/s with {threads} threads");
    println!("  {documents} documents of {mean_characters} characters in {seconds:.1} s; loaded in {load_ms} ms");
    Ok(())
}

fn measure(args: &Args) -> Result<Report, BenchError> {
    let texts = texts(args)?;
    if texts.is_empty() {
        return Err(BenchError::Nothing(format!("{} holds no product to embed", args.file.display())));
    }
    let loading = Instant::now();
    let fetched = Artifacts::new(std::env::var_os("SOUK_CACHE_DIR").map_or_else(default_cache, PathBuf::from));
    let folder = args.model_dir.clone().unwrap_or_else(|| fetched.model_dir());
    let runtime = args.onnxruntime.clone().unwrap_or_else(|| fetched.onnxruntime());
    let models = Models::configured(Some(&folder), Some(&runtime), &[]);
    let models = models.ok_or_else(|| BenchError::Nothing("there is no embedding model".to_owned()))?;
    let mut embedder = models.load(&Model::default(), args.threads)?;
    let load_ms = loading.elapsed().as_millis();
    // The first run allocates; it is not what is measured.
    embedder.embed(&texts[..texts.len().min(BATCH)])?;
    let mut progress = Progress::begin("embedding", texts.len() as u64);
    let began = Instant::now();
    let mut done = 0;
    // As many at a time as the embedding writer takes.
    for batch in texts.chunks(16 * BATCH) {
        embedder.embed(batch)?;
        done += batch.len() as u64;
        progress.at(done, texts.len() as u64, done, "documents");
    }
    let seconds = began.elapsed().as_secs_f64();
    progress.end();
    #[expect(clippy::cast_precision_loss, reason = "shown rounded")]
    let documents_per_second = texts.len() as f64 / seconds;
    Ok(Report {
        model: MODEL_ID,
        documents: texts.len(),
        mean_characters: texts.iter().map(|text| text.chars().count()).sum::<usize>() / texts.len(),
        threads: args.threads,
        load_ms,
        seconds,
        documents_per_second,
    })
}

/// The texts of products from all over the file, so that neighbours of one kind don't decide.
fn texts(args: &Args) -> Result<Vec<String>, BenchError> {
    let mapping = Mapping::load(&args.mapping)?;
    let mut texts = Vec::new();
    for record in Records::open(&args.file)? {
        let record = record.map_err(|error| BenchError::Nothing(format!("{}: {error}", args.file.display())))?;
        let Some(mapped) = record.fields.ok().and_then(|fields| mapping.apply(&fields).ok()) else { continue };
        let line = mapped.product;
        let product = SearchProduct {
            title: line.title,
            brand: line.brand,
            part_number: line.part_number,
            product_type: line.product_type,
            description: line.description,
            ..SearchProduct::default()
        };
        texts.push(embedding_text(&product, &EmbeddedText::default()));
    }
    let step = (texts.len() / args.limit.max(1)).max(1);
    Ok(texts.into_iter().step_by(step).take(args.limit).collect())
}
