//! `souk tenant export`: all that ever happened in a shop, as NDJSON.
//!
//! A line is an event in the JSON format of CloudEvents 1.0
//! (<https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md>). The state of everything follows from
//! its events in their order, so nothing else has to be kept. What was archived is read as well.

use crate::{LaunchError, backup::safe_url, import::Progress, settings::Settings};
use eventlog::archive::{ArchiveFile, ArchivedRow, COLUMNS};
use schemas::{
    contexts::Context,
    envelope::Envelope,
    ids::{EventId, TenantId},
};
use serde_json::{Map, Value};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use std::{
    collections::HashSet,
    fs::File,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};
use tokio::task::block_in_place;

/// Rows that are read at once.
const PAGE: usize = 1_000;
/// What of a key's event says how to make or know one: it is of no use elsewhere, and should not lie about.
const OF_KEYS: [&str; 2] = ["digest", "signing_key"];

/// What to export.
#[derive(Debug, Clone, clap::Args)]
pub struct ExportArgs {
    /// The shop's slug
    pub slug: String,
    /// File to write; nothing may be there yet [default: the standard output]
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Where everything is.
    #[command(flatten)]
    pub settings: Settings,
}

/// Writes all events of a shop; gives how many.
///
/// # Errors
/// If there is no such shop, an archive is missing or damaged, or of the database or the file.
pub async fn run(args: &ExportArgs) -> Result<u64, LaunchError> {
    let Some(path) = &args.output else { return export(args, &mut BufWriter::new(io::stdout())).await };
    let failed = |error: io::Error| LaunchError::Other(format!("{}: {error}", path.display()));
    let file = File::create_new(path).map_err(failed)?;
    let exported = export(args, &mut BufWriter::new(file)).await;
    // Half an export would be taken for a whole one.
    if exported.is_err() {
        std::fs::remove_file(path).map_err(failed)?;
    }
    exported
}

async fn export(args: &ExportArgs, into: &mut (impl Write + Send)) -> Result<u64, LaunchError> {
    let url = args.settings.write_url();
    let failed = |error: sqlx::Error| LaunchError::Database { url: safe_url(&url), reason: error.to_string() };
    let mut write = PgConnection::connect(&url).await.map_err(failed)?;
    let mut state = write.begin().await.map_err(failed)?;
    let begin = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY";
    sqlx::query(begin).execute(&mut *state).await.map_err(failed)?;
    let tenant = tenant(&mut state, &args.slug).await.map_err(failed)?;
    let tenant = tenant.ok_or_else(|| LaunchError::Other(format!("there is no tenant `{}`", args.slug)))?;
    let archives = archives(&mut state).await.map_err(failed)?;
    let mut total = archives.iter().map(|file| file.rows.unsigned_abs()).sum();
    for context in Context::ALL {
        total += count(&mut state, context, tenant).await.map_err(failed)?;
    }
    let mut lines =
        Lines { tenant, into, written: 0, looked_at: 0, total, progress: Progress::begin("exporting", total) };
    for context in Context::ALL {
        let mut archived = HashSet::new();
        for file in archives.iter().filter(|file| file.context == context.name()) {
            block_in_place(|| lines.archive(context, file, &args.settings.archive_dir(), &mut archived))?;
        }
        let mut last = 0;
        loop {
            let page = page(&mut state, context, tenant, last).await.map_err(failed)?;
            let Some(row) = page.last() else { break };
            last = row.id;
            // What was archived may not be deleted yet.
            for row in page.iter().filter(|row| !archived.contains(&row.id)) {
                lines.add(context, row)?;
            }
        }
    }
    lines.end()
}

/// The lines, and how far they are.
struct Lines<'a, W> {
    tenant: TenantId,
    into: &'a mut W,
    written: u64,
    looked_at: u64,
    total: u64,
    progress: Progress,
}

impl<W: Write> Lines<'_, W> {
    fn archive(
        &mut self,
        context: Context,
        file: &ArchiveFile,
        folder: &Path,
        archived: &mut HashSet<i64>,
    ) -> Result<(), LaunchError> {
        let failed = |error: eventlog::archive::ArchiveError| LaunchError::Other(error.to_string());
        file.check(folder).map_err(failed)?;
        for row in file.rows(folder).map_err(failed)? {
            let row = row.map_err(failed)?;
            self.looked_at += 1;
            if row.tenant_id == self.tenant.uuid() {
                self.looked_at -= 1;
                self.add(context, &row)?;
                archived.insert(row.id);
            }
        }
        Ok(())
    }

    fn add(&mut self, context: Context, row: &ArchivedRow) -> Result<(), LaunchError> {
        let line = line(context, row)?;
        writeln!(self.into, "{line}").map_err(|error| unwritten(&error))?;
        (self.written, self.looked_at) = (self.written + 1, self.looked_at + 1);
        self.progress.at(self.looked_at, self.total, self.written, "events");
        Ok(())
    }

    fn end(self) -> Result<u64, LaunchError> {
        self.into.flush().map_err(|error| unwritten(&error))?;
        self.progress.end();
        Ok(self.written)
    }
}

fn unwritten(error: &io::Error) -> LaunchError {
    LaunchError::Other(format!("the export can't be written: {error}"))
}

/// An event as CloudEvents has it in JSON: the attributes that its record has as headers, and the payload.
fn line(context: Context, row: &ArchivedRow) -> Result<Value, LaunchError> {
    let unreadable = |error: serde_json::Error| LaunchError::Other(format!("event {}: {error}", row.event_id));
    let envelope = Envelope {
        id: EventId(row.event_id),
        event_type: row.event_type.clone(),
        tenant: TenantId(row.tenant_id),
        context,
        aggregate: row.aggregate.clone(),
        aggregate_id: row.aggregate_id,
        version: row.version.unsigned_abs(),
        time: row.occurred_at,
        correlation_id: row.correlation_id.clone(),
        causation_id: row.causation_id.clone(),
        traceparent: row.traceparent.clone(),
    };
    let mut data: Value = serde_json::from_str(&row.payload).map_err(unreadable)?;
    if let Some(data) = data.as_object_mut().filter(|_| context == Context::Access) {
        data.retain(|name, _| !OF_KEYS.contains(&name.as_str()));
    }
    let attribute = |(name, value): (&str, String)| {
        let name = name.strip_prefix("ce_").unwrap_or("datacontenttype");
        (name.to_owned(), Value::String(value))
    };
    let mut line: Map<String, Value> = envelope.to_headers().into_iter().map(attribute).collect();
    line.insert("data".to_owned(), data);
    Ok(Value::Object(line))
}

async fn tenant(state: &mut PgConnection, slug: &str) -> Result<Option<TenantId>, sqlx::Error> {
    let found = sqlx::query_scalar("SELECT tenant_id FROM tenants.tenants WHERE slug = $1");
    Ok(found.bind(slug).fetch_optional(state).await?.map(TenantId))
}

/// The files of rows that are in no outbox, in the order of their ids.
async fn archives(state: &mut PgConnection) -> Result<Vec<ArchiveFile>, sqlx::Error> {
    sqlx::query_as(
        "SELECT file, context, month, rows, first_id, last_id, bytes, sha256 FROM installation.archives
         WHERE restored_at IS NULL ORDER BY context, first_id",
    )
    .fetch_all(state)
    .await
}

async fn count(state: &mut PgConnection, context: Context, tenant: TenantId) -> Result<u64, sqlx::Error> {
    let sql = format!("SELECT count(*) FROM {context}.outbox WHERE tenant_id = $1");
    let rows: i64 = sqlx::query_scalar(AssertSqlSafe(sql)).bind(tenant.uuid()).fetch_one(state).await?;
    Ok(rows.unsigned_abs())
}

async fn page(
    state: &mut PgConnection,
    context: Context,
    tenant: TenantId,
    after: i64,
) -> Result<Vec<ArchivedRow>, sqlx::Error> {
    let sql =
        format!("SELECT {COLUMNS} FROM {context}.outbox WHERE tenant_id = $1 AND id > $2 ORDER BY id LIMIT {PAGE}");
    sqlx::query_as(AssertSqlSafe(sql)).bind(tenant.uuid()).bind(after).fetch_all(state).await
}
