//! `souk audit`: whether what staff and administrators did is as it was recorded.
//!
//! The entries stand in the write database as the events of the context `audit`, each with the digest of the one before
//! it. Three things know more than they do: the trail, which has the number and digest of the last entry; the read
//! database, which has a copy; and heads that were exported, which nobody can make without the key.

mod chain;
mod head;

pub use chain::{Chain, Flaw};
pub use head::Head;

use crate::{LaunchError, backup::safe_url, settings::Settings};
use schemas::{Utc, Uuid};
use serde::Serialize;
use sqlx::{Connection, PgConnection};
use std::{collections::BTreeMap, fmt, path::PathBuf};

/// Entries that are read at once.
const PAGE: i64 = 1_000;

/// Verify what staff and administrators did, or export signed heads of it
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "Examples:
  souk audit verify
  souk audit export > heads.ndjson
  souk audit verify --heads heads.ndjson

Each entry has the digest of the one before it, so that one that is changed, removed or moved is found, with its number.
The copy on the read side is compared as well. Heads that were exported and kept elsewhere show that nothing was taken off the
end. They are signed with the key in <data-dir>/audit.key. See docs/guides/audit.md")]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Clone, clap::Subcommand)]
enum Command {
    /// Verify the entries of all shops; the exit code is 1 if something is not as it was recorded
    Verify(VerifyArgs),
    /// Print number and digest of each shop's last entry, signed, a JSON object a line
    Export(Settings),
}

/// What to verify.
#[derive(Debug, Clone, clap::Args)]
pub struct VerifyArgs {
    /// Heads that were exported before
    #[arg(long, value_name = "FILE")]
    pub heads: Option<PathBuf>,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
    /// Where everything is.
    #[command(flatten)]
    pub settings: Settings,
}

/// What was found.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// Entries that were read.
    pub entries: u64,
    /// Heads that were compared.
    pub heads: u64,
    /// The shops that have any.
    pub shops: BTreeMap<Uuid, Verified>,
}

/// What was found of one shop.
#[derive(Debug, Default, Serialize)]
pub struct Verified {
    /// Its slug, if it is known.
    pub slug: String,
    /// The number of its first entry here; those before it are archived.
    pub first: i64,
    /// The number of its last entry.
    pub last: i64,
    /// What is not as it was recorded.
    pub flaws: Vec<Flaw>,
}

impl Report {
    /// Whether everything is as it was recorded.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.shops.values().all(|shop| shop.flaws.is_empty())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (id, shop) in &self.shops {
            let name = if shop.slug.is_empty() { id.to_string() } else { shop.slug.clone() };
            for flaw in &shop.flaws {
                writeln!(f, "{name}: {flaw}")?;
            }
            if shop.first > 1 {
                writeln!(f, "{name}: the entries before {} are in the archive and were not read", shop.first)?;
            }
        }
        let flaws: usize = self.shops.values().map(|shop| shop.flaws.len()).sum();
        let of = format!("{} entries of {} shops, {} exported heads", self.entries, self.shops.len(), self.heads);
        if flaws == 0 { write!(f, "{of}: as they were recorded") } else { write!(f, "{of}: {flaws} flaws") }
    }
}

/// Does what is asked, and prints it. Gives whether everything is as it was recorded.
///
/// # Errors
/// The databases', or of a file.
pub async fn run(args: Args) -> Result<bool, LaunchError> {
    match args.command {
        Command::Verify(args) => {
            let report = verify(&args).await?;
            if args.json {
                let json = serde_json::to_string_pretty(&report);
                println!("{}", json.map_err(|error| LaunchError::Other(error.to_string()))?);
            } else {
                println!("{report}");
            }
            Ok(report.is_whole())
        }
        Command::Export(settings) => {
            for head in heads(&settings).await? {
                println!("{}", head.line()?);
            }
            Ok(true)
        }
    }
}

/// The ends of all trails, signed.
///
/// # Errors
/// The write database's, or of the key's file.
pub async fn heads(settings: &Settings) -> Result<Vec<Head>, LaunchError> {
    let url = settings.write_url();
    let key = head::key(settings)?;
    let mut write = connect(&url).await?;
    let rows: Vec<(Uuid, i64, String)> =
        sqlx::query_as("SELECT tenant_id, version, digest FROM audit.trails ORDER BY tenant_id")
            .fetch_all(&mut write)
            .await
            .map_err(failed(&url))?;
    rows.into_iter().map(|(tenant, number, digest)| Head::signed(tenant, number, digest, Utc::now(), &key)).collect()
}

/// Verifies the entries of all shops.
///
/// # Errors
/// The databases', or of a file.
pub async fn verify(args: &VerifyArgs) -> Result<Report, LaunchError> {
    let (write_url, read_url) = (args.settings.write_url(), args.settings.read_url());
    let exported = args.heads.as_deref().map(|file| head::read(file, &args.settings)).transpose()?.unwrap_or_default();
    let (mut write, mut read) = (connect(&write_url).await?, connect(&read_url).await?);
    // The copy first, and then one state of the write database: what comes meanwhile is behind both.
    let copied: BTreeMap<Uuid, i64> =
        sqlx::query_as::<_, (Uuid, i64)>("SELECT tenant_id, max(number) FROM activity GROUP BY tenant_id")
            .fetch_all(&mut read)
            .await
            .map_err(failed(&read_url))?
            .into_iter()
            .collect();
    sqlx::raw_sql("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        .execute(&mut write)
        .await
        .map_err(failed(&write_url))?;
    let mut places = Places { write, read, is_archived: false };
    let read_all = async {
        places.look_for_archives().await?;
        let mut report = Report { heads: exported.len() as u64, ..Report::default() };
        for (tenant, slug) in places.shops(&copied, &exported).await? {
            let of_shop: Vec<&Head> = exported.iter().filter(|head| head.tenant == tenant).collect();
            let (verified, entries) = places.verify(tenant, &of_shop, copied.get(&tenant).copied()).await?;
            report.entries += entries;
            report.shops.insert(tenant, Verified { slug, ..verified });
        }
        Ok(report)
    };
    read_all.await.map_err(failed(&write_url))
}

/// Where entries are.
struct Places {
    write: PgConnection,
    read: PgConnection,
    /// Whether months of the audit were archived.
    is_archived: bool,
}

impl Places {
    async fn look_for_archives(&mut self) -> Result<(), sqlx::Error> {
        let any = "SELECT EXISTS (SELECT FROM installation.archives WHERE context = 'audit')";
        self.is_archived = sqlx::query_scalar(any).fetch_one(&mut self.write).await?;
        Ok(())
    }

    /// Every shop that one of the places knows entries of, with its slug.
    async fn shops(
        &mut self,
        copied: &BTreeMap<Uuid, i64>,
        exported: &[Head],
    ) -> Result<BTreeMap<Uuid, String>, sqlx::Error> {
        let own: Vec<Uuid> =
            sqlx::query_scalar("SELECT tenant_id FROM audit.trails UNION SELECT DISTINCT tenant_id FROM audit.outbox")
                .fetch_all(&mut self.write)
                .await?;
        let slugs: Vec<(Uuid, String)> =
            sqlx::query_as("SELECT tenant_id, slug FROM tenants.tenants").fetch_all(&mut self.write).await?;
        let slugs: BTreeMap<Uuid, String> = slugs.into_iter().collect();
        let all = own.into_iter().chain(copied.keys().copied()).chain(exported.iter().map(|head| head.tenant));
        Ok(all.map(|tenant| (tenant, slugs.get(&tenant).cloned().unwrap_or_default())).collect())
    }

    /// Verifies one shop; gives how many entries there are, too.
    async fn verify(
        &mut self,
        tenant: Uuid,
        exported: &[&Head],
        copied: Option<i64>,
    ) -> Result<(Verified, u64), sqlx::Error> {
        let trail: Option<(i64, String)> =
            sqlx::query_as("SELECT version, digest FROM audit.trails WHERE tenant_id = $1 AND trail_id = $1")
                .bind(tenant)
                .fetch_optional(&mut self.write)
                .await?;
        let mut chain = Chain::new(self.is_archived, exported);
        let mut after = 0;
        loop {
            let links: Vec<(i64, String)> = sqlx::query_as(
                "SELECT version, payload FROM audit.outbox WHERE tenant_id = $1 AND aggregate_id = $1 AND version > $2
                 ORDER BY version LIMIT $3",
            )
            .bind(tenant)
            .bind(after)
            .bind(PAGE)
            .fetch_all(&mut self.write)
            .await?;
            let Some(newest) = links.last().map(|(number, _)| *number) else { break };
            let copies: Vec<(i64, String)> = sqlx::query_as(
                "SELECT number, digest FROM activity WHERE tenant_id = $1 AND number > $2 AND number <= $3",
            )
            .bind(tenant)
            .bind(after)
            .bind(newest)
            .fetch_all(&mut self.read)
            .await?;
            let copies: BTreeMap<i64, String> = copies.into_iter().collect();
            for (number, payload) in &links {
                chain.take(*number, payload, copies.get(number).map(String::as_str));
            }
            after = newest;
        }
        let (first, last, entries) = (chain.first(), chain.last(), chain.entries());
        Ok((Verified { slug: String::new(), first, last, flaws: chain.end(trail, copied) }, entries))
    }
}

async fn connect(url: &str) -> Result<PgConnection, LaunchError> {
    PgConnection::connect(url).await.map_err(failed(url))
}

fn failed(url: &str) -> impl Fn(sqlx::Error) -> LaunchError {
    let url = safe_url(url);
    move |error| LaunchError::Database { url: url.clone(), reason: error.to_string() }
}
