//! One connection: its requests, and the end of it when its client keeps it waiting.

use super::{
    ProblemResponse, Refused,
    activity::{Activity, InHand, Overdue, Watched},
    body::{BodyDeadline, InTime, Outgoing},
    options::HttpOptions,
};
use crate::{Refusals, request::CORRELATION_HEADER, shutdown::Shutdown};
use axum::{
    Router,
    body::Body,
    extract::Request,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
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
use schemas::problem::{Code, Problem};
use std::{convert::Infallible, pin::pin, time::Duration};
use tokio::{net::TcpStream, time::Instant};

/// How long a connection that is closed has to say so.
const FAREWELL: Duration = Duration::from_secs(1);

/// What all connections of a server share.
#[derive(Debug, Clone)]
pub(super) struct Server {
    pub(super) router: Router,
    pub(super) options: HttpOptions,
    pub(super) refusals: Refusals,
    pub(super) shutdown: Shutdown,
}

impl Server {
    /// Serves one connection until either side ends it.
    pub(super) async fn connection(self, stream: TcpStream) {
        let Self { router, options, refusals, shutdown } = self;
        let activity = Activity::new();
        let service = {
            let (router, activity, refusals) = (TowerToHyperService::new(router), activity.clone(), refusals.clone());
            service_fn(move |request: hyper::Request<Incoming>| {
                answer(router.clone(), activity.request(request.version()), options, refusals.clone(), request)
            })
        };
        let builder = Builder::new(TokioExecutor::new());
        let io = TokioIo::new(Watched::new(stream, activity.clone()));
        let mut connection = pin!(builder.serve_connection(io, service));
        let (mut stopping, mut overdue) = (pin!(shutdown.wait()), pin!(activity.overdue(&options)));
        let (mut stops, mut leaves) = (false, false);
        loop {
            tokio::select! {
                // What the client did wrong, or that it is gone: nobody is left to be told.
                _ = connection.as_mut() => return,
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
    options: HttpOptions,
    refusals: Refusals,
    request: hyper::Request<Incoming>,
) -> Result<Response, Infallible> {
    let (mut parts, body) = request.into_parts();
    let mut deadline = None;
    let body = if body.is_end_stream() {
        Body::empty()
    } else {
        let set = deadline.insert(BodyDeadline::default()).clone();
        parts.extensions.insert(set.clone());
        Body::new(InTime::new(body, Instant::now() + options.body(), set))
    };
    let mut response = router.call(Request::from_parts(parts, body)).await?;
    if deadline.is_some_and(|deadline| deadline.has_passed()) && !response.status().is_success() {
        response = too_slow(&response, options.body());
    }
    if let Some(Refused(code)) = response.extensions().get() {
        refusals.count(code);
    }
    // What an answer is, its header says: no browser is to guess.
    response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    Ok(response.map(|body| Body::new(Outgoing::new(body, in_hand))))
}

/// Instead of what the route made of a body that broke off.
fn too_slow(given: &Response, limit: Duration) -> Response {
    let id = given.headers().get(CORRELATION_HEADER).cloned();
    let detail = format!("the body of the request was not there after {} ms", limit.as_millis());
    let mut problem = Problem::new(Code::RequestTimeout).detail(detail);
    problem.instance = id.as_ref().and_then(|id| id.to_str().ok()).map(str::to_owned);
    let mut response = ProblemResponse(problem).into_response();
    if let Some(id) = id {
        response.headers_mut().insert(CORRELATION_HEADER, id);
    }
    response
}
