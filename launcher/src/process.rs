//! Processes that outlive the command that started them: a log, a record of the process id, and a way
//! to know them again.

use crate::LaunchError;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde::{Deserialize, Serialize};
use std::{
    fs::OpenOptions,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

/// A started process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    /// The process id.
    pub pid: i32,
    /// When it was started, in clock ticks since boot: tells it from a later one with the same id.
    pub start_ticks: u64,
}

/// Records and logs of the processes of one stack.
#[derive(Debug, Clone)]
pub struct Processes {
    run_dir: PathBuf,
    log_dir: PathBuf,
}

impl Processes {
    /// In a stack's data folder.
    ///
    /// # Errors
    /// If the folders can't be created.
    pub fn new(data_dir: &Path) -> Result<Self, LaunchError> {
        let (run_dir, log_dir) = (data_dir.join("run"), data_dir.join("logs"));
        for folder in [&run_dir, &log_dir] {
            std::fs::create_dir_all(folder).map_err(LaunchError::folder(folder))?;
        }
        Ok(Self { run_dir, log_dir })
    }

    /// The log of a process.
    #[must_use]
    pub fn log(&self, name: &str) -> PathBuf {
        self.log_dir.join(format!("{name}.log"))
    }

    /// The process of that name, if it is alive.
    #[must_use]
    pub fn running(&self, name: &str) -> Option<Running> {
        let text = std::fs::read(self.record(name)).ok()?;
        let running: Running = serde_json::from_slice(&text).ok()?;
        (start_ticks(running.pid) == Some(running.start_ticks)).then_some(running)
    }

    /// Starts a process of its own group, so that Ctrl-C in this terminal does not reach it.
    ///
    /// # Errors
    /// If the program can't be started.
    pub fn start(&self, name: &str, command: &mut Command) -> Result<Running, LaunchError> {
        let log = self.log(name);
        let file = OpenOptions::new().create(true).append(true).open(&log).map_err(LaunchError::folder(&log))?;
        let errors = file.try_clone().map_err(LaunchError::folder(&log))?;
        command.stdin(Stdio::null()).stdout(file).stderr(errors).process_group(0);
        let child = command.spawn().map_err(|error| LaunchError::Process {
            name: name.to_owned(),
            reason: format!("could not be started ({}): {error}", command.get_program().to_string_lossy()),
            log: log.display().to_string(),
        })?;
        let pid = i32::try_from(child.id()).unwrap_or_default();
        let running = Running { pid, start_ticks: start_ticks(pid).unwrap_or_default() };
        // Waited for on a thread, or a killed child would stay a zombie and look alive.
        let mut child = child;
        std::thread::spawn(move || child.wait());
        let text = serde_json::to_vec(&running).unwrap_or_default();
        std::fs::write(self.record(name), text).map_err(LaunchError::folder(&self.run_dir))?;
        Ok(running)
    }

    /// Sends SIGKILL and waits until the process is gone.
    ///
    /// # Errors
    /// If it stays.
    pub fn kill(&self, name: &str) -> Result<bool, LaunchError> {
        self.end(name, Signal::SIGKILL, Duration::from_secs(10))
    }

    /// Sends SIGTERM and waits; after the grace period SIGKILL.
    ///
    /// # Errors
    /// If it stays.
    pub fn stop(&self, name: &str, grace: Duration) -> Result<bool, LaunchError> {
        match self.end(name, Signal::SIGTERM, grace) {
            Ok(ended) => Ok(ended),
            Err(_) => self.kill(name),
        }
    }

    fn end(&self, name: &str, signal: Signal, patience: Duration) -> Result<bool, LaunchError> {
        let Some(running) = self.running(name) else { return Ok(false) };
        // An error means that it has ended meanwhile, which is what the wait finds out.
        let _ = kill(Pid::from_raw(running.pid), signal);
        let deadline = Instant::now() + patience;
        while self.running(name).is_some() {
            if Instant::now() > deadline {
                return Err(LaunchError::Process {
                    name: name.to_owned(),
                    reason: format!("(process {}) does not end", running.pid),
                    log: self.log(name).display().to_string(),
                });
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let _ = std::fs::remove_file(self.record(name));
        Ok(true)
    }

    fn record(&self, name: &str) -> PathBuf {
        self.run_dir.join(format!("{name}.json"))
    }
}

/// Field 22 of /proc/<pid>/stat, see proc(5); none for a process that is gone or a zombie.
fn start_ticks(pid: i32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut rest = stat.rsplit_once(')')?.1.split_whitespace();
    let state = rest.next()?;
    if matches!(state, "Z" | "X") {
        return None;
    }
    rest.nth(18)?.parse().ok()
}

/// Proportional and resident memory of a process in bytes, from /proc.
#[must_use]
pub fn memory_bytes(pid: i32) -> Option<(u64, u64)> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
    let field = |name: &str| {
        let line = text.lines().find(|line| line.starts_with(name))?;
        line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kilobytes| kilobytes * 1024)
    };
    Some((field("Pss:")?, field("Rss:")?))
}

/// The process and everything below it.
#[must_use]
pub fn family(pid: i32) -> Vec<i32> {
    let mut family = vec![pid];
    let mut next = 0;
    while let Some(parent) = family.get(next).copied() {
        next += 1;
        let children = std::fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).unwrap_or_default();
        family.extend(children.split_whitespace().filter_map(|pid| pid.parse::<i32>().ok()));
    }
    family
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_killed_process_is_no_longer_running() {
        let folder = tempfile::tempdir().expect("a folder");
        let processes = Processes::new(folder.path()).expect("folders");
        processes.start("sleeper", Command::new("sleep").arg("600")).expect("started");
        assert!(processes.running("sleeper").is_some());
        assert!(processes.kill("sleeper").expect("killed"));
        assert!(processes.running("sleeper").is_none());
        assert!(!processes.kill("sleeper").expect("nothing to do"));
    }

    #[test]
    fn a_process_id_that_was_given_anew_is_not_ours() {
        let folder = tempfile::tempdir().expect("a folder");
        let processes = Processes::new(folder.path()).expect("folders");
        let own = Running { pid: i32::try_from(std::process::id()).expect("a pid"), start_ticks: 1 };
        std::fs::write(folder.path().join("run/x.json"), serde_json::to_vec(&own).expect("JSON")).expect("written");
        assert!(processes.running("x").is_none());
    }
}
