//! A stack of real processes for one test: databases of its own on the suite's PostgreSQL, and a broker
//! of its own, or topics of its own on the suite's Apache Kafka.

use launcher::{
    key::KeyArgs,
    settings::Settings,
    stack::{Service, Stack},
    suite,
};
use rdkafka::{
    ClientConfig,
    admin::{AdminClient, AdminOptions},
    client::DefaultClientContext,
};
use schemas::Uuid;
use service::kafka::KafkaSecurity;
use sqlx::PgPool;
use std::{
    path::{Path, PathBuf},
    time::Duration,
};
use test_databases::{Side, TestDatabase};

/// How long a command of an operator may take.
pub const COMMAND: Duration = Duration::from_secs(300);
/// How long the topics of a stack that has ended are waited for.
const DELETION: Duration = Duration::from_secs(20);

/// A running stack; its processes end with it.
pub struct TestStack {
    /// The processes.
    pub stack: Stack,
    /// The write database.
    pub write: PgPool,
    /// The read database.
    pub read: PgPool,
    _databases: [TestDatabase; 2],
    _folder: tempfile::TempDir,
}

/// A setting of the suite.
///
/// # Panics
/// If the suite was not started by `./souk test`.
#[must_use]
pub fn env(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| unavailable(name))
}

#[expect(clippy::panic, reason = "this is how a test fails")]
fn unavailable(name: &str) -> String {
    panic!("{name} is not set: run the suite with ./souk test, which starts what it needs")
}

/// The folder of souk's programs: the one above that of the tests'.
#[must_use]
pub fn programs() -> PathBuf {
    let own = std::env::current_exe().expect("this program's path");
    own.parent().and_then(Path::parent).expect("target/debug").to_owned()
}

/// A database on the suite's server, for one test.
pub async fn database(side: Side) -> TestDatabase {
    TestDatabase::create(&env("SOUK_TEST_DATABASE_URL"), side).await.expect("a database")
}

impl TestStack {
    /// Starts a stack; with vectors only where a test needs them.
    pub async fn start(with_vectors: bool) -> Self {
        Self::start_with(with_vectors, |_| {}).await
    }

    /// Starts a stack with settings of its own.
    pub async fn start_with(with_vectors: bool, change: impl FnOnce(&mut Settings)) -> Self {
        let mut test = Self::prepare(with_vectors).await;
        change(&mut test.stack.settings);
        test.stack.start_all().await.expect("the stack starts");
        test
    }

    /// Starts a broker and write-api alone: the others are to stand apart, see [`crate::replica::Replica`].
    pub async fn start_apart() -> Self {
        let test = Self::prepare(false).await;
        for service in test.stack.services().into_iter().filter(|it| matches!(it, Service::Broker | Service::WriteApi))
        {
            test.stack.start(service).expect("started");
            test.stack.wait_ready(service).await.expect("ready");
        }
        test
    }

    /// Starts a stack that sends its spans to a collector.
    pub async fn traced(collector: String) -> Self {
        Self::start_with(false, |settings| settings.otlp_endpoint = Some(collector)).await
    }

    /// Databases, folder and settings of a stack, of which nothing runs.
    pub async fn prepare(with_vectors: bool) -> Self {
        let folder = tempfile::Builder::new().prefix("souk-it-").tempdir_in("/var/tmp").expect("a folder");
        let mut settings = Settings::from_environment().expect("defaults");
        let port = || suite::free_port().expect("a port");
        settings.data_dir = folder.path().to_owned();
        settings.cache_dir = Some(PathBuf::from(env("SOUK_CACHE_DIR")));
        for listen in [
            &mut settings.write_listen,
            &mut settings.query_listen,
            &mut settings.projector_listen,
            &mut settings.embed_listen,
            &mut settings.operations_listen,
            &mut settings.broker_listen,
        ] {
            listen.set_port(port());
        }
        settings.scrub_seconds = 2;
        // Tests count what there is; those about the probe and the comparison of availability start them themselves.
        (settings.probe_interval_ms, settings.availability_seconds) = (0, 0);
        settings.without_vectors = !with_vectors;
        "info,librdkafka=error,projector=debug".clone_into(&mut settings.log);
        let databases = [database(Side::Write).await, database(Side::Read).await];
        let [write, read] = databases.each_ref().map(TestDatabase::url);
        settings.write_database_url = Some(write.clone());
        settings.read_database_url = Some(read.clone());
        settings.role_passwords = std::env::var_os("SOUK_TEST_ROLE_PASSWORDS").map(PathBuf::from);
        settings.topic_partitions = Some(env("SOUK_TEST_PARTITIONS").parse().expect("a number"));
        if env("SOUK_TEST_BROKER") == "apache" {
            settings.kafka_brokers = Some(env("SOUK_TEST_KAFKA"));
            settings.topic_prefix = format!("it_{}.", Uuid::now_v7().simple());
        }
        let (write, read) = (
            PgPool::connect(&write).await.expect("the write database"),
            PgPool::connect(&read).await.expect("the read database"),
        );
        let stack = Stack::new(settings, programs()).expect("a stack");
        Self { stack, write, read, _databases: databases, _folder: folder }
    }

    /// The address of write-api.
    #[must_use]
    pub fn write_url(&self) -> String {
        self.stack.url(Service::WriteApi)
    }

    /// The key of the stack's administrators, whom tests are unless they say otherwise.
    #[must_use]
    pub fn key(&self) -> KeyArgs {
        KeyArgs::of(self.stack.admin_key().expect("the admin key"))
    }

    /// The address of query-api.
    #[must_use]
    pub fn query_url(&self) -> String {
        self.stack.url(Service::QueryApi)
    }

    /// Kills a process with SIGKILL and starts it again, ready.
    pub async fn crash(&self, service: Service) {
        self.stack.kill(service).expect("killed");
        self.stack.start(service).expect("started again");
        self.stack.wait_ready(service).await.expect("ready again");
    }

    /// Kills a process with SIGKILL and leaves it at that.
    pub fn stop(&self, service: Service) {
        self.stack.kill(service).expect("killed");
    }

    /// Runs a command of the launcher about this stack, as an operator would; gives what it printed.
    ///
    /// # Errors
    /// What it said when it failed.
    pub async fn souk(&self, command: &str, args: &[&str]) -> Result<String, String> {
        let mut souk = tokio::process::Command::new(programs().join("souk"));
        souk.arg(command).args(args).arg("--data-dir").arg(&self.stack.settings.data_dir);
        souk.env("SOUK_WRITE_DATABASE_URL", self.stack.settings.write_url());
        souk.env("SOUK_READ_DATABASE_URL", self.stack.settings.read_url());
        souk.envs(self.kafka_security().environment());
        let output = tokio::time::timeout(COMMAND, souk.kill_on_drop(true).output()).await;
        let output = output.map_err(|_| format!("souk {command} has not ended"))?.map_err(|error| error.to_string())?;
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
    }

    /// What the stack's broker wants to know of its clients.
    ///
    /// # Panics
    /// If the folder of the stack can't be used.
    #[must_use]
    pub fn kafka_security(&self) -> KafkaSecurity {
        self.stack.kafka_security().expect("a password")
    }

    /// The same as flags.
    #[must_use]
    pub fn kafka_flags(&self) -> Vec<String> {
        let flag = |(name, value): (&str, String)| {
            format!("--{}={value}", name.trim_start_matches("SOUK_").to_lowercase().replace('_', "-"))
        };
        self.kafka_security().environment().into_iter().map(flag).collect()
    }

    /// The settings of a client of the stack's broker.
    ///
    /// # Panics
    /// If the folder of the stack can't be used.
    #[must_use]
    pub fn kafka(&self) -> ClientConfig {
        let security = self.kafka_security().client_settings().expect("settings");
        let mut client: ClientConfig = security.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        client.set("bootstrap.servers", self.stack.settings.brokers());
        client
    }

    /// Deletes this stack's topics on the broker that others use too. It holds memory maps for each partition with records,
    /// and some hundred stacks would need more of them than Linux gives one process.
    fn delete_topics(&self) -> Result<(), Box<dyn std::error::Error>> {
        let admin: AdminClient<DefaultClientContext> = self.kafka().create()?;
        let there = admin.inner().fetch_metadata(None, DELETION)?;
        let prefix = &self.stack.settings.topic_prefix;
        let own: Vec<&str> = there.topics().iter().map(|it| it.name()).filter(|it| it.starts_with(prefix)).collect();
        let options = AdminOptions::new().request_timeout(Some(DELETION));
        // The test's own runtime is still there, and its thread can't wait in another.
        let delete = || {
            let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
            runtime.block_on(admin.delete_topics(&own, &options))
        };
        // Each topic's own result says no more than that it has gone already.
        std::thread::scope(|scope| scope.spawn(delete).join().expect("no panic"))?;
        Ok(())
    }

    /// What a process has logged.
    #[must_use]
    pub fn log(&self, service: Service) -> String {
        std::fs::read_to_string(self.stack.processes.log(service.name())).unwrap_or_default()
    }
}

impl Drop for TestStack {
    fn drop(&mut self) {
        if std::thread::panicking() {
            for service in self.stack.services() {
                let log = self.log(service);
                let last: Vec<&str> = log.lines().rev().take(8).collect();
                eprintln!("--- {}\n{}", service.name(), last.into_iter().rev().collect::<Vec<_>>().join("\n"));
            }
        }
        for service in self.stack.services() {
            // What does not end here ends with the suite.
            let _ = self.stack.kill(service);
        }
        if env("SOUK_TEST_BROKER") == "apache"
            && let Err(error) = self.delete_topics()
        {
            eprintln!("the topics of a stack that has ended stay: {error}");
        }
    }
}
