//! The command line of each process of a fleet.

use super::{super::member::Member, Fleet};
use launcher::{LaunchError, passwords::Role};
use std::{path::Path, process::Command};

const WRITE_DATABASE: &str = "SOUK_WRITE_DATABASE_URL";
const READ_DATABASE: &str = "SOUK_READ_DATABASE_URL";

/// The command that runs a process in the foreground. The broker's is the stack's own.
///
/// # Errors
/// If the file of the administrators' key can't be read or written.
pub fn command(fleet: &Fleet, member: Member) -> Result<Command, LaunchError> {
    let settings = &fleet.stack.settings;
    let listen = fleet.url(member).trim_start_matches("http://").to_owned();
    let mut command = program(fleet, member);
    match member {
        Member::Broker => {}
        Member::WriteApi => {
            command.args(["--write-listen", &listen]);
        }
        Member::Projector(node) => {
            command.args(["--roles", "relay,views,index", "--projector-listen", &listen]);
            command.args(["--node", &format!("node-{}", node + 1)]).arg("--index-dir").arg(fleet.index_dir(node));
            command.args(["--kafka-brokers", &settings.brokers()]);
            command.arg(format!("--topic-prefix={}", settings.topic_prefix));
            if let Some(partitions) = settings.topic_partitions {
                command.arg("--topic-partitions").arg(partitions.to_string());
            }
            command.args(["--scrub-seconds", &settings.scrub_seconds.to_string()]);
            command.arg("--archive-dir").arg(settings.archive_dir());
        }
        Member::QueryApi(node) => {
            command.args(["--query-listen", &listen]);
            command.arg("--index-dir").arg(fleet.index_dir(node));
        }
    }
    command.args(["--log", &settings.log, "--log-format", "json"]);
    let mut command = alone(command);
    // With its passwords a URL does not stand on a command line, which every user of the machine can read.
    for (variable, url) in databases(fleet, member) {
        command.env(variable, fleet.reached(&url));
    }
    command.env("SOUK_ADMIN_KEY", fleet.stack.admin_key()?);
    Ok(command)
}

/// The databases of a process, by the variables that name them. The schema of an older release may grant nothing to the
/// roles of processes: where two releases meet, both are the owner.
fn databases(fleet: &Fleet, member: Member) -> Vec<(&'static str, String)> {
    let settings = &fleet.stack.settings;
    let role = |role| if fleet.has_older { Role::Owner } else { role };
    match member {
        Member::Broker => Vec::new(),
        Member::WriteApi => vec![(WRITE_DATABASE, settings.write_url_as(role(Role::Write)))],
        Member::Projector(_) => vec![
            (WRITE_DATABASE, settings.write_url_as(role(Role::Projector))),
            (READ_DATABASE, settings.read_url_as(role(Role::Projector))),
        ],
        Member::QueryApi(_) => vec![("SOUK_QUERY_DATABASE_URL", settings.query_url())],
    }
}

/// The command that migrates both databases to the schema of a release.
pub fn migrate(fleet: &Fleet, programs: &Path) -> Command {
    let settings = &fleet.stack.settings;
    let mut command = Command::new(programs.join("souk"));
    command.arg("migrate");
    let mut command = alone(command);
    command.env(WRITE_DATABASE, settings.write_url()).env(READ_DATABASE, settings.read_url());
    command
}

/// The processes take nothing from the environment of this one.
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
