//! The command line of each process, and what it is told where other users of the machine can't read it.

use super::{Service, Stack};
use crate::{LaunchError, passwords::Role};
use std::{net::IpAddr, path::Path, process::Command};

/// How long the projector's allocator keeps memory that was freed, in milliseconds; see the Dockerfile, too.
const PURGE_DELAY_MS: &str = "10000";
const WRITE_DATABASE: &str = "SOUK_WRITE_DATABASE_URL";
const READ_DATABASE: &str = "SOUK_READ_DATABASE_URL";
const QUERY_DATABASE: &str = "SOUK_QUERY_DATABASE_URL";
const ADMIN_KEY: &str = "SOUK_ADMIN_KEY";
const MASTER_KEYS: &str = "SOUK_MASTER_KEYS";
const MAIL_URL: &str = "SOUK_MAIL_URL";
const BROKER_PASSWORD_FILE: &str = "SOUK_BROKER_PASSWORD_FILE";

/// The command that runs a service in the foreground.
pub fn command(stack: &Stack, service: Service, programs: &Path) -> Command {
    let settings = &stack.settings;
    let program = |name: &str| Command::new(programs.join(name));
    let mut command = match service {
        Service::Broker => {
            let mut command = program("souk");
            command.arg("broker").arg("--listen").arg(settings.broker_listen.to_string());
            command.arg("--data-dir").arg(settings.data_dir.join("broker"));
            command
        }
        Service::WriteApi => {
            let mut command = program("write-api");
            command.args(["--write-listen", &settings.write_listen.to_string()]);
            // query-api tells for whom it asks.
            command.args(["--trusted-proxies", &this_machine(settings.write_listen.ip())]);
            command.args(["--query-url", &stack.url(Service::QueryApi)]);
            command
        }
        Service::Projector => projector(stack, program("projector"), "relay,views,index", service),
        // Vectors may be late; shoppers and the index may not.
        Service::Embedder => {
            let mut nice = Command::new("nice");
            nice.args(["-n", "19"]).arg(programs.join("projector"));
            with_model(stack, projector(stack, nice, "embed", service))
        }
        Service::Operator => program("reindex"),
        Service::QueryApi => {
            let mut command = program("query-api");
            command.args(["--query-listen", &settings.query_listen.to_string()]);
            command.arg("--index-dir").arg(stack.index_dir());
            command.arg("--operations-url").arg(stack.url(Service::Operator));
            command.args(["--write-url", &stack.url(Service::WriteApi)]);
            if settings.without_vectors { command } else { with_model(stack, command) }
        }
    };
    if service == Service::Operator {
        command.args(["--query-url", &stack.url(Service::QueryApi)]).arg("--index-dir").arg(stack.index_dir());
        command.args(["--actor", "souk"]);
    }
    if matches!(service, Service::WriteApi | Service::QueryApi) && !settings.shop_domain.is_empty() {
        command.args(["--shop-domain", &settings.shop_domain]);
    }
    if service == Service::WriteApi && settings.local_issuers {
        command.arg("--local-issuers");
    }
    if let Some(url) = settings.stripe_url.as_ref().filter(|_| service == Service::WriteApi) {
        command.args(["--stripe-url", url]);
    }
    command.args(["--log", &settings.log, "--log-format", "json"]);
    if let Some(endpoint) = &settings.otlp_endpoint {
        command.args(["--otlp-endpoint", endpoint]);
    }
    if service == Service::Operator {
        command.args(["serve", "--operations-listen", &settings.operations_listen.to_string()]);
        command.args(["--write-url", &stack.url(Service::WriteApi)]);
        command.arg("--probe-interval-ms").arg(settings.probe_interval_ms.to_string());
        command.arg("--availability-seconds").arg(settings.availability_seconds.to_string());
    }
    command
}

/// From where this machine asks a server that listens at an address.
fn this_machine(listen: IpAddr) -> String {
    let loopback = "127.0.0.0/8,::1";
    if listen.is_loopback() || listen.is_unspecified() { loopback.to_owned() } else { format!("{loopback},{listen}") }
}

/// The environment of a process: its databases with their passwords, and the administrators' key. `ps` shows command
/// lines to everybody.
///
/// # Errors
/// If the key can't be read or made.
pub fn secrets(stack: &Stack, service: Service) -> Result<Vec<(&'static str, String)>, LaunchError> {
    let settings = &stack.settings;
    Ok(match service {
        Service::Broker if settings.broker_open => Vec::new(),
        Service::Broker => vec![(BROKER_PASSWORD_FILE, stack.broker_key()?.display().to_string())],
        Service::WriteApi => {
            let databases = [(WRITE_DATABASE, settings.write_url_as(Role::Write)), (ADMIN_KEY, stack.admin_key()?)];
            let accounts = [(MASTER_KEYS, stack.master_keys()?), (MAIL_URL, stack.mail_url()?)];
            databases.into_iter().chain(accounts).collect()
        }
        Service::Projector | Service::Embedder => {
            let databases = [
                (WRITE_DATABASE, settings.write_url_as(Role::Projector)),
                (READ_DATABASE, settings.read_url_as(Role::Projector)),
            ];
            databases.into_iter().chain(stack.kafka_security()?.environment()).collect()
        }
        Service::QueryApi => vec![(QUERY_DATABASE, settings.query_url()), (ADMIN_KEY, stack.admin_key()?)],
        Service::Operator => vec![
            (WRITE_DATABASE, settings.write_url_as(Role::Reindex)),
            (READ_DATABASE, settings.read_url_as(Role::Reindex)),
            (ADMIN_KEY, stack.admin_key()?),
        ],
    })
}

fn projector(stack: &Stack, mut command: Command, roles: &str, service: Service) -> Command {
    let settings = &stack.settings;
    // Each commit takes and frees some megabytes: what is taken again within the second is not given back before.
    command.env("MIMALLOC_PURGE_DELAY", PURGE_DELAY_MS);
    command.args(["--roles", roles, "--projector-listen", &stack.address(service).to_string()]);
    command.args(["--kafka-brokers", &settings.brokers()]);
    command.arg(format!("--topic-prefix={}", settings.topic_prefix));
    if let Some(partitions) = settings.topic_partitions {
        command.arg("--topic-partitions").arg(partitions.to_string());
    }
    command.arg("--index-dir").arg(stack.index_dir());
    command.args(["--scrub-seconds", &settings.scrub_seconds.to_string()]);
    command.arg("--archive-dir").arg(settings.archive_dir());
    command
}

fn with_model(stack: &Stack, mut command: Command) -> Command {
    command.arg("--model-dir").arg(stack.artifacts.model_dir());
    command.arg("--onnxruntime").arg(stack.artifacts.onnxruntime());
    for model in &stack.settings.models {
        command.arg("--model").arg(model);
    }
    command
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;

    #[test]
    fn no_command_line_holds_a_password_or_key() {
        let folder = tempfile::tempdir().expect("a folder");
        let url = |name: &str| format!("postgres://somebody:passed-by@db/{name}");
        let mut settings = Settings::from_environment().expect("defaults");
        settings.data_dir = folder.path().to_owned();
        settings.write_database_url = Some(url("souk_write"));
        settings.read_database_url = Some(url("souk_read"));
        let stack = Stack::new(settings, folder.path().to_owned()).expect("a stack");
        let key = stack.admin_key().expect("a key");
        for service in stack.services() {
            let line = command(&stack, service, folder.path());
            let mut words = line.get_args().map(|word| word.to_string_lossy().into_owned());
            assert!(words.all(|word| !word.contains("passed-by") && !word.contains(&key)), "{service:?}");
            let told = secrets(&stack, service).expect("an environment");
            let databases = told.iter().filter(|(_, value)| value.contains("passed-by")).count();
            assert_eq!(databases > 0, service != Service::Broker, "{service:?}");
        }
    }
}
