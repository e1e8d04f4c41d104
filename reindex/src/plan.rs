//! `reindex plan`: what a bundle would take, and a generation to build it in.

use crate::{
    bundles,
    context::CommandContext,
    failure::Failure,
    generations::{self, DocumentSource},
};
use schemas::Utc;
use search::{
    bundle::{Bundle, Change, Effect, changes},
    generation::{self, Manifest},
};
use serde::Serialize;
use std::{fmt, path::PathBuf};

/// Show what a bundle needs, and plan a generation with it
#[derive(Debug, Clone, clap::Args)]
#[command(
    after_help = "Examples:\n  reindex plan --bundle bundle.toml --dry-run\n  reindex plan --bundle bundle.toml --from views --rate 2000\n  reindex plan --same                    # the active bundle, in a new index"
)]
pub struct Args {
    /// The bundle, TOML or JSON
    #[arg(long, value_name = "FILE", required_unless_present = "same")]
    pub bundle: Option<PathBuf>,
    /// Use the bundle of the active generation, in a new index
    #[arg(long, conflicts_with = "bundle")]
    pub same: bool,
    /// Source of the documents [default: copy if only queries change, else topic]
    #[arg(long, value_enum)]
    pub from: Option<DocumentSource>,
    /// Most documents a second [default: no limit; the build runs at low priority]
    #[arg(long)]
    pub rate: Option<i32>,
    /// The generation's name [default: the next number]
    #[arg(long)]
    pub name: Option<String>,
    /// Only show the plan
    #[arg(long)]
    pub dry_run: bool,
}

/// What was planned.
#[derive(Debug, Clone, Serialize)]
pub struct Plan {
    /// The generation; none on a dry run.
    pub generation: Option<String>,
    /// The generation it is planned against.
    pub basis: String,
    /// The bundle's hash.
    pub bundle_hash: String,
    /// In which settings it differs.
    pub changes: Vec<Change>,
    /// Where documents come from.
    pub from: DocumentSource,
    /// Documents there are to take in.
    pub documents: i64,
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", bundles::table(&self.changes))?;
        let how = match self.from {
            DocumentSource::Topic => "from the document topic",
            DocumentSource::Views => "from the views",
            DocumentSource::Copy => "from the files of the active generation, since no terms change",
        };
        writeln!(f, "\n{} documents, {how}; against {}", self.documents, self.basis)?;
        if self.changes.iter().any(|change| change.effect == Effect::Vectors) {
            writeln!(f, "every text is embedded anew, beside the vectors in use; that takes longer than the index")?;
        }
        match &self.generation {
            Some(name) => writeln!(f, "planned as {name}; `reindex build {name}` builds it"),
            None => writeln!(f, "a dry run: nothing was written down"),
        }
    }
}

/// Plans a generation.
///
/// # Errors
/// A refusal if the bundle is wrong, or what is asked for can't be.
pub async fn run(context: &CommandContext, args: &Args) -> Result<Plan, Failure> {
    let active = generations::active(context).await?;
    let bundle = match &args.bundle {
        Some(file) => bundles::read(file)?,
        None => active.manifest()?.bundle,
    };
    of(context, bundle, args).await
}

/// Plans a generation of a bundle; the bundle of `args` is not looked at.
///
/// # Errors
/// As [`run`].
pub async fn of(context: &CommandContext, bundle: Bundle, args: &Args) -> Result<Plan, Failure> {
    let active = generations::active(context).await?;
    let basis = active.manifest()?;
    let found = changes(&basis.bundle, &bundle);
    // Vectors lie beside the index: another set leaves its files as they are.
    let terms = found.iter().any(|change| change.effect == Effect::Terms);
    let from = match args.from {
        Some(DocumentSource::Copy) if terms => {
            return Err(Failure::refused(
                "needs_a_build",
                "the terms of documents change: `copy` can't be; use topic or views",
            ));
        }
        Some(from) => from,
        None if !terms && !args.same => DocumentSource::Copy,
        None => DocumentSource::Topic,
    };
    if args.rate.is_some_and(|rate| rate < 1) {
        return Err(Failure::refused("invalid_rate", "--rate is at least 1 document a second"));
    }
    let documents: i64 = sqlx::query_scalar("SELECT count(*) FROM documents").fetch_one(&context.pool).await?;
    let bundle_hash = bundle.hash()?;
    let mut plan =
        Plan { generation: None, basis: active.generation.clone(), bundle_hash, changes: found, from, documents };
    if args.dry_run {
        return Ok(plan);
    }
    let mut transaction = context.pool.begin().await?;
    // Two who plan at once get two names.
    sqlx::query("LOCK TABLE index_generations IN SHARE ROW EXCLUSIVE MODE").execute(&mut *transaction).await?;
    let name = match &args.name {
        Some(name) if generation::is_name(name) => name.clone(),
        Some(name) => {
            return Err(Failure::refused(
                "invalid_name",
                format!("`{name}`: 1 to 64 lower case letters, digits and `-` are expected"),
            ));
        }
        None => projector::index_writer::next_name(&mut transaction).await?,
    };
    let manifest = Manifest::new(&name, bundle, Utc::now())?;
    let made = sqlx::query(
        "INSERT INTO index_generations (generation, state, manifest, source, basis, rate_limit, created_by, release)
         VALUES ($1, 'planned', $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
    )
    .bind(&name)
    .bind(serde_json::to_value(&manifest)?)
    .bind(from.name())
    .bind(&active.generation)
    .bind(args.rate)
    .bind(&context.actor)
    .bind(projector::index_writer::RELEASE)
    .execute(&mut *transaction)
    .await?;
    if made.rows_affected() == 0 {
        return Err(Failure::refused("name_taken", format!("there is a generation `{name}` already")));
    }
    let detail = serde_json::json!({"bundle": manifest.bundle_hash, "from": from, "changes": plan.changes.len()});
    context.record(&mut *transaction, "generation.planned", &name, detail).await?;
    transaction.commit().await?;
    plan.generation = Some(name);
    Ok(plan)
}
