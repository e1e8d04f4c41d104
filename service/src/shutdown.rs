//! Stopping cleanly: one signal that every task of a process can wait for.

use tokio::sync::watch;

/// Resolves for everyone once SIGINT or SIGTERM came or [`Shutdown::trigger`] was called.
#[derive(Debug, Clone)]
pub struct Shutdown {
    sender: watch::Sender<bool>,
}

impl Default for Shutdown {
    fn default() -> Self {
        Self { sender: watch::Sender::new(false) }
    }
}

impl Shutdown {
    /// A shutdown that also listens for SIGINT and SIGTERM.
    #[must_use]
    pub fn on_signals() -> Self {
        let shutdown = Self::default();
        let on_signal = shutdown.clone();
        tokio::spawn(async move {
            wait_for_signal().await;
            tracing::info!("stopping: a signal came");
            on_signal.trigger();
        });
        shutdown
    }

    /// Starts stopping.
    pub fn trigger(&self) {
        self.sender.send_replace(true);
    }

    /// Whether stopping has begun.
    #[must_use]
    pub fn is_triggered(&self) -> bool {
        *self.sender.borrow()
    }

    /// Waits until stopping begins.
    pub async fn wait(&self) {
        let mut receiver = self.sender.subscribe();
        // The sender lives in self, so this ends only by the value.
        let _ = receiver.wait_for(|stopping| *stopping).await;
    }
}

async fn wait_for_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        tracing::error!("signals can't be listened for; stop this process with SIGKILL");
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}
