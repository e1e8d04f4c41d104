//! A bulk write under way: reads lines, gathers chunks, sends answers.

use super::{
    BulkCommand, Parse, Stop,
    answer::{self, Tally},
    frames::Frames,
    spool::{Bound, Spool},
};
use crate::{
    http::{
        idempotency,
        lines::{Line, Lines, MAX_LINE_BYTES},
        prefer::Waiting,
    },
    pipeline::{
        App, BulkPlace, Rejection, WorkingSet,
        bulk::{Answered, Incoming, Session},
        idempotency::Key,
    },
    reads::Sight,
};
use axum::http::request::Parts;
use bytes::Bytes;
use schemas::token::Token;
use std::time::Duration;
use tokio::sync::mpsc::{self, error::SendTimeoutError};

/// Lines decided and written at once.
const CHUNK_LINES: usize = 500;
/// Bytes after which a chunk is not filled further.
const CHUNK_BYTES: usize = 4 << 20;
/// A chunk that is not full is carried out when nothing more has come for this long.
const IDLE: Duration = Duration::from_millis(20);
/// Most lines of a stream that is one transaction: its answers wait for the end.
const MAX_WHOLE_LINES: usize = 100_000;

/// Reads lines, gathers chunks, sends answers.
pub(super) struct Driver<W: WorkingSet> {
    session: Session<W>,
    parse: Parse<W>,
    app: App,
    frames: Frames,
    place: Option<BulkPlace>,
    waiting: Option<Waiting>,
    key: Option<(String, Parts)>,
    sender: mpsc::Sender<Bytes>,
    chunk: Vec<Incoming<W::Input>>,
    chunk_bytes: usize,
    /// The text of the chunk, kept only to be hashed for an idempotency key.
    chunk_text: Vec<u8>,
    chunks: u64,
    /// Answers of a stream that is one transaction.
    held: Vec<Answered>,
    tally: Tally,
}

impl<W: WorkingSet> Driver<W> {
    pub(super) fn new(command: BulkCommand, parse: Parse<W>, sender: mpsc::Sender<Bytes>) -> Self {
        let BulkCommand { app, scope, on_error, dry_run, key, body, place, waiting } = command;
        let session = Session::new(app.clone(), scope, on_error, dry_run);
        Self {
            session,
            parse,
            frames: Frames::new(body, app.bulk.gap),
            app,
            place: Some(place),
            waiting,
            key,
            sender,
            chunk: Vec::with_capacity(CHUNK_LINES),
            chunk_bytes: 0,
            chunk_text: Vec::new(),
            chunks: 0,
            held: Vec::new(),
            tally: Tally::new(W::CONTEXT),
        }
    }

    pub(super) async fn run(mut self) -> Result<(), Stop> {
        let mut lines = Lines::default();
        if self.session.is_whole() {
            let bound = Bound { lines: MAX_WHOLE_LINES, bytes: self.app.bulk.whole_bytes };
            let mut whole = Spool::new(bound).fill(&mut self.frames).await?;
            while let Some(piece) = whole.next().await? {
                self.take(&mut lines, &piece).await?;
            }
        } else {
            while let Some(piece) = self.next().await? {
                self.take(&mut lines, &piece).await?;
            }
        }
        if let Some((number, line)) = lines.rest() {
            self.add(number, &line).await?;
        }
        self.flush().await?;
        self.finish().await
    }

    /// The next piece of a stream that is answered as it comes. While none comes, what was gathered is carried out.
    async fn next(&mut self) -> Result<Option<Bytes>, Stop> {
        // Under a key the chunks must be the same when the stream comes again.
        if !self.chunk.is_empty() && self.key.is_none() {
            match tokio::time::timeout(IDLE, self.frames.next()).await {
                Ok(piece) => return piece,
                Err(_) => self.flush().await?,
            }
        }
        self.frames.next().await
    }

    async fn take(&mut self, lines: &mut Lines, piece: &[u8]) -> Result<(), Stop> {
        lines.push(piece);
        while let Some((number, line)) = lines.take() {
            self.add(number, &line).await?;
        }
        Ok(())
    }

    async fn add(&mut self, number: u64, line: &Line) -> Result<(), Stop> {
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
            self.answer(&answered).await
        }
    }

    fn chunk_key(&mut self) -> Option<Key> {
        let number = self.chunks;
        self.chunks += 1;
        self.key.as_ref().map(|(key, parts)| idempotency::guard_chunk(key, number, parts, &self.chunk_text))
    }

    async fn answer(&mut self, answered: &[Answered]) -> Result<(), Stop> {
        let text = self.tally.lines(answered)?;
        self.send(text).await
    }

    /// Hands a piece of the answer over, as soon as those before it were read.
    async fn send(&mut self, text: Bytes) -> Result<(), Stop> {
        self.sender.send_timeout(text, self.app.bulk.gap).await.map_err(|error| {
            if matches!(error, SendTimeoutError::Timeout(_)) {
                self.app.refusals.count("answers_not_read");
            }
            Stop::Gone
        })
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
                self.answer(part).await?;
            }
        }
        // Whoever waits for reads holds no place of those that write.
        self.place = None;
        let token = self.tally.token(stands);
        let consistency = match &self.waiting {
            Some(waiting) => Some(see(waiting, token.as_ref()).await),
            None => None,
        };
        self.send(self.tally.summary(token.as_ref(), consistency)).await
    }
}

/// Whether reads see all that was written. Where that is more than a token may name, nobody can be asked.
async fn see(waiting: &Waiting, token: Option<&Token>) -> &'static str {
    match token {
        Some(token) => waiting.see(token).await.as_str(),
        None => Sight::Unknown.as_str(),
    }
}
