//! How fast a generation is built from the views, beside the two things it can't do without: tantivy taking in the
//! same documents, and PostgreSQL moving the same bytes.

use crate::{BenchError, profile::ProfileArgs};
use launcher::import::Progress;
use reindex::{CommandContext, build, control, generations, plan};
use schemas::{
    Uuid,
    events::catalog::AttributeValue,
    ids::{ProductId, TenantId, VariantId},
};
use search::{
    bare::Bare,
    document::{DocumentVariant, SearchDocument, SearchProduct},
    text,
    writer::BUILD_HEAP_BYTES,
};
use serde::Serialize;
use sqlx::{PgConnection, PgPool, postgres::PgPoolCopyExt};
use std::{
    collections::BTreeMap,
    fmt,
    path::PathBuf,
    time::{Duration, Instant},
};

/// Documents that are generated, copied and indexed at a time.
const CHUNK: u64 = 100_000;
/// The shop whose documents they are; nobody can open it.
const TENANT: TenantId = TenantId(Uuid::from_u128(0x5e0b_0000_0000_7000_8000_0000_0000_0001));

const EXAMPLES: &str = "Examples:
  souk-bench rebuild --documents 100000
  souk-bench rebuild --documents 1000000 --read-database-url postgres://souk@127.0.0.1:54320/souk_read --index-dir .souk/index

The same generated documents are handled three times: a bare COPY into a table without an index; tantivy alone, with
souk's fields, one thread, the same memory, finished records, and its merges; and `reindex build --from views` by the
running index writer, until the generation follows the topic. The report gives the time of the last one as a multiple of
the sum of the other two, with and without tantivy's merges. Everything is removed at the end.";

/// Compare a build from the views with tantivy alone and a bare COPY
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Number of documents to generate
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1_000..=20_000_000))]
    pub documents: u64,
    /// URL of the read database
    #[arg(
        long,
        env = "SOUK_READ_DATABASE_URL",
        hide_env_values = true,
        default_value = "postgres://souk@127.0.0.1:54320/souk_read"
    )]
    pub read_database_url: String,
    /// Folder of the index generations
    #[arg(long, env = "SOUK_INDEX_DIR", default_value = ".souk/index")]
    pub index_dir: PathBuf,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
    /// How souk was built.
    #[command(flatten)]
    pub profile: ProfileArgs,
}

#[derive(Debug, Clone, Serialize)]
struct Report {
    documents: u64,
    copy_seconds: f64,
    tantivy_seconds: f64,
    /// Its merges, after that.
    merge_seconds: f64,
    build_seconds: f64,
    /// The build's time, as a multiple of the sum of the others, merges left out of that sum.
    ratio: f64,
    /// The same with the merges in the sum.
    ratio_with_merges: f64,
}

impl fmt::Display for Report {
    #[expect(clippy::cast_precision_loss, reason = "documents a second")]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let speed = |seconds: f64| self.documents as f64 / seconds.max(0.001);
        writeln!(f, "{} documents", self.documents)?;
        for (what, seconds) in [
            ("bare COPY", self.copy_seconds),
            ("bare tantivy", self.tantivy_seconds),
            ("  its merges", self.merge_seconds),
            ("reindex build", self.build_seconds),
        ] {
            writeln!(f, "  {what:<14} {seconds:>8.1} s  {:>9.0} documents/s", speed(seconds))?;
        }
        let Self { ratio, ratio_with_merges, .. } = self;
        writeln!(f, "  the build takes {ratio_with_merges:.2} times as long as the others together, merges and all;")?;
        writeln!(f, "  {ratio:.2} times as long as the two without any merge")
    }
}

/// Measures and prints.
///
/// # Errors
/// [`BenchError`] if the database or the index writer fails.
pub async fn run(args: Args) -> Result<(), BenchError> {
    args.profile.own()?;
    let context = CommandContext::at(&args.read_database_url, &args.index_dir, "bench")?;
    let outcome = measure(&context, &args).await;
    clean(&context.pool).await?;
    let report = outcome?;
    if args.json {
        println!("{}", crate::json(&report)?);
    } else {
        print!("{report}");
    }
    Ok(())
}

async fn measure(context: &CommandContext, args: &Args) -> Result<Report, BenchError> {
    clean(&context.pool).await?;
    sqlx::query("CREATE TABLE bench_documents (LIKE documents INCLUDING STORAGE)").execute(&context.pool).await?;
    let (mut copied, mut indexed) = (Duration::ZERO, Duration::ZERO);
    let mut progress = Progress::begin("copying and indexing", args.documents);
    let folder = tempfile::tempdir()?;
    let mut bare = Bare::new(folder.path(), BUILD_HEAP_BYTES)?;
    let mut next = 0;
    while next < args.documents {
        let chunk: Vec<SearchDocument> = (next..(next + CHUNK).min(args.documents)).map(document).collect();
        let lines = lines(&chunk)?;
        let began = Instant::now();
        let mut copy = context.pool.copy_in_raw("COPY bench_documents FROM STDIN").await?;
        copy.send(lines).await?;
        copy.finish().await?;
        copied += began.elapsed();
        indexed += tokio::task::block_in_place(|| {
            let records = bare.records(&chunk)?;
            let began = Instant::now();
            bare.add(records)?;
            // What is still with the engine's thread belongs to this chunk's time.
            bare.commit()?;
            Ok::<_, BenchError>(began.elapsed())
        })?;
        next += CHUNK;
        progress.at(next.min(args.documents), args.documents, next.min(args.documents), "documents");
    }
    progress.end();
    let merging = Instant::now();
    tokio::task::block_in_place(|| bare.merge())?;
    let merge_seconds = merging.elapsed().as_secs_f64();
    sqlx::query("INSERT INTO documents SELECT * FROM bench_documents").execute(&context.pool).await?;
    sqlx::query("DROP TABLE bench_documents").execute(&context.pool).await?;
    sqlx::query("VACUUM ANALYZE documents").execute(&context.pool).await?;
    let build_seconds = built(context).await?;
    let (copy_seconds, tantivy_seconds) = (copied.as_secs_f64(), indexed.as_secs_f64());
    Ok(Report {
        documents: args.documents,
        copy_seconds,
        tantivy_seconds,
        merge_seconds,
        build_seconds,
        ratio: build_seconds / (copy_seconds + tantivy_seconds),
        ratio_with_merges: build_seconds / (copy_seconds + tantivy_seconds + merge_seconds),
    })
}

/// Builds a generation of the active bundle from the views, and gives it up again.
async fn built(context: &CommandContext) -> Result<f64, BenchError> {
    let bundle = generations::active(context).await?.manifest()?.bundle;
    let args = plan::Args {
        bundle: None,
        same: true,
        from: Some(generations::DocumentSource::Views),
        rate: None,
        name: None,
        dry_run: false,
    };
    let planned = plan::of(context, bundle, &args).await?;
    let name = planned.generation.ok_or_else(|| BenchError::Broken("nothing was planned".to_owned()))?;
    let began = Instant::now();
    build::start(context, &name, false).await?;
    build::follow(&context.with_bars(), &name, true).await?;
    let seconds = began.elapsed().as_secs_f64();
    control::cancel(context, &name).await?;
    control::prune(context, &control::PruneArgs { keep: 1, dry_run: false }).await?;
    Ok(seconds)
}

async fn clean(pool: &PgPool) -> Result<(), BenchError> {
    let mut connection = pool.acquire().await?;
    let connection: &mut PgConnection = &mut connection;
    sqlx::query("DROP TABLE IF EXISTS bench_documents").execute(&mut *connection).await?;
    let gone =
        sqlx::query("DELETE FROM documents WHERE tenant_id = $1").bind(TENANT.uuid()).execute(&mut *connection).await?;
    if gone.rows_affected() > 0 {
        // Dead rows would stand in the way of the next run.
        sqlx::query("VACUUM ANALYZE documents").execute(connection).await?;
    }
    Ok(())
}

/// Rows in COPY's text form: tabs between columns, backslashes doubled.
fn lines(documents: &[SearchDocument]) -> Result<Vec<u8>, BenchError> {
    let unwritable = |error: serde_json::Error| BenchError::Broken(error.to_string());
    let mut text = String::new();
    for document in documents {
        let body = serde_json::to_string(document).map_err(unwritable)?;
        let hash = text::hash(&body);
        let SearchDocument { tenant_id, product_id, doc_version, .. } = document;
        let body = body.replace('\\', "\\\\");
        text.push_str(&format!("{tenant_id}\t{product_id}\t{doc_version}\t{hash}\t{hash}\tf\t{body}\n"));
    }
    Ok(text.into_bytes())
}

fn document(number: u64) -> SearchDocument {
    const WORDS: [&str; 24] = [
        "portable",
        "wireless",
        "compact",
        "foldable",
        "digital",
        "silent",
        "waterproof",
        "classic",
        "kettle",
        "speaker",
        "lamp",
        "keyboard",
        "drill",
        "blender",
        "camera",
        "monitor",
        "router",
        "printer",
        "headset",
        "charger",
        "kitchen",
        "office",
        "workshop",
        "garden",
    ];
    let word = |at: u64| WORDS[usize::try_from(at % WORDS.len() as u64).unwrap_or_default()];
    let spread = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 16;
    let title = format!("{} {} {} {}", word(spread), word(spread / 24), word(spread / 576), number % 9_973);
    let description: Vec<&str> = (0..40).map(|place| word(spread.rotate_left(place) / 7)).collect();
    let attributes = BTreeMap::from([
        ("colour".to_owned(), AttributeValue::Text(word(spread / 3).to_owned())),
        ("weight_g".to_owned(), AttributeValue::Number(f64::from(u32::try_from(spread % 5_000).unwrap_or_default()))),
    ]);
    let id = u128::from(number) + (1 << 64);
    let product = SearchProduct {
        external_id: Some(format!("rebuild-{number}")),
        slug: format!("rebuild-{number}"),
        title,
        brand: Some(format!("Maker{}", spread % 211)),
        description: Some(description.join(" ")),
        attributes,
        variants: vec![DocumentVariant {
            id: VariantId(Uuid::from_u128(id)),
            sku: format!("REBUILD-{number}"),
            eans: Vec::new(),
            options: BTreeMap::new(),
            attributes: BTreeMap::new(),
            prices: BTreeMap::new(),
            on_hand: 1,
            availability: None,
        }],
        available: true,
        ..SearchProduct::default()
    };
    SearchDocument {
        tenant_id: TENANT,
        product_id: ProductId(Uuid::from_u128(id)),
        doc_version: number + 1,
        product: Some(product),
    }
}
