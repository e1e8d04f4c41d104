//! Taking in connections: as many as there are places for, each by its deadlines, until shutdown.

use super::{Peer, ServeError, connection::Server, options::HttpOptions, peers::Peers, tls::Tls, wire};
use crate::{Refusals, shutdown::Shutdown};
use axum::Router;
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
/// If the certificate or its key can't be used. What befalls one connection ends that connection.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    options: HttpOptions,
    refusals: Refusals,
    shutdown: Shutdown,
) -> Result<(), ServeError> {
    let address = listener.local_addr().unwrap_or_else(|_| SocketAddr::from(([0, 0, 0, 0], 0)));
    let tls = Tls::read(&options).map_err(ServeError::Tls)?.map(Arc::new);
    tracing::info!(listen = %address, tls = tls.is_some(), "serving");
    let most = options.http_connections;
    let places = Arc::new(Semaphore::new(usize::try_from(most).unwrap_or(Semaphore::MAX_PERMITS)));
    let peers = Peers::default();
    let turned_away = TurnedAway { answered: Arc::new(Semaphore::new(ANSWERED)), encrypted: tls.is_some() };
    let server = Server { router, options: Arc::new(options), tls, refusals, shutdown: shutdown.clone() };
    let mut stopping = pin!(shutdown.wait());
    loop {
        let (stream, peer) = tokio::select! {
            () = stopping.as_mut() => break,
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    recover(&error).await;
                    continue;
                }
            },
        };
        prepare(&stream);
        let Some(of_peer) = peers.place(peer.ip(), server.options.http_connections_per_peer) else {
            server.refusals.count("connections_of_peer");
            turned_away.by(stream, "this address has as many connections as one may have", &server.options);
            continue;
        };
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
            server.refusals.count("connections");
            turned_away.by(stream, "this process has as many connections as it takes", &server.options);
            continue;
        };
        let server = server.clone();
        tokio::spawn(async move {
            server.connection(stream, Peer(peer.ip())).await;
            drop((place, of_peer));
        });
    }
    drop(listener);
    // Each connection has one until it is closed.
    let _ = tokio::time::timeout(DRAIN, places.acquire_many(most)).await;
    Ok(())
}

/// Those for whom there is no place.
struct TurnedAway {
    answered: Arc<Semaphore>,
    /// To agree on how to encrypt a refusal costs more than the request would have.
    encrypted: bool,
}

impl TurnedAway {
    /// Tells a client why, if not too many are being told already.
    fn by(&self, stream: TcpStream, why: &'static str, options: &Arc<HttpOptions>) {
        if self.encrypted {
            return;
        }
        if let Ok(place) = Arc::clone(&self.answered).try_acquire_owned() {
            let options = Arc::clone(options);
            tokio::spawn(async move {
                // Whether it was read makes no difference.
                let _ = tokio::time::timeout(TURNED_AWAY, turn_away(stream, why, &options)).await;
                drop(place);
            });
        }
    }
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
async fn turn_away(mut stream: TcpStream, why: &str, options: &HttpOptions) -> io::Result<()> {
    let mut heard = [0; 4_096];
    if stream.read(&mut heard).await? == 0 {
        return Ok(());
    }
    stream.write_all(&wire::farewell(Problem::new(Code::Overloaded).detail(why), options)).await?;
    stream.shutdown().await?;
    // A socket that is closed with something unread takes the answer back.
    while stream.read(&mut heard).await? > 0 {}
    Ok(())
}

#[cfg(test)]
mod tests;
