//! What happens on a connection, and by when something has to.

use super::options::HttpOptions;
use axum::http::Version;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::time::Instant;

/// What is known of a connection, shared by its socket, its requests and who watches over it.
#[derive(Debug, Clone)]
pub(super) struct Activity(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    /// Requests whose answer has not been sent.
    requests: usize,
    /// Whether there was one.
    used: bool,
    /// Since when there is none.
    quiet: Instant,
    /// Whether requests run side by side (HTTP/2). Then what comes between two of them need not be a header.
    side_by_side: bool,
    /// When the first byte of the next request came.
    begun: Option<Instant>,
    /// Since when the client takes nothing of what is sent.
    blocked: Option<Instant>,
    /// Why a head was not taken.
    unread: Option<String>,
}

/// Why a connection is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Overdue {
    /// Nobody asks for anything.
    Idle,
    /// A request began to come and did not go on.
    Header,
    /// The client does not take its answer.
    Answer,
}

impl Activity {
    pub(super) fn new() -> Self {
        let quiet = Instant::now();
        Self(Arc::new(Mutex::new(State {
            requests: 0,
            used: false,
            quiet,
            side_by_side: false,
            begun: None,
            blocked: None,
            unread: None,
        })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a request; it is over when the guard is dropped.
    pub(super) fn request(&self, version: Version) -> InHand {
        let mut state = self.state();
        (state.requests, state.used, state.begun) = (state.requests + 1, true, None);
        state.side_by_side = version == Version::HTTP_2;
        InHand(self.clone())
    }

    /// Whether a request is worked at.
    pub(super) fn is_busy(&self) -> bool {
        self.state().requests > 0
    }

    pub(super) fn read(&self) {
        let mut state = self.state();
        if state.requests == 0 && state.begun.is_none() && !state.side_by_side {
            state.begun = Some(Instant::now());
        }
    }

    pub(super) fn wrote(&self, taken: bool) {
        let mut state = self.state();
        state.blocked = if taken { None } else { state.blocked.or_else(|| Some(Instant::now())) };
    }

    /// Notes that a head was not taken, with the code that its client was told.
    pub(super) fn unread(&self, code: &str) {
        self.state().unread = Some(code.to_owned());
    }

    /// Why a head was not taken, if one was not.
    pub(super) fn why_unread(&self) -> Option<String> {
        self.state().unread.clone()
    }

    /// Ends when the connection is to be closed, with the reason.
    pub(super) async fn overdue(&self, options: &HttpOptions) -> Overdue {
        // However things turn out meanwhile, none of the deadlines is nearer than this.
        let shortest = options.header().min(options.body()).min(options.idle());
        loop {
            let now = Instant::now();
            let next = match self.due(options) {
                Some((at, overdue)) if at <= now => return overdue,
                Some((at, _)) => at.min(now + shortest),
                None => now + shortest,
            };
            tokio::time::sleep_until(next).await;
        }
    }

    /// When the connection is to be closed as things stand, and why; nothing while a request is worked at.
    fn due(&self, options: &HttpOptions) -> Option<(Instant, Overdue)> {
        let state = self.state();
        match (state.blocked, state.begun) {
            (Some(since), _) => Some((since + options.body(), Overdue::Answer)),
            (None, _) if state.requests > 0 => None,
            (None, Some(since)) => Some((since + options.header(), Overdue::Header)),
            (None, None) if state.used => Some((state.quiet + options.idle(), Overdue::Idle)),
            // Who connects wants something soon.
            (None, None) => Some((state.quiet + options.header(), Overdue::Idle)),
        }
    }
}

/// A request whose answer has not been sent.
#[derive(Debug)]
pub(super) struct InHand(Activity);

impl Drop for InHand {
    fn drop(&mut self) {
        let mut state = self.0.state();
        (state.requests, state.quiet, state.begun) = (state.requests.saturating_sub(1), Instant::now(), None);
    }
}
