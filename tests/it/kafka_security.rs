//! Who may speak to Kafka: the embedded broker asks for its password, and a cluster may ask for TLS and SCRAM.

use acceptance::{
    authority::Authority,
    eventually::eventually,
    kafka_node::{KafkaNode, USER},
    stack::{TestStack, env},
};
use eventlog::{
    Epoch, Log,
    producer::{Outgoing, headers, send_in_order},
};
use launcher::{apache, stack::Service, suite};
use rdkafka::{
    ClientConfig,
    consumer::{BaseConsumer, Consumer},
};
use schemas::topics::Context;
use service::kafka::{KafkaSecurity, Protection};
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
    let line = std::fs::read_to_string(format!("/proc/{}/cmdline", pid(&stack, Service::Broker)));
    let line = line.expect("its arguments");
    let password = std::fs::read_to_string(&file).expect("the password");
    assert!(!line.contains(password.trim()), "every user of the machine reads command lines: {line}");
}

fn pid(stack: &TestStack, service: Service) -> i32 {
    stack.stack.processes.running(service.name()).expect("running").pid
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_may_ask_for_tls_and_a_proof_of_the_password() {
    if env("SOUK_TEST_BROKER") != "apache" {
        return;
    }
    let folder = tempfile::Builder::new().prefix("souk-kafka-").tempdir_in("/var/tmp").expect("a folder");
    let jars = tokio::task::block_in_place(|| apache::fetch(env("SOUK_CACHE_DIR").as_ref())).expect("Apache Kafka");
    let authority = Authority::draw().expect("an authority");
    let ports = [(); 2].map(|()| suite::free_port().expect("a port"));
    let node = KafkaNode::start(&jars, folder.path(), ports, &authority, "right");
    let known = KafkaSecurity {
        kafka_security: Protection::SaslSsl,
        kafka_user: Some(USER.to_owned()),
        kafka_password: Some("right".into()),
        kafka_ca: Some(folder.path().join("ca.pem")),
        ..KafkaSecurity::default()
    };
    let log = |security: &KafkaSecurity| Log {
        brokers: node.address(),
        security: security.clone(),
        client_id: "test".to_owned(),
        topic_prefix: String::new(),
        replication: 1,
        min_insync: 1,
        epoch: Epoch::first(Some(1)),
    };
    eventually("the topics are made", Duration::from_secs(60), || async {
        log(&known).ensure_topics().await.map_err(|error| error.to_string())
    })
    .await;
    assert!(is_answered(&log(&known).client().expect("settings")));
    let record = Outgoing {
        topic: log(&known).topic(Context::Catalog.topic()),
        key: "a".to_owned(),
        payload: "{}".to_owned(),
        headers: headers(&[]),
    };
    let (places, failed) = send_in_order(&log(&known).producer().expect("a producer"), &[record]).await;
    assert_eq!((places.len(), failed), (1, None));

    let other = folder.path().join("other.pem");
    Authority::draw().expect("an authority").write(&other).expect("written");
    let wrong = KafkaSecurity { kafka_password: Some("wrong".into()), ..known.clone() };
    let forged = KafkaSecurity { kafka_ca: Some(other), ..known.clone() };
    let unencrypted = KafkaSecurity { kafka_security: Protection::SaslPlaintext, ..known.clone() };
    for (security, why) in [(wrong, "another password"), (forged, "another authority"), (unencrypted, "without TLS")] {
        let mut client: ClientConfig = log(&security).client().expect("settings");
        assert!(!is_answered(client.set("socket.connection.setup.timeout.ms", "1500")), "{why}");
    }
}
