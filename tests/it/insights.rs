//! What shoppers report comes back as figures: with the token at once, added once, in their shop only.

use acceptance::{
    builders::product_line,
    digest,
    eventually::eventually,
    quiet::until_quiet,
    shop::{PATIENCE, Shop},
    stack::TestStack,
};
use reqwest::Method;
use schemas::{
    Utc, Uuid,
    signals::{Changed, VIEWS_CHANGED},
};
use serde_json::{Value, json};
use sqlx::postgres::PgListener;

const PRODUCT: &str = "01900000-0000-7000-8000-0000000000a1";

fn search(query_id: &str, text: &str, hits: &Value, arm: &str) -> Value {
    json!({
        "type": "query", "query_id": query_id, "client_id": format!("client-{query_id}"), "user_query": text,
        "query_response_hit_ids": hits, "timestamp": Utc::now(), "arm": format!("fresher/{arm}"),
    })
}

fn action(query_id: &str, name: &str, ordinal: u32) -> Value {
    json!({
        "type": "event", "action_name": name, "query_id": query_id, "client_id": format!("client-{query_id}"),
        "timestamp": Utc::now(), "record_id": Uuid::now_v7(),
        "event_attributes": {"object": {"object_id": PRODUCT, "object_id_field": "product_id"}, "position": {"ordinal": ordinal}},
    })
}

/// Three searches with one arm, of which one leads to two clicks and a purchase, and one with the other arm
/// that finds nothing.
fn reports() -> Vec<Value> {
    let found = json!([PRODUCT]);
    vec![
        search("q1", "Red  Shoes", &found, "new"),
        action("q1", "click", 1),
        action("q1", "click", 4),
        action("q1", "add_to_cart", 4),
        action("q1", "purchase", 4),
        search("q2", "red shoes", &found, "new"),
        action("q2", "impression", 1),
        search("q3", " red shoes", &found, "new"),
        search("q4", "unobtainium", &json!([]), "old"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn what_shoppers_do_becomes_figures_at_once() {
    let stack = TestStack::start(false).await;
    let (shop, other) = (Shop::open(&stack, "watched").await, Shop::open(&stack, "unwatched").await);
    let reported = shop.command(Method::POST, "/v1/insights", None, &json!(reports())).await;
    assert_eq!(reported["accepted"], 9, "{reported}");
    let token = reported["token"].as_str().expect("a token");

    let read = shop.read("/v1/insights/queries", Some(token)).await;
    assert!(read.fresh, "{read:?}");
    let figures = &read.body["queries"][0];
    let shoes = json!({
        "query": "red shoes", "searches": 3, "no_results": 0, "clicks": 2, "carts": 1, "purchases": 1,
        "click_through": 1.0 / 3.0, "mean_click_position": 2.5, "conversion": 1.0 / 3.0,
    });
    for (name, value) in shoes.as_object().expect("an object") {
        match value.as_f64() {
            Some(number) => {
                let found = figures[name].as_f64().expect("a number");
                assert!((found - number).abs() < 1e-9, "{name}: {found}");
            }
            None => assert_eq!(&figures[name], value),
        }
    }
    let nothing = shop.read("/v1/insights/queries?order=no_results", Some(token)).await.body;
    let names: Vec<&Value> = nothing["queries"].as_array().expect("queries").iter().map(|one| &one["query"]).collect();
    assert_eq!(names, ["unobtainium"]);

    let products = shop.read("/v1/insights/products?order=purchases", Some(token)).await.body;
    let expected =
        json!({"product_id": PRODUCT, "impressions": 1, "clicks": 2, "carts": 1, "purchases": 1, "click_through": 2.0});
    assert_eq!(products["products"], json!([expected]));

    let arms = shop.read("/v1/insights/experiments/fresher", Some(token)).await.body;
    let of = |index: usize| (arms["arms"][index]["arm"].clone(), arms["arms"][index]["searches"].clone());
    assert_eq!((of(0), of(1)), ((json!("new"), json!(3)), (json!("old"), json!(1))), "{arms}");
    assert_eq!(arms["arms"][1]["mean_click_position"], Value::Null);

    let past = shop.read("/v1/insights/queries?from=2020-01-01&until=2020-02-01", Some(token)).await.body;
    assert_eq!(past["queries"], json!([]));
    for wrong in ["order=hits", "limit=0", "from=yesterday", "from=2020-01-02&until=2020-01-02"] {
        assert_eq!(shop.read(&format!("/v1/insights/queries?{wrong}"), None).await.status, 400, "{wrong}");
    }
    assert_eq!(other.read("/v1/insights/queries", None).await.body["queries"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_arrives_twice_counts_once() {
    let stack = TestStack::start(false).await;
    let shop = Shop::open(&stack, "twice").await;
    let reports = json!(reports());
    shop.command(Method::POST, "/v1/insights", None, &reports).await;
    let again = shop.command(Method::POST, "/v1/insights", None, &reports).await;
    assert_eq!((&again["accepted"], &again["duplicates"]), (&json!(0), &json!(9)));
    until_quiet(&stack).await;
    let before = digest::take(&stack).await;
    // A relay that dies between sending and marking sends again.
    sqlx::query("UPDATE insights.outbox SET published_at = NULL").execute(&stack.write).await.expect("marked");
    eventually("the duplicates have been read", PATIENCE, || async {
        let read: i64 = sqlx::query_scalar(
            "SELECT coalesce(sum(next_offset), 0)::bigint FROM checkpoints WHERE topic LIKE '%insights%'",
        )
        .fetch_one(&stack.read)
        .await
        .map_err(|error| error.to_string())?;
        if read == 18 { Ok(()) } else { Err(format!("{read} of 18")) }
    })
    .await;
    assert_eq!(digest::take(&stack).await, before);
    let figures = shop.read("/v1/insights/queries", None).await.body;
    assert_eq!(figures["queries"][0]["searches"], 3, "{figures}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changed_tells_what_may_be_kept() {
    let stack = TestStack::start(false).await;
    let shop = Shop::open(&stack, "signals").await;
    until_quiet(&stack).await;
    let mut listener = PgListener::connect_with(&stack.read).await.expect("a connection");
    listener.listen(VIEWS_CHANGED).await.expect("listening");
    let mut next = async || -> Changed {
        let signal = tokio::time::timeout(PATIENCE, listener.recv()).await.expect("a signal");
        Changed::of(signal.expect("a connection").payload())
    };
    shop.command(Method::POST, "/v1/insights", None, &json!(reports())).await;
    assert_eq!(next().await, Changed::Figures);
    let terms = json!({"kind": "multi_way", "terms": ["shoes", "trainers"]});
    shop.command(Method::PUT, "/v1/merchandising/synonyms/shoes", None, &terms).await;
    // The reports may have come in several batches.
    let mut after = next().await;
    while after == Changed::Figures {
        after = next().await;
    }
    assert_eq!(after, Changed::Anything, "what staff have defined is read anew");
    shop.bulk_all("products", &[product_line("quiet", "Quiet kettle")]).await;
    // A product changes nothing of it: that it was the product is told, and not that it may be anything. What staff did
    // comes as figures in between.
    while after != Changed::Products {
        after = next().await;
    }
}
