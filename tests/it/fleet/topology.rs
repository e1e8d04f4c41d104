//! The topology of docker-compose.yml: roles apart, two nodes with an index copy each, operations on their own.

use crate::reindex::{Shoppers, catalog, serves};
use acceptance::{
    builders::product_line,
    eventually::eventually,
    operator::{Operator, bundle_file, generation_of},
    quiet::until_quiet,
    replica::Replica,
    shop::{PATIENCE, Shop},
    stack::TestStack,
};
use reindex::Failure;
use schemas::{
    Uuid,
    ids::{ProductId, TenantId},
};
use search::{bundle::Bundle, document::SearchDocument, reader::IndexHandle, writer::IndexWriter};
use serde_json::Value;
use std::{collections::BTreeMap, path::Path};

fn plain(name: &str) -> Bundle {
    let mut bundle = Bundle { name: name.to_owned(), ..Bundle::default() };
    bundle.analyzer.stop_words = vec!["behold".to_owned()];
    bundle
}

fn documents(certificate: &Value) -> BTreeMap<String, u64> {
    let nodes = certificate["nodes"].as_object().into_iter().flatten();
    nodes.map(|(node, proof)| (node.clone(), proof["documents"].as_u64().unwrap_or_default())).collect()
}

/// Has shoppers search on every node until a generation has answered some of them on each: a node takes a moment to hear
/// of a trial.
async fn tried_on(stack: &TestStack, generation: &str, nodes: &[Shop]) {
    eventually("the trial answers a share on every node", PATIENCE, || async {
        for one in nodes {
            for client in 0..20 {
                one.read(&format!("/v1/search?q=lamp&client=shopper-{client}"), None).await;
            }
        }
        let seen: i64 = sqlx::query_scalar("SELECT count(DISTINCT node) FROM query_nodes WHERE figures ? $1")
            .bind(generation)
            .fetch_one(&stack.read)
            .await
            .map_err(|error| error.to_string())?;
        if usize::try_from(seen) == Ok(nodes.len()) { Ok(()) } else { Err(format!("on {seen} nodes")) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_apart_and_two_index_copies_go_live_and_back_without_a_failed_search() {
    let stack = TestStack::start_apart().await;
    let _roles = ["relay", "views"].map(|role| Replica::role(&stack, role));
    let listen = stack.stack.settings.query_listen.to_string();
    let _one = Replica::node_at(&stack, "node-1", &listen).await;
    let two = Replica::node(&stack, "node-2").await;
    let _operations = Replica::serving_operations(&stack, "node-1");
    let shop = Shop::open(&stack, "apart").await;
    let both = [shop.clone(), shop.read_from(two.url())];
    catalog(&shop, 120).await;
    let token = shop.bulk_all("products", &[product_line("counter", "Counter 0")]).await;
    for one in &both {
        one.search("counter", &token).await;
    }
    let operator = Operator::at(&stack, &Replica::index_dir(&stack, "node-1"));
    let shoppers = both.each_ref().map(|shop| Shoppers::start(shop, 1));
    let planned = operator.does(&["plan", "--bundle", &bundle_file(&stack, &plain("apart"))]).await;
    let next = generation_of(&planned);
    operator.does(&["build", &next]).await;
    let verified = operator.does(&["verify", &next]).await;
    let expected = BTreeMap::from([("node-1".to_owned(), 121), ("node-2".to_owned(), 121)]);
    assert_eq!(documents(&verified["certificate"]), expected, "{verified}");
    operator.does(&["promote", &next, "--canary", "50"]).await;
    tried_on(&stack, &next, &both).await;
    for (command, generation) in
        [(vec!["promote", &next], next.as_str()), (vec!["rollback"], "g1"), (vec!["promote", &next], &next)]
    {
        let switched = operator.does(&command).await;
        assert_eq!(switched["followed"].as_array().map(Vec::len), Some(2), "{command:?}: {switched}");
        for one in &both {
            serves(one, generation).await;
        }
    }
    for shoppers in shoppers {
        let (searches, failed, older) = shoppers.end().await;
        assert!(searches > 20, "{searches} searches");
        assert_eq!((failed, older), (0, 0), "of {searches} searches");
    }
}

/// Takes a product out of an index, as if it had never been written there.
fn lose(index_dir: &Path, generation: &str, (tenant, product): (Uuid, Uuid)) {
    let snapshot = IndexHandle::open(index_dir, generation).expect("opened").snapshot();
    let (tenant_id, product_id) = (TenantId(tenant), ProductId(product));
    let version = snapshot.version_of(tenant_id, product_id).expect("read").expect("known");
    let mut writer = IndexWriter::open(index_dir, generation).expect("nobody else writes");
    let removed = SearchDocument { tenant_id, product_id, doc_version: version + 1, product: None };
    writer.upsert(&removed).expect("removed");
    writer.commit(snapshot.next_offsets()).expect("committed");
    writer.close().expect("closed");
}

fn refusal(outcome: Result<Value, Failure>) -> (String, String) {
    match outcome {
        Err(Failure::Refused(refusal)) => (refusal.code.to_owned(), refusal.to_string()),
        other => unreachable!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_generation_is_proved_on_every_node_that_will_serve_it() {
    let stack = TestStack::start(false).await;
    let shop = Shop::open(&stack, "proved").await;
    let token = catalog(&shop, 60).await;
    shop.search("lamp", &token).await;
    until_quiet(&stack).await;
    let operator = Operator::of(&stack);
    let next = generation_of(&operator.does(&["build", "--bundle", &bundle_file(&stack, &plain("everywhere"))]).await);
    let alone = operator.does(&["verify", &next]).await;
    assert_eq!(documents(&alone["certificate"]).len(), 1, "{alone}");
    // A node that joins afterwards has a copy that nobody has looked at.
    let mut away = Replica::node(&stack, "away").await;
    let (code, told) = refusal(operator.run(&["promote", &next]).await);
    assert_eq!(code, "not_proved_everywhere");
    assert!(told.contains("on away is not proved"), "{told}");
    follows(&stack, &next).await;
    // It has lost a document, and nothing on its disk says so.
    let lost: (Uuid, Uuid) = sqlx::query_as("SELECT tenant_id, product_id FROM documents WHERE NOT deleted LIMIT 1")
        .fetch_one(&stack.read)
        .await
        .expect("a document");
    away.while_nobody_writes(&stack, "away", || lose(&Replica::index_dir(&stack, "away"), &next, lost));
    follows(&stack, &next).await;
    let (code, told) = refusal(operator.run(&["verify", &next]).await);
    assert_eq!(code, "copies_differ");
    assert!(told.contains("node away: its copy has 59 documents"), "{told}");
    away.while_nobody_writes(&stack, "away", || {
        std::fs::remove_dir_all(Replica::index_dir(&stack, "away").join(&next)).expect("to be built anew");
    });
    follows(&stack, &next).await;
    // A verification that begins while a copy is still being built anew is refused.
    let proved = eventually("every copy is proved", PATIENCE, || async {
        operator.run(&["verify", &next]).await.map_err(|error| error.to_string())
    })
    .await;
    assert_eq!(documents(&proved["certificate"]).get("away"), Some(&60), "{proved}");
    operator.does(&["promote", &next]).await;
    operator.does(&["rollback"]).await;
    // A node that is gone is left out, and said so.
    drop(away);
    eventually("the node is gone", PATIENCE, || async {
        let age: f64 = sqlx::query_scalar(
            "SELECT extract(epoch FROM now() - heartbeat_at)::float8 FROM generation_copies WHERE node = 'away' AND generation = $1",
        )
        .bind(&next)
        .fetch_one(&stack.read)
        .await
        .map_err(|error| error.to_string())?;
        if age > 10.0 { Ok(()) } else { Err(format!("{age:.0} s")) }
    })
    .await;
    let without = operator.does(&["verify", &next]).await;
    assert!(!documents(&without["certificate"]).contains_key("away"), "{without}");
    assert!(
        without["certificate"]["left_out"][0]
            .as_str()
            .is_some_and(|told| told.starts_with("node away has been silent"))
    );
}

/// Waits until a node has a copy of a generation that keeps up.
async fn follows(stack: &TestStack, generation: &str) {
    eventually("the copy follows the topic", PATIENCE, || async {
        let phase: Option<String> = sqlx::query_scalar(
            "SELECT phase FROM generation_copies WHERE node = 'away' AND generation = $1 AND heartbeat_at > now() - interval '2 seconds'",
        )
        .bind(generation)
        .fetch_optional(&stack.read)
        .await
        .map_err(|error| error.to_string())?;
        if phase.as_deref() == Some("live") { Ok(()) } else { Err(format!("{phase:?}")) }
    })
    .await;
}
