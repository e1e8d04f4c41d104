//! Index generations from plan to rollback, while shoppers search and staff write.

use acceptance::{
    builders::product_line,
    eventually::eventually,
    operator::{Operator, bundle_file, generation_of},
    quiet::until_quiet,
    shop::{PATIENCE, Shop},
    stack::TestStack,
};
use launcher::{passwords::Role, stack::Service};
use reindex::Failure;
use search::bundle::Bundle;
use serde_json::Value;
use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

/// Fills a shop with lamps; gives the token.
pub async fn catalog(shop: &Shop, products: usize) -> String {
    let lines: Vec<Value> = (0..products)
        .map(|n| product_line(&format!("p-{n}"), &format!("Lamp number {n} of {}", ["oak", "steel", "glass"][n % 3])))
        .collect();
    shop.bulk_all("products", &lines).await
}

/// Waits until a generation answers a shop.
pub async fn serves(shop: &Shop, generation: &str) {
    eventually(&format!("{generation} answers"), PATIENCE, || async {
        let answer = shop.read("/v1/search?q=lamp", None).await.body;
        if answer["generation"] == generation { Ok(()) } else { Err(answer["generation"].to_string()) }
    })
    .await;
}

/// Searches "counter" without a pause until told to stop: counts answers, failures, and times an older state came after a newer.
pub struct Shoppers {
    stop: Arc<AtomicBool>,
    searches: Arc<AtomicU64>,
    failed: Arc<AtomicU64>,
    older: Arc<AtomicU64>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

impl Shoppers {
    pub fn start(shop: &Shop, how_many: usize) -> Self {
        let mut all = Self {
            stop: Arc::default(),
            searches: Arc::default(),
            failed: Arc::default(),
            older: Arc::default(),
            tasks: Vec::new(),
        };
        for _ in 0..how_many {
            let (shop, stop) = (shop.clone(), Arc::clone(&all.stop));
            let counts = (Arc::clone(&all.searches), Arc::clone(&all.failed), Arc::clone(&all.older));
            all.tasks.push(tokio::spawn(async move {
                let mut newest = 0;
                while !stop.load(Ordering::Relaxed) {
                    let read = shop.read("/v1/search?q=counter", None).await;
                    counts.0.fetch_add(1, Ordering::Relaxed);
                    counts.1.fetch_add(u64::from(!read.status.is_success()), Ordering::Relaxed);
                    let title = read.titles().first().cloned().unwrap_or_default();
                    let seen: u64 = title.split(' ').next_back().and_then(|text| text.parse().ok()).unwrap_or_default();
                    counts.2.fetch_add(u64::from(seen < newest), Ordering::Relaxed);
                    newest = newest.max(seen);
                }
            }));
        }
        all
    }

    pub async fn end(self) -> (u64, u64, u64) {
        self.stop.store(true, Ordering::Relaxed);
        for task in self.tasks {
            task.await.expect("ended");
        }
        (self.searches.load(Ordering::Relaxed), self.failed.load(Ordering::Relaxed), self.older.load(Ordering::Relaxed))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bundle_goes_live_and_back_while_shoppers_search_and_staff_write() {
    let stack = TestStack::start(false).await;
    let shop = Shop::open(&stack, "switch").await;
    catalog(&shop, 300).await;
    let token = shop.bulk_all("products", &[product_line("counter", "Counter 0")]).await;
    shop.search("counter", &token).await;
    let operator = Operator::of(&stack);
    let shoppers = Shoppers::start(&shop, 2);
    let (writing, writer) = (Arc::new(AtomicBool::new(true)), shop.clone());
    let goes_on = Arc::clone(&writing);
    let written = tokio::spawn(async move {
        let mut number = 0;
        while goes_on.load(Ordering::Relaxed) {
            number += 1;
            let token = writer.bulk_all("products", &[product_line("counter", &format!("Counter {number}"))]).await;
            let read = writer.search("counter", &token).await;
            assert_eq!(read.titles(), [format!("Counter {number}")], "a token is honoured during a switch, too");
        }
        number
    });
    let mut bundle = Bundle { name: "no-oak".to_owned(), ..Bundle::default() };
    bundle.analyzer.stop_words = vec!["number".to_owned()];
    bundle.ranking.title_boost = 2.0;
    let built = operator.does(&["build", "--bundle", &bundle_file(&stack, &bundle)]).await;
    let next = generation_of(&built);
    // A word that every title has is a quarter of them.
    let verified = operator.does(&["verify", &next, "--accept", "title", "--accept", "text"]).await;
    assert_eq!(verified["certificate"]["documents"], 301, "{verified}");
    let fields: Vec<&str> = verified["certificate"]["declared"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|d| d["field"].as_str())
        .collect();
    assert!(fields.contains(&"text") && fields.contains(&"title"), "{verified}");
    let queries = stack.stack.settings.data_dir.join("queries.txt");
    std::fs::write(&queries, "oak lamp\nsteel\nlamp number 7\n").expect("written");
    let compared =
        operator.does(&["compare", &next, "--tenant", "switch", "--queries", &queries.display().to_string()]).await;
    assert_eq!(compared["queries"], 3, "{compared}");
    let shopper = shop.with_key(&shop.key("search", &[]).await.1);
    let found = shopper.read("/v1/search?q=lamp+number+7&generation=g1", None).await;
    assert_eq!(found.status, 400, "shoppers don't choose a generation: {found:?}");
    for round in 0..3 {
        let promoted = operator.does(&["promote", &next]).await;
        assert_eq!(promoted["followed"].as_array().map(Vec::len), Some(1), "round {round}: {promoted}");
        serves(&shop, &next).await;
        operator.does(&["rollback", "--reason", "a test"]).await;
        serves(&shop, "g1").await;
    }
    operator.does(&["promote", &next]).await;
    writing.store(false, Ordering::Relaxed);
    let writes = written.await.expect("no write was refused and no read stale");
    let (searches, failed, older) = shoppers.end().await;
    assert!(searches > 100 && writes > 10, "{searches} searches, {writes} writes");
    assert_eq!((failed, older), (0, 0), "of {searches} searches");
    until_quiet(&stack).await;
    // The old generation has followed all the time.
    let back = operator.does(&["verify", "g1", "--accept", "title", "--accept", "text"]).await;
    assert_eq!(back["certificate"]["documents"], 301, "{back}");
    let audit: Vec<String> =
        sqlx::query_scalar("SELECT DISTINCT action FROM operations WHERE actor = 'tester' ORDER BY action")
            .fetch_all(&stack.read)
            .await
            .expect("the record");
    for action in ["generation.planned", "generation.active", "generation.rolled_back", "generation.ready"] {
        assert!(audit.iter().any(|kept| kept == action), "{action} is missing in {audit:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bundle_that_loses_a_field_is_refused_with_what_it_would_break() {
    let stack = TestStack::start(false).await;
    let shop = Shop::open(&stack, "refused").await;
    let token = catalog(&shop, 60).await;
    shop.search("lamp", &token).await;
    let operator = Operator::of(&stack);
    let mut wrong = Bundle { name: "short-terms".to_owned(), ..Bundle::default() };
    wrong.analyzer.longest_term = 3;
    let next = generation_of(&operator.does(&["build", "--bundle", &bundle_file(&stack, &wrong)]).await);
    let Err(Failure::Refused(refusal)) = operator.run(&["verify", &next]).await else {
        unreachable!("terms of three letters are lost words")
    };
    let told = refusal.to_string();
    assert!(
        told.contains("field title loses") && told.contains("\"lamp\" finds 60 products today and none then"),
        "{told}"
    );
    let Err(Failure::Refused(refusal)) = operator.run(&["promote", &next]).await else {
        unreachable!("what is not proven is not promoted")
    };
    assert_eq!(refusal.code, "not_ready");
    // What the terms don't tell, the queries do.
    operator.does(&["verify", &next, "--accept", "title", "--accept", "text"]).await;
    let queries = stack.stack.settings.data_dir.join("queries.txt");
    std::fs::write(&queries, "lamp\nsteel lamp\n").expect("written");
    let compared =
        operator.run(&["compare", &next, "--tenant", "refused", "--queries", &queries.display().to_string()]).await;
    let Err(Failure::Refused(refusal)) = compared else { unreachable!("two of two queries find nothing any more") };
    assert!(refusal.findings[0].starts_with("2 of 2 queries find nothing any more"), "{refusal}");
    let invalid = stack.stack.settings.data_dir.join("invalid.toml");
    std::fs::write(&invalid, "[ranking]\nb = 3.0\n").expect("written");
    let Err(Failure::Refused(refusal)) = operator.run(&["plan", "--bundle", &invalid.display().to_string()]).await
    else {
        unreachable!("b is at most 1")
    };
    assert_eq!(refusal.findings, ["ranking.b: 3 is not from 0 to 1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_that_is_killed_again_and_again_ends_complete() {
    const KILLS: u64 = 30;
    let stack = TestStack::start(false).await;
    let shop = Shop::open(&stack, "killed").await;
    let token = catalog(&shop, 900).await;
    shop.search("lamp", &token).await;
    let operator = Operator::of(&stack);
    let mut bundle = Bundle { name: "other".to_owned(), ..Bundle::default() };
    bundle.analyzer.plurals = false;
    let planned = operator
        .does(&["build", "--bundle", &bundle_file(&stack, &bundle), "--from", "views", "--rate", "1500", "--no-wait"])
        .await;
    let next = generation_of(&planned);
    for kill in 0..KILLS {
        // A point of the build that is another one each time, the beginning and the end among them.
        let wanted = i64::try_from(kill * 31 % 900).expect("a count");
        eventually("the build is at its next point, or done", PATIENCE, || async {
            let (documents, state): (i64, String) = sqlx::query_as(
                "SELECT coalesce(max(c.documents), 0), max(g.state) FROM index_generations g
                 LEFT JOIN generation_copies c ON c.generation = g.generation AND c.heartbeat_at > now() - interval '3 seconds'
                 WHERE g.generation = $1",
            )
            .bind(&next)
            .fetch_one(&stack.read)
            .await
            .map_err(|error| error.to_string())?;
            if documents >= wanted.min(400) || state != "building" { Ok(()) } else { Err(format!("{documents} of {wanted}")) }
        })
        .await;
        stack.crash(Service::Projector).await;
    }
    operator.does(&["build", &next, "--at-once"]).await;
    let hurried: bool = sqlx::query_scalar("SELECT at_once FROM index_generations WHERE generation = $1")
        .bind(&next)
        .fetch_one(&stack.read)
        .await
        .expect("a generation");
    assert!(hurried);
    let verified = operator.does(&["verify", &next, "--at-once"]).await;
    assert_eq!(verified["certificate"]["documents"], 900, "{verified}");
    assert!(!stack.stack.index_dir().join(format!("{next}.building")).exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_spoilt_is_found_and_mended() {
    let stack = TestStack::start(false).await;
    let shop = Shop::open(&stack, "spoilt").await;
    let token = catalog(&shop, 40).await;
    shop.search("lamp", &token).await;
    until_quiet(&stack).await;
    let operator = Operator::of(&stack);
    let write = stack.stack.settings.write_url_as(Role::Reindex);
    let look = ["reconcile", "--all", "--settle", "0", "--write-database-url", &write];
    let clean = operator.does(&look).await;
    for hop in ["views", "documents", "index"] {
        assert_eq!(
            (clean["hops"][hop]["wrong"].as_u64(), clean["hops"][hop]["checked"].as_u64() >= Some(40)),
            (Some(0), true),
            "{hop}: {clean}"
        );
    }
    for harm in [
        "UPDATE product_pages SET page = '{}' WHERE product_id = (SELECT product_id FROM documents ORDER BY product_id LIMIT 1)",
        "DELETE FROM product_pages WHERE product_id = (SELECT product_id FROM documents ORDER BY product_id OFFSET 1 LIMIT 1)",
        "UPDATE documents SET body = replace(body, 'Lamp', 'Camp') WHERE product_id = (SELECT product_id FROM documents ORDER BY product_id OFFSET 2 LIMIT 1)",
        "DELETE FROM sources WHERE context = 'catalog' AND aggregate = 'product' AND aggregate_id = (SELECT product_id FROM documents ORDER BY product_id OFFSET 3 LIMIT 1)",
    ] {
        let harmed = sqlx::query(harm).execute(&stack.read).await.expect("harmed");
        assert_eq!(harmed.rows_affected(), 1, "{harm}");
    }
    let found = operator.does(&look).await;
    assert_eq!(found["hops"]["views"]["wrong"], 1, "{found}");
    // Three that were harmed, and the one whose part is gone, unless that has come again already.
    assert!(matches!(found["hops"]["documents"]["wrong"].as_u64(), Some(3 | 4)), "{found}");
    eventually("everything agrees again", PATIENCE, || async {
        until_quiet(&stack).await;
        let again = operator.run(&look).await.map_err(|error| error.to_string())?;
        let wrong: u64 =
            ["views", "documents", "index"].iter().filter_map(|hop| again["hops"][hop]["wrong"].as_u64()).sum();
        if wrong == 0 { Ok(()) } else { Err(again.to_string()) }
    })
    .await;
    assert_eq!(shop.search("lamp", &token).await.body["total"], 40);
    assert_eq!(
        shop.read("/v1/search?q=camp", None).await.titles().iter().filter(|title| title.contains("Camp")).count(),
        0
    );
}
