//! HTTPS: the certificate and its key, read again when they change, and the handshake.

use super::options::HttpOptions;
use openssl::{
    error::ErrorStack,
    ssl::{AlpnError, Ssl, SslAcceptor, SslFiletype, SslMethod, select_next_proto},
};
use std::{
    io,
    path::{Path, PathBuf},
    pin::Pin,
    sync::{Mutex, PoisonError},
    time::{Duration, SystemTime},
};
use tokio::{net::TcpStream, time::Instant};
use tokio_openssl::SslStream;

/// How often it is looked whether the files have changed, at most.
const LOOK_EVERY: Duration = Duration::from_secs(60);
/// What is spoken over it, the better first (RFC 7301: each name after its length).
const PROTOCOLS: &[u8] = b"\x02h2\x08http/1.1";

/// A certificate with its key, as they were last read.
pub(super) struct Tls {
    certificate: PathBuf,
    key: PathBuf,
    look_every: Duration,
    kept: Mutex<Kept>,
}

struct Kept {
    acceptor: SslAcceptor,
    files: Option<Stamp>,
    looked: Instant,
}

/// What tells one state of the two files from another: when each was written, and its length.
type Stamp = [(SystemTime, u64); 2];

impl Tls {
    /// Reads both files, if they are set.
    ///
    /// # Errors
    /// In a sentence: one can't be read, or they don't belong together.
    pub(super) fn read(options: &HttpOptions) -> Result<Option<Self>, String> {
        match (&options.tls_certificate, &options.tls_key) {
            (Some(certificate), Some(key)) => Self::of(certificate, key, LOOK_EVERY).map(Some),
            _ => Ok(None),
        }
    }

    fn of(certificate: &Path, key: &Path, look_every: Duration) -> Result<Self, String> {
        let unusable = |error| {
            format!("the certificate {} with the key {} can't be used: {error}", certificate.display(), key.display())
        };
        let files = stamp(certificate, key).map_err(|error| unusable(error.to_string()))?;
        let acceptor = acceptor(certificate, key).map_err(|error| unusable(error.to_string()))?;
        let kept = Mutex::new(Kept { acceptor, files: Some(files), looked: Instant::now() });
        Ok(Self { certificate: certificate.to_owned(), key: key.to_owned(), look_every, kept })
    }

    /// Agrees with a client on how to encrypt.
    ///
    /// # Errors
    /// OpenSSL's, or the connection's.
    pub(super) async fn accept(&self, stream: TcpStream) -> io::Result<SslStream<TcpStream>> {
        let ssl = Ssl::new(self.acceptor().context())?;
        let mut stream = SslStream::new(ssl, stream)?;
        Pin::new(&mut stream).accept().await.map_err(io::Error::other)?;
        Ok(stream)
    }

    /// By the files as they are now, or as they were a moment ago. Files that can't be used, such as a new certificate
    /// whose key is still to come, change nothing.
    fn acceptor(&self) -> SslAcceptor {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.looked.elapsed() < self.look_every {
            return kept.acceptor.clone();
        }
        kept.looked = Instant::now();
        let files = stamp(&self.certificate, &self.key).ok();
        if files != kept.files {
            match acceptor(&self.certificate, &self.key) {
                Ok(acceptor) => {
                    tracing::info!(certificate = %self.certificate.display(), "the certificate was read again");
                    (kept.acceptor, kept.files) = (acceptor, files);
                }
                Err(error) => {
                    tracing::error!(%error, certificate = %self.certificate.display(), "a changed certificate can't be used");
                }
            }
        }
        kept.acceptor.clone()
    }
}

fn stamp(certificate: &Path, key: &Path) -> io::Result<Stamp> {
    let of = |file: &Path| file.metadata().and_then(|known| Ok((known.modified()?, known.len())));
    Ok([of(certificate)?, of(key)?])
}

/// By Mozilla's intermediate profile: TLS 1.2 and 1.3 (<https://wiki.mozilla.org/Security/Server_Side_TLS>).
fn acceptor(certificate: &Path, key: &Path) -> Result<SslAcceptor, ErrorStack> {
    let mut acceptor = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server())?;
    acceptor.set_certificate_chain_file(certificate)?;
    acceptor.set_private_key_file(key, SslFiletype::PEM)?;
    acceptor.check_private_key()?;
    acceptor.set_alpn_select_callback(|_, offered| select_next_proto(PROTOCOLS, offered).ok_or(AlpnError::NOACK));
    Ok(acceptor.build())
}

#[cfg(test)]
mod tests;
