//! The command line of each process of a fleet.

use super::{super::member::Member, Fleet};
use std::{path::Path, process::Command};

/// The command that runs a process in the foreground. The broker's is the stack's own.
pub fn command(fleet: &Fleet, member: Member) -> Command {
    let settings = &fleet.stack.settings;
    let listen = fleet.url(member).trim_start_matches("http://").to_owned();
    let mut command = program(fleet, member);
    match member {
        Member::Broker => {}
        Member::WriteApi => {
            command.args(["--write-listen", &listen, "--write-database-url", &fleet.reached(&settings.write_url())]);
        }
        Member::Projector(node) => {
            command.args(["--roles", "relay,views,index", "--projector-listen", &listen]);
            command.args(["--node", &format!("node-{}", node + 1)]).arg("--index-dir").arg(fleet.index_dir(node));
            command.args(["--write-database-url", &fleet.reached(&settings.write_url())]);
            command.args(["--read-database-url", &fleet.reached(&settings.read_url())]);
            command.args(["--kafka-brokers", &settings.brokers()]);
            command.arg(format!("--topic-prefix={}", settings.topic_prefix));
            if let Some(partitions) = settings.topic_partitions {
                command.arg("--topic-partitions").arg(partitions.to_string());
            }
            command.args(["--scrub-seconds", &settings.scrub_seconds.to_string()]);
            command.arg("--archive-dir").arg(settings.archive_dir());
        }
        Member::QueryApi(node) => {
            command.args(["--query-listen", &listen, "--query-database-url", &fleet.reached(&settings.query_url())]);
            command.arg("--index-dir").arg(fleet.index_dir(node));
        }
    }
    command.args(["--log", &settings.log, "--log-format", "json"]);
    alone(command)
}

/// The command that migrates both databases to the schema of a release.
pub fn migrate(fleet: &Fleet, programs: &Path) -> Command {
    let settings = &fleet.stack.settings;
    let mut command = Command::new(programs.join("souk"));
    command.args(["migrate", "--write-database-url", &settings.write_url()]);
    command.args(["--read-database-url", &settings.read_url()]);
    alone(command)
}

/// The processes take their settings from the command line alone.
fn alone(mut command: Command) -> Command {
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("SOUK_") {
            command.env_remove(name);
        }
    }
    command
}

/// The program, in the namespace of its process where there are namespaces.
fn program(fleet: &Fleet, member: Member) -> Command {
    let name = match member {
        Member::Broker => "souk",
        Member::WriteApi => "write-api",
        Member::Projector(_) => "projector",
        Member::QueryApi(_) => "query-api",
    };
    let program = fleet.releases.get(&member).map_or_else(|| name.into(), |programs| programs.join(name));
    match &fleet.network {
        Some(network) => network.inside(member, &program),
        None => Command::new(program),
    }
}
