//! A node of Apache Kafka that wants TLS and SCRAM, as managed clusters do.

use crate::authority::Authority;
use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

/// The user that it knows.
pub const USER: &str = "souk";

/// A running node; it ends with this value.
#[derive(Debug)]
pub struct KafkaNode {
    process: Child,
    port: u16,
}

impl KafkaNode {
    /// Starts a node on `localhost`, with a certificate of an authority, that knows [`USER`] with a password. It takes some
    /// seconds until it answers.
    ///
    /// # Panics
    /// If it can't be started.
    #[must_use]
    pub fn start(jars: &Path, folder: &Path, ports: [u16; 2], authority: &Authority, password: &str) -> Self {
        let (key, certificate) = authority.certify("localhost").expect("a certificate");
        let mut store = key.private_key_to_pem_pkcs8().expect("a key");
        store.extend(certificate.to_pem().expect("a certificate"));
        std::fs::write(folder.join("node.pem"), store).expect("written");
        authority.write(&folder.join("ca.pem")).expect("written");
        let properties = folder.join("server.properties");
        std::fs::write(&properties, server_properties(folder, ports, password)).expect("written");
        let user = format!("SCRAM-SHA-512=[name={USER},password={password}]");
        let format =
            ["kafka.tools.StorageTool", "format", "--standalone", "-t", "c291ay1sb2NhbC1jbHVzdA", "--add-scram"];
        let output = java(jars, "128m").args(format).arg(user).arg("-c").arg(&properties).output().expect("java");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let mut node = java(jars, "512m");
        node.arg("kafka.Kafka").arg(&properties).stdout(log(folder)).stderr(log(folder));
        Self { process: node.spawn().expect("started"), port: ports[0] }
    }

    /// Its address.
    #[must_use]
    pub fn address(&self) -> String {
        format!("localhost:{}", self.port)
    }
}

impl Drop for KafkaNode {
    fn drop(&mut self) {
        // One that has ended can't be killed any more.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn log(folder: &Path) -> Stdio {
    let path: PathBuf = folder.join("node.log");
    std::fs::OpenOptions::new().create(true).append(true).open(path).expect("a log").into()
}

fn java(jars: &Path, heap: &str) -> Command {
    let mut command = Command::new("java");
    command.arg(format!("-Xmx{heap}")).args(["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp"]);
    command.arg(format!("{}/*", jars.display()));
    command
}

fn server_properties(folder: &Path, [port, controller]: [u16; 2], password: &str) -> String {
    let folder = folder.display();
    format!(
        "process.roles=broker,controller\nnode.id=1\ncontroller.quorum.bootstrap.servers=127.0.0.1:{controller}\n\
         listeners=SASL_SSL://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}\n\
         advertised.listeners=SASL_SSL://localhost:{port},CONTROLLER://127.0.0.1:{controller}\n\
         controller.listener.names=CONTROLLER\ninter.broker.listener.name=SASL_SSL\n\
         listener.security.protocol.map=SASL_SSL:SASL_SSL,CONTROLLER:PLAINTEXT\n\
         sasl.enabled.mechanisms=SCRAM-SHA-512\nsasl.mechanism.inter.broker.protocol=SCRAM-SHA-512\n\
         listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule \
         required username=\"{USER}\" password=\"{password}\";\n\
         ssl.keystore.type=PEM\nssl.keystore.location={folder}/node.pem\n\
         ssl.truststore.type=PEM\nssl.truststore.location={folder}/ca.pem\n\
         log.dirs={folder}/logs\noffsets.topic.replication.factor=1\nauto.create.topics.enable=false\n"
    )
}
