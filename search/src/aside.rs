//! Work that gives way to everything else on the machine: builds, proofs, learning.

use std::{io, thread};

/// How much lower than everything else's its priority is (`nice`).
const NICENESS: i32 = 19;

/// Runs work on a thread of its own at a low priority; threads that are started from it have the same.
///
/// # Errors
/// If no thread can be started.
pub fn spawn<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<thread::JoinHandle<T>> {
    thread::Builder::new().name(name.to_owned()).spawn(move || {
        // On Linux a priority is a thread's, not its process's.
        if let Err(error) = rustix::process::setpriority_process(None, NICENESS) {
            tracing::warn!(%error, "work in the background runs at the priority of everything else");
        }
        work()
    })
}
