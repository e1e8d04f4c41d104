//! Which generations are wanted, as the read database says.

use crate::deps::RoleError;
use schemas::Utc;
use search::{
    bundle::Bundle,
    generation::{Format, Manifest},
    offsets::{self, Offsets},
};
use serde_json::Value;
use sqlx::{Connection, PgConnection, Row};
use std::collections::BTreeMap;

/// The release that generations are planned by.
pub const RELEASE: &str = env!("CARGO_PKG_VERSION");

/// What a generation is built from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Source {
    /// The compacted document topic, from its beginning.
    #[default]
    Topic,
    /// The composed documents in the read database, then the topic from where it stood.
    Views,
    /// The files of the generation it was planned against: only what queries do differs.
    Copy,
}

impl Source {
    /// As in the `source` column.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Topic => "topic",
            Self::Views => "views",
            Self::Copy => "copy",
        }
    }
}

/// What an operator wants of a copy.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CopySettings {
    /// Whether queries are answered from it.
    pub active: bool,
    /// Whether a share of the searches tries it.
    pub tried: bool,
    /// What it is built from.
    pub source: Source,
    /// The generation it was planned against.
    pub basis: Option<String>,
    /// Documents a second its build may take.
    pub rate_limit: Option<u32>,
    /// Whether its build works on while shoppers search.
    pub at_once: bool,
    /// Whether it stands still.
    pub paused: bool,
    /// Offsets it must not go past.
    pub stop_at: Option<Offsets>,
}

/// Makes the first generation, if there is none.
pub async fn first(connection: &mut PgConnection) -> Result<(), RoleError> {
    let mut transaction = connection.begin().await?;
    let manifest = Manifest::current("g1", Utc::now());
    let made = sqlx::query(
        "INSERT INTO index_generations (generation, state, manifest, release, activated_at, created_by)
         SELECT $1, 'active', $2, $3, now(), 'projector' WHERE NOT EXISTS (SELECT FROM index_generations WHERE state = 'active')
         ON CONFLICT DO NOTHING",
    )
    .bind(&manifest.generation)
    .bind(serde_json::to_value(&manifest)?)
    .bind(RELEASE)
    .execute(&mut *transaction)
    .await?;
    if made.rows_affected() > 0 {
        sqlx::query("INSERT INTO index_switches (generation, kind, actor) VALUES ($1, 'first', 'projector')")
            .bind(&manifest.generation)
            .execute(&mut *transaction)
            .await?;
    }
    Ok(transaction.commit().await?)
}

/// Where the active generation is of an older release's format, one of this release takes its place; the other's folder
/// stays for the way back until it is pruned. What is newer is never replaced, so that writers of two releases in a rolling
/// update don't take turns; nor is what an operator has gone back to from a generation of this release.
///
/// The switch is one statement that names the revision it saw: of several writers, one makes it.
///
/// # Errors
/// The database's.
pub async fn replace_outdated(connection: &mut PgConnection, shipped: &Bundle) -> Result<(), RoleError> {
    let (name, revision, manifest, left): (String, i64, Value, Option<Value>) = sqlx::query_as(
        "SELECT g.generation, g.revision, g.manifest,
                (SELECT p.manifest FROM index_switches AS s JOIN index_generations AS p ON p.generation = s.previous
                 WHERE s.kind = 'rollback' AND s.epoch = (SELECT max(epoch) FROM index_switches)) AS left_behind
         FROM index_generations AS g WHERE g.state = 'active'",
    )
    .fetch_one(&mut *connection)
    .await?;
    let own = Format { schema: shipped.schema_version, analyzer: shipped.analyzer.version };
    let gone_back = left.is_some_and(|left| Format::of(&left).is_some_and(|left| left >= own));
    if gone_back || Format::of(&manifest).is_none_or(|found| found >= own) {
        return Ok(());
    }
    let next = next_name(connection).await?;
    let wished = Manifest::new(&next, shipped.clone(), Utc::now())?;
    let switched = sqlx::query(
        "WITH old AS (
           UPDATE index_generations SET state = 'retired', revision = revision + 1, note = 'of an older release'
           WHERE generation = $1 AND revision = $2 AND state = 'active' RETURNING generation
         ), new AS (
           INSERT INTO index_generations (generation, state, manifest, release, activated_at, created_by, basis)
           SELECT $3, 'active', $4, $5, now(), 'projector', generation FROM old RETURNING generation, basis
         )
         INSERT INTO index_switches (generation, previous, kind, actor, reason)
         SELECT generation, basis, 'outdated', 'projector', 'release ' || $5 FROM new",
    )
    .bind(&name)
    .bind(revision)
    .bind(&next)
    .bind(serde_json::to_value(wished)?)
    .bind(RELEASE)
    .execute(connection)
    .await?;
    if switched.rows_affected() > 0 {
        tracing::warn!(index.generation = %name, index.next = %next, "the active generation is of an older release; a new one takes its place");
    }
    Ok(())
}

/// The next free name: `g` and a number.
///
/// # Errors
/// The database's.
pub async fn next_name(connection: &mut PgConnection) -> Result<String, sqlx::Error> {
    let last: i64 = sqlx::query_scalar(
        "SELECT greatest((SELECT coalesce(max(substr(generation, 2)::bigint), 0) FROM index_generations WHERE generation ~ '^g[0-9]{1,9}$'),
                         (SELECT coalesce(max(substr(generation, 2)::bigint), 0) FROM index_switches WHERE generation ~ '^g[0-9]{1,9}$'))",
    )
    .fetch_one(connection)
    .await?;
    Ok(format!("g{}", last + 1))
}

/// The generations that have to be kept, with their settings. One that this program can't read is nobody's here.
pub async fn wanted(connection: &mut PgConnection) -> Result<BTreeMap<String, (Manifest, CopySettings)>, RoleError> {
    let rows = sqlx::query(
        "SELECT generation, state, manifest, source, basis, rate_limit, at_once, paused, stop_at, canary FROM index_generations
         WHERE state IN ('building', 'catching_up', 'verifying', 'ready', 'active', 'retired', 'rolled_back')",
    )
    .fetch_all(connection)
    .await?;
    let mut wanted = BTreeMap::new();
    for row in rows {
        let Ok(manifest) = serde_json::from_value::<Manifest>(row.try_get("manifest")?) else { continue };
        if !manifest.is_readable() {
            continue;
        }
        let (source, state): (String, String) = (row.try_get("source")?, row.try_get("state")?);
        let stop_at: Option<Value> = row.try_get("stop_at")?;
        let settings = CopySettings {
            active: state == "active",
            tried: row.try_get::<i16, _>("canary")? > 0,
            source: match source.as_str() {
                "views" => Source::Views,
                "copy" => Source::Copy,
                _ => Source::Topic,
            },
            basis: row.try_get("basis")?,
            rate_limit: row.try_get::<Option<i32>, _>("rate_limit")?.and_then(|limit| u32::try_from(limit).ok()),
            at_once: row.try_get("at_once")?,
            paused: row.try_get("paused")?,
            stop_at: stop_at.map(|text| offsets::parse(&text.to_string())).transpose()?,
        };
        wanted.insert(row.try_get("generation")?, (manifest, settings));
    }
    Ok(wanted)
}

/// Moves what has been built on: once the copies of every node that is alive have caught up, a generation can be
/// verified. A node that has not begun its copy yet holds it up, too.
pub async fn advance(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE index_generations AS g SET state = 'catching_up', revision = revision + 1
         WHERE state = 'building' AND NOT paused
           AND EXISTS (SELECT FROM generation_copies c WHERE c.generation = g.generation)
           AND NOT EXISTS (SELECT FROM generation_copies c WHERE c.generation = g.generation AND c.phase <> 'live'
                           AND c.heartbeat_at > now() - interval '10 seconds')
           AND NOT EXISTS (SELECT FROM index_nodes n WHERE n.heartbeat_at > now() - interval '10 seconds'
                           AND NOT EXISTS (SELECT FROM generation_copies c
                                           WHERE c.generation = g.generation AND c.node = n.node))",
    )
    .execute(connection)
    .await?;
    Ok(())
}
