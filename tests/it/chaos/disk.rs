//! Disks fill up under load: under an index, a broker and PostgreSQL.

use super::own_databases;
use acceptance::stack::{TestStack, programs};
use bench::chaos::{Extent, Scenario, is_root, play};

#[tokio::test(flavor = "multi_thread")]
async fn disks_that_fill_up_lose_nothing_and_need_no_hand_but_room() {
    if !is_root() {
        test_skips::skip("small file systems can be mounted by root alone");
        return;
    }
    let stack = TestStack::prepare(false).await;
    let played = play(Scenario::Disk, own_databases(&stack), programs(), &Extent::SHORT).await;
    let report = played.expect("it recovers");
    assert!(report.totals.refusals > 0, "{report}");
    assert_eq!(report.violations(), Vec::<String>::new(), "{report}");
}
