//! Work that gives way to everything else on the machine: builds, proofs, catalog statistics.

use rustix::{
    process::{Pid, getpid, getpriority_process, setpriority_process},
    thread::{CpuSet, sched_getaffinity, sched_setaffinity},
};
use std::{fs, io, thread};

mod throttle;

pub use throttle::Throttle;

/// How much lower than everything else's the priority is of what nobody waits for (`nice`).
const LOWEST: i32 = 19;
/// The same of what shares memory with searches: a thread that is hardly ever run would hold them up with the locks
/// that the system takes for it.
const LOW: i32 = 10;

/// Runs work on a thread of its own at the lowest priority, on half of the processors until a [`Throttle`] says otherwise;
/// threads that are started from it have the same. Even what gives way at once takes caches, memory and the other half
/// of a core from searches.
///
/// # Errors
/// If no thread can be started.
pub fn spawn<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<thread::JoinHandle<T>> {
    spawn_at(LOWEST, name, || {
        keep_to_half(true);
        work()
    })
}

/// The same for work beside searches, in their process.
///
/// # Errors
/// If no thread can be started.
pub fn spawn_beside<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<thread::JoinHandle<T>> {
    spawn_at(LOW, name, work)
}

/// Keeps this thread, and those that it starts, to the last half of the processors that its process may use, or lets
/// it have all of them again.
fn keep_to_half(half: bool) {
    let keep = || -> io::Result<()> {
        let allowed = sched_getaffinity(Some(getpid()))?;
        let all: Vec<usize> = (0..CpuSet::MAX_CPU).filter(|cpu| allowed.is_set(*cpu)).collect();
        let mut kept = CpuSet::new();
        all[if half { all.len() / 2 } else { 0 }..].iter().for_each(|cpu| kept.set(*cpu));
        Ok(sched_setaffinity(None, &kept)?)
    };
    if let Err(error) = keep() {
        tracing::warn!(%error, "work in the background runs on the processors it has");
    }
}

fn spawn_at<T: Send + 'static>(
    niceness: i32,
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<thread::JoinHandle<T>> {
    thread::Builder::new().name(name.to_owned()).spawn(move || {
        // On Linux a priority is a thread's, not its process's.
        if let Err(error) = setpriority_process(None, niceness) {
            tracing::warn!(%error, "work in the background runs at the priority of everything else");
        }
        work()
    })
}

/// Lowers the priority of the threads of this process whose names begin with a word, where it is higher: those that
/// a library has started. Elsewhere than on Linux it does nothing.
pub(crate) fn lower(threads: &str) {
    let Ok(tasks) = fs::read_dir("/proc/self/task") else { return };
    for task in tasks.flatten() {
        let name = fs::read_to_string(task.path().join("comm")).unwrap_or_default();
        let id = task.file_name().to_str().and_then(|id| id.parse().ok()).and_then(Pid::from_raw);
        if name.starts_with(threads) && getpriority_process(id).is_ok_and(|niceness| niceness < LOW) {
            // A thread may have ended since.
            let _ = setpriority_process(id, LOW);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn what_nobody_waits_for_has_half_of_the_processors() {
        let count = || sched_getaffinity(None).map(|allowed| allowed.count()).unwrap_or_default();
        let all = count();
        let spawned = spawn("half", move || {
            let (own, child) = (count(), thread::spawn(count).join());
            keep_to_half(false);
            (own, child, count())
        });
        let (own, child, let_go) = spawned.expect("a thread").join().expect("it ends");
        let half = all.div_ceil(2);
        assert_eq!((own, child.expect("it ends"), let_go, count()), (half, half, all, all));
    }

    #[test]
    fn threads_are_found_by_name_and_only_lowered() {
        let own = || getpriority_process(None).unwrap_or(i32::MAX);
        let (stop, (lowest, low)) = (mpsc::channel::<()>(), (mpsc::channel(), mpsc::channel()));
        let (before, started) = (own(), mpsc::channel());
        let named = thread::Builder::new().name("lowered_one".to_owned()).spawn(move || {
            // By now it has its name.
            let _ = started.0.send(());
            // It ends with the sender.
            let _ = stop.1.recv();
            low.0.send(own()).is_ok()
        });
        let spawned = spawn("lowered_two", move || lowest.0.send(own()).is_ok());
        assert_eq!((started.1.recv(), lowest.1.recv()), (Ok(()), Ok(LOWEST)));
        lower("lowered");
        drop(stop.0);
        assert_eq!(low.1.recv(), Ok(LOW.max(before)));
        assert_eq!(own(), before);
        assert!(named.is_ok_and(|thread| thread.join().is_ok()) && spawned.is_ok_and(|thread| thread.join().is_ok()));
    }
}
