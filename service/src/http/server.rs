//! Taking in connections: as many as there are places for, each by its deadlines, until shutdown.

use super::{ProblemResponse, ServeError, connection::Server, options::HttpOptions};
use crate::{Refusals, shutdown::Shutdown};
use axum::{Router, body::HttpBody, http::header, response::IntoResponse};
use schemas::problem::{Code, Problem};
use socket2::{SockRef, TcpKeepalive};
use std::{io, net::SocketAddr, pin::pin, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};

/// How long requests in flight have when the process stops.
const DRAIN: Duration = Duration::from_secs(10);
/// How long a client that is turned away has to ask and to read the answer.
const TURNED_AWAY: Duration = Duration::from_secs(1);
/// Clients that are turned away with an answer at once; more are cut off.
const ANSWERED: usize = 64;
/// How long nothing is taken in after the system refused, such as for want of file descriptors.
const BREATH: Duration = Duration::from_secs(1);

/// Serves until shutdown, then lets requests in flight end, for ten seconds at most.
///
/// # Errors
/// None at present: what befalls one connection ends that connection.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    options: HttpOptions,
    refusals: Refusals,
    shutdown: Shutdown,
) -> Result<(), ServeError> {
    let address = listener.local_addr().unwrap_or_else(|_| SocketAddr::from(([0, 0, 0, 0], 0)));
    tracing::info!(listen = %address, "serving");
    let places = Arc::new(Semaphore::new(usize::try_from(options.http_connections).unwrap_or(Semaphore::MAX_PERMITS)));
    let answered = Arc::new(Semaphore::new(ANSWERED));
    let server = Server { router, options, refusals, shutdown: shutdown.clone() };
    let mut stopping = pin!(shutdown.wait());
    loop {
        let stream = tokio::select! {
            () = stopping.as_mut() => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    recover(&error).await;
                    continue;
                }
            },
        };
        prepare(&stream);
        if let Ok(place) = Arc::clone(&places).try_acquire_owned() {
            let server = server.clone();
            tokio::spawn(async move {
                server.connection(stream).await;
                drop(place);
            });
            continue;
        }
        server.refusals.count("connections");
        if let Ok(place) = Arc::clone(&answered).try_acquire_owned() {
            tokio::spawn(async move {
                // Whether it was read makes no difference.
                let _ = tokio::time::timeout(TURNED_AWAY, turn_away(stream)).await;
                drop(place);
            });
        }
    }
    drop(listener);
    // Each connection has one until it is closed.
    let _ = tokio::time::timeout(DRAIN, places.acquire_many(options.http_connections)).await;
    Ok(())
}

/// Answers at once, and the system asks whether a client that is silent is still there.
fn prepare(stream: &TcpStream) {
    let keepalive =
        TcpKeepalive::new().with_time(Duration::from_secs(30)).with_interval(Duration::from_secs(10)).with_retries(3);
    let set = stream.set_nodelay(true).and_then(|()| SockRef::from(stream).set_tcp_keepalive(&keepalive));
    if let Err(error) = set {
        tracing::debug!(%error, "a connection was closed as soon as it was there");
    }
}

/// A connection that is gone again is nothing; a process that may open no more files has to wait.
async fn recover(error: &io::Error) {
    let kinds = [io::ErrorKind::ConnectionRefused, io::ErrorKind::ConnectionAborted, io::ErrorKind::ConnectionReset];
    if !kinds.contains(&error.kind()) {
        tracing::error!(%error, "no connection can be taken in");
        tokio::time::sleep(BREATH).await;
    }
}

/// Tells a client that there is no place for it. A client takes no answer before it has asked, so it is heard first.
async fn turn_away(mut stream: TcpStream) -> io::Result<()> {
    let mut heard = [0; 4_096];
    if stream.read(&mut heard).await? == 0 {
        return Ok(());
    }
    stream.write_all(&no_place().await).await?;
    stream.shutdown().await?;
    // A socket that is closed with something unread takes the answer back.
    while stream.read(&mut heard).await? > 0 {}
    Ok(())
}

/// The answer as it goes over the wire.
async fn no_place() -> Vec<u8> {
    let problem = Problem::new(Code::Overloaded).detail("this process has as many connections as it takes");
    let (parts, body) = ProblemResponse(problem).into_response().into_parts();
    let length = body.size_hint().exact().unwrap_or_default();
    let mut text =
        format!("HTTP/1.1 {}\r\nconnection: close\r\n{}: {length}\r\n", parts.status, header::CONTENT_LENGTH);
    for (name, value) in &parts.headers {
        text.push_str(&format!("{name}: {}\r\n", value.to_str().unwrap_or_default()));
    }
    text.push_str("\r\n");
    let mut text = text.into_bytes();
    text.extend(axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default());
    text
}

#[cfg(test)]
mod tests;
