//! `souk test`: the whole suite against a PostgreSQL and a broker of its own, which end with it.

mod summary;

use crate::{
    LaunchError, apache, browser,
    postgres::Postgres,
    settings::{Broker, Settings},
    stack::{Service, Stack},
};
use std::{
    io::{BufRead, BufReader},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::atomic::{AtomicU16, Ordering},
};
use summary::Summary;

/// Run the whole test suite, with a PostgreSQL and a broker of its own
#[derive(Debug, Clone, clap::Args)]
#[command(
    after_help = "Examples:\n  souk test\n  SOUK_KAFKA=apache souk test\n  souk test -- --workspace --test it pipeline"
)]
pub struct Args {
    /// Broker for the tests
    #[arg(long, env = "SOUK_KAFKA", value_enum, default_value = "embedded")]
    pub kafka: Broker,
    /// Folder for downloaded packages
    #[arg(long, env = "SOUK_CACHE_DIR")]
    pub cache_dir: Option<PathBuf>,
    /// Fail if a test is skipped
    #[arg(long, env = "SOUK_TEST_NO_SKIPS")]
    pub no_skips: bool,
    /// Arguments for `cargo test` instead of --workspace
    #[arg(last = true)]
    pub cargo: Vec<String>,
}

/// Runs the suite; gives cargo's exit code, or 1 if a test was skipped that must not be.
///
/// # Errors
/// If the database or the broker can't be started.
pub async fn run(args: Args, mut settings: Settings, programs: PathBuf) -> Result<i32, LaunchError> {
    let folder = tempfile::Builder::new()
        .prefix("souk-test-")
        .tempdir_in("/var/tmp")
        .map_err(LaunchError::folder("/var/tmp".as_ref()))?;
    // PostgreSQL may run as another user than root.
    let open = <std::fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o755);
    std::fs::set_permissions(folder.path(), open).map_err(LaunchError::folder(folder.path()))?;
    settings.cache_dir = args.cache_dir.clone().or(settings.cache_dir);
    settings.data_dir = folder.path().to_owned();
    settings.postgres_port = free_port()?;
    settings.broker_listen.set_port(free_port()?);
    settings.kafka = args.kafka;
    let stack = Stack::new(settings, programs)?;
    tokio::task::block_in_place(|| stack.artifacts.fetch_postgres().and_then(|()| stack.artifacts.fetch_model()))?;
    if args.kafka == Broker::Apache {
        tokio::task::block_in_place(|| apache::fetch(&stack.settings.cache()))?;
    }
    if let Err(missing) = tokio::task::block_in_place(browser::fetch) {
        eprintln!("  the storefront is not tested: {missing}");
    }
    let axe = tokio::task::block_in_place(|| browser::fetch_axe(&stack.settings.cache()));
    if let Err(missing) = &axe {
        eprintln!("  the storefront is not searched for barriers: {missing}");
    }
    println!(
        "starting PostgreSQL and the {} broker for the tests",
        if args.kafka == Broker::Apache { "Apache Kafka" } else { "embedded" }
    );
    let postgres = Postgres::new(&stack.artifacts, folder.path(), stack.settings.postgres_port)?;
    postgres.start()?;
    let outcome = with_broker(&stack, &args, axe.ok().as_deref()).await;
    stack.stop(Service::Broker)?;
    postgres.stop()?;
    outcome
}

async fn with_broker(stack: &Stack, args: &Args, axe: Option<&Path>) -> Result<i32, LaunchError> {
    stack.start(Service::Broker)?;
    stack.wait_ready(Service::Broker).await?;
    let skips = stack.settings.data_dir.join("skips");
    let mut command = Command::new("cargo");
    command.arg("test");
    if args.cargo.is_empty() {
        command.arg("--workspace");
    }
    if let Some(home) = std::env::var_os("SOUK_HOME") {
        command.arg("--manifest-path").arg(PathBuf::from(home).join("Cargo.toml"));
    }
    command.args(&args.cargo);
    command
        .env("SOUK_TEST_DATABASE_URL", stack.settings.admin_url())
        .envs(stack.settings.password_file().map(|file| ("SOUK_TEST_ROLE_PASSWORDS", file)))
        .env("SOUK_TEST_KAFKA", stack.settings.brokers())
        .env("SOUK_TEST_BROKER", if stack.settings.kafka == Broker::Apache { "apache" } else { "embedded" })
        .env("SOUK_TEST_PARTITIONS", if stack.settings.kafka == Broker::Apache { "12" } else { "4" })
        .env("SOUK_TEST_SKIPS", &skips)
        .env("SOUK_CACHE_DIR", stack.settings.cache())
        .envs(axe.map(|script| ("SOUK_TEST_AXE", script)))
        .env("SOUK_MODEL_DIR", stack.artifacts.model_dir())
        .env("SOUK_ONNXRUNTIME", stack.artifacts.onnxruntime())
        .env_remove("SOUK_KAFKA");
    let (code, summary) = tokio::task::block_in_place(|| counted(&mut command, &skips))
        .map_err(|error| LaunchError::Other(format!("cargo could not be run: {error}")))?;
    println!("\n{summary}");
    let missed = args.no_skips && !summary.skipped.is_empty();
    Ok(if code == 0 && missed { 1 } else { code })
}

/// Runs cargo, shows what it prints, and counts; gives its exit code as well.
fn counted(command: &mut Command, skips: &Path) -> std::io::Result<(i32, Summary)> {
    let mut summary = Summary::default();
    let mut cargo = command.stdout(Stdio::piped()).spawn()?;
    for line in cargo.stdout.take().map(BufReader::new).into_iter().flat_map(BufReader::lines) {
        let line = line?;
        println!("{line}");
        summary.read(&line);
    }
    let code = cargo.wait()?.code().unwrap_or(1);
    // No file, no skips.
    summary.skipped(&std::fs::read_to_string(skips).unwrap_or_default());
    Ok((code, summary))
}

/// A port that nobody listens on right now, below the range from which the system gives ports to
/// outgoing connections: one of those could take it while a killed process is being started again.
///
/// # Errors
/// If there is none.
pub fn free_port() -> Result<u16, LaunchError> {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let offset = u16::try_from(std::process::id() % 97).unwrap_or_default() * 120;
    for _ in 0..PORTS {
        let step = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = FIRST_PORT + offset.wrapping_add(step) % PORTS;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
    Err(LaunchError::Other(format!("no port from {FIRST_PORT} to {} is free", FIRST_PORT + PORTS)))
}

const FIRST_PORT: u16 = 20_000;
const PORTS: u16 = 12_000;
