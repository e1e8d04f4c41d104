//! PostgreSQL ends as in a crash, and comes back.

use super::{
    faults::Outcome,
    fleet::{Fleet, NODES},
    load::Load,
};
use crate::BenchError;
use std::time::Instant;

/// Answers that refuse before PostgreSQL comes back.
const REFUSED: u64 = 3;
/// Commands that are acknowledged before it ends again.
const WRITTEN: u64 = 20;

/// Ends PostgreSQL with `-m immediate` while it is written and read, waits until requests were refused, and starts it again.
///
/// # Errors
/// If the fleet does not recover.
pub async fn crash(fleet: &Fleet, load: &mut Load) -> Result<Outcome, BenchError> {
    let postgres = fleet.postgres.as_ref();
    let postgres =
        postgres.ok_or_else(|| BenchError::Nothing("only a PostgreSQL of the fleet's own is crashed".to_owned()))?;
    load.until_acknowledged(WRITTEN).await?;
    tokio::task::block_in_place(|| postgres.crash())?;
    load.until_refused(REFUSED).await?;
    tokio::task::block_in_place(|| postgres.start())?;
    let mended = Instant::now();
    load.until_acknowledged(1).await?;
    let all: Vec<usize> = (0..NODES).collect();
    load.fresh_at(&all).await?;
    Ok(Outcome {
        fault: "-m immediate".to_owned(),
        whom: "PostgreSQL".to_owned(),
        taken_over: None,
        recovered: mended.elapsed(),
    })
}
