//! Bulk writes over HTTP: NDJSON in, an answer line per line out, while the request still comes.

mod answer;

pub(crate) use answer::BulkAnswer;

use super::{
    extract, idempotency,
    lines::{Line, Lines, MAX_LINE_BYTES},
    problem::{self, ApiError},
};
use crate::{
    clock::Clock,
    pipeline::{
        App, Error, Rejection, Scope, WorkingSet,
        bulk::{Answered, Incoming, OnError, Session},
        idempotency::Key,
    },
};
use answer::Tally;
use axum::{
    body::{Body, BodyDataStream},
    extract::{FromRequest, Query, Request},
    http::{header, request::Parts},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures::{FutureExt, StreamExt};
use schemas::problem::{Code, Problem};
use service::http::BodyDeadline;
use std::{collections::HashMap, panic::AssertUnwindSafe, time::Duration};
use tokio::sync::mpsc;
use tracing::Instrument;
use utoipa::IntoParams;

/// Lines decided and written at once.
const CHUNK_LINES: usize = 500;
/// Bytes after which a chunk is not filled further.
const CHUNK_BYTES: usize = 4 << 20;
/// A chunk that is not full is carried out when nothing more has come for this long.
const IDLE: Duration = Duration::from_millis(20);
/// Most lines of a stream that is one transaction: its answers wait for the end.
const MAX_WHOLE_LINES: usize = 100_000;

/// Parameters of a bulk write.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "read by the OpenAPI macros only")]
pub(crate) struct BulkParameters {
    /// What a rejected line means: `skip` (default; the others are written), `stop` (those after it
    /// are not tried), `all-or-nothing` (one transaction, at most 100,000 lines)
    on_error: Option<String>,
    /// Decide everything, write nothing; at most 100,000 lines
    dry_run: Option<bool>,
}

/// A bulk write that is about to start.
pub(crate) struct BulkCommand {
    app: App,
    scope: Scope,
    on_error: OnError,
    dry_run: bool,
    key: Option<(String, Parts)>,
    body: Body,
}

impl FromRequest<App> for BulkCommand {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &App) -> Result<Self, ApiError> {
        let (mut parts, body) = request.into_parts();
        let scope = extract::scope(&mut parts, app).await?;
        let (on_error, dry_run) = parameters(&parts)?;
        // It may take longer than other bodies.
        if let Some(deadline) = parts.extensions.get::<BodyDeadline>() {
            deadline.lift();
        }
        let key = idempotency::key_of(&parts)?.filter(|_| !dry_run).map(|key| (key, parts));
        Ok(Self { app: app.clone(), scope, on_error, dry_run, key, body })
    }
}

fn parameters(parts: &Parts) -> Result<(OnError, bool), ApiError> {
    let query = Query::<HashMap<String, String>>::try_from_uri(&parts.uri)
        .map_err(|error| ApiError::unreadable("query", error.to_string()))?;
    let (mut on_error, mut dry_run) = (OnError::Skip, false);
    for (name, value) in query.0 {
        match (name.as_str(), value.as_str()) {
            ("on_error", "skip") => on_error = OnError::Skip,
            ("on_error", "stop") => on_error = OnError::Stop,
            ("on_error", "all-or-nothing") => on_error = OnError::AllOrNothing,
            ("on_error", _) => {
                return Err(ApiError::unreadable("on_error", "skip, stop or all-or-nothing is expected"));
            }
            ("dry_run", "true" | "1" | "") => dry_run = true,
            ("dry_run", "false" | "0") => dry_run = false,
            ("dry_run", _) => return Err(ApiError::unreadable("dry_run", "true or false is expected")),
            _ => return Err(ApiError::unreadable(&name, "there is no such parameter")),
        }
    }
    Ok((on_error, dry_run))
}

/// How the lines of a use case are read.
pub(crate) type Parse<W> = fn(&[u8], &dyn Clock) -> Result<<W as WorkingSet>::Input, Rejection>;

impl BulkCommand {
    /// Carries it out in a task of its own, which ends when nobody reads its answers any more.
    pub(crate) fn start<W: WorkingSet>(self, parse: Parse<W>) -> Response {
        let (sender, receiver) = mpsc::channel::<Bytes>(4);
        let task = async move {
            let driver = Driver::<W>::new(self, parse, sender.clone());
            let problem = match AssertUnwindSafe(driver.run()).catch_unwind().await {
                Ok(Ok(())) => return,
                Ok(Err(Stop::Gone)) => return,
                Ok(Err(Stop::Problem(problem))) => problem,
                Err(panic) => {
                    tracing::error!(panic = problem::panic_text(panic.as_ref()), "a bulk write panicked");
                    problem::internal()
                }
            };
            // The last line of a stream that broke off: no summary comes.
            let _ = sender.send(answer::broken(&problem)).await;
        };
        tokio::spawn(task.instrument(tracing::Span::current()));
        let answers = futures::stream::unfold(receiver, |mut receiver| async move {
            Some((Ok::<_, std::convert::Infallible>(receiver.recv().await?), receiver))
        });
        ([(header::CONTENT_TYPE, "application/x-ndjson")], Body::from_stream(answers)).into_response()
    }
}

/// Why a bulk write ends early.
enum Stop {
    /// Nobody reads the answers.
    Gone,
    Problem(Problem),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Problem(problem::of_error(&error))
    }
}

impl From<serde_json::Error> for Stop {
    fn from(error: serde_json::Error) -> Self {
        tracing::error!(error = %error, "an answer has no JSON form");
        Self::Problem(problem::internal())
    }
}

/// Reads lines, gathers chunks, sends answers.
struct Driver<W: WorkingSet> {
    session: Session<W>,
    parse: Parse<W>,
    app: App,
    frames: BodyDataStream,
    key: Option<(String, Parts)>,
    sender: mpsc::Sender<Bytes>,
    chunk: Vec<Incoming<W::Input>>,
    chunk_bytes: usize,
    /// The text of the chunk, kept only to be hashed for an idempotency key.
    chunk_text: Vec<u8>,
    chunks: u64,
    lines: usize,
    /// Answers of a stream that is one transaction.
    held: Vec<Answered>,
    tally: Tally,
}

impl<W: WorkingSet> Driver<W> {
    fn new(command: BulkCommand, parse: Parse<W>, sender: mpsc::Sender<Bytes>) -> Self {
        let BulkCommand { app, scope, on_error, dry_run, key, body } = command;
        let session = Session::new(app.clone(), scope, on_error, dry_run);
        Self {
            session,
            parse,
            app,
            frames: body.into_data_stream(),
            key,
            sender,
            chunk: Vec::with_capacity(CHUNK_LINES),
            chunk_bytes: 0,
            chunk_text: Vec::new(),
            chunks: 0,
            lines: 0,
            held: Vec::new(),
            tally: Tally::new(W::CONTEXT),
        }
    }

    async fn run(mut self) -> Result<(), Stop> {
        let mut lines = Lines::default();
        loop {
            while let Some((number, line)) = lines.take() {
                self.add(number, &line).await?;
            }
            // Under a key the chunks must be the same when the stream comes again.
            let frame = if self.chunk.is_empty() || self.key.is_some() {
                self.frames.next().await
            } else {
                match tokio::time::timeout(IDLE, self.frames.next()).await {
                    Ok(frame) => frame,
                    Err(_) => {
                        self.flush().await?;
                        continue;
                    }
                }
            };
            match frame {
                Some(Ok(bytes)) => lines.push(&bytes),
                Some(Err(_)) => {
                    let detail = "the stream broke off; what was answered before stands, unless it was one transaction";
                    return Err(Stop::Problem(Problem::new(Code::InvalidRequest).detail(detail)));
                }
                None => break,
            }
        }
        if let Some((number, line)) = lines.rest() {
            self.add(number, &line).await?;
        }
        self.flush().await?;
        self.finish().await
    }

    async fn add(&mut self, number: u64, line: &Line) -> Result<(), Stop> {
        self.lines += 1;
        if self.session.is_whole() && self.lines > MAX_WHOLE_LINES {
            let detail = format!("one transaction takes at most {MAX_WHOLE_LINES} lines");
            return Err(Error::Rejected(Rejection::too_large(detail)).into());
        }
        let input = match line {
            Line::Text(text) => {
                self.chunk_bytes += text.len();
                if self.key.is_some() {
                    self.chunk_text.extend_from_slice(text);
                }
                (self.parse)(text, self.app.clock.as_ref())
            }
            Line::TooLong => Err(Rejection::too_large(format!("a line has at most {MAX_LINE_BYTES} bytes"))),
        };
        self.chunk.push(Incoming { number, input });
        if self.chunk.len() >= CHUNK_LINES || self.chunk_bytes >= CHUNK_BYTES { self.flush().await } else { Ok(()) }
    }

    async fn flush(&mut self) -> Result<(), Stop> {
        if self.chunk.is_empty() {
            return Ok(());
        }
        let key = self.chunk_key();
        let answered = self.session.chunk(&self.chunk, key.as_ref()).await?;
        self.chunk.clear();
        self.chunk_text.clear();
        self.chunk_bytes = 0;
        if self.session.is_whole() {
            self.held.extend(answered);
            if self.sender.is_closed() { Err(Stop::Gone) } else { Ok(()) }
        } else {
            self.send(&answered).await
        }
    }

    /// Each chunk has a key of its own, made of the stream's and its number.
    fn chunk_key(&mut self) -> Option<Key> {
        let number = self.chunks;
        self.chunks += 1;
        self.key.as_ref().map(|(key, parts)| idempotency::guard(format!("{key}#{number}"), parts, &self.chunk_text))
    }

    async fn send(&mut self, answered: &[Answered]) -> Result<(), Stop> {
        let text = self.tally.lines(answered)?;
        self.sender.send(text).await.map_err(|_| Stop::Gone)
    }

    async fn finish(mut self) -> Result<(), Stop> {
        let (is_whole, dry_run) = (self.session.is_whole(), self.session.is_dry_run());
        let stands = self.session.finish().await?;
        if is_whole {
            let mut held = std::mem::take(&mut self.held);
            // A dry run says of each line what would become of it.
            if !stands && !dry_run {
                answer::undo(&mut held);
            }
            for part in held.chunks(CHUNK_LINES) {
                let text = self.tally.lines(part)?;
                self.sender.send(text).await.map_err(|_| Stop::Gone)?;
            }
        }
        self.sender.send(self.tally.summary(stands)).await.map_err(|_| Stop::Gone)
    }
}
