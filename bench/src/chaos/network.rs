//! A network namespace for each process of a fleet, on one bridge, so that its cable can be cut in one direction. Needs root.
//!
//! A direction is cut by a queue that lets nothing out (`tbf` with a burst of one byte), at one of the two ends of the
//! process's cable: nobody is told, as with a cable that is cut.

use super::member::Member;
use crate::BenchError;
use std::{
    net::{IpAddr, Ipv4Addr},
    path::Path,
    process::Command,
};

/// Which packets of a process are lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// What it sends.
    Outgoing,
    /// What is sent to it.
    Incoming,
}

/// The namespaces; they are removed with this value.
#[derive(Debug)]
pub struct Network {
    /// Tells this network from another's on the same machine.
    number: u8,
}

const MEMBERS: [Member; 5] =
    [Member::WriteApi, Member::Projector(0), Member::Projector(1), Member::QueryApi(0), Member::QueryApi(1)];

impl Network {
    /// Makes bridge and namespaces.
    ///
    /// # Errors
    /// What `ip` said, such as that it may not.
    pub fn build() -> Result<Self, BenchError> {
        let network = Self { number: u8::try_from(std::process::id() % 200).unwrap_or_default() };
        let bridge = network.bridge();
        // What an earlier run with the same number left when it was killed.
        network.remove();
        run("ip", &["link", "add", &bridge, "type", "bridge"])?;
        run("ip", &["addr", "add", &format!("{}/24", network.host(Member::Broker)), "dev", &bridge])?;
        run("ip", &["link", "set", &bridge, "up"])?;
        for member in MEMBERS {
            let (space, cable) = (network.namespace(member), network.cable(member));
            run("ip", &["netns", "add", &space])?;
            run("ip", &["link", "add", &cable, "type", "veth", "peer", "name", "eth0", "netns", &space])?;
            run("ip", &["link", "set", &cable, "master", &bridge, "up"])?;
            run("ip", &["-n", &space, "addr", "add", &format!("{}/24", network.host(member)), "dev", "eth0"])?;
            run("ip", &["-n", &space, "link", "set", "eth0", "up"])?;
            run("ip", &["-n", &space, "link", "set", "lo", "up"])?;
        }
        Ok(network)
    }

    /// Where a process is reached. The broker and PostgreSQL stand at the bridge.
    #[must_use]
    pub fn host(&self, member: Member) -> IpAddr {
        let last = match member {
            Member::Broker => 1,
            Member::WriteApi => 2,
            Member::Projector(node) => 10 + u8::try_from(node).unwrap_or_default(),
            Member::QueryApi(node) => 20 + u8::try_from(node).unwrap_or_default(),
        };
        IpAddr::V4(Ipv4Addr::new(10, 213, self.number, last))
    }

    /// The addresses of all processes.
    #[must_use]
    pub fn clients(&self) -> String {
        format!("10.213.{}.0/24", self.number)
    }

    /// A program that is run in the namespace of a process.
    #[must_use]
    pub fn inside(&self, member: Member, program: &Path) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.namespace(member)]).arg(program);
        command
    }

    /// Cuts the cable of a process in one direction.
    ///
    /// # Errors
    /// What `tc` said.
    pub fn cut(&self, member: Member, direction: Direction) -> Result<(), BenchError> {
        let nothing = ["root", "tbf", "rate", "8bit", "burst", "1", "limit", "1"];
        self.queue("add", member, direction, &nothing)
    }

    /// Mends what was cut.
    ///
    /// # Errors
    /// What `tc` said.
    pub fn mend(&self, member: Member, direction: Direction) -> Result<(), BenchError> {
        self.queue("del", member, direction, &["root"])
    }

    fn queue(&self, what: &str, member: Member, direction: Direction, queue: &[&str]) -> Result<(), BenchError> {
        let (space, cable) = (self.namespace(member), self.cable(member));
        let at = match direction {
            Direction::Outgoing => vec!["-n", &space, "qdisc", what, "dev", "eth0"],
            Direction::Incoming => vec!["qdisc", what, "dev", &cable],
        };
        run("tc", &[&at, queue].concat())
    }

    fn bridge(&self) -> String {
        format!("soukch{}", self.number)
    }

    fn namespace(&self, member: Member) -> String {
        format!("souk-chaos-{}-{}", self.number, member.name())
    }

    /// The end of a process's cable at the bridge; such a name has at most 15 letters.
    fn cable(&self, member: Member) -> String {
        let name = member.name();
        let (first, last) = (name.chars().next().unwrap_or('x'), name.chars().last().unwrap_or('x'));
        format!("soukch{}{first}{last}", self.number)
    }

    fn remove(&self) {
        // What is not there can't be removed.
        for member in MEMBERS {
            let _ = run("ip", &["netns", "del", &self.namespace(member)]);
            let _ = run("ip", &["link", "del", &self.cable(member)]);
        }
        let _ = run("ip", &["link", "del", &self.bridge()]);
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        self.remove();
    }
}

/// Runs a command that says nothing if it succeeds.
///
/// # Errors
/// What it said.
pub fn run(program: &str, arguments: &[&str]) -> Result<(), BenchError> {
    let output = Command::new(program).args(arguments).output()?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(BenchError::Failed(format!("`{program} {}` failed: {}", arguments.join(" "), said.trim())))
}
