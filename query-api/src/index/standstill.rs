//! The moment of a switch: the generation in use stands still until the next one has all that it shows. It stands still for
//! no longer than it takes, and not at all for one that is far behind.

use search::{
    offsets::{Offsets, covers},
    reader::{Hold, IndexHandle},
};
use std::time::{Duration, Instant};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// How long the generation in use may stand still for the next one; then it goes on, and the switch is tried again.
const LONGEST: Duration = Duration::from_secs(2);
/// How long it goes on before it stands still once more: shoppers miss what is new a tenth of the time at most.
const BETWEEN: Duration = Duration::from_secs(18);

/// When the generation in use stood still in vain.
#[derive(Debug, Default)]
pub struct Standstill {
    in_vain: Option<Instant>,
}

impl Standstill {
    /// Waits until the next generation has all that the current one shows, and holds the current one from there on.
    ///
    /// # Errors
    /// If it doesn't within [`LONGEST`]; nothing is held then.
    pub async fn until_covered(&mut self, current: &IndexHandle, next: &IndexHandle) -> Result<Hold, Failure> {
        let behind = || format!("{} has not read yet what the generation in use shows", next.manifest().generation);
        // It moves on meanwhile: one that doesn't come this far would not come further if it stood still.
        if !reaches(next, &current.snapshot().next_offsets()).await
            || self.in_vain.is_some_and(|at| at.elapsed() < BETWEEN)
        {
            return Err(behind().into());
        }
        let hold = current.hold();
        if reaches(next, &current.snapshot().next_offsets()).await {
            self.in_vain = None;
            return Ok(hold);
        }
        self.in_vain = Some(Instant::now());
        Err(behind().into())
    }
}

async fn reaches(next: &IndexHandle, wanted: &Offsets) -> bool {
    let (mut commits, began) = (next.subscribe(), Instant::now());
    while !covers(&commits.borrow_and_update().next_offsets(), wanted) {
        let left = LONGEST.saturating_sub(began.elapsed());
        if left.is_zero() || tokio::time::timeout(left, commits.changed()).await.is_err() {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::scratch::{Scratch, offset};

    #[tokio::test(flavor = "multi_thread")]
    async fn what_is_far_behind_makes_nobody_stand_still() {
        let scratch = Scratch::new();
        let (mut in_use, _stuck) = (scratch.index("g1", 10), scratch.index("g2", 5));
        let (current, next) = (scratch.open("g1"), scratch.open("g2"));
        let mut commits = current.subscribe();
        let switching = tokio::spawn({
            let (current, next) = (current.clone(), next.clone());
            async move { Standstill::default().until_covered(&current, &next).await.is_err() }
        });
        let began = Instant::now();
        in_use.commit(offset(11)).expect("committed");
        while commits.borrow_and_update().next_offsets() != offset(11) {
            tokio::time::timeout(LONGEST, commits.changed()).await.expect("it moves on").expect("it is open");
        }
        assert!(began.elapsed() < LONGEST && !switching.is_finished(), "meanwhile, not afterwards");
        assert!(switching.await.expect("it ends"), "the switch is refused");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_switch_holds_what_it_leaves_until_it_is_done() {
        let scratch = Scratch::new();
        let (mut left, mut taken) = (scratch.index("g1", 10), scratch.index("g2", 5));
        let (current, next) = (scratch.open("g1"), scratch.open("g2"));
        taken.commit(offset(10)).expect("committed");
        let hold = Standstill::default().until_covered(&current, &next).await.expect("it has all");
        left.commit(offset(12)).expect("committed");
        assert_eq!(current.snapshot().next_offsets(), offset(10));
        drop(hold);
        let mut commits = current.subscribe();
        while commits.borrow_and_update().next_offsets() != offset(12) {
            tokio::time::timeout(LONGEST, commits.changed()).await.expect("it goes on").expect("it is open");
        }
    }
}
