//! Two nodes, write-api and a broker as processes that can be hurt one by one, and a PostgreSQL where none is named.

use super::{member::Member, network::Network};
use crate::BenchError;
use launcher::{
    postgres::Postgres,
    settings::Settings,
    stack::{Service, Stack},
    suite,
};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

mod commands;

/// How many nodes there are: each a projector and a query-api with an index copy of their own.
pub const NODES: usize = 2;
/// How long a process may take until it is ready.
const READY_WITHIN: Duration = Duration::from_secs(120);
/// How long a process may take to end by itself.
const GRACE: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_millis(30);

/// The running processes; they end with this value.
pub struct Fleet {
    /// Settings, logs and process ids; the broker and the databases are the stack's own.
    pub stack: Stack,
    /// The PostgreSQL of this fleet, if it has one of its own.
    pub postgres: Option<Postgres>,
    /// The namespaces of the processes, if they have some.
    pub network: Option<Network>,
    members: BTreeMap<Member, SocketAddr>,
    /// The folder of the release that a process is of.
    releases: BTreeMap<Member, PathBuf>,
    /// Whether an older release takes part.
    has_older: bool,
    http: reqwest::Client,
}

impl std::fmt::Debug for Fleet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fleet").field("members", &self.members).finish_non_exhaustive()
    }
}

impl Fleet {
    /// Starts all of it and waits until it is ready: on the databases and the broker that the settings name, or on its own.
    /// `programs` are this release's, and the broker's; the other processes, and the schema, may be of an older one.
    ///
    /// # Errors
    /// The first process that does not start or is not ready in two minutes.
    pub async fn start(
        mut settings: Settings,
        programs: PathBuf,
        older: Option<&Path>,
        network: Option<Network>,
    ) -> Result<Self, BenchError> {
        settings.without_vectors = true;
        // A release before this one may know no passwords.
        settings.broker_open = true;
        let mut members = BTreeMap::new();
        if settings.starts_broker() {
            settings.broker_listen.set_ip(network.as_ref().map_or(LOOPBACK, |network| network.host(Member::Broker)));
            members.insert(Member::Broker, settings.broker_listen);
        }
        let nodes = (0..NODES).flat_map(|node| [Member::Projector(node), Member::QueryApi(node)]);
        for member in std::iter::once(Member::WriteApi).chain(nodes) {
            let host = network.as_ref().map_or(LOOPBACK, |network| network.host(member));
            members.insert(member, SocketAddr::new(host, suite::free_port()?));
        }
        let release = older.unwrap_or(&programs).to_owned();
        let releases = members.keys().map(|member| (*member, release.clone())).collect();
        let stack = Stack::new(settings, programs)?;
        let postgres = stack.postgres()?.map(|postgres| match &network {
            Some(network) => postgres.listening_also(network.host(Member::Broker), &network.clients()),
            None => postgres,
        });
        let http = reqwest::Client::builder()
            .timeout(Duration::from_secs(5))
            .build()
            .map_err(|error| BenchError::Broken(error.to_string()))?;
        let fleet = Self { stack, postgres, network, members, releases, has_older: older.is_some(), http };
        if let Some(postgres) = &fleet.postgres {
            tokio::task::block_in_place(|| {
                fleet.stack.artifacts.fetch_postgres()?;
                postgres.start()
            })?;
            fleet.migrate(&release).await?;
        }
        for member in fleet.members() {
            fleet.begin(member)?;
            if member == Member::Broker {
                fleet.until_ready(member).await?;
            }
        }
        for member in fleet.members() {
            fleet.until_ready(member).await?;
        }
        Ok(fleet)
    }

    /// The processes, in the order in which they are started; a broker that the settings name is not among them.
    #[must_use]
    pub fn members(&self) -> Vec<Member> {
        self.members.keys().copied().collect()
    }

    /// The URL of a process's HTTP.
    #[must_use]
    pub fn url(&self, member: Member) -> String {
        self.members.get(&member).map(|address| format!("http://{address}")).unwrap_or_default()
    }

    /// The addresses of both query-apis.
    #[must_use]
    pub fn query_urls(&self) -> [String; NODES] {
        std::array::from_fn(|node| self.url(Member::QueryApi(node)))
    }

    /// The folder of a node's index copy.
    #[must_use]
    pub fn index_dir(&self, node: usize) -> PathBuf {
        self.stack.settings.data_dir.join(format!("node-{}", node + 1))
    }

    /// What a process has logged.
    #[must_use]
    pub fn log(&self, member: Member) -> String {
        std::fs::read_to_string(self.stack.processes.log(&member.name())).unwrap_or_default()
    }

    /// Kills a process with SIGKILL.
    ///
    /// # Errors
    /// If it stays.
    pub fn kill(&self, member: Member) -> Result<(), BenchError> {
        tokio::task::block_in_place(|| self.stack.processes.kill(&member.name()))?;
        Ok(())
    }

    /// Stops a process in its tracks, as one that hangs, or lets it go on.
    ///
    /// # Errors
    /// If it is not there.
    pub fn freeze(&self, member: Member, frozen: bool) -> Result<(), BenchError> {
        let pid = self.stack.processes.running(&member.name()).and_then(|running| Pid::from_raw(running.pid));
        let pid = pid.ok_or_else(|| BenchError::Failed(format!("{} is not running", member.name())))?;
        kill_process(pid, if frozen { Signal::STOP } else { Signal::CONT }).map_err(std::io::Error::from)?;
        Ok(())
    }

    /// Whether a process runs, also if it hangs.
    #[must_use]
    pub fn is_running(&self, member: Member) -> bool {
        self.stack.processes.running(&member.name()).is_some()
    }

    /// Starts a process again unless it runs, and waits until it is ready.
    ///
    /// # Errors
    /// If it does not start.
    pub async fn start_again(&self, member: Member) -> Result<(), BenchError> {
        self.begin(member)?;
        self.until_ready(member).await
    }

    /// Ends a process as those who update do, and starts that of another release in its place.
    ///
    /// # Errors
    /// If it does not start.
    pub fn replace(&mut self, member: Member, programs: &Path) -> Result<(), BenchError> {
        tokio::task::block_in_place(|| self.stack.processes.stop(&member.name(), GRACE))?;
        self.releases.insert(member, programs.to_owned());
        self.begin(member)
    }

    /// Migrates both databases to the schema of a release, by its own program.
    ///
    /// # Errors
    /// What it said.
    pub async fn migrate(&self, programs: &Path) -> Result<(), BenchError> {
        let output = tokio::process::Command::from(commands::migrate(self, programs)).output().await?;
        if output.status.success() {
            return Ok(());
        }
        Err(BenchError::Failed(format!("souk migrate failed: {}", String::from_utf8_lossy(&output.stderr).trim())))
    }

    /// Starts whatever does not run, as those who supervise processes do; gives the names of what had ended.
    ///
    /// # Errors
    /// If something does not start.
    pub async fn revive(&self) -> Result<Vec<String>, BenchError> {
        let mut ended = Vec::new();
        if let Some(postgres) = &self.postgres
            && tokio::task::block_in_place(|| postgres.start())?
        {
            ended.push("PostgreSQL".to_owned());
        }
        for member in self.members() {
            if !self.is_running(member) {
                self.begin(member)?;
                ended.push(member.name());
            }
        }
        for member in self.members() {
            self.until_ready(member).await?;
        }
        Ok(ended)
    }

    fn begin(&self, member: Member) -> Result<(), BenchError> {
        if member == Member::Broker {
            tokio::task::block_in_place(|| self.stack.start(Service::Broker))?;
        } else if !self.is_running(member) {
            self.stack.processes.start(&member.name(), &mut commands::command(self, member)?)?;
        }
        Ok(())
    }

    /// Waits until a process is ready; a broker, until it listens.
    ///
    /// # Errors
    /// If it ends, or is not ready in two minutes.
    pub async fn until_ready(&self, member: Member) -> Result<(), BenchError> {
        if member == Member::Broker {
            return Ok(self.stack.wait_ready(Service::Broker).await?);
        }
        let (began, url) = (Instant::now(), format!("{}/health/ready", self.url(member)));
        loop {
            let told = match self.http.get(&url).send().await {
                Ok(answer) if answer.status().is_success() => return Ok(()),
                Ok(answer) => answer.text().await.unwrap_or_default(),
                Err(error) => error.to_string(),
            };
            if !self.is_running(member) || began.elapsed() > READY_WITHIN {
                let log = self.log(member);
                let last = log.lines().last().unwrap_or_default();
                return Err(BenchError::Failed(format!("{} is not ready: {told}: {last}", member.name())));
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// A database's URL as the processes reach it.
    fn reached(&self, url: &str) -> String {
        match &self.network {
            Some(network) if self.postgres.is_some() => {
                url.replacen("@127.0.0.1:", &format!("@{}:", network.host(Member::Broker)), 1)
            }
            _ => url.to_owned(),
        }
    }
}

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

impl Drop for Fleet {
    fn drop(&mut self) {
        // What does not end can't be helped here.
        for member in self.members().into_iter().rev() {
            let _ = self.stack.processes.kill(&member.name());
        }
        if let Some(postgres) = &self.postgres {
            let _ = postgres.crash();
        }
    }
}
