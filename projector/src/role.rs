//! Runs the roles of this process: each restarts after a failure, with a growing pause, for ever.

use crate::{
    config::{Config, Role},
    deps::{Deps, RoleError},
    document_relay, embeddings,
    epochs::Epochs,
    feed, index_writer, log_epoch,
    metrics::Metrics,
    outboxes::{self, Outboxes},
    rebuild,
    registry::FEEDS,
    relay, retention,
    status::{self, Status},
    unsent,
};
use eventlog::Epoch;
use schemas::topics::Context as Bounded;
use service::{Health, Refusals, Supervisor, http, shutdown::Shutdown};
use std::{future::Future, sync::Arc, time::Duration};
use tokio::{sync::Notify, task::JoinSet};

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
    let (registry, health) = (service::Metrics::default(), Health::default());
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
        supervisor: Supervisor::new(health.clone(), &registry),
        health,
        documents_written: Arc::new(Notify::new()),
        outboxes,
        shutdown: shutdown.clone(),
    };
    deps.health.expect("topics");
    let listener = http::bind(deps.config.projector_listen).await?;
    let router = deps.health.routes().merge(registry.routes());
    let mut tasks = JoinSet::new();
    if deps.config.relays() {
        tasks.spawn(deps.supervisor.clone().guard("outboxes", session));
    }
    start_roles(&deps, &mut tasks);
    retention::start(&deps.config, &registry, &shutdown, &mut tasks)?;
    let served = http::serve(listener, router, deps.config.http.clone(), Refusals::new(&registry), shutdown).await;
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
    tasks.spawn(deps.supervisor.clone().guard("epochs", watch_epochs(deps.clone())));
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

/// Keeps a role running, each time in the epoch that is in use.
async fn keep_running<F, Fut>(deps: Deps, name: String, start: F)
where
    F: Fn(Deps) -> Fut + Send + Sync,
    Fut: Future<Output = Result<(), RoleError>> + Send,
{
    let supervisor = deps.supervisor.clone();
    let (deps, start) = (&deps, &start);
    let run = || async move {
        let deps = in_epoch(deps).await?;
        let epoch = deps.log.epoch.name.clone();
        tokio::select! {
            outcome = start(deps.clone()) => outcome,
            () = deps.epochs.moved_from(&epoch) => Err("the log begins anew".into()),
        }
    };
    supervisor.keep(name, run).await;
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
