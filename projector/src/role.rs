//! Runs the roles of this process: each restarts after a failure, with a growing pause, for ever.

use crate::{
    config::{Config, Role},
    deps::{Deps, RoleError},
    document_relay, embeddings,
    epochs::Epochs,
    feed, index_writer, log_epoch,
    metrics::{Metrics, of},
    outboxes::{self, Outboxes},
    rebuild,
    registry::FEEDS,
    relay, retention,
    status::{self, Status},
    unsent,
};
use eventlog::Epoch;
use futures::FutureExt;
use schemas::topics::Context as Bounded;
use service::{Health, Refusals, http, shutdown::Shutdown};
use std::{future::Future, panic::AssertUnwindSafe, sync::Arc, time::Duration};
use tokio::{sync::Notify, task::JoinSet};

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// A role that ran this long has recovered: the next failure starts with the first pause again.
const RECOVERED_AFTER: Duration = Duration::from_secs(10);
/// Panics of a role without a recovery between them after which the process is no longer alive: whoever runs it starts
/// another.
const MOST_PANICS: u32 = 5;
const WATCH_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// Runs the roles of the configuration until shutdown.
///
/// # Errors
/// If the address of health and metrics can't be served or the configuration is incomplete.
pub async fn run(config: Config, shutdown: Shutdown) -> Result<(), RoleError> {
    if config.roles.contains(&Role::Embed) && config.models().is_none() {
        return Err(
            "the role embed needs --model-dir and --onnxruntime; leave it out with --roles relay,views,index".into()
        );
    }
    let registry = service::Metrics::default();
    // Taken for granted before the databases were asked.
    let log = config.log(Epoch::first(config.topic_partitions));
    let producer = log.producer()?;
    let (outboxes, session) = Outboxes::shared(&config.write_database_url);
    let deps = Deps {
        log,
        status: Status::default(),
        epochs: Epochs::new(producer.clone()),
        producer,
        metrics: Metrics::new(&registry),
        config: Arc::new(config),
        health: Health::default(),
        documents_written: Arc::new(Notify::new()),
        outboxes,
        shutdown: shutdown.clone(),
    };
    deps.health.expect("topics");
    let listener = http::bind(deps.config.projector_listen).await?;
    let router = deps.health.routes().merge(registry.routes());
    let mut tasks = JoinSet::new();
    if deps.config.relays() {
        tasks.spawn(watched(deps.health.clone(), "outboxes", session));
    }
    start_roles(&deps, &mut tasks);
    retention::start(&deps.config, &registry, &shutdown, &mut tasks)?;
    let served = http::serve(listener, router, deps.config.http, Refusals::new(&registry), shutdown).await;
    // Each role ends at its next await; what it had in hand is redone from the checkpoint.
    tasks.shutdown().await;
    Ok(served?)
}

fn start_roles(deps: &Deps, tasks: &mut JoinSet<()>) {
    let has = |role| deps.config.roles.contains(&role);
    if has(Role::Relay) {
        for context in Bounded::ALL {
            tasks.spawn(keep_running(deps.clone(), outboxes::relay_name(context), move |deps| {
                relay::run(deps, context)
            }));
        }
        tasks.spawn(keep_running(deps.clone(), unsent::NAME.to_owned(), unsent::run));
    }
    if has(Role::Views) {
        for feed in FEEDS {
            tasks.spawn(keep_running(deps.clone(), feed.name.to_owned(), move |deps| feed::run(deps, feed)));
        }
        tasks.spawn(keep_running(deps.clone(), rebuild::PROJECTION.to_owned(), rebuild::run));
        tasks.spawn(keep_running(deps.clone(), document_relay::NAME.to_owned(), document_relay::run));
    }
    if has(Role::Index) {
        tasks.spawn(keep_running(deps.clone(), index_writer::PROJECTION.to_owned(), index_writer::run));
    }
    if has(Role::Embed) {
        tasks.spawn(keep_running(deps.clone(), embeddings::PROJECTION.to_owned(), embeddings::run));
    }
    tasks.spawn(keep_running(deps.clone(), "status".to_owned(), status::report::run));
    tasks.spawn(watched(deps.health.clone(), "epochs", watch_epochs(deps.clone())));
}

/// Not a role: it has to run while an epoch is being begun, which ends all roles.
async fn watch_epochs(deps: Deps) {
    loop {
        if let Err(error) = log_epoch::watch(&deps).await {
            tracing::warn!(%error, "the epoch of the log can't be asked for");
        }
        tokio::time::sleep(WATCH_AGAIN_AFTER).await;
    }
}

async fn keep_running<F, Fut>(deps: Deps, name: String, start: F)
where
    F: Fn(Deps) -> Fut + Send,
    Fut: Future<Output = Result<(), RoleError>> + Send,
{
    deps.health.expect(&name);
    // An increase from nothing is none: the count begins at 0.
    deps.metrics.role_failures.get_or_create(&of(&name)).inc_by(0);
    let (mut pause, mut panics) = (FIRST_PAUSE, 0);
    loop {
        let began = tokio::time::Instant::now();
        let outcome = match in_epoch(&deps).await {
            Ok(deps) => {
                let epoch = deps.log.epoch.name.clone();
                tokio::select! {
                    outcome = caught(start(deps.clone())) => outcome.unwrap_or_else(|panic| {
                        panics += 1;
                        Err(format!("it panicked: {panic}").into())
                    }),
                    () = deps.epochs.moved_from(&epoch) => Err("the log begins anew".into()),
                }
            }
            Err(error) => Err(error),
        };
        let reason = outcome.err().map_or_else(|| "it ended".to_owned(), |error| error.to_string());
        if panics >= MOST_PANICS {
            deps.health.dead(&name, &reason);
        } else {
            deps.health.set(&name, false, &reason);
        }
        deps.metrics.role_failures.get_or_create(&of(&name)).inc();
        if began.elapsed() > RECOVERED_AFTER {
            (pause, panics) = (FIRST_PAUSE, 0);
        }
        tracing::warn!(role = %name, error = %reason, pause_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX), "the role failed and starts again");
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Runs what all roles depend on and what can't begin again by itself: if it ends, the process is no longer alive.
async fn watched(health: Health, name: &'static str, task: impl Future<Output = ()>) {
    let reason =
        caught(task).await.err().map_or_else(|| "it ended".to_owned(), |panic| format!("it panicked: {panic}"));
    tracing::error!(task = name, error = %reason, "a task that all roles depend on has ended");
    health.dead(name, &reason);
}

/// A panic of a role as a sentence: it is an error as any other, and the role starts again.
async fn caught<T>(role: impl Future<Output = T>) -> Result<T, String> {
    AssertUnwindSafe(role).catch_unwind().await.map_err(|panic| {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "without a text".to_owned())
    })
}

/// What a role needs in the epoch that is in use now.
async fn in_epoch(deps: &Deps) -> Result<Deps, RoleError> {
    match log_epoch::current(deps).await {
        Ok((epoch, producer)) => {
            deps.health.set("topics", true, "");
            Ok(Deps { producer, log: deps.log.in_epoch(epoch), ..deps.clone() })
        }
        Err(error) => {
            deps.health.set("topics", false, &error.to_string());
            Err(error)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_told_as_an_error() {
        let panics = async { assert_eq!(1 + 1, 3, "a sum") };
        assert!(caught(panics).await.is_err_and(|text| text.contains("a sum")));
        assert_eq!(caught(async { 4 }).await, Ok(4));
    }
}
