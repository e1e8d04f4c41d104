//! The shop that is in the way, over HTTP: it sends on whatever it is answered, and counts what it is refused.

use super::Args;
use crate::{BenchError, reindexing::catalog, shop::Shop, words::Words};
use futures::{Stream, StreamExt, TryStreamExt};
use launcher::import::Progress;
use reqwest::{Body, Client, Method, RequestBuilder, Response};
use schemas::problem::Problem;
use serde::Serialize;
use serde_json::Value;
use std::{
    collections::BTreeMap,
    convert::Infallible,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// After a refusal. Less would measure how fast this program can be refused.
const PAUSE: Duration = Duration::from_millis(200);
/// Bytes of a stream that are sent at once.
const PIECE: usize = 64 << 10;

/// Why something was refused.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(super) struct Refusal {
    pub(super) status: u16,
    /// The problem's stable code; none if the answer is no problem document.
    pub(super) code: Option<String>,
}

/// A refusal and how often it came.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Refused {
    #[serde(flatten)]
    pub(super) refusal: Refusal,
    pub(super) count: u64,
}

/// What was sent and what came of it. A line of a bulk write counts as a request.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Sent {
    pub(super) accepted: u64,
    pub(super) refused: Vec<Refused>,
    /// Connections that ended without an answer.
    pub(super) broken: u64,
}

/// Counts while it goes on.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally(Arc<Mutex<Counts>>);

#[derive(Debug, Default)]
struct Counts {
    accepted: u64,
    refused: BTreeMap<Refusal, u64>,
    broken: u64,
}

impl Tally {
    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn refuse(&self, status: u16, problem: Option<&Problem>) {
        let is_whole = |problem: &&Problem| problem.kind == format!("/problems/{}", problem.code);
        let code = problem.filter(is_whole).map(|problem| problem.code.clone());
        *self.lock().refused.entry(Refusal { status, code }).or_default() += 1;
    }

    /// What has come together.
    pub(super) fn sent(&self) -> Sent {
        let counts = self.lock();
        let refused = counts.refused.iter().map(|(refusal, count)| Refused { refusal: refusal.clone(), count: *count });
        Sent { accepted: counts.accepted, refused: refused.collect(), broken: counts.broken }
    }
}

/// The shop, with one load's counts.
#[derive(Debug, Clone)]
pub(super) struct Neighbour {
    http: Client,
    write_url: String,
    query_url: String,
    tenant: String,
    pub(super) tally: Tally,
}

impl Neighbour {
    /// Opens a shop that nobody has used.
    pub(super) async fn open(args: &Args) -> Result<Self, BenchError> {
        let mut shop = args.shop.clone();
        shop.tenant = format!("noisy-{}", Words::new().word(0));
        Shop::open(&shop).await?;
        let http = Client::builder()
            .default_headers(shop.headers())
            .tcp_nodelay(true)
            .pool_idle_timeout(Duration::from_secs(20))
            .build();
        Ok(Self {
            http: http.map_err(|error| BenchError::Broken(error.to_string()))?,
            write_url: shop.write_url.trim_end_matches('/').to_owned(),
            query_url: shop.query_url.trim_end_matches('/').to_owned(),
            tenant: shop.tenant,
            tally: Tally::default(),
        })
    }

    /// The same shop with counts of its own.
    pub(super) fn counted_anew(&self) -> Self {
        Self { tally: Tally::default(), ..self.clone() }
    }

    /// A request to write-api.
    pub(super) fn command(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}/v1/{path}", self.write_url)).header("x-tenant-slug", &self.tenant)
    }

    /// A request to query-api.
    pub(super) fn read(&self, path: &str) -> RequestBuilder {
        self.http.get(format!("{}/v1/{path}", self.query_url)).header("x-tenant-slug", &self.tenant)
    }

    /// Sends, counts the answer, and pauses if it was a refusal.
    pub(super) async fn send(&self, request: RequestBuilder) {
        let taken = match request.send().await {
            Ok(answer) if answer.status().is_success() => {
                self.tally.lock().accepted += 1;
                // The connection serves again when the body has been read.
                answer.bytes().await.is_ok()
            }
            Ok(answer) => self.refused(answer).await,
            Err(_) => self.broken(),
        };
        if !taken {
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Sends a bulk write as a stream and counts the answer to each line.
    pub(super) async fn send_lines<S>(&self, what: &str, pieces: S)
    where
        S: Stream<Item = String> + Send + 'static,
    {
        let body = Body::wrap_stream(pieces.map(Ok::<_, Infallible>));
        let request = self.command(Method::POST, what).header("content-type", "application/x-ndjson").body(body);
        let taken = match request.send().await {
            Ok(answer) if answer.status().is_success() => self.lines(answer).await,
            Ok(answer) => self.refused(answer).await,
            Err(_) => self.broken(),
        };
        if !taken {
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Reads the answers to lines; gives whether the last one is a summary.
    async fn lines(&self, answer: Response) -> bool {
        let (mut pieces, mut rest, mut ended) = (answer.bytes_stream(), Vec::new(), false);
        while let Ok(Some(piece)) = pieces.try_next().await {
            rest.extend_from_slice(&piece);
            let whole = rest.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
            for line in rest.drain(..whole).collect::<Vec<u8>>().split(|byte| *byte == b'\n') {
                let Ok(line) = serde_json::from_slice::<Value>(line) else { continue };
                ended |= line.get("summary").is_some();
                self.line(line);
            }
        }
        ended
    }

    fn line(&self, mut line: Value) {
        let problem = line.get_mut("problem").map(Value::take);
        match problem.and_then(|problem| serde_json::from_value::<Problem>(problem).ok()) {
            Some(problem) => self.tally.refuse(problem.status, Some(&problem)),
            None => self.tally.lock().accepted += u64::from(line.get("line").is_some()),
        }
    }

    async fn refused(&self, answer: Response) -> bool {
        let status = answer.status().as_u16();
        let body = answer.bytes().await.unwrap_or_default();
        self.tally.refuse(status, serde_json::from_slice(&body).ok().as_ref());
        false
    }

    fn broken(&self) -> bool {
        self.lost();
        false
    }

    /// Counts a request that had no answer, or none of use.
    pub(super) fn lost(&self) {
        self.tally.lock().broken += 1;
    }

    /// Writes a catalog of so many ordinary products; the first of them stand in the tree.
    pub(super) async fn fill(&self, products: u64, in_tree: u64) -> Result<(), BenchError> {
        const AT_ONCE: u64 = 5_000;
        let mut progress = Progress::begin("filling the noisy shop", products);
        for begin in (0..products).step_by(5_000) {
            let end = (begin + AT_ONCE).min(products);
            let lines = (begin..end).map(move |number| {
                let mut line = catalog::product(number);
                if number < in_tree {
                    line["categories"] = Value::from(vec![super::loads::tree::branch(number)]);
                }
                line
            });
            self.must_take("products/bulk", lines).await?;
            progress.at(end, products, end, "products");
        }
        progress.end();
        Ok(())
    }

    /// Sends lines that have to be taken.
    pub(super) async fn must_take<I>(&self, what: &'static str, lines: I) -> Result<(), BenchError>
    where
        I: Iterator<Item = Value> + Send + 'static,
    {
        let own = self.counted_anew();
        own.send_lines(what, futures::stream::iter(pieces(lines))).await;
        let Sent { refused, broken, .. } = own.tally.sent();
        if refused.is_empty() && broken == 0 {
            return Ok(());
        }
        let reason = format!("{refused:?}, {broken} connections broke");
        Err(BenchError::Service {
            what: "preparing the noisy shop",
            url: format!("{}/v1/{what}", self.write_url),
            reason,
        })
    }
}

/// Lines, gathered to pieces that are worth a frame.
pub(super) fn pieces<I: Iterator<Item = Value>>(lines: I) -> impl Iterator<Item = String> {
    let mut lines = lines.fuse();
    std::iter::from_fn(move || {
        let mut piece = String::new();
        while piece.len() < PIECE
            && let Some(line) = lines.next()
        {
            piece.push_str(&line.to_string());
            piece.push('\n');
        }
        (!piece.is_empty()).then_some(piece)
    })
}
