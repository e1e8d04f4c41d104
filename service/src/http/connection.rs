//! One connection: its requests, and the end of it when its client keeps it waiting.

use super::{
    Peer,
    activity::{Activity, InHand, Overdue},
    body::{BodyDeadline, InTime, Outgoing},
    head, is_refusal,
    options::HttpOptions,
    request_deadline::RequestDeadline,
    signed,
    socket::{FAREWELL, Stream, Watched},
    tls::Tls,
};
use crate::{Refusals, request::identify, shutdown::Shutdown};
use axum::{
    Router,
    body::Body,
    extract::Request,
    http::{StatusCode, header, request::Parts},
    response::Response,
};
use hyper::{
    body::{Body as _, Incoming},
    service::{Service, service_fn},
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto::Builder,
    service::TowerToHyperService,
};
use schemas::problem::{Code, MEDIA_TYPE, Problem};
use std::{convert::Infallible, pin::pin, sync::Arc, time::Duration};
use tokio::{
    net::TcpStream,
    time::{Instant, timeout},
};

/// What all connections of a server share.
#[derive(Clone)]
pub(super) struct Server {
    pub(super) router: Router,
    pub(super) options: Arc<HttpOptions>,
    pub(super) tls: Option<Arc<Tls>>,
    pub(super) refusals: Refusals,
    pub(super) shutdown: Shutdown,
}

impl Server {
    /// Serves one connection until either side ends it.
    pub(super) async fn connection(self, stream: TcpStream, peer: Peer) {
        let Some(tls) = self.tls.clone() else { return self.requests(Stream::Plain(stream), peer).await };
        match timeout(self.options.header(), tls.accept(stream)).await {
            Ok(Ok(stream)) => self.requests(Stream::Encrypted(Box::new(stream)), peer).await,
            Ok(Err(error)) => {
                tracing::debug!(%error, "a client does not speak TLS as it is spoken here");
                self.refusals.count("tls_handshake");
            }
            Err(_) => self.refusals.count("tls_handshake"),
        }
    }

    /// Answers the requests of a connection.
    async fn requests(self, stream: Stream, peer: Peer) {
        let Self { router, options, refusals, shutdown, .. } = self;
        let activity = Activity::new();
        let service = {
            let (router, activity, refusals) = (TowerToHyperService::new(router), activity.clone(), refusals.clone());
            let options = Arc::clone(&options);
            service_fn(move |mut request: hyper::Request<Incoming>| {
                let client = options.trusted_proxies.client(peer.0, request.headers());
                request.extensions_mut().insert(Peer(client));
                let in_hand = activity.request(request.version());
                answer(router.clone(), in_hand, Arc::clone(&options), refusals.clone(), request)
            })
        };
        let mut builder = Builder::new(TokioExecutor::new());
        builder.http1().max_buf_size(usize::try_from(head::HELD_BYTES).unwrap_or(usize::MAX));
        builder.http2().max_header_list_size(head::HELD_BYTES);
        let io = TokioIo::new(Watched::new(stream, activity.clone(), Arc::clone(&options)));
        let mut connection = pin!(builder.serve_connection(io, service));
        let (mut stopping, mut overdue) = (pin!(shutdown.wait()), pin!(activity.overdue(&options)));
        let (mut stops, mut leaves) = (false, false);
        loop {
            tokio::select! {
                // What the client did wrong it was told; or it is gone.
                _ = connection.as_mut() => {
                    if let Some(code) = activity.why_unread() {
                        refusals.count(&code);
                    }
                    return;
                }
                () = stopping.as_mut(), if !stops => {
                    stops = true;
                    connection.as_mut().graceful_shutdown();
                }
                overdue = overdue.as_mut(), if !leaves => match overdue {
                    Overdue::Idle => {
                        leaves = true;
                        connection.as_mut().graceful_shutdown();
                    }
                    Overdue::Header => return refusals.count("header_not_sent"),
                    Overdue::Answer => return refusals.count("answer_not_read"),
                },
                // A request that came at the last moment is still answered.
                () = tokio::time::sleep(FAREWELL), if leaves => if !activity.is_busy() { return },
            }
        }
    }
}

/// Answers one request.
async fn answer(
    router: TowerToHyperService<Router>,
    in_hand: InHand,
    options: Arc<HttpOptions>,
    refusals: Refusals,
    request: hyper::Request<Incoming>,
) -> Result<Response, Infallible> {
    let (mut parts, body) = request.into_parts();
    let refused = head::refusal(&parts, &options);
    let id = identify(&mut parts.headers);
    let mut response = match refused {
        Some(problem) => signed(problem, &id),
        None => routed(&router, &options, &id, parts, body).await?,
    };
    if let Some(problem) = response.extensions().get().filter(|problem| is_refusal(problem)) {
        refusals.count(&problem.code);
    }
    head::protect(response.headers_mut(), &options);
    Ok(response.map(|body| Body::new(Outgoing::new(body, in_hand))))
}

/// What the route answers, or instead of it that the body or the answer did not come in time.
async fn routed(
    router: &TowerToHyperService<Router>,
    options: &HttpOptions,
    id: &str,
    mut parts: Parts,
    body: Incoming,
) -> Result<Response, Infallible> {
    let (deadline, mut coming) = (RequestDeadline::default(), None);
    parts.extensions.insert(deadline.clone());
    let body = if body.is_end_stream() {
        Body::empty()
    } else {
        let set = coming.insert(BodyDeadline::default()).clone();
        parts.extensions.insert(set.clone());
        Body::new(InTime::new(body, Instant::now() + options.body(), set))
    };
    let mut answering = pin!(router.call(Request::from_parts(parts, body)));
    let response = tokio::select! {
        biased;
        response = answering.as_mut() => response?,
        () = late(coming.as_ref(), options.request()) => {
            if !deadline.is_lifted() && !coming.as_ref().is_some_and(BodyDeadline::is_lifted) {
                return Ok(signed(too_long(options.request()), id));
            }
            answering.await?
        }
    };
    if coming.is_some_and(|coming| coming.has_passed()) && !response.status().is_success() {
        let detail = format!("the body of the request was not there after {} ms", options.body().as_millis());
        return Ok(signed(Problem::new(Code::RequestTimeout).detail(detail), id));
    }
    let is_problem = response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == MEDIA_TYPE);
    if response.status() == StatusCode::PAYLOAD_TOO_LARGE && !is_problem {
        // Said by the framework, in words of its own.
        return Ok(signed(Problem::new(Code::TooLarge), id));
    }
    Ok(response)
}

/// Ends when a request has taken too long since all of it was there.
async fn late(coming: Option<&BodyDeadline>, limit: Duration) {
    if let Some(coming) = coming {
        coming.over().await;
    }
    tokio::time::sleep(limit).await;
}

/// What was begun is left; a command that was being committed at that moment may have been carried out.
fn too_long(limit: Duration) -> Problem {
    let detail = format!(
        "no answer came within {} ms; whether a command was carried out is not known, and the same Idempotency-Key tells",
        limit.as_millis()
    );
    Problem::new(Code::Timeout).detail(detail)
}
