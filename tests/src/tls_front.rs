//! A stand-in for a PostgreSQL with TLS: it answers `SSLRequest`, ends TLS, and passes on what is said. Who speaks
//! without TLS is sent away.

use crate::authority::Authority;
use openssl::ssl::{HandshakeError, SslAcceptor, SslMethod, SslStream};
use std::{
    io::{self, Read, Write},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// What a client asks before TLS: a length of 8 and the code 80877103 (PostgreSQL, "SSLRequest").
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];
const PIECE: usize = 16 * 1024;

/// A running front; it ends with this value.
pub struct TlsFront {
    port: u16,
    refused: Arc<AtomicUsize>,
    accepting: JoinHandle<()>,
}

impl TlsFront {
    /// A front of the server at `host:port`, with a certificate of an authority for a host's name.
    ///
    /// # Errors
    /// If it can't listen.
    pub async fn before(server: String, authority: &Authority, host: &str) -> io::Result<Self> {
        let (key, certificate) = authority.certify(host)?;
        let mut acceptor = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server())?;
        acceptor.set_private_key(&key)?;
        acceptor.set_certificate(&certificate)?;
        let acceptor = acceptor.build();
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        let refused = Arc::new(AtomicUsize::new(0));
        let count = refused.clone();
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (acceptor, server, count) = (acceptor.clone(), server.clone(), count.clone());
                tokio::spawn(async move {
                    // Whoever hangs up has nobody to tell.
                    let _ = serve(client, &acceptor, &server, &count).await;
                });
            }
        });
        Ok(Self { port, refused, accepting })
    }

    /// Where it listens on loopback.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// How many have tried to connect without TLS.
    #[must_use]
    pub fn refused(&self) -> usize {
        self.refused.load(Ordering::SeqCst)
    }
}

impl Drop for TlsFront {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn serve(mut client: TcpStream, acceptor: &SslAcceptor, server: &str, refused: &AtomicUsize) -> io::Result<()> {
    let mut asked = [0; SSL_REQUEST.len()];
    client.read_exact(&mut asked).await?;
    if asked != SSL_REQUEST {
        refused.fetch_add(1, Ordering::SeqCst);
        return Ok(());
    }
    client.write_all(b"S").await?;
    let tls = handshake(acceptor, client).await?;
    pass_on(tls, TcpStream::connect(server).await?).await
}

/// A socket as OpenSSL wants it: it says that it would block.
#[derive(Debug)]
struct Socket(TcpStream);

impl Read for Socket {
    fn read(&mut self, piece: &mut [u8]) -> io::Result<usize> {
        self.0.try_read(piece)
    }
}

impl Write for Socket {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        self.0.try_write(piece)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

async fn handshake(acceptor: &SslAcceptor, client: TcpStream) -> io::Result<SslStream<Socket>> {
    let mut shaken = acceptor.accept(Socket(client));
    loop {
        match shaken {
            Ok(stream) => return Ok(stream),
            Err(HandshakeError::WouldBlock(begun)) => {
                begun.get_ref().0.readable().await?;
                shaken = begun.handshake();
            }
            Err(error) => return Err(io::Error::other(error.to_string())),
        }
    }
}

/// Passes on what both say until one hangs up.
async fn pass_on(mut client: SslStream<Socket>, mut server: TcpStream) -> io::Result<()> {
    let mut piece = vec![0; PIECE];
    loop {
        let said = match client.read(&mut piece) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => None,
            said => Some(said?),
        };
        if let Some(length) = said {
            server.write_all(&piece[..length]).await?;
        }
        let answered = match server.try_read(&mut piece) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => None,
            answered => Some(answered?),
        };
        if let Some(length) = answered {
            answer(&mut client, &piece[..length]).await?;
        }
        match (said, answered) {
            (Some(0), _) | (_, Some(0)) => return Ok(()),
            (None, None) => {
                tokio::select! {
                    ready = client.get_ref().0.readable() => ready?,
                    ready = server.readable() => ready?,
                }
            }
            _ => {}
        }
    }
}

async fn answer(client: &mut SslStream<Socket>, mut rest: &[u8]) -> io::Result<()> {
    while !rest.is_empty() {
        match client.write(rest) {
            Ok(length) => rest = &rest[length..],
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => client.get_ref().0.writable().await?,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
