//! What fails, in which order, and for how long.

use super::{
    crash,
    disk::{Disk, Disks},
    faults::{Fault, Outcome, TAKEN_OVER_WITHIN, hurt},
    fleet::Fleet,
    load::Load,
    member::Member,
    network::{Direction, Network},
    release::Release,
    report::Report,
    rolling::Rolling,
    verdict,
};
use crate::BenchError;
use launcher::settings::Settings;
use std::{
    fmt,
    path::PathBuf,
    time::{Duration, Instant},
};

/// From the end of a fault to the next: as long as a query may wait.
const APART: Duration = Duration::from_secs(2);

/// What fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Scenario {
    /// Each process is killed, and hangs.
    Fleet,
    /// The cable of each process is cut in one direction.
    Network,
    /// PostgreSQL crashes.
    Postgres,
    /// Disks fill up.
    Disk,
    /// Processes of the release before are replaced by those of this one, one by one, and back.
    Rolling,
}

impl Scenario {
    /// All that fail; a rolling update needs another release.
    pub const ALL: [Self; 4] = [Self::Fleet, Self::Network, Self::Postgres, Self::Disk];

    /// Whether only root can have it.
    #[must_use]
    pub const fn needs_root(self) -> bool {
        matches!(self, Self::Network | Self::Disk)
    }

    /// Whether there is always one who can answer a query.
    #[must_use]
    pub const fn answers_always(self) -> bool {
        matches!(self, Self::Fleet | Self::Network | Self::Rolling)
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Fleet => "fleet",
            Self::Network => "network",
            Self::Postgres => "postgres",
            Self::Disk => "disk",
            Self::Rolling => "rolling",
        })
    }
}

/// How much of it.
#[derive(Debug, Clone)]
pub struct Extent {
    /// How often each fault is done.
    pub rounds: u32,
    /// Further rounds are begun for so long.
    pub goes_on: Duration,
    /// How long a process hangs or is cut off, and a disk is full, at least.
    pub hold: Duration,
    /// How often PostgreSQL ends.
    pub kills: u32,
    /// How soon somebody has to take over from each process.
    pub within: Duration,
    /// The release that is rolled from and back to.
    pub before: Option<Release>,
}

impl Extent {
    /// Once each, no longer than it takes: for tests.
    pub const SHORT: Self = Self {
        rounds: 1,
        goes_on: Duration::ZERO,
        hold: Duration::ZERO,
        kills: 3,
        within: TAKEN_OVER_WITHIN,
        before: None,
    };
}

/// Whether this process may make namespaces and file systems.
#[must_use]
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Starts a fleet with these settings, has it fail under load, and compares.
///
/// # Errors
/// If the fleet does not start, or does not recover from something.
pub async fn play(
    scenario: Scenario,
    settings: Settings,
    programs: PathBuf,
    extent: &Extent,
) -> Result<Report, BenchError> {
    // After the fleet in the order of dropping: it has its files there.
    let disks = match scenario {
        Scenario::Disk => Some(Disks::mount(&settings, &programs)?),
        _ => None,
    };
    let network = match scenario {
        Scenario::Network => Some(Network::build()?),
        _ => None,
    };
    let broker = broker(&settings);
    let partitions = settings.topic_partitions;
    let before = match scenario {
        Scenario::Rolling => Some(extent.before.as_ref().ok_or_else(no_release)?),
        _ => None,
    };
    let older = before.map(|release| release.programs.as_path());
    let mut fleet = Fleet::start(settings, programs.clone(), older, network).await?;
    let mut load = Load::begin(&fleet, "chaos").await?;
    let mut outcomes = Vec::new();
    let mut rolling = match before {
        Some(before) => Some(Rolling::begin(&fleet, &load, before, &programs).await?),
        None => None,
    };
    let (began, mut round) = (Instant::now(), 0);
    while round < extent.rounds || began.elapsed() < extent.goes_on {
        round += 1;
        match (scenario, &disks) {
            (Scenario::Rolling, _) => {
                if let Some(rolling) = &mut rolling {
                    outcomes.extend(rolling.round(&mut fleet, &mut load).await?);
                }
            }
            (Scenario::Postgres, _) => {
                for _ in 0..extent.kills {
                    outcomes.push(told(crash::crash(&fleet, &mut load).await?));
                }
            }
            (Scenario::Disk, Some(disks)) => {
                for disk in Disk::ALL {
                    outcomes.extend(disks.fill(&fleet, &mut load, disk, extent.hold).await?.map(told));
                }
            }
            _ => {
                for fault in faults(scenario, &fleet) {
                    outcomes.push(told(hurt(&fleet, &mut load, fault, extent.hold).await?));
                    // One fault at a time: what moved to the other address meets none there.
                    tokio::time::sleep(APART).await;
                }
            }
        }
    }
    let totals = load.end().await?;
    let (lost, wrong) = verdict::compare(&fleet, &load).await?;
    let rolled = match rolling {
        Some(rolling) => Some(rolling.end(&fleet).await?),
        None => None,
    };
    drop(fleet);
    drop(disks);
    let answers_always = scenario.answers_always();
    Ok(Report {
        scenario: scenario.to_string(),
        answers_always,
        within: extent.within,
        broker,
        partitions,
        outcomes,
        totals,
        lost,
        wrong,
        rolled,
    })
}

fn broker(settings: &Settings) -> String {
    match (settings.starts_broker(), settings.kafka) {
        (true, kafka) => format!("{kafka:?}").to_lowercase(),
        (false, _) => "a broker that others use, too".to_owned(),
    }
}

fn no_release() -> BenchError {
    BenchError::Nothing("a rolling update needs the release before: name it with --before or --before-bin".to_owned())
}

/// Each fault of a scenario and whom it is done to. A projector that took over from the other is hurt next.
fn faults(scenario: Scenario, fleet: &Fleet) -> Vec<(Fault, Member)> {
    let kinds: &[Fault] = match scenario {
        Scenario::Network => &[Fault::Cut(Direction::Outgoing), Fault::Cut(Direction::Incoming)],
        _ => &[Fault::Kill, Fault::Hang],
    };
    let members = fleet.members();
    // The broker's cable is everybody's.
    let cut = |fault: Fault, member: Member| matches!(fault, Fault::Cut(_)) && member == Member::Broker;
    let all = kinds.iter().flat_map(|fault| members.iter().map(|member| (*fault, *member)));
    all.filter(|(fault, member)| !cut(*fault, *member)).collect()
}

/// Tells the operator of an outcome while others are to come.
pub(super) fn told(outcome: Outcome) -> Outcome {
    eprintln!("  {outcome}");
    outcome
}
