//! The processes of one stack: started, waited for, killed and started again by name. `souk up` and
//! the acceptance tests use the same.

use crate::{
    LaunchError, apache,
    artifacts::Artifacts,
    key::ADMIN_KEY_FILE,
    migrate,
    postgres::Postgres,
    process::Processes,
    secret,
    settings::{Broker, Settings},
};
use service::kafka::KafkaSecurity;
use std::{
    net::{SocketAddr, TcpListener, TcpStream},
    path::PathBuf,
    process::Command,
    time::{Duration, Instant},
};

mod arguments;

/// A process of the stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Service {
    /// The Kafka-protocol broker.
    Broker,
    /// Commands.
    WriteApi,
    /// Relay, views and index.
    Projector,
    /// Vectors.
    Embedder,
    /// Queries.
    QueryApi,
    /// What operators ask for in the console, and background jobs.
    Operator,
}

impl Service {
    /// All of them, in the order they are started.
    pub const ALL: [Self; 6] =
        [Self::Broker, Self::WriteApi, Self::Projector, Self::Embedder, Self::QueryApi, Self::Operator];

    /// The name of the process, its log and its record.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Broker => "broker",
            Self::WriteApi => "write-api",
            Self::Projector => "projector",
            Self::Embedder => "projector-embed",
            Self::QueryApi => "query-api",
            Self::Operator => "reindex",
        }
    }

    /// The flag that moves its address.
    #[must_use]
    pub const fn flag(self) -> &'static str {
        match self {
            Self::Broker => "--broker-listen",
            Self::WriteApi => "--write-listen",
            Self::Projector => "--projector-listen",
            Self::Embedder => "--embed-listen",
            Self::QueryApi => "--query-listen",
            Self::Operator => "--operations-listen",
        }
    }
}

/// The file of the keys that wrap the keys of persons.
const MASTER_KEYS_FILE: &str = "master.keys";
/// The folder that mails go to unless a setting says otherwise.
const MAILS: &str = "mails";
/// The file of the embedded broker's password.
const BROKER_KEY: &str = "broker.key";
/// The user that the embedded broker knows.
pub const BROKER_USER: &str = "souk";
/// How long the threads of a killed process may take to let go of its sockets.
const RELEASED_WITHIN: Duration = Duration::from_secs(3);
/// How long a process may take until it is ready.
const READY_WITHIN: Duration = Duration::from_secs(120);
/// How long a process may take to end by itself.
const GRACE: Duration = Duration::from_secs(15);

/// One stack.
#[derive(Debug, Clone)]
pub struct Stack {
    /// Where everything is.
    pub settings: Settings,
    /// The fetched packages.
    pub artifacts: Artifacts,
    /// Records and logs.
    pub processes: Processes,
    programs: PathBuf,
    http: reqwest::Client,
}

impl Stack {
    /// A stack by its settings, running or not; `programs` is the folder of the built binaries.
    ///
    /// # Errors
    /// If its folder can't be used.
    pub fn new(mut settings: Settings, programs: PathBuf) -> Result<Self, LaunchError> {
        settings.data_dir = settings.data_folder()?;
        let processes = Processes::new(&settings.data_dir)?;
        let artifacts = Artifacts::new(settings.cache());
        let http = reqwest::Client::builder()
            .timeout(Duration::from_secs(5))
            .build()
            .map_err(|error| LaunchError::Other(format!("no HTTP client: {error}")))?;
        Ok(Self { settings, artifacts, processes, programs, http })
    }

    /// The processes this stack runs.
    #[must_use]
    pub fn services(&self) -> Vec<Service> {
        let wanted = |service: &Service| match service {
            Service::Broker => self.settings.starts_broker(),
            Service::Embedder => !self.settings.without_vectors,
            _ => true,
        };
        Service::ALL.into_iter().filter(wanted).collect()
    }

    /// The embedded PostgreSQL, if this stack has one.
    ///
    /// # Errors
    /// If root has no unprivileged user to run it as.
    pub fn postgres(&self) -> Result<Option<Postgres>, LaunchError> {
        let own = || Postgres::new(&self.artifacts, &self.settings.data_dir, self.settings.postgres_port);
        self.settings.starts_postgres().then(own).transpose()
    }

    /// Migrates both databases.
    ///
    /// # Errors
    /// [`LaunchError::Database`].
    pub async fn migrate(&self) -> Result<(), LaunchError> {
        migrate::run(&self.settings.write_url(), &self.settings.read_url()).await
    }

    /// Starts a process unless it runs; gives whether it had to be started.
    ///
    /// # Errors
    /// If its address is taken or the program is missing.
    pub fn start(&self, service: Service) -> Result<bool, LaunchError> {
        if self.processes.running(service.name()).is_some() {
            return Ok(false);
        }
        let address = self.address(service);
        if !becomes_free(address) {
            return Err(LaunchError::InUse {
                what: service.name().to_owned(),
                address: address.to_string(),
                flag: service.flag(),
            });
        }
        self.processes.start(service.name(), &mut self.command(service)?)?;
        Ok(true)
    }

    /// Waits until a process is ready.
    ///
    /// # Errors
    /// If it ends, or isn't ready in two minutes; the sentence names its log.
    pub async fn wait_ready(&self, service: Service) -> Result<(), LaunchError> {
        let deadline = Instant::now() + READY_WITHIN;
        let mut ticks = tokio::time::interval(Duration::from_millis(30));
        loop {
            ticks.tick().await;
            if self.is_ready(service).await {
                return Ok(());
            }
            let ended = self.processes.running(service.name()).is_none();
            if ended || Instant::now() > deadline {
                let log = self.processes.log(service.name());
                let last = std::fs::read_to_string(&log).unwrap_or_default();
                let last = last.lines().last().unwrap_or_default().to_owned();
                let reason =
                    format!("{}: {last}", if ended { "ended at its start" } else { "is not ready after two minutes" });
                return Err(LaunchError::Process {
                    name: service.name().to_owned(),
                    reason,
                    log: log.display().to_string(),
                });
            }
        }
    }

    /// Whether a process answers that it is ready; a broker, whether it listens.
    pub async fn is_ready(&self, service: Service) -> bool {
        if service == Service::Broker {
            return TcpStream::connect_timeout(&self.address(service), Duration::from_millis(200)).is_ok();
        }
        let url = format!("http://{}/health/ready", self.address(service));
        self.http.get(url).send().await.is_ok_and(|answer| answer.status().is_success())
    }

    /// Starts everything that is not running and waits until all is ready.
    ///
    /// # Errors
    /// The first process that can't be started.
    pub async fn start_all(&self) -> Result<(), LaunchError> {
        let services = self.services();
        if services.contains(&Service::Broker) {
            self.start(Service::Broker)?;
            self.wait_ready(Service::Broker).await?;
        }
        for service in &services {
            self.start(*service)?;
        }
        for service in services {
            self.wait_ready(service).await?;
        }
        Ok(())
    }

    /// Kills a process with SIGKILL.
    ///
    /// # Errors
    /// If it stays.
    pub fn kill(&self, service: Service) -> Result<bool, LaunchError> {
        self.processes.kill(service.name())
    }

    /// Stops a process cleanly.
    ///
    /// # Errors
    /// If it stays even after SIGKILL.
    pub fn stop(&self, service: Service) -> Result<bool, LaunchError> {
        self.processes.stop(service.name(), GRACE)
    }

    /// Stops all processes in the reverse order, the database last; gives the names of those that ran.
    ///
    /// # Errors
    /// The first that can't be stopped.
    pub fn stop_all(&self) -> Result<Vec<&'static str>, LaunchError> {
        let mut stopped = Vec::new();
        for service in Service::ALL.into_iter().rev() {
            if self.stop(service)? {
                stopped.push(service.name());
            }
        }
        if let Some(postgres) = self.postgres()?
            && postgres.stop()?
        {
            stopped.push("postgres");
        }
        Ok(stopped)
    }

    /// The address of a process.
    #[must_use]
    pub const fn address(&self, service: Service) -> SocketAddr {
        match service {
            Service::Broker => self.settings.broker_listen,
            Service::WriteApi => self.settings.write_listen,
            Service::Projector => self.settings.projector_listen,
            Service::Embedder => self.settings.embed_listen,
            Service::QueryApi => self.settings.query_listen,
            Service::Operator => self.settings.operations_listen,
        }
    }

    /// The URL of a process's HTTP.
    #[must_use]
    pub fn url(&self, service: Service) -> String {
        format!("http://{}", self.address(service))
    }

    /// The folder of the index generations.
    #[must_use]
    pub fn index_dir(&self) -> PathBuf {
        self.settings.data_dir.join("index")
    }

    /// The key of the administrators; made at random the first time, readable by its owner alone.
    ///
    /// # Errors
    /// If its file can't be read or written.
    pub fn admin_key(&self) -> Result<String, LaunchError> {
        let path = |name: &str| self.settings.data_dir.join(name);
        // As earlier releases called it.
        let (earlier, present) = (path("staff.key"), path(ADMIN_KEY_FILE));
        if earlier.exists() && !present.exists() {
            std::fs::rename(&earlier, &present).map_err(LaunchError::folder(&earlier))?;
        }
        self.key(ADMIN_KEY_FILE)
    }

    /// The keys that wrap the keys of persons, as write-api takes them; one is made at random the first time. Without its file
    /// what is sealed can't be read: a backup has to take it along.
    ///
    /// # Errors
    /// If its file can't be read or written.
    pub fn master_keys(&self) -> Result<String, LaunchError> {
        let path = self.settings.data_dir.join(MASTER_KEYS_FILE);
        if let Ok(kept) = std::fs::read_to_string(&path)
            && !kept.trim().is_empty()
        {
            return Ok(kept.trim().to_owned());
        }
        let made = format!("first:{}{}", secret::draw()?, secret::draw()?);
        secret::keep(&path, &made)?;
        Ok(made)
    }

    /// Where mails of accounts go.
    ///
    /// # Errors
    /// If there is no working directory.
    pub fn mail_url(&self) -> Result<String, LaunchError> {
        match &self.settings.mail_url {
            Some(url) => Ok(url.clone()),
            None => Ok(format!("file:{}", self.settings.data_folder()?.join(MAILS).display())),
        }
    }

    /// Where the password of the embedded broker is; made at random the first time, readable by its owner alone.
    ///
    /// # Errors
    /// If the file can't be read or written.
    pub fn broker_key(&self) -> Result<PathBuf, LaunchError> {
        self.key(BROKER_KEY).map(|_| self.settings.data_dir.join(BROKER_KEY))
    }

    /// Who the processes are to Kafka: to one that is not this stack's what the settings say.
    ///
    /// # Errors
    /// If the file of the embedded broker's password can't be read or written.
    pub fn kafka_security(&self) -> Result<KafkaSecurity, LaunchError> {
        if !self.settings.starts_broker() {
            return Ok(self.settings.security.clone());
        }
        if self.settings.kafka == Broker::Apache || self.settings.broker_open {
            return Ok(KafkaSecurity::default());
        }
        Ok(KafkaSecurity::by_password(BROKER_USER, &self.broker_key()?))
    }

    /// A key of this stack by the name of its file.
    fn key(&self, name: &str) -> Result<String, LaunchError> {
        let path = self.settings.data_dir.join(name);
        if let Ok(key) = std::fs::read_to_string(&path)
            && !key.trim().is_empty()
        {
            return Ok(key.trim().to_owned());
        }
        let key = secret::draw()?;
        secret::keep(&path, &key)?;
        Ok(key)
    }

    fn command(&self, service: Service) -> Result<Command, LaunchError> {
        if service == Service::Broker && self.settings.kafka == Broker::Apache {
            let jars = apache::fetch(&self.settings.cache())?;
            return apache::command(&jars, &self.settings.data_dir.join("kafka"), self.settings.broker_listen);
        }
        let mut command = arguments::command(self, service, &self.programs);
        // The processes take their settings from this stack alone.
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("SOUK_") {
                command.env_remove(name);
            }
        }
        command.envs(arguments::secrets(self, service)?);
        Ok(command)
    }
}

/// Whether an address can be listened on, now or as soon as a process that was just killed is gone.
fn becomes_free(address: SocketAddr) -> bool {
    let deadline = Instant::now() + RELEASED_WITHIN;
    while TcpListener::bind(address).is_err() {
        if Instant::now() > deadline {
            return false;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    true
}
