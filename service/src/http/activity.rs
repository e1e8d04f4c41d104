//! What happens on a connection, and by when something has to.

use super::options::HttpOptions;
use axum::http::Version;
use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::Instant,
};

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

    fn read(&self) {
        let mut state = self.state();
        if state.requests == 0 && state.begun.is_none() && !state.side_by_side {
            state.begun = Some(Instant::now());
        }
    }

    fn wrote(&self, taken: bool) {
        let mut state = self.state();
        state.blocked = if taken { None } else { state.blocked.or_else(|| Some(Instant::now())) };
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

/// A socket that tells what happens on it.
#[derive(Debug)]
pub(super) struct Watched {
    stream: TcpStream,
    activity: Activity,
}

impl Watched {
    pub(super) const fn new(stream: TcpStream, activity: Activity) -> Self {
        Self { stream, activity }
    }

    fn noted(&self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        self.activity.wrote(written.is_ready());
        written
    }
}

impl AsyncRead for Watched {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buf);
        if buf.filled().len() > before {
            self.activity.read();
        }
        read
    }
}

impl AsyncWrite for Watched {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.noted(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.noted(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
