//! What outlives the runtime of a single test: the mark of a living process, and the dropping of databases.

use super::execute;
use sqlx::{Connection, PgConnection};
use std::{
    future::{Future, pending},
    hash::{BuildHasher, Hasher, RandomState},
};
use tokio::sync::{OnceCell, oneshot};

/// How the names of copies begin; the number of their process follows.
const START: &str = "souk_test_";

/// How the names of this process's databases begin. An advisory lock of the same number says that the process
/// lives: it ends with the process, however that ends.
pub(crate) async fn process(server: &str) -> sqlx::Result<&'static str> {
    static PROCESS: OnceCell<String> = OnceCell::const_new();
    let name = PROCESS.get_or_try_init(|| async {
        let number = RandomState::new().build_hasher().finish();
        let (answer, answered) = oneshot::channel();
        let server = server.to_owned();
        std::thread::spawn(move || blocking(live(server, number, answer)));
        answered.await.unwrap_or(Err(sqlx::Error::WorkerCrashed))?;
        Ok(name(number))
    });
    name.await.map(String::as_str)
}

pub(crate) fn name(process: u64) -> String {
    format!("{START}{process:016x}")
}

/// Holds the lock of a process until it ends.
async fn live(server: String, process: u64, answer: oneshot::Sender<sqlx::Result<()>>) -> sqlx::Result<()> {
    let begin = async {
        let mut connection = PgConnection::connect(&server).await?;
        sqlx::query("SELECT pg_advisory_lock($1)").bind(process.cast_signed()).execute(&mut connection).await?;
        drop_left(&mut connection).await?;
        Ok(connection)
    };
    match begin.await {
        Ok(_connection) => {
            if answer.send(Ok(())).is_ok() {
                pending::<()>().await;
            }
        }
        // Whoever asked has the error, or has gone.
        Err(error) => drop(answer.send(Err(error))),
    }
    Ok(())
}

/// Drops the databases of processes that live no more.
pub(crate) async fn drop_left(admin: &mut PgConnection) -> sqlx::Result<()> {
    let names: Vec<String> = sqlx::query_scalar("SELECT datname FROM pg_database WHERE starts_with(datname, $1)")
        .bind(START)
        .fetch_all(&mut *admin)
        .await?;
    for name in names {
        let number = name.strip_prefix(START).and_then(|rest| rest.get(..16));
        let Some(process) = number.and_then(|number| u64::from_str_radix(number, 16).ok()) else { continue };
        // A lock that this session holds could be taken again: it asks whether anybody does.
        let lives: bool = sqlx::query_scalar(
            "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1
               AND classid::bigint = $1 AND objid::bigint = $2)",
        )
        .bind(i64::from(u32::try_from(process >> 32).unwrap_or_default()))
        .bind(i64::from(u32::try_from(process & 0xffff_ffff).unwrap_or_default()))
        .fetch_one(&mut *admin)
        .await?;
        if !lives {
            execute(admin, format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await?;
        }
    }
    Ok(())
}

/// Runs to its end on a thread with a runtime of its own, also where a runtime is around already.
///
/// # Errors
/// As the future does.
pub(crate) fn blocking(work: impl Future<Output = sqlx::Result<()>> + Send + 'static) -> sqlx::Result<()> {
    let thread = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(work)
    });
    thread.join().unwrap_or(Err(sqlx::Error::WorkerCrashed))
}
