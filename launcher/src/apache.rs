//! Apache Kafka itself: its jars from Maven Central by coordinates, one KRaft node on loopback; see
//! docs/decisions/0004.

use crate::LaunchError;
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
};

/// The pinned version.
pub const VERSION: &str = "4.1.1";

const POM: &str = r#"<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>souk</groupId><artifactId>kafka-node</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>VERSION</version></dependency>
  </dependencies>
</project>
"#;

/// A log that tells warnings only; log4j prints nothing useful without a configuration.
const LOG: &str = "status=error\nappender.out.type=Console\nappender.out.name=out\nappender.out.layout.type=PatternLayout\nappender.out.layout.pattern=%d %p %c: %m%n\nrootLogger.level=warn\nrootLogger.appenderRef.out.ref=out\n";

/// Fetches the jars unless they are there; gives their folder.
///
/// # Errors
/// If Java or Maven is missing, or Maven can't fetch.
pub fn fetch(cache: &Path) -> Result<PathBuf, LaunchError> {
    let folder = cache.join(format!("apache-kafka-{VERSION}"));
    if folder.exists() {
        return Ok(folder);
    }
    for (program, flag) in [("java", "-version"), ("mvn", "--version")] {
        if Command::new(program).arg(flag).output().is_err() {
            let install = "apt-get install default-jre-headless maven".to_owned();
            return Err(LaunchError::Tool { program: program.to_owned(), install });
        }
    }
    eprintln!("  fetching Apache Kafka (org.apache.kafka:kafka_2.13:{VERSION} and what it depends on, 110 MB)");
    std::fs::create_dir_all(cache).map_err(LaunchError::folder(cache))?;
    let draft = tempfile::Builder::new().prefix("fetch-").tempdir_in(cache).map_err(LaunchError::folder(cache))?;
    let pom = draft.path().join("pom.xml");
    std::fs::write(&pom, POM.replace("VERSION", VERSION)).map_err(LaunchError::folder(&pom))?;
    let output = Command::new("mvn")
        .args(["-q", "-B", "-f"])
        .arg(&pom)
        .args([
            "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies",
            "-DoutputDirectory=jars",
            "-DincludeScope=runtime",
        ])
        .output()
        .map_err(LaunchError::folder(&pom))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stdout);
        let first = said.lines().find(|line| line.contains("ERROR")).unwrap_or("Maven failed").to_owned();
        return Err(LaunchError::Artifact { package: format!("org.apache.kafka:kafka_2.13:{VERSION}"), reason: first });
    }
    std::fs::rename(draft.path().join("jars"), &folder).map_err(LaunchError::folder(&folder))?;
    Ok(folder)
}

/// The command that runs a node in the foreground, its storage formatted.
///
/// # Errors
/// If the storage can't be formatted.
pub fn command(jars: &Path, folder: &Path, listen: SocketAddr) -> Result<Command, LaunchError> {
    std::fs::create_dir_all(folder).map_err(LaunchError::folder(folder))?;
    let properties = folder.join("server.properties");
    std::fs::write(&properties, server_properties(folder, listen)).map_err(LaunchError::folder(&properties))?;
    let log = folder.join("log4j2.properties");
    std::fs::write(&log, LOG).map_err(LaunchError::folder(&log))?;
    let java = |heap: &str| {
        let mut command = Command::new("java");
        command.arg(heap).arg("-XX:+UseSerialGC").arg("-XX:TieredStopAtLevel=1");
        command
            .arg(format!("-Dlog4j2.configurationFile={}", log.display()))
            .arg("-cp")
            .arg(format!("{}/*", jars.display()));
        command
    };
    if !folder.join("logs/meta.properties").exists() {
        let mut format = java("-Xmx128m");
        format.args([
            "kafka.tools.StorageTool",
            "format",
            "--standalone",
            "--ignore-formatted",
            "-t",
            "c291ay1sb2NhbC1jbHVzdA",
            "-c",
        ]);
        let output = format.arg(&properties).output().map_err(LaunchError::folder(&properties))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(LaunchError::Other(format!("the storage of Apache Kafka could not be formatted: {said}")));
        }
    }
    let mut command = java("-Xmx512m");
    command.arg("kafka.Kafka").arg(properties);
    Ok(command)
}

/// One node that is broker and controller; the controller listens one port above.
fn server_properties(folder: &Path, listen: SocketAddr) -> String {
    let controller = SocketAddr::new(listen.ip(), listen.port().wrapping_add(1));
    format!(
        "process.roles=broker,controller\nnode.id=1\ncontroller.quorum.bootstrap.servers={controller}\n\
         listeners=PLAINTEXT://{listen},CONTROLLER://{controller}\nadvertised.listeners=PLAINTEXT://{listen},CONTROLLER://{controller}\n\
         controller.listener.names=CONTROLLER\nlistener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT\n\
         log.dirs={}\noffsets.topic.replication.factor=1\noffsets.topic.num.partitions=4\ntransaction.state.log.replication.factor=1\n\
         transaction.state.log.min.isr=1\ngroup.initial.rebalance.delay.ms=0\nauto.create.topics.enable=false\n\
         num.network.threads=2\nnum.io.threads=4\nlog.segment.delete.delay.ms=1000\n",
        folder.join("logs").display()
    )
}
