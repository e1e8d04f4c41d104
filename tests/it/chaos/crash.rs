//! PostgreSQL crashes under load.

use super::own_databases;
use acceptance::stack::{TestStack, programs};
use bench::chaos::{Extent, Scenario, play};

#[tokio::test(flavor = "multi_thread")]
async fn a_postgresql_that_crashes_loses_nothing_that_was_acknowledged() {
    let stack = TestStack::prepare(false).await;
    let played = play(Scenario::Postgres, own_databases(&stack), programs(), &Extent::SHORT).await;
    let report = played.expect("it recovers");
    assert!(report.totals.refusals > 0, "{report}");
    assert_eq!(report.violations(), Vec::<String>::new(), "{report}");
}
