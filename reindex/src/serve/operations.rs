//! Every operation, on one screen. Each takes JSON and answers with what the command line would print with `--json`.

use super::{actor::Actor, answer::Answered, sent::Sent};
use crate::{
    build, bundles, compare, context::CommandContext, control, failure::Failure, generations, plan, promote, reconcile,
    rollback, status, verify, watch,
};
use access::{Routes, Rule};
use axum::{
    Json,
    extract::{Path, State},
    routing::{get, post},
};
use clap::ValueEnum;
use search::bundle::Bundle;
use serde::{Deserialize, Serialize};
use serde_json::Value;

type Answer = Result<Json<Value>, Answered>;

pub fn routes(context: CommandContext) -> Routes<()> {
    Routes::default()
        .allow_unlisted(Rule::Admin, "/v1/operations/status", get(all))
        .allow_unlisted(Rule::Admin, "/v1/operations/generations", post(planned))
        .allow_unlisted(Rule::Admin, "/v1/operations/generations/prune", post(prune))
        .allow_unlisted(Rule::Admin, "/v1/operations/generations/rollback", post(rollback))
        .allow_unlisted(Rule::Admin, "/v1/operations/generations/{name}/{action}", post(act))
        .allow_unlisted(Rule::Admin, "/v1/operations/reconcile", post(reconciled))
        .with_state(context)
}

fn shown(value: impl Serialize) -> Answer {
    Ok(Json(serde_json::to_value(value).map_err(Failure::from)?))
}

async fn all(State(context): State<CommandContext>) -> Answer {
    shown(status::read(&context).await?)
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct PlanBody {
    /// The bundle as an object.
    bundle: Option<Bundle>,
    /// The bundle as a file's text.
    file: Option<String>,
    from: Option<String>,
    rate: Option<i32>,
    name: Option<String>,
    dry_run: bool,
}

async fn planned(Actor(context): Actor, Sent(body): Sent<PlanBody>) -> Answer {
    let bundle = match (body.bundle, body.file) {
        (Some(bundle), None) => bundles::parse(&bundle.canonical().map_err(Failure::from)?)?,
        (None, Some(text)) => bundles::parse(&text)?,
        _ => generations::active(&context).await?.manifest()?.bundle,
    };
    let from = body.from.as_deref().map(|from| {
        generations::DocumentSource::from_str(from, false)
            .map_err(|_| Failure::refused("invalid_source", format!("`{from}`: topic, views or copy is expected")))
    });
    let args = plan::Args {
        bundle: None,
        same: true,
        from: from.transpose()?,
        rate: body.rate,
        name: body.name,
        dry_run: body.dry_run,
    };
    shown(plan::of(&context, bundle, &args).await?)
}

/// What the actions take; each looks at its own.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct ActionBody {
    accept: Vec<String>,
    at_once: bool,
    canary: Option<i16>,
    watch_seconds: Option<u64>,
    tenant: Option<String>,
    mode: Option<String>,
}

async fn act(
    Actor(context): Actor,
    Path((generation, action)): Path<(String, String)>,
    Sent(body): Sent<Option<ActionBody>>,
) -> Answer {
    let body = body.unwrap_or_default();
    match action.as_str() {
        "build" => {
            build::start(&context, &generation, body.at_once).await?;
            shown(build::follow(&context, &generation, false).await?)
        }
        "verify" => shown(
            verify::run(&context, &verify::Args { generation, accept: body.accept, at_once: body.at_once }).await?,
        ),
        "compare" => {
            let args = compare::Args {
                generation,
                tenant: body.tenant.unwrap_or_else(|| "demo".to_owned()),
                queries: None,
                judgments: None,
                limit: 300,
                mode: body.mode.unwrap_or_else(|| "lexical".to_owned()),
                most_newly_empty: 0.02,
                most_ndcg_loss: 0.02,
            };
            shown(compare::run(&context, &args).await?)
        }
        "promote" => {
            if body.canary.is_some_and(|share| !(0..=100).contains(&share)) {
                return Err(Failure::refused("invalid_share", "a canary has 0 to 100 percent").into());
            }
            let args = promote::Args {
                generation,
                canary: body.canary,
                watch: body.watch_seconds.map(|seconds| seconds.min(1_200)),
                limits: watch::Limits::default(),
                keep: 1,
                wait: 60,
            };
            shown(promote::run(&context, &args).await?)
        }
        "pause" => shown(control::pause(&context, &generation, true).await?),
        "resume" => shown(control::pause(&context, &generation, false).await?),
        "cancel" => shown(control::cancel(&context, &generation).await?),
        other => Err(Failure::refused(
            "unknown_action",
            format!("`{other}`: build, verify, compare, promote, pause, resume or cancel is expected"),
        )
        .into()),
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct ReasonBody {
    reason: String,
}

async fn rollback(Actor(context): Actor, Sent(body): Sent<Option<ReasonBody>>) -> Answer {
    let reason = body.map(|body| body.reason).unwrap_or_default();
    shown(rollback::run(&context, &rollback::Args { reason, wait: 60 }).await?)
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct PruneBody {
    keep: Option<usize>,
    dry_run: bool,
}

async fn prune(Actor(context): Actor, Sent(body): Sent<Option<PruneBody>>) -> Answer {
    let body = body.unwrap_or_default();
    shown(control::prune(&context, &control::PruneArgs { keep: body.keep.unwrap_or(1), dry_run: body.dry_run }).await?)
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct ReconcileBody {
    sample: Option<i64>,
    all: bool,
    tenant: Option<String>,
    dry_run: bool,
}

async fn reconciled(Actor(context): Actor, Sent(body): Sent<Option<ReconcileBody>>) -> Answer {
    let body = body.unwrap_or_default();
    let args = reconcile::Args {
        sample: body.sample.unwrap_or(500).clamp(1, 100_000),
        all: body.all,
        tenant: body.tenant,
        settle: 15.0,
        dry_run: body.dry_run,
        write_database_url: None,
    };
    shown(reconcile::run(&context, &args).await?)
}
