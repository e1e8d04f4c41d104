//! Disks that fill up: small file systems in memory under one folder each. Needs root.

use super::{
    faults::Outcome,
    fleet::{Fleet, NODES},
    load::{Load, until},
    member::Member,
    network::run,
};
use crate::BenchError;
use launcher::{
    settings::{Broker, Settings},
    stack::Stack,
};
use std::{
    fs::OpenOptions,
    io::Write,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::task::JoinHandle;

/// Whose disk fills up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disk {
    /// The one with the first node's index.
    Index,
    /// PostgreSQL's.
    Postgres,
    /// The broker's.
    Broker,
}

impl Disk {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Index, Self::Broker, Self::Postgres];

    const fn mebibytes(self) -> u32 {
        match self {
            Self::Index | Self::Broker => 64,
            Self::Postgres => 400,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Index => "projector-1's index",
            Self::Postgres => "PostgreSQL",
            Self::Broker => "the broker",
        }
    }
}

/// The file systems; they are taken away with this value, which has to be after the fleet's end.
#[derive(Debug)]
pub struct Disks(Vec<(Disk, PathBuf)>);

impl Disks {
    /// Puts a small file system under each folder of a fleet that does not run yet.
    ///
    /// # Errors
    /// What `mount` said, such as that it may not.
    pub fn mount(settings: &Settings, programs: &Path) -> Result<Self, BenchError> {
        let stack = Stack::new(settings.clone(), programs.to_owned())?;
        let mut disks = Self(Vec::new());
        for disk in Disk::ALL {
            let folder = match disk {
                Disk::Index => stack.settings.data_dir.join("node-1"),
                Disk::Postgres => match stack.postgres()? {
                    Some(postgres) => postgres.folder().to_owned(),
                    None => continue,
                },
                Disk::Broker if !settings.starts_broker() => continue,
                Disk::Broker if settings.kafka == Broker::Apache => stack.settings.data_dir.join("kafka"),
                Disk::Broker => stack.settings.data_dir.join("broker"),
            };
            std::fs::create_dir_all(&folder)?;
            let (size, at) = (format!("size={}m,mode=755", disk.mebibytes()), folder.display().to_string());
            run("mount", &["-t", "tmpfs", "-o", &size, "tmpfs", &at])?;
            disks.0.push((disk, folder));
        }
        Ok(disks)
    }

    /// Fills a disk while it is written and read, for so long and until what writes there has met it, makes room again, and
    /// waits until all is well. What had ended meanwhile is started again, as whoever supervises it would; the others go on by themselves.
    ///
    /// # Errors
    /// If the fleet does not recover.
    pub async fn fill(
        &self,
        fleet: &Fleet,
        load: &mut Load,
        disk: Disk,
        hold: Duration,
    ) -> Result<Option<Outcome>, BenchError> {
        let Some((_, folder)) = self.0.iter().find(|(known, _)| *known == disk) else { return Ok(None) };
        let (began, before, told) = (Instant::now(), load.totals(), count(fleet, disk));
        let ballast = Ballast::begin(folder);
        match disk {
            Disk::Index | Disk::Broker => {
                until("the full disk is met", || count(fleet, disk) > told || has_ended(fleet, disk)).await?;
                // Commands go on: they need neither.
                load.until_acknowledged(50).await?;
            }
            Disk::Postgres => {
                until("the full disk is met", || load.totals().refusals >= before.refusals + 5).await?;
            }
        }
        if disk == Disk::Index {
            load.fresh_at(&[1]).await?;
        }
        tokio::time::sleep(hold.saturating_sub(began.elapsed())).await;
        ballast.end().await?;
        let mended = Instant::now();
        let ended = fleet.revive().await?;
        let all: Vec<usize> = (0..NODES).collect();
        load.fresh_at(&all).await?;
        let fault = if ended.is_empty() { String::new() } else { format!(", ended: {}", ended.join(", ")) };
        Ok(Some(Outcome {
            fault: format!("disk full{fault}"),
            whom: disk.name().to_owned(),
            taken_over: None,
            recovered: mended.elapsed(),
        }))
    }
}

impl Drop for Disks {
    fn drop(&mut self) {
        for (_, folder) in &self.0 {
            // Lazily, should something still hold a file.
            if let Err(error) = run("umount", &["-l", &folder.display().to_string()]) {
                eprintln!("{error}");
            }
        }
    }
}

/// How often a process has told of a full disk.
fn count(fleet: &Fleet, disk: Disk) -> usize {
    let member = match disk {
        Disk::Index => Member::Projector(0),
        Disk::Broker => Member::Broker,
        Disk::Postgres => return 0,
    };
    fleet.log(member).matches("No space left on device").count()
}

fn has_ended(fleet: &Fleet, disk: Disk) -> bool {
    disk == Disk::Broker && !fleet.is_running(Member::Broker)
}

/// A file that takes all the room there is, and what becomes free.
struct Ballast {
    path: PathBuf,
    done: Arc<AtomicBool>,
    task: JoinHandle<std::io::Result<()>>,
}

impl Ballast {
    fn begin(folder: &Path) -> Self {
        let (path, done) = (folder.join("ballast"), Arc::<AtomicBool>::default());
        let task = tokio::task::spawn_blocking({
            let (path, done) = (path.clone(), Arc::clone(&done));
            move || grow(&path, &done)
        });
        Self { path, done, task }
    }

    async fn end(self) -> Result<(), BenchError> {
        self.done.store(true, Ordering::Relaxed);
        self.task.await.map_err(|error| BenchError::Broken(error.to_string()))??;
        Ok(std::fs::remove_file(self.path)?)
    }
}

fn grow(path: &Path, done: &AtomicBool) -> std::io::Result<()> {
    let mut file = OpenOptions::new().create(true).append(true).open(path)?;
    let block = vec![0_u8; 1 << 20];
    while !done.load(Ordering::Relaxed) {
        for size in [1 << 20, 1 << 12, 1] {
            while file.write(&block[..size]).is_ok() {}
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}
