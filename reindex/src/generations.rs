//! The state machine of index generations, in the read database. Every change names the revision it saw: of two
//! operators who act at once, the slower is refused.

use crate::{context::CommandContext, failure::Failure};
use schemas::Timestamp;
use search::generation::Manifest;
use serde::Serialize;
use serde_json::Value;
use sqlx::PgConnection;
use std::fmt;

/// Where a generation is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, sqlx::Type)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum State {
    /// Written down; nothing is built.
    Planned,
    /// Taking in the catalog, in the background.
    Building,
    /// Built, following the topic, not proven.
    CatchingUp,
    /// Being compared with the active one, document by document.
    Verifying,
    /// Proven; can be promoted.
    Ready,
    /// Answers queries.
    Active,
    /// Answered them until another was promoted; kept caught up, for the way back.
    Retired,
    /// Was promoted and taken back.
    RolledBack,
    /// Could not be built.
    Failed,
    /// Given up by an operator.
    Cancelled,
}

impl State {
    /// As in the `state` column.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Building => "building",
            Self::CatchingUp => "catching_up",
            Self::Verifying => "verifying",
            Self::Ready => "ready",
            Self::Active => "active",
            Self::Retired => "retired",
            Self::RolledBack => "rolled_back",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether its index is kept caught up.
    #[must_use]
    pub const fn is_followed(self) -> bool {
        matches!(
            self,
            Self::CatchingUp | Self::Verifying | Self::Ready | Self::Active | Self::Retired | Self::RolledBack
        )
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Where a build takes its documents from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum, Serialize, sqlx::Type)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum DocumentSource {
    /// The compacted document topic
    Topic,
    /// The documents in the read database, then the topic from the offset of that moment
    Views,
    /// The files of the active generation; only if the bundle changes queries alone
    Copy,
}

impl DocumentSource {
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

/// A generation.
#[derive(Debug, Clone, Serialize, sqlx::FromRow)]
pub struct Generation {
    /// Its name, also the name of its folder.
    pub generation: String,
    /// Where it is in its life.
    pub state: State,
    /// Moves with every change of state.
    pub revision: i64,
    /// What it was planned with.
    pub manifest: Value,
    /// Where its build takes documents from.
    pub source: DocumentSource,
    /// The generation it was planned against.
    pub basis: Option<String>,
    /// Documents a second its build may take.
    pub rate_limit: Option<i32>,
    /// Whether its build works on while shoppers search.
    pub at_once: bool,
    /// Whether it stands still.
    pub paused: bool,
    /// Share of the searches it answers before it is promoted, in percent.
    pub canary: i16,
    /// Who planned it.
    pub created_by: String,
    /// Why it is where it is.
    pub note: String,
    /// The proof.
    pub certificate: Option<Value>,
    /// The last comparison.
    pub comparison: Option<Value>,
    /// When it was planned.
    pub created_at: Timestamp,
    /// When queries moved to it.
    pub activated_at: Option<Timestamp>,
}

/// The columns of [`Generation`].
pub const COLUMNS: &str =
    "generation, state, revision, manifest, source, basis, rate_limit, at_once, paused, canary, created_by, note,
    certificate, comparison, created_at, activated_at";

impl Generation {
    /// Its manifest, as this release reads it.
    ///
    /// # Errors
    /// If it is of another release.
    pub fn manifest(&self) -> Result<Manifest, Failure> {
        serde_json::from_value(self.manifest.clone()).map_err(|error| {
            Failure::refused(
                "other_release",
                format!("{} was made by another release, which has to look after it: {error}", self.generation),
            )
        })
    }
}

/// A generation by its name.
///
/// # Errors
/// A refusal if there is none.
pub async fn named(context: &CommandContext, name: &str) -> Result<Generation, Failure> {
    let found: Option<Generation> =
        sqlx::query_as(sqlx::AssertSqlSafe(format!("SELECT {COLUMNS} FROM index_generations WHERE generation = $1")))
            .bind(name)
            .fetch_optional(&context.pool)
            .await?;
    found.ok_or_else(|| {
        Failure::refused("unknown_generation", format!("there is no generation `{name}`; see `reindex status`"))
    })
}

/// The generation that answers queries.
///
/// # Errors
/// A refusal if there is none yet.
pub async fn active(context: &CommandContext) -> Result<Generation, Failure> {
    let found: Option<Generation> =
        sqlx::query_as(sqlx::AssertSqlSafe(format!("SELECT {COLUMNS} FROM index_generations WHERE state = 'active'")))
            .fetch_optional(&context.pool)
            .await?;
    found.ok_or_else(|| Failure::refused("none_active", "no generation is active yet; is the projector running?"))
}

/// All generations, newest first.
///
/// # Errors
/// The database's.
pub async fn all(context: &CommandContext) -> Result<Vec<Generation>, Failure> {
    let text = format!("SELECT {COLUMNS} FROM index_generations ORDER BY created_at DESC, generation DESC");
    Ok(sqlx::query_as(sqlx::AssertSqlSafe(text)).fetch_all(&context.pool).await?)
}

/// Moves a generation from the state in which it was seen to another, and says so in the record.
///
/// # Errors
/// A refusal if somebody else has moved it meanwhile.
pub async fn step(
    context: &CommandContext,
    connection: &mut PgConnection,
    seen: &Generation,
    to: State,
    note: &str,
) -> Result<(), Failure> {
    let moved = sqlx::query(
        "UPDATE index_generations SET state = $4, note = $5, revision = revision + 1
         WHERE generation = $1 AND revision = $2 AND state = $3",
    )
    .bind(&seen.generation)
    .bind(seen.revision)
    .bind(seen.state.name())
    .bind(to.name())
    .bind(note)
    .execute(&mut *connection)
    .await?;
    if moved.rows_affected() == 0 {
        return Err(Failure::refused(
            "moved_meanwhile",
            format!("{} has been moved by somebody else meanwhile; see `reindex status`", seen.generation),
        ));
    }
    let detail = serde_json::json!({"from": seen.state, "to": to, "note": note});
    context.record(&mut *connection, &format!("generation.{}", to.name()), &seen.generation, detail).await?;
    Ok(())
}
