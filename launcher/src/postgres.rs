//! The embedded PostgreSQL: initialised once, started on loopback, never as root. Whoever connects is asked for a
//! password, on its socket, too: other users of the machine are strangers.

mod rules;

use crate::{
    LaunchError,
    artifacts::Artifacts,
    null_device,
    passwords::{Passwords, Role},
};
use nix::unistd::{Gid, Uid, User, chown};
use std::{
    fmt::Write as _,
    fs::File,
    io::{Read as _, Seek as _, Write as _},
    net::{IpAddr, TcpListener},
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// The user PostgreSQL runs as when root starts it: it refuses root.
const UNPRIVILEGED: &str = "nobody";

/// Settings for a small machine. Durability stays on: the write side is here.
const SETTINGS: &[&str] = &[
    "listen_addresses=127.0.0.1",
    "max_connections=300",
    "shared_buffers=256MB",
    "max_wal_size=4GB",
    "checkpoint_timeout=15min",
    "wal_compression=off",
    "maintenance_work_mem=256MB",
    "random_page_cost=1.1",
    "jit=off",
    "log_min_messages=warning",
];

/// An embedded server.
#[derive(Debug, Clone)]
pub struct Postgres {
    install: PathBuf,
    folder: PathBuf,
    passwords: PathBuf,
    log: PathBuf,
    port: u16,
    as_user: Option<(Uid, Gid)>,
    network: Option<Network>,
}

/// A network beside loopback that the server listens on.
#[derive(Debug, Clone)]
struct Network {
    address: IpAddr,
    clients: String,
}

impl Postgres {
    /// The server of a data folder; nothing is touched yet.
    ///
    /// # Errors
    /// If the unprivileged user is missing.
    pub fn new(artifacts: &Artifacts, data_dir: &Path, port: u16) -> Result<Self, LaunchError> {
        let as_user = if Uid::effective().is_root() { Some(unprivileged()?) } else { None };
        let data_dir = absolute(data_dir)?;
        let wanted = data_dir.join("postgres");
        let folder = if as_user.is_some() && !reachable(&wanted) { outside(&wanted) } else { wanted };
        let (install, log) = (artifacts.postgres(), folder.join("server.log"));
        Ok(Self { install, log, folder, passwords: Passwords::file(&data_dir), port, as_user, network: None })
    }

    /// The same server listening at an address of a private network as well, for the clients of a range such as
    /// `10.1.0.0/24`: for rehearsals in network namespaces.
    #[must_use]
    pub fn listening_also(self, address: IpAddr, clients: &str) -> Self {
        Self { network: Some(Network { address, clients: clients.to_owned() }), ..self }
    }

    /// Initialises the data folder if it is new, and starts the server unless it runs; gives whether
    /// it had to be started.
    ///
    /// # Errors
    /// If the port is taken, the disk is full, or the server refuses.
    pub fn start(&self) -> Result<bool, LaunchError> {
        if self.is_running() {
            return Ok(false);
        }
        if TcpListener::bind(("127.0.0.1", self.port)).is_err() {
            let address = format!("127.0.0.1:{}", self.port);
            return Err(LaunchError::InUse { what: "PostgreSQL".to_owned(), address, flag: "--postgres-port" });
        }
        if self.as_user.is_some() && null_device::open_to_all(null_device::PATH.as_ref())? {
            println!(
                "{} was closed to other users than root; PostgreSQL runs as `{UNPRIVILEGED}` and needs it: opened again (mode 666)",
                null_device::PATH
            );
        }
        let is_new = self.initialise()?;
        self.require_passwords(is_new)?;
        let mut options = format!("-p {} -k {}", self.port, self.folder.display());
        for setting in SETTINGS {
            options.push_str(" -c ");
            options.push_str(setting);
        }
        if let Some(network) = &self.network {
            let _ = write!(options, " -c listen_addresses=127.0.0.1,{}", network.address);
        }
        let mut command = self.command("pg_ctl");
        command
            .args(["-w", "-t", "60", "-D"])
            .arg(self.data())
            .arg("-o")
            .arg(options)
            .arg("-l")
            .arg(&self.log)
            .arg("start");
        self.run(&mut command, None, "start")?;
        Ok(true)
    }

    /// Stops the server, ending connections; gives whether it ran.
    ///
    /// # Errors
    /// If it does not stop.
    pub fn stop(&self) -> Result<bool, LaunchError> {
        if !self.is_running() {
            return Ok(false);
        }
        self.run(self.command("pg_ctl").args(["-w", "-m", "fast", "-D"]).arg(self.data()).arg("stop"), None, "stop")?;
        Ok(true)
    }

    /// Ends the server at once, as a crash does: nothing is flushed, and the next start recovers from the log; gives
    /// whether it ran.
    ///
    /// # Errors
    /// If it does not stop.
    pub fn crash(&self) -> Result<bool, LaunchError> {
        if !self.is_running() {
            return Ok(false);
        }
        let mut command = self.command("pg_ctl");
        self.run(command.args(["-w", "-m", "immediate", "-D"]).arg(self.data()).arg("stop"), None, "crash")?;
        Ok(true)
    }

    /// The server's process id, if it runs.
    #[must_use]
    pub fn pid(&self) -> Option<i32> {
        if !self.is_running() {
            return None;
        }
        std::fs::read_to_string(self.data().join("postmaster.pid")).ok()?.lines().next()?.trim().parse().ok()
    }

    /// The server's log.
    #[must_use]
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// The folder of the server, which may lie outside the stack's data folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn is_running(&self) -> bool {
        self.command("pg_ctl")
            .arg("-D")
            .arg(self.data())
            .arg("status")
            .output()
            .is_ok_and(|output| output.status.success())
    }

    /// Makes the data folder unless it is there; gives whether it was made.
    fn initialise(&self) -> Result<bool, LaunchError> {
        if self.data().join("PG_VERSION").exists() {
            return Ok(false);
        }
        std::fs::create_dir_all(&self.folder).map_err(LaunchError::folder(&self.folder))?;
        if let Some((user, group)) = self.as_user {
            chown(&self.folder, Some(user), Some(group))
                .map_err(|error| LaunchError::folder(&self.folder)(error.into()))?;
        }
        let mut command = self.command("initdb");
        // Nothing listens before `require_passwords` has replaced the rules that this makes.
        command.args(["-A", "trust", "-U", Role::Owner.name(), "-E", "UTF8"]);
        command.args(["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "-D"]);
        self.run(command.arg(self.data()), None, "initialise its data folder")?;
        Ok(true)
    }

    /// Gives every role a password, and lets nobody in without one. Earlier releases trusted every user of the machine:
    /// their data folders are converted.
    fn require_passwords(&self, is_new: bool) -> Result<(), LaunchError> {
        let path = self.data().join("pg_hba.conf");
        let present = std::fs::read_to_string(&path).map_err(LaunchError::folder(&path))?;
        let asking = rules::asking(&present, self.network.as_ref().map(|network| network.clients.as_str()));
        let mut passwords = Passwords::load(&self.passwords);
        let trusted = rules::trust(&present);
        if passwords.draw_missing()? || trusted {
            self.set_passwords(&passwords)?;
            passwords.save(&self.passwords)?;
        }
        if asking != present {
            std::fs::write(&path, asking).map_err(LaunchError::folder(&path))?;
        }
        if trusted && !is_new {
            println!(
                "PostgreSQL let in every user of this machine; from now on it asks for a password, which is in {}",
                self.passwords.display()
            );
        }
        Ok(())
    }

    /// Sets the passwords while the server stands still, by its single-user mode: nobody else can connect meanwhile.
    fn set_passwords(&self, passwords: &Passwords) -> Result<(), LaunchError> {
        let mut statements = tempfile::tempfile().map_err(LaunchError::folder(&self.folder))?;
        for role in Role::ALL {
            let (name, password) = (role.name(), passwords.of(role).unwrap_or_default());
            writeln!(
                statements,
                "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{name}') THEN CREATE ROLE {name}; END IF; END $$;\n\
                 ALTER ROLE {name} LOGIN PASSWORD '{password}';"
            )
            .map_err(LaunchError::folder(&self.folder))?;
        }
        statements.rewind().map_err(LaunchError::folder(&self.folder))?;
        let mut command = self.command("postgres");
        command.arg("--single");
        // A statement that fails ends it, and is not shown with its password.
        for setting in ["exit_on_error=on", "log_min_error_statement=panic", "log_checkpoints=off"] {
            command.args(["-c", setting]);
        }
        command.arg("-D");
        self.run(command.arg(self.data()).arg("postgres"), Some(statements), "set the passwords of its roles")
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.install.join("bin").join(program));
        command.env("LD_LIBRARY_PATH", self.install.join("lib")).env_remove("PGDATA").current_dir("/");
        if let Some((user, group)) = self.as_user {
            command.uid(user.as_raw()).gid(group.as_raw());
        }
        command
    }

    /// Runs a command with its output in a file: a server that was started keeps a pipe open for ever.
    fn run(&self, command: &mut Command, input: Option<File>, what: &str) -> Result<(), LaunchError> {
        let mut output = tempfile::tempfile().map_err(LaunchError::folder(&self.folder))?;
        let clone = || output.try_clone().map_err(LaunchError::folder(&self.folder));
        command.stdin(input.map_or_else(Stdio::null, Stdio::from)).stdout(clone()?).stderr(clone()?);
        let status = command.status().map_err(|error| self.failed(what, &error.to_string()))?;
        if status.success() {
            return Ok(());
        }
        let mut said = String::new();
        // What can't be read can't be told; the log is named anyway.
        let _ = output.rewind().and_then(|()| output.read_to_string(&mut said));
        let last: Vec<&str> = said.lines().rev().filter(|line| !line.trim().is_empty()).take(3).collect();
        Err(self.failed(what, &last.join(" | ")))
    }

    fn failed(&self, what: &str, reason: &str) -> LaunchError {
        let reason = format!("could not {what}: {reason}");
        LaunchError::Process { name: "PostgreSQL".to_owned(), reason, log: self.log.display().to_string() }
    }
}

fn unprivileged() -> Result<(Uid, Gid), LaunchError> {
    match User::from_name(UNPRIVILEGED) {
        Ok(Some(user)) => Ok((user.uid, user.gid)),
        _ => Err(LaunchError::Other(format!(
            "PostgreSQL does not run as root, and there is no user `{UNPRIVILEGED}` to run it as"
        ))),
    }
}

fn absolute(path: &Path) -> Result<PathBuf, LaunchError> {
    std::path::absolute(path).map_err(LaunchError::folder(path))
}

/// Whether any user can go through every folder above the path.
fn reachable(path: &Path) -> bool {
    path.ancestors()
        .skip(1)
        .filter_map(|folder| folder.metadata().ok())
        .all(|data| data.permissions().mode() & 0o001 != 0)
}

/// A folder that any user can reach, in place of one below root's home.
fn outside(wanted: &Path) -> PathBuf {
    use sha2::{Digest, Sha256};
    let hash = Sha256::digest(wanted.as_os_str().as_encoded_bytes());
    PathBuf::from("/var/lib/souk").join(hex::encode(&hash[..6]))
}
