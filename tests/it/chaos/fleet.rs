//! Two projectors and two query-apis with index copies of their own: each process is killed, and hangs, under load.

use acceptance::stack::{TestStack, programs};
use bench::chaos::{Extent, Scenario, play};

#[tokio::test(flavor = "multi_thread")]
async fn each_process_of_a_fleet_is_killed_and_hangs_and_nobody_notices() {
    let stack = TestStack::prepare(false).await;
    let played = play(Scenario::Fleet, stack.stack.settings.clone(), programs(), &Extent::SHORT).await;
    let report = played.expect("it recovers");
    assert!(report.totals.acknowledged > 100 && report.totals.queries > 100, "{report}");
    assert_eq!(report.violations(), Vec::<String>::new(), "{report}");
}
