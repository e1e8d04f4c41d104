//! How fast the index writer takes documents in, as a share of what tantivy alone does with the same fields.

use crate::{BenchError, peers::Ratio, profile::ProfileArgs};
use launcher::import::{
    Progress,
    mapping::{Mapped, Mapping},
    reader::Records,
};
use schemas::{
    Timestamp, Uuid,
    ids::{ProductId, TenantId, VariantId},
};
use search::{
    bare::Bare,
    document::{DocumentVariant, SearchDocument, SearchProduct},
    generation::{self, Manifest},
    offsets::Offsets,
    writer::{HEAP_BYTES, IndexWriter},
};
use serde::Serialize;
use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

const EXAMPLES: &str = "Examples:
  souk bench ingest --file products.ndjson.gz --mapping electronics
  souk bench ingest --file products.ndjson.gz --mapping electronics --rounds 9 --json

The catalog becomes search documents. They are indexed as the projector does while it catches up: parsed from JSON,
checked for newer versions, made records, and committed with offsets every 4000 documents. Then tantivy alone
adds the same records, made beforehand, with the same number of threads and one commit. Each round does both, each
into a new folder.";

/// Documents between two commits of the projector.
const BATCH: usize = 4_000;

/// Compare the index writer with tantivy alone
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// A catalog file, as for `souk import`
    #[arg(long, value_name = "FILE")]
    pub file: PathBuf,
    /// Mapping of the catalog file
    #[arg(long, value_name = "NAME|FILE", default_value = "electronics")]
    pub mapping: String,
    /// Number of rounds; the report gives the median
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=100))]
    pub rounds: u64,
    /// Most documents to index
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    pub limit: usize,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
    /// How souk was built.
    #[command(flatten)]
    pub profile: ProfileArgs,
}

#[derive(Debug, Serialize)]
struct Report {
    /// The profile that both were built with.
    profile: &'static str,
    documents: usize,
    rounds: u64,
    /// Documents a second, by round: median, least, most.
    writer: Ratio,
    bare: Ratio,
    /// The writer's documents a second as a share of bare tantivy's.
    share: Ratio,
}

/// Measures and prints.
///
/// # Errors
/// [`BenchError`] if the catalog can't be read or an index can't be written.
pub async fn run(args: Args) -> Result<(), BenchError> {
    let json = args.json;
    let report = tokio::task::spawn_blocking(move || measure(&args)).await;
    let report = report.map_err(|error| BenchError::Broken(error.to_string()))??;
    if json {
        println!("{}", crate::json(&report)?);
        return Ok(());
    }
    let Report { profile, documents, rounds, writer, bare, share } = report;
    println!("{documents} documents, {rounds} rounds: median (least..most); profile: {profile}");
    println!("  index writer, as the projector uses it: {writer:.0} documents/s");
    println!("  bare tantivy:                           {bare:.0} documents/s");
    println!("  share:                                  {share:.2}");
    Ok(())
}

fn measure(args: &Args) -> Result<Report, BenchError> {
    let profile = args.profile.own()?;
    let documents = documents(args)?;
    let payloads = documents.iter().map(serde_json::to_vec).collect::<Result<Vec<_>, _>>();
    let payloads = payloads.map_err(|error| BenchError::Broken(error.to_string()))?;
    let mut progress = Progress::begin("indexing", args.rounds * 2);
    let (mut writer, mut bare, mut share) = (Vec::new(), Vec::new(), Vec::new());
    #[expect(clippy::cast_precision_loss, reason = "documents a second")]
    let speed = |time: Duration| documents.len() as f64 / time.as_secs_f64();
    for round in 0..args.rounds {
        let by_writer = speed(with_writer(&payloads)?);
        progress.at(round * 2 + 1, args.rounds * 2, round * 2 + 1, "passes");
        let by_tantivy = speed(with_tantivy(&documents)?);
        progress.at(round * 2 + 2, args.rounds * 2, round * 2 + 2, "passes");
        writer.push(by_writer);
        bare.push(by_tantivy);
        share.push(by_writer / by_tantivy);
    }
    progress.end();
    let nothing = || BenchError::Nothing("no round was made".to_owned());
    let of = |rounds: Vec<f64>| Ratio::of(rounds).ok_or_else(nothing);
    Ok(Report {
        profile,
        documents: documents.len(),
        rounds: args.rounds,
        writer: of(writer)?,
        bare: of(bare)?,
        share: of(share)?,
    })
}

fn with_writer(payloads: &[Vec<u8>]) -> Result<Duration, BenchError> {
    let folder = tempfile::tempdir()?;
    generation::create(folder.path(), &Manifest::current("g1", Timestamp::UNIX_EPOCH))?;
    let mut writer = IndexWriter::open(folder.path(), "g1")?;
    let began = Instant::now();
    let mut offset = 0;
    for batch in payloads.chunks(BATCH) {
        writer.merge(false);
        let mut documents: Vec<SearchDocument> = Vec::with_capacity(batch.len());
        for payload in batch {
            let document: SearchDocument =
                serde_json::from_slice(payload).map_err(|error| BenchError::Broken(error.to_string()))?;
            documents.push(document);
            offset += 1;
        }
        writer.upsert_all(&documents)?;
        writer.commit(Offsets::from([(("documents".to_owned(), 0), offset)]))?;
    }
    Ok(began.elapsed())
}

fn with_tantivy(documents: &[SearchDocument]) -> Result<Duration, BenchError> {
    let folder = tempfile::tempdir()?;
    let mut bare = Bare::new(folder.path(), HEAP_BYTES)?;
    let records = bare.records(documents)?;
    let began = Instant::now();
    bare.add(records)?;
    bare.commit()?;
    Ok(began.elapsed())
}

fn documents(args: &Args) -> Result<Vec<SearchDocument>, BenchError> {
    let mapping = Mapping::load(&args.mapping)?;
    let mut documents = Vec::new();
    for record in Records::open(&args.file)? {
        let record = record.map_err(|error| BenchError::Nothing(format!("{}: {error}", args.file.display())))?;
        let Some(mapped) = record.fields.ok().and_then(|fields| mapping.apply(&fields).ok()) else { continue };
        documents.push(document(documents.len() as u128, mapped));
        if documents.len() >= args.limit {
            break;
        }
    }
    if documents.is_empty() {
        return Err(BenchError::Nothing(format!("{} holds no product", args.file.display())));
    }
    Ok(documents)
}

fn document(number: u128, Mapped { product: line, .. }: Mapped) -> SearchDocument {
    let variants = line.variants.into_iter().map(|variant| DocumentVariant {
        id: VariantId(Uuid::from_u128(number)),
        sku: variant.sku,
        eans: variant.eans,
        options: variant.options,
        attributes: variant.attributes,
        prices: std::collections::BTreeMap::new(),
        on_hand: 1,
        availability: None,
    });
    let product = SearchProduct {
        external_id: Some(line.external_id),
        slug: line.slug.unwrap_or_default(),
        title: line.title,
        part_number: line.part_number,
        brand: line.brand,
        product_type: line.product_type,
        description: line.description,
        attributes: line.attributes,
        variants: variants.collect(),
        released_at: line.released_at,
        available: true,
        ..SearchProduct::default()
    };
    let (tenant_id, product_id) = (TenantId(Uuid::from_u128(1)), ProductId(Uuid::from_u128(number + 1)));
    SearchDocument { tenant_id, product_id, doc_version: 1, product: Some(product) }
}
