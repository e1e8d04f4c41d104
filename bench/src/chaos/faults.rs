//! Faults of one process, and how long it takes until another does its work.

use super::{
    fleet::{Fleet, NODES},
    load::Load,
    member::Member,
    network::Direction,
};
use crate::BenchError;
use serde::Serialize;
use std::{
    fmt,
    time::{Duration, Instant},
};

/// How long a process without a standby is hurt at least.
const SHORTEST: Duration = Duration::from_secs(2);
/// Within this time another has taken over: the lease of a leader, and a moment.
pub const TAKEN_OVER_WITHIN: Duration = Duration::from_secs(10);

/// What is done to a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// SIGKILL; it is started again once another has taken over.
    Kill,
    /// SIGSTOP, and later SIGCONT.
    Hang,
    /// Its cable is cut in one direction, and later mended.
    Cut(Direction),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Kill => "kill -9",
            Self::Hang => "SIGSTOP",
            Self::Cut(Direction::Outgoing) => "outgoing cut",
            Self::Cut(Direction::Incoming) => "incoming cut",
        })
    }
}

/// One fault and what came of it.
#[derive(Debug, Clone, Serialize)]
pub struct Outcome {
    /// What was done.
    pub fault: String,
    /// To whom.
    pub whom: String,
    /// From the fault until another did its work: a write made after it was read back. None where there is no other.
    pub taken_over: Option<Duration>,
    /// From the moment it was well again until every node showed a write made after that.
    pub recovered: Duration,
}

/// Hurts a process for so long, or until another has taken over if that is later, and waits until all is well again.
///
/// # Errors
/// If nobody takes over, or it does not recover.
pub async fn hurt(
    fleet: &Fleet,
    load: &mut Load,
    (fault, member): (Fault, Member),
    hold: Duration,
) -> Result<Outcome, BenchError> {
    let began = Instant::now();
    match fault {
        Fault::Kill => fleet.kill(member)?,
        Fault::Hang => fleet.freeze(member, true)?,
        Fault::Cut(direction) => network(fleet)?.cut(member, direction)?,
    }
    let taken_over = taken_over(load, member).await?.then(|| began.elapsed());
    if fault != Fault::Kill {
        let hold = if member.has_standby() { hold } else { hold.max(SHORTEST) };
        tokio::time::sleep(hold.saturating_sub(began.elapsed())).await;
    }
    let mended = Instant::now();
    match fault {
        Fault::Kill => fleet.start_again(member).await?,
        Fault::Hang => fleet.freeze(member, false)?,
        Fault::Cut(direction) => network(fleet)?.mend(member, direction)?,
    }
    fleet.until_ready(member).await?;
    let all: Vec<usize> = (0..NODES).collect();
    load.fresh_at(&all).await?;
    Ok(Outcome { fault: fault.to_string(), whom: member.name(), taken_over, recovered: mended.elapsed() })
}

/// Waits until another process does the work of this one; gives whether there is one that can.
async fn taken_over(load: &mut Load, member: Member) -> Result<bool, BenchError> {
    match member {
        Member::Broker | Member::WriteApi => return Ok(false),
        Member::Projector(node) => load.fresh_at(&[(node + 1) % NODES]).await?,
        Member::QueryApi(node) => {
            // A client that asks this one first.
            if load.client_of(node)?.query("/v1/search?q=chaos&limit=10&mode=lexical", None).await.is_none() {
                return Err(BenchError::Failed(format!("nobody answers for {}", member.name())));
            }
        }
    }
    Ok(true)
}

fn network(fleet: &Fleet) -> Result<&super::network::Network, BenchError> {
    fleet.network.as_ref().ok_or_else(|| BenchError::Nothing("cables are cut in network namespaces only".to_owned()))
}
