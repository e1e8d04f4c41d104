//! Failures on purpose: a fleet under steady load whose processes, cables, database and disks fail in turn, and what was
//! acknowledged is compared with what all of it holds in the end.
//!
//! A [`fleet`] is two nodes with an index copy each. The [`load`] writes as a [`back_office`] that sends each command until
//! it is acknowledged, and reads through a [`client`] that knows two addresses and never asks one twice. What was
//! acknowledged stands in the [`ledger`] and is compared at the end (`verdict`). The acceptance tests run the short form of each
//! scenario, the command the long one.

pub mod back_office;
pub mod client;
mod crash;
pub mod disk;
pub mod faults;
pub mod fleet;
pub mod ledger;
pub mod load;
pub mod member;
pub mod network;
pub mod release;
mod report;
mod rolling;
mod scenario;
pub mod seen;
mod shelf;
mod verdict;

pub use report::Report;
pub use rolling::Rolled;
pub use scenario::{Extent, Scenario, is_root, play};

use crate::BenchError;
use launcher::settings::{Broker, Settings};
use release::Release;
use std::{
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

const EXAMPLES: &str = "Examples:
  souk bench chaos
  souk bench chaos --scenario fleet --kafka apache --hold-seconds 60
  souk bench chaos --scenario postgres --kills 20
  souk bench chaos --scenario network --scenario disk --rounds 3
  souk bench chaos --scenario rolling --before v0.1.0

It starts a fleet of its own in a folder of its own: PostgreSQL, a broker, write-api, and two nodes, each a projector and a
query-api with an index copy. Beside it run two writers, who send each command under an idempotency key until it is
acknowledged, and four readers, who know both query-apis and ask neither twice for the same query.

fleet     kill -9 and SIGSTOP of each process in turn
network   the cable of each process is cut in one direction, then in the other; needs root
postgres  PostgreSQL ends with `-m immediate` and is started again
disk      the disk fills up under an index, the broker and PostgreSQL in turn; needs root
rolling   the fleet is of the release before; its databases are migrated, its processes are replaced one by one by this
          release's, then back, and again; only if it is named, with --before or --before-bin

The exit code is 0 only if no acknowledged write is lost, versions are contiguous, views and both indexes agree, no answer
was older than its token, every refusal was a problem with Retry-After, and, for fleet, network and rolling, no query
failed; for fleet and network, if each process was replaced within ten seconds (--within-seconds); and for rolling, if the
index was built once where the releases have different formats, and not at all where they have one.";

/// Let processes, cables, PostgreSQL and disks fail under load, and compare what was acknowledged
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// What fails; several may be named [default: all but rolling]
    #[arg(long, value_enum)]
    pub scenario: Vec<Scenario>,
    /// How often each fault is done to each process, and each disk fills up
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub rounds: u32,
    /// Go on with further rounds for so long
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub minutes: u64,
    /// How long a process hangs, a cable is cut, and a disk is full
    #[arg(long, value_name = "N", default_value_t = 60)]
    pub hold_seconds: u64,
    /// How soon somebody has to take over from each process
    #[arg(long, value_name = "N", default_value_t = faults::TAKEN_OVER_WITHIN.as_secs())]
    pub within_seconds: u64,
    /// How often PostgreSQL ends
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub kills: u32,
    /// The release before, as a revision of git: it is built into a folder of its own, and kept for the next run
    #[arg(long, value_name = "REVISION", conflicts_with = "before_bin")]
    pub before: Option<String>,
    /// The release before, as a folder with its programs
    #[arg(long, value_name = "DIR")]
    pub before_bin: Option<PathBuf>,
    /// Which broker to start
    #[arg(long, env = "SOUK_KAFKA", value_enum, default_value = "embedded")]
    pub kafka: Broker,
    /// Partitions of every topic
    #[arg(long, value_name = "N", default_value_t = 12, value_parser = clap::value_parser!(i32).range(1..=1_000))]
    pub partitions: i32,
    /// Folder for downloaded packages
    #[arg(long, env = "SOUK_CACHE_DIR")]
    pub cache_dir: Option<PathBuf>,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
}

/// Runs the scenarios and prints what came of them.
///
/// # Errors
/// [`BenchError`] if a fleet does not start or recover, or if something is not as it has to be.
pub async fn run(args: Args) -> Result<(), BenchError> {
    let own = std::env::current_exe()?;
    let programs = own.parent().unwrap_or(Path::new(".")).to_owned();
    let before = match (&args.before, &args.before_bin) {
        (Some(revision), _) => Some(tokio::task::block_in_place(|| Release::built(revision, &programs))?),
        (None, Some(folder)) => Some(Release::at(folder)),
        (None, None) => None,
    };
    let scenarios = if args.scenario.is_empty() { Scenario::ALL.to_vec() } else { args.scenario.clone() };
    let extent = Extent {
        rounds: args.rounds,
        goes_on: Duration::from_secs(60 * args.minutes),
        hold: Duration::from_secs(args.hold_seconds),
        kills: args.kills,
        within: Duration::from_secs(args.within_seconds),
        before,
    };
    let (mut reports, mut broken) = (Vec::new(), Vec::new());
    for scenario in scenarios {
        if scenario.needs_root() && !is_root() {
            eprintln!("SKIPPED: {scenario} needs root");
            continue;
        }
        let folder = tempfile::Builder::new().prefix("souk-chaos-").tempdir_in("/var/tmp")?;
        // PostgreSQL may run as another user than root.
        std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755))?;
        let outcome = play(scenario, settings(&args, folder.path())?, programs.clone(), &extent).await;
        let violations = match outcome {
            Ok(report) => {
                if !args.json {
                    println!("{report}");
                }
                let violations = report.violations();
                reports.push(report);
                violations
            }
            Err(error) => vec![error.to_string()],
        };
        if !violations.is_empty() {
            broken.push(format!("{scenario}: {}; the logs are in {}", violations.join("; "), folder.keep().display()));
        }
    }
    if args.json {
        println!("{}", crate::json(&reports)?);
    }
    if broken.is_empty() { Ok(()) } else { Err(BenchError::Failed(broken.join("\n"))) }
}

fn settings(args: &Args, folder: &Path) -> Result<Settings, BenchError> {
    let mut settings = Settings::from_environment().map_err(|error| BenchError::Nothing(error.to_string()))?;
    settings.data_dir = folder.to_owned();
    settings.cache_dir = args.cache_dir.clone().or(settings.cache_dir);
    (settings.kafka, settings.kafka_brokers) = (args.kafka, None);
    settings.topic_partitions = Some(args.partitions);
    (settings.write_database_url, settings.read_database_url, settings.query_database_url) = (None, None, None);
    settings.postgres_port = launcher::suite::free_port()?;
    settings.broker_listen.set_port(launcher::suite::free_port()?);
    // The controller of Apache Kafka listens one port above: the next is left to it.
    launcher::suite::free_port()?;
    Ok(settings)
}
