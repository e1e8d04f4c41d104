//! The embedded, persistent, Kafka-protocol broker of a single machine; see docs/decisions/0005.
//!
//! `connection` reads requests and dispatches them to `admin` and `records`; `topics` knows the logs; a
//! `log` keeps each `batch` as it came and judges repeated ones by their `producers`. To serve another
//! request, add it to the list in `connection`. `sasl` asks for the password.

mod admin;
mod batch;
mod connection;
mod log;
mod producers;
mod records;
mod sasl;
#[cfg(test)]
mod tests;
mod topics;

use crate::LaunchError;
use service::telemetry::{self, TelemetryOptions};
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};
use tokio::net::TcpListener;
use topics::Topics;

/// The one node there is.
const NODE_ID: i32 = 1;

/// Run the embedded Kafka-protocol broker in the foreground
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "Example:\n  souk broker --listen 127.0.0.1:9092 --data-dir broker")]
pub struct Args {
    /// Address for Kafka clients
    #[arg(long, default_value = "127.0.0.1:9092")]
    pub listen: SocketAddr,
    /// Folder for topics and records
    #[arg(long, default_value = "broker")]
    pub data_dir: PathBuf,
    /// File with the password that clients send for the user `souk` (SASL/PLAIN); without it nobody is asked for one
    #[arg(long, env = "SOUK_BROKER_PASSWORD_FILE")]
    pub password_file: Option<PathBuf>,
    /// Logs and traces.
    #[command(flatten)]
    pub telemetry: TelemetryOptions,
}

/// What all connections share.
#[derive(Debug)]
struct Broker {
    topics: Topics,
    address: SocketAddr,
    password: Option<sasl::Password>,
    next_producer_id: AtomicI64,
}

/// Runs the broker until a signal comes.
///
/// # Errors
/// If the folder can't be used, the address can't be listened on, or the log's filter can't be read.
pub async fn run(args: Args) -> Result<(), LaunchError> {
    let _telemetry = telemetry::init("broker", &args.telemetry).map_err(LaunchError::Other)?;
    let listener = TcpListener::bind(args.listen).await.map_err(|_| LaunchError::InUse {
        what: "the broker".to_owned(),
        address: args.listen.to_string(),
        flag: "--broker-listen",
    })?;
    let password = args.password_file.as_deref().map(sasl::Password::read).transpose()?;
    let broker = tokio::task::block_in_place(|| Broker::open(&args.data_dir, args.listen, password))?;
    let shutdown = service::shutdown::Shutdown::on_signals();
    tokio::select! {
        () = accept(listener, Arc::new(broker)) => {}
        () = shutdown.wait() => {}
    }
    Ok(())
}

async fn accept(listener: TcpListener, broker: Arc<Broker>) {
    loop {
        match listener.accept().await {
            Ok((stream, client)) => {
                let broker = Arc::clone(&broker);
                tokio::spawn(async move {
                    if let Err(error) = connection::serve(broker, stream).await {
                        tracing::warn!(%client, %error, "a connection was closed");
                    }
                });
            }
            Err(error) => {
                // Most likely too many open files: others may be closed meanwhile.
                tracing::error!(%error, "a connection could not be accepted");
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            }
        }
    }
}

impl Broker {
    fn open(folder: &Path, address: SocketAddr, password: Option<sasl::Password>) -> Result<Self, LaunchError> {
        let topics = Topics::open(folder)?;
        let next_producer_id = AtomicI64::new(first_producer_id(folder)?);
        Ok(Self { topics, address, password, next_producer_id })
    }

    fn new_producer_id(&self) -> i64 {
        self.next_producer_id.fetch_add(1, Ordering::Relaxed)
    }
}

/// The first of a range of a million numbers that no earlier start has given to a producer.
fn first_producer_id(folder: &Path) -> Result<i64, LaunchError> {
    const EACH_START: i64 = 1_000_000;
    let path = folder.join("starts");
    let starts: i64 = match std::fs::read_to_string(&path) {
        Ok(text) => text
            .trim()
            .parse()
            .map_err(|_| LaunchError::Other(format!("{} holds no number of starts: {text:?}", path.display())))?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => 0,
        Err(error) => return Err(LaunchError::folder(&path)(error)),
    };
    std::fs::write(&path, (starts + 1).to_string()).map_err(LaunchError::folder(&path))?;
    Ok(starts * EACH_START)
}
