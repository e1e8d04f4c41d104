//! Several that answer: query-apis on one index, and nodes with an index of their own.

use crate::reindex::{catalog, serves};
use acceptance::{
    builders::product_line,
    eventually::eventually,
    operator::{Operator, bundle_file, generation_of},
    quiet::until_quiet,
    replica::Replica,
    shop::{PATIENCE, Shop},
    stack::TestStack,
};
use search::bundle::Bundle;
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

#[tokio::test(flavor = "multi_thread")]
async fn a_promotion_that_is_killed_leaves_every_node_on_one_generation() {
    let stack = TestStack::start(false).await;
    let shop = Shop::open(&stack, "torn").await;
    let token = catalog(&shop, 30).await;
    shop.search("lamp", &token).await;
    let (beside, away) = (Replica::beside(&stack).await, Replica::node(&stack, "away").await);
    let everybody = [shop.clone(), shop.read_from(beside.url()), shop.read_from(away.url())];
    let operator = Operator::of(&stack);
    let bundle = Bundle { name: "named".to_owned(), ..Bundle::default() };
    let next = generation_of(&operator.does(&["build", "--bundle", &bundle_file(&stack, &bundle)]).await);
    operator.does(&["verify", &next]).await;
    for round in 0..12_u64 {
        let active: String = sqlx::query_scalar("SELECT generation FROM index_generations WHERE state = 'active'")
            .fetch_one(&stack.read)
            .await
            .expect("one is active");
        let command: &[&str] = if active == "g1" { &["promote", &next] } else { &["rollback"] };
        let child = Mutex::new(operator.spawn(command));
        // Each round lets it come further: until it has connected, begun, switched, waited.
        let logged = || async {
            let seen: i64 = sqlx::query_scalar(
                "SELECT (SELECT count(*) FROM pg_stat_activity WHERE application_name = 'souk-reindex' AND datname = current_database())
                      + (SELECT count(*) FROM operations) + (SELECT max(epoch) FROM index_switches)",
            )
            .fetch_one(&stack.read)
            .await
            .expect("a count");
            seen
        };
        let before = logged().await;
        let wanted = before + i64::try_from(round % 4).expect("a count");
        eventually("it has come that far, or ended", PATIENCE, || async {
            let seen = logged().await;
            // With its end its connection is gone, and the count may never be reached.
            let has_ended = child.lock().expect("the child").try_wait().expect("asked").is_some();
            if seen >= wanted || has_ended { Ok(()) } else { Err(format!("{seen} of {wanted}")) }
        })
        .await;
        let mut child = child.into_inner().expect("the child");
        // One that has ended can't be killed any more.
        let _ = child.kill();
        child.wait().expect("ended");
        let active: Vec<String> = sqlx::query_scalar("SELECT generation FROM index_generations WHERE state = 'active'")
            .fetch_all(&stack.read)
            .await
            .expect("one is active");
        assert_eq!(active.len(), 1, "round {round}");
        for one in &everybody {
            serves(one, &active[0]).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_segment_that_rots_is_put_aside_and_healed_from_the_topic_while_another_node_answers() {
    let stack = TestStack::start(false).await;
    let shop = Shop::open(&stack, "rot").await;
    let token = catalog(&shop, 120).await;
    shop.search("lamp", &token).await;
    until_quiet(&stack).await;
    let away = Replica::node(&stack, "away").await;
    let elsewhere = shop.read_from(away.url());
    assert_eq!(elsewhere.search("lamp", &token).await.body["total"], 120);
    let (stop, reader) = (Arc::new(AtomicBool::new(false)), elsewhere.clone());
    let stopped = Arc::clone(&stop);
    let reads = tokio::spawn(async move {
        let mut totals = BTreeMap::<String, u32>::new();
        while !stopped.load(Ordering::Relaxed) {
            let read = reader.read("/v1/search?q=lamp", None).await;
            *totals.entry(format!("{} {}", read.status.as_u16(), read.body["total"])).or_default() += 1;
        }
        totals
    });
    let folder = stack.stack.index_dir().join("g1");
    let pack = std::fs::read_dir(&folder)
        .expect("the index")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|kind| kind == "pack"))
        .max_by_key(|path| path.metadata().map(|meta| meta.len()).unwrap_or_default())
        .expect("a segment");
    let mut bytes = std::fs::read(&pack).expect("read");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x55;
    std::fs::write(&pack, bytes).expect("spoilt in place");
    eventually("the damaged folder is put aside", PATIENCE, || async {
        let aside = std::fs::read_dir(stack.stack.index_dir()).map_err(|error| error.to_string())?;
        let names: Vec<String> =
            aside.filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned())).collect();
        if names.iter().any(|name| name.starts_with("g1.damaged-")) { Ok(()) } else { Err(names.join(" ")) }
    })
    .await;
    stop.store(true, Ordering::Relaxed);
    let totals = reads.await.expect("read on");
    assert_eq!(totals.keys().collect::<Vec<_>>(), ["200 120"], "the other node answered all the time: {totals:?}");
    let token = shop.bulk_all("products", &[product_line("after", "Lamp after the rot")]).await;
    for one in [shop, elsewhere] {
        assert_eq!(one.search("lamp", &token).await.body["total"], 121);
    }
}
