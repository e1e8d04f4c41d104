//! The embedded, persistent, Kafka-protocol broker: Tansu on libSQL; see docs/decisions/0005.

use crate::LaunchError;
use std::{net::SocketAddr, path::PathBuf};
use tansu_broker::{broker::Broker, coordinator::group::administrator::Controller};
use tansu_storage::StorageContainer;
use tokio::time::Instant;
use url::Url;
use uuid::Uuid;

/// Run the embedded Kafka-protocol broker in the foreground
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "Example:\n  souk broker --listen 127.0.0.1:9092 --data-dir broker")]
pub struct Args {
    /// Address for Kafka clients
    #[arg(long, default_value = "127.0.0.1:9092")]
    pub listen: SocketAddr,
    /// Folder of topics and offsets
    #[arg(long, default_value = "broker")]
    pub data_dir: PathBuf,
}

/// Runs the broker until a signal comes.
///
/// # Errors
/// If the folder can't be used or the address can't be listened on.
pub async fn run(args: Args) -> Result<(), LaunchError> {
    std::fs::create_dir_all(&args.data_dir).map_err(LaunchError::folder(&args.data_dir))?;
    // The storage's path is relative to the working directory.
    std::env::set_current_dir(&args.data_dir).map_err(LaunchError::folder(&args.data_dir))?;
    if std::net::TcpListener::bind(args.listen).is_err() {
        return Err(LaunchError::InUse {
            what: "the broker".to_owned(),
            address: args.listen.to_string(),
            flag: "--broker-listen",
        });
    }
    let failed = |error: &dyn std::fmt::Display| LaunchError::Other(format!("the embedded broker failed: {error}"));
    let listener = Url::parse(&format!("tcp://{}", args.listen)).map_err(|error| failed(&error))?;
    let storage = Url::parse("sqlite://tansu.db").map_err(|error| failed(&error))?;
    let mut broker = Broker::<Controller<StorageContainer>, StorageContainer>::builder()
        .node_id(1)
        .cluster_id("souk")
        .incarnation_id(Uuid::now_v7())
        .advertised_listener(listener.clone())
        .listener(listener)
        .storage(storage)
        .silent(true)
        .build()
        .await
        .map_err(|error| failed(&error))?;
    index_headers().await.map_err(|error| failed(&error))?;
    let shutdown = service::shutdown::Shutdown::on_signals();
    tokio::select! {
        served = broker.serve(Instant::now()) => served.map_err(|error| failed(&error)),
        () = shutdown.wait() => Ok(()),
    }
}

/// Gives the storage's header table the index it lacks: without it each record that is fetched scans
/// the headers of all records, and a topic of 80,000 records stands still.
async fn index_headers() -> Result<(), libsql::Error> {
    let database = libsql::Builder::new_local("tansu.db").build().await?;
    let connection = database.connect()?;
    connection.execute("CREATE INDEX IF NOT EXISTS header_of_record ON header (topition, offset_id)", ()).await?;
    Ok(())
}
