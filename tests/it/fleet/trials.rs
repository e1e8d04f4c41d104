//! What was put before shoppers is watched by `reindex serve`, whatever happens to the command that asked for it.

use crate::reindex::{catalog, serves};
use acceptance::{
    eventually::eventually,
    operator::{Operator, bundle_file, generation_of},
    shop::{PATIENCE, Shop},
    stack::TestStack,
};
use search::bundle::Bundle;
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// Searches for lamps under ever new names until told to stop.
fn shoppers(shop: &Shop) -> (Arc<AtomicBool>, tokio::task::JoinHandle<()>) {
    let (stop, shop) = (Arc::new(AtomicBool::new(false)), shop.clone());
    let stopped = Arc::clone(&stop);
    let searches = tokio::spawn(async move {
        let mut client = 0_u64;
        while !stopped.load(Ordering::Relaxed) {
            client += 1;
            shop.read(&format!("/v1/search?q=lamp&client=shopper-{client}"), None).await;
        }
    });
    (stop, searches)
}

/// A generation that finds nothing, proved all the same since somebody accepted that.
async fn useless(stack: &TestStack, operator: &Operator) -> String {
    let mut wrong = Bundle { name: "useless".to_owned(), ..Bundle::default() };
    wrong.analyzer.longest_term = 3;
    let next = generation_of(&operator.does(&["build", "--bundle", &bundle_file(stack, &wrong)]).await);
    operator.does(&["verify", &next, "--accept", "title", "--accept", "text"]).await;
    next
}

/// Waits until the figures of the active generation are worth a comparison.
async fn searched(stack: &TestStack, generation: &str) {
    eventually("there are figures", PATIENCE, || async {
        let searches: Option<i64> =
            sqlx::query_scalar("SELECT sum((figures -> $1 ->> 'searches')::bigint)::bigint FROM query_nodes")
                .bind(generation)
                .fetch_one(&stack.read)
                .await
                .map_err(|error| error.to_string())?;
        if searches >= Some(40) { Ok(()) } else { Err(format!("{searches:?}")) }
    })
    .await;
}

async fn outcome(stack: &TestStack, generation: &str) -> (Option<String>, String) {
    sqlx::query_as("SELECT outcome, array_to_string(worse, '; ') FROM index_watches WHERE generation = $1")
        .bind(generation)
        .fetch_one(&stack.read)
        .await
        .expect("a watch")
}

async fn taken_back(stack: &TestStack, generation: &str) -> String {
    eventually("it is taken back", PATIENCE, || async {
        let (outcome, worse) = outcome(stack, generation).await;
        if outcome.as_deref() == Some("worse") { Ok(worse) } else { Err(format!("{outcome:?} {worse}")) }
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trial_and_a_promotion_that_do_worse_are_taken_back_though_nobody_waits_for_them() {
    let stack = TestStack::start(false).await;
    let shop = Shop::open(&stack, "trial").await;
    let token = catalog(&shop, 40).await;
    shop.search("lamp", &token).await;
    let operator = Operator::of(&stack);
    let next = useless(&stack, &operator).await;
    let (stop, searches) = shoppers(&shop);
    searched(&stack, "g1").await;
    // The command has ended when the trial begins.
    operator.does(&["promote", &next, "--canary", "40"]).await;
    let worse = taken_back(&stack, &next).await;
    assert!(worse.contains("of the searches find nothing"), "{worse}");
    let (share, note): (i16, String) =
        sqlx::query_as("SELECT canary, note FROM index_generations WHERE generation = $1")
            .bind(&next)
            .fetch_one(&stack.read)
            .await
            .expect("a generation");
    assert_eq!(share, 0, "{note}");
    assert!(note.starts_with("trial taken back: "), "{note}");
    // The terminal of this one is closed as soon as it has switched.
    let mut terminal = operator.spawn(&["promote", &next, "--watch", "300"]);
    eventually("it has switched", PATIENCE, || async {
        let active: String = sqlx::query_scalar("SELECT generation FROM index_switches ORDER BY epoch DESC LIMIT 1")
            .fetch_one(&stack.read)
            .await
            .map_err(|error| error.to_string())?;
        if active == next { Ok(()) } else { Err(active) }
    })
    .await;
    terminal.kill().expect("killed");
    terminal.wait().expect("ended");
    taken_back(&stack, &next).await;
    serves(&shop, "g1").await;
    stop.store(true, Ordering::Relaxed);
    searches.await.expect("they searched on");
    let actor: String = sqlx::query_scalar("SELECT actor FROM index_switches ORDER BY epoch DESC LIMIT 1")
        .fetch_one(&stack.read)
        .await
        .expect("a switch");
    assert_eq!(actor, "tester", "in the name of who asked for it");
}
