//! Who may speak to Kafka: the embedded broker asks for its password, and a cluster may ask for TLS and SCRAM.

use acceptance::stack::{TestStack, env};
use launcher::stack::Service;
use rdkafka::{
    ClientConfig,
    consumer::{BaseConsumer, Consumer},
};
use std::{os::unix::fs::PermissionsExt, time::Duration};

/// Whether a client with these settings is told which topics there are.
fn is_answered(client: &ClientConfig) -> bool {
    let consumer: BaseConsumer = client.create().expect("a client");
    tokio::task::block_in_place(|| consumer.fetch_metadata(None, Duration::from_secs(2))).is_ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_embedded_broker_answers_those_who_know_its_password() {
    if env("SOUK_TEST_BROKER") == "apache" {
        return;
    }
    let stack = TestStack::start_apart().await;
    let file = stack.stack.broker_key().expect("a password");
    assert_eq!(file.metadata().expect("a file").permissions().mode() & 0o777, 0o600);
    let known = stack.kafka();
    assert!(is_answered(&known));
    let stranger = ClientConfig::new().set("bootstrap.servers", stack.stack.settings.brokers()).clone();
    assert!(!is_answered(&stranger), "without a password");
    for (name, value) in [("sasl.password", "wrong"), ("sasl.username", "admin"), ("sasl.mechanism", "SCRAM-SHA-512")] {
        assert!(!is_answered(known.clone().set(name, value)), "another {name}");
    }
    let line =
        std::fs::read_to_string(format!("/proc/{}/cmdline", pid(&stack, Service::Broker))).expect("its arguments");
    let password = std::fs::read_to_string(&file).expect("the password");
    assert!(!line.contains(password.trim()), "every user of the machine reads command lines: {line}");
}

fn pid(stack: &TestStack, service: Service) -> i32 {
    stack.stack.processes.running(service.name()).expect("running").pid
}
