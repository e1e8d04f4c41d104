//! The command line of each process.

use super::{Service, Stack};
use std::{path::Path, process::Command};

/// How long the projector's allocator keeps memory that was freed, in milliseconds; see the Dockerfile, too.
const PURGE_DELAY_MS: &str = "10000";

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
            command.args([
                "--write-listen",
                &settings.write_listen.to_string(),
                "--write-database-url",
                &settings.write_url(),
            ]);
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
            command.args([
                "--query-listen",
                &settings.query_listen.to_string(),
                "--query-database-url",
                &settings.query_url(),
            ]);
            command.arg("--index-dir").arg(stack.index_dir());
            command.arg("--operations-url").arg(stack.url(Service::Operator));
            if settings.without_vectors { command } else { with_model(stack, command) }
        }
    };
    if service == Service::Operator {
        let reindex = ["--read-database-url", &settings.read_url(), "--query-url", &stack.url(Service::QueryApi)]
            .map(str::to_owned);
        command.args(reindex).arg("--index-dir").arg(stack.index_dir());
        command.args(["--actor", "souk"]);
    }
    command.args(["--log", &settings.log, "--log-format", "json"]);
    if let Some(endpoint) = &settings.otlp_endpoint {
        command.args(["--otlp-endpoint", endpoint]);
    }
    if service == Service::Operator {
        command.args(["serve", "--operations-listen", &settings.operations_listen.to_string()]);
        command.args(["--write-database-url", &settings.write_url()]);
        command.args(["--write-url", &stack.url(Service::WriteApi)]);
        command.arg("--probe-interval-ms").arg(settings.probe_interval_ms.to_string());
    }
    command
}

fn projector(stack: &Stack, mut command: Command, roles: &str, service: Service) -> Command {
    let settings = &stack.settings;
    // Each commit takes and frees some megabytes: what is taken again within the second is not given back before.
    command.env("MIMALLOC_PURGE_DELAY", PURGE_DELAY_MS);
    command.args(["--roles", roles, "--projector-listen", &stack.address(service).to_string()]);
    command.args(["--write-database-url", &settings.write_url(), "--read-database-url", &settings.read_url()]);
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
