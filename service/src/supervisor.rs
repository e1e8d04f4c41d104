//! One way to run what runs for as long as the process: what fails or panics is counted and begins again, and what
//! can't go on makes the process no longer alive, so that whoever runs it starts another.

use crate::{Health, Metrics};
use futures::FutureExt;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family},
};
use std::{future::Future, panic::AssertUnwindSafe, time::Duration};
use tokio::{task::JoinHandle, time::Instant};

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// A task that ran this long has recovered: the next failure starts with the first pause again.
const RECOVERED_AFTER: Duration = Duration::from_secs(10);
/// Panics of a task without a recovery between them after which the process is no longer alive.
const MOST_PANICS: u32 = 5;

/// Any failure of a task; the sentence is for the log.
pub type TaskError = Box<dyn std::error::Error + Send + Sync>;

/// The task a failure is of.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Of {
    name: String,
}

/// Looks after the long-running tasks of a process. A clone is the same one.
#[derive(Debug, Clone)]
pub struct Supervisor {
    health: Health,
    failures: Family<Of, Counter>,
    first_pause: Duration,
}

impl Supervisor {
    /// Tells `health`, and counts as `souk_role_failures_total`.
    #[must_use]
    pub fn new(health: Health, metrics: &Metrics) -> Self {
        let failures = Family::<Of, Counter>::default();
        metrics.register(|r| {
            r.register("role_failures", "Failures of a role or another long-running task", failures.clone());
        });
        Self { health, failures, first_pause: FIRST_PAUSE }
    }

    /// What it tells.
    #[must_use]
    pub const fn health(&self) -> &Health {
        &self.health
    }

    /// Runs a task, again and again after a growing pause when it ends, fails or panics. It says itself that it is ready.
    pub async fn keep<F, Fut>(self, name: String, start: F)
    where
        F: Fn() -> Fut + Send,
        Fut: Future<Output = Result<(), TaskError>> + Send,
    {
        self.health.expect(&name);
        // An increase from nothing is none: the count begins at 0.
        let failures = self.failures.get_or_create(&Of { name: name.clone() }).clone();
        let (mut pause, mut panics) = (self.first_pause, 0);
        loop {
            let began = Instant::now();
            let outcome = caught(start()).await;
            if began.elapsed() > RECOVERED_AFTER {
                (pause, panics) = (self.first_pause, 0);
            }
            let reason = match outcome {
                Ok(Ok(())) => "it ended".to_owned(),
                Ok(Err(error)) => error.to_string(),
                Err(panic) => {
                    panics += 1;
                    format!("it panicked: {panic}")
                }
            };
            if panics >= MOST_PANICS {
                self.health.dead(&name, &reason);
            } else {
                self.health.set(&name, false, &reason);
            }
            failures.inc();
            tracing::warn!(
                role = %name, error = %reason, pause_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX),
                "the role failed and starts again"
            );
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Runs a task that can't begin again by itself. If it panics, the process is no longer alive. That it ends is its
    /// own matter.
    pub async fn guard(self, name: &'static str, task: impl Future<Output = ()> + Send) {
        let failures = self.failures.get_or_create(&Of { name: name.to_owned() }).clone();
        if let Err(panic) = caught(task).await {
            tracing::error!(task = name, error = %panic, "a task that the process depends on has panicked");
            failures.inc();
            self.health.dead(name, &format!("it panicked: {panic}"));
        }
    }

    /// [`Self::guard`] beside the caller.
    pub fn spawn(&self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) -> JoinHandle<()> {
        tokio::spawn(self.clone().guard(name, task))
    }
}

/// A panic as a sentence.
async fn caught<T>(task: impl Future<Output = T>) -> Result<T, String> {
    AssertUnwindSafe(task).catch_unwind().await.map_err(|panic| {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "without a text".to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    };
    use tokio::sync::mpsc;

    /// Keeps a task that does what `fault` says each time it begins, until it has begun so many times; then it works.
    /// Gives what health and metrics say then.
    async fn begun(times: u32, fault: fn(u32) -> Result<(), TaskError>) -> (Health, Metrics) {
        let (health, metrics, count) = (Health::default(), Metrics::default(), Arc::new(AtomicU32::new(0)));
        let supervisor =
            Supervisor { first_pause: Duration::from_millis(1), ..Supervisor::new(health.clone(), &metrics) };
        let (told, mut works) = mpsc::channel(1);
        let own = health.clone();
        let keeping = supervisor.keep("views".to_owned(), move || {
            let (count, health, told) = (count.clone(), own.clone(), told.clone());
            async move {
                let begun = count.fetch_add(1, Ordering::SeqCst) + 1;
                if begun < times {
                    return fault(begun);
                }
                health.set("views", true, "");
                told.send(()).await?;
                std::future::pending().await
            }
        });
        tokio::select! {
            () = keeping => {}
            said = works.recv() => assert_eq!(said, Some(())),
        }
        (health, metrics)
    }

    #[expect(clippy::panic, reason = "the fault that is injected")]
    fn panics(times: u32) -> Result<(), TaskError> {
        panic!("poison {times}")
    }

    #[tokio::test]
    async fn a_task_that_fails_ends_or_panics_begins_again_and_is_counted() {
        let (health, metrics) = begun(6, |times| match times {
            1 => Err("no database".into()),
            2 => Ok(()),
            _ => panics(times),
        })
        .await;
        assert!(health.is_ready() && health.is_alive());
        assert!(metrics.text().contains("souk_role_failures_total{name=\"views\"} 5"), "{}", metrics.text());
    }

    #[tokio::test]
    async fn one_that_panics_again_and_again_ends_the_life_of_the_process() {
        assert!(begun(MOST_PANICS, panics).await.0.is_alive());
        assert!(!begun(MOST_PANICS + 1, panics).await.0.is_alive());
    }

    #[tokio::test]
    async fn one_that_can_t_begin_again_is_missed_at_once() {
        let (health, metrics) = (Health::default(), Metrics::default());
        let supervisor = Supervisor::new(health.clone(), &metrics);
        supervisor.clone().guard("jobs", async {}).await;
        assert!(health.is_alive(), "it may end");
        supervisor.guard("signals", async { panics(1).unwrap_or_default() }).await;
        assert!(!health.is_alive());
    }
}
