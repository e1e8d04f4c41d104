//! The end of a shop: nobody finds it, nothing of it is left, and no other shop is concerned.

use acceptance::{
    builders::{price_line, product_line, stock_line},
    eventually::eventually,
    operator::Operator,
    shop::{PATIENCE, Shop},
    shopper::Shopper,
    stack::TestStack,
};
use launcher::stack::Service;
use reqwest::{Client, Method};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, PgPool};
use std::{collections::BTreeMap, time::Duration};

/// Data go in the background, once who was at it is through.
const GONE: Duration = Duration::from_secs(240);
/// What stays on record of a shop: what happened to itself, and what staff did. Reports of lag are let go by age.
const STAYING: [&str; 7] = [
    "tenants.outbox",
    "tenants.deleted",
    "audit.outbox",
    "audit.trails",
    "public.activity",
    "public.tenant_lag",
    "public.sources",
];

/// The rows of a shop in every table that has rows of shops; an outbox is one table.
async fn rows(pool: &PgPool, shop: &str) -> BTreeMap<String, i64> {
    let tables: Vec<(String, String)> = sqlx::query_as(
        "SELECT n.nspname::text, c.relname::text FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
         WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
           AND EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attname = 'tenant_id')",
    )
    .fetch_all(pool)
    .await
    .expect("the tables");
    let mut found = BTreeMap::new();
    for (schema, table) in tables {
        let sql = format!("SELECT count(*) FROM \"{schema}\".\"{table}\" WHERE tenant_id = $1::uuid");
        let rows: i64 = sqlx::query_scalar(AssertSqlSafe(sql)).bind(shop).fetch_one(pool).await.expect("a count");
        found.insert(format!("{schema}.{table}"), rows);
    }
    found
}

/// The tables of both databases that have rows of a shop, but for those in which some stay.
async fn left(stack: &TestStack, shop: &str) -> BTreeMap<String, i64> {
    let mut all = rows(&stack.write, shop).await;
    all.extend(rows(&stack.read, shop).await);
    // A second set of views keeps what the first does.
    all.retain(|table, rows| *rows > 0 && !STAYING.contains(&&*table.replace("standby.", "public.")));
    all
}

/// A shop with some of everything; gives its id and an owner's key.
async fn furnish(stack: &TestStack, shop: &Shop) -> (String, String) {
    let (_, key) = shop.key("owner", &[]).await;
    let category = json!({"external_id": "all", "slug": "all", "name": "All"});
    shop.bulk_all("categories", &[category]).await;
    let mut products: Vec<Value> = (0..30).map(|n| product_line(&format!("d-{n}"), &format!("Lamp {n}"))).collect();
    products.iter_mut().for_each(|product| product["categories"] = json!(["all"]));
    shop.bulk_all("products", &products).await;
    shop.bulk_all("prices", &[price_line("d-1", 100)]).await;
    let token = shop.bulk_all("stock", &[stock_line("d-1", 5)]).await;
    let synonyms = json!({"kind": "multi_way", "terms": ["lamp", "light"]});
    let path = "/v1/merchandising/synonyms/lamps";
    let set = shop.request(Method::PUT, path).header("if-match", "*").json(&synonyms).send().await;
    assert!(set.expect("an answer").status().is_success());
    let zone = json!({"areas": [{"country": "DE"}], "mode": "inclusive", "rates": []});
    let zone = shop.request(Method::PUT, "/v1/settings/tax-zones/all").header("if-match", "*").json(&zone).send().await;
    assert!(zone.expect("an answer").status().is_success());
    let spring = json!({"title": "Spring", "needs_code": true, "effect": {"kind": "shipping"}});
    let spring = shop.request(Method::PUT, "/v1/promotions/spring").header("if-match", "*").json(&spring).send().await;
    assert!(spring.expect("an answer").status().is_success());
    shop.command(Method::POST, "/v1/promotions/spring/codes", None, &json!({"codes": [format!("{}-1", shop.slug)]}))
        .await;
    shop.search("lamp", &token).await;
    let payment = "/v1/payments/0199a3b4-5c6d-7e8f-9a0b-1c2d3e4f5a6b";
    let cash =
        json!({"order_id": schemas::Uuid::nil(), "method": "cash_on_delivery", "currency": "USD", "amount": 500});
    shop.command(Method::PUT, payment, None, &cash).await;
    let collected = json!({"capture_id": "shipment-1", "carrier": "post", "amount": 500});
    shop.command(Method::POST, &format!("{payment}/collections"), None, &collected).await;
    let id = sqlx::query_scalar("SELECT tenant_id::text FROM tenants.tenants WHERE slug = $1");
    (id.bind(&shop.slug).fetch_one(&stack.write).await.expect("the shop"), key)
}

async fn told(shop: &Shop, method: Method, path: &str, body: Value) -> (u16, String) {
    let answer = Shop::answer(shop.request(method, path).json(&body).send().await.expect("an answer")).await;
    (answer.status.as_u16(), answer.body["code"].as_str().unwrap_or_default().to_owned())
}

/// Statuses at the shop's host, with a key of it, for the administrators, and of a command.
async fn doors(stack: &TestStack, shop: &Shop, key: &str) -> [u16; 4] {
    let search = format!("{}/v1/search?q=lamp", stack.query_url());
    let visit = Client::new().get(search).header("host", format!("{}.localhost", shop.slug)).send().await;
    let owner = shop.with_key(key);
    [
        visit.expect("an answer").status().as_u16(),
        owner.read("/v1/search?q=lamp", None).await.status.as_u16(),
        shop.read("/v1/search?q=lamp", None).await.status.as_u16(),
        told(&owner, Method::POST, "/v1/keys", json!({"name": "x", "kind": "search"})).await.0,
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_shop_is_gone_for_all_and_leaves_nothing() {
    let stack = TestStack::start(false).await;
    let (shop, other) = (Shop::open(&stack, "ending").await, Shop::open(&stack, "staying").await);
    let (id, key) = furnish(&stack, &shop).await;
    let (others_id, others_key) = furnish(&stack, &other).await;
    let storefront = shop.with_key(&shop.key("search", &[]).await.1);
    let shopper = Shopper::sign_up(&stack, &storefront, "anna@example.com").await;
    let before = left(&stack, &id).await;
    for table in ["accounts.person_keys", "catalog.products", "catalog.outbox", "public.documents", "public.keys"] {
        assert!(before.contains_key(table), "{table}: {before:?}");
    }
    assert_eq!(doors(&stack, &shop, &key).await.map(|status| status / 100), [2; 4]);
    // Not by a slip.
    for (path, expected) in [
        ("/v1/tenants/ending", (422, "validation_failed")),
        ("/v1/tenants/ending?confirm=staying", (422, "validation_failed")),
        ("/v1/tenants/ending?confirm=ending", (409, "status_conflict")),
        ("/v1/tenants/nowhere?confirm=nowhere", (404, "tenant_not_found")),
    ] {
        assert_eq!(told(&shop, Method::DELETE, path, Value::Null).await, (expected.0, expected.1.to_owned()), "{path}");
    }
    shop.command(Method::POST, "/v1/tenants/ending/suspend", None, &json!({"reason": "over"})).await;
    let file = stack.stack.settings.data_dir.join("ending.ndjson");
    let path = file.to_str().expect("a path");
    let (url, admin) = (stack.write_url(), stack.key().key.expect("a key"));
    let asked = ["delete", "ending", "--export", path, "--yes", "--write-url", &url, "--key", &admin];
    let said = stack.souk("tenant", &asked).await.expect("deleted");
    assert!(said.contains("`ending` is deleted"), "{said}");
    let exported = std::fs::read_to_string(&file).expect("the export");
    assert!(exported.lines().count() > 35 && exported.contains("Lamp 29"), "{}", exported.lines().count());
    let open = json!({"name": "Again"});
    assert_eq!(told(&other, Method::PUT, "/v1/tenants/ending", open.clone()).await.0, 400, "a header names another");
    let again = shop.request(Method::PUT, "/v1/tenants/ending").json(&open).send().await.expect("an answer");
    assert_eq!(Shop::answer(again).await.body["code"], "slug_taken");
    eventually("nobody finds it", PATIENCE, || async {
        let met = doors(&stack, &shop, &key).await;
        // A key that is none is 401 in the end.
        if met.iter().all(|status| [401, 404].contains(status)) { Ok(()) } else { Err(format!("{met:?}")) }
    })
    .await;
    let me = shopper.at(&shop).request(Method::GET, "/v1/me").send().await.expect("an answer").status().as_u16();
    assert!([401, 404].contains(&me), "{me}");
    eventually("nothing is left", GONE, || async {
        let left = left(&stack, &id).await;
        if left.is_empty() { Ok(()) } else { Err(format!("{left:?}")) }
    })
    .await;
    let known: Vec<String> =
        sqlx::query_scalar("SELECT DISTINCT context FROM sources WHERE tenant_id = $1::uuid ORDER BY 1")
            .bind(&id)
            .fetch_all(&stack.read)
            .await
            .expect("contexts");
    assert_eq!(known, ["audit", "tenants"]);
    let opened = eventually("its name is free", GONE, || async {
        let answer = shop.request(Method::PUT, "/v1/tenants/ending").json(&open).send().await.expect("an answer");
        let answer = Shop::answer(answer).await;
        if answer.status == 201 { Ok(answer.body) } else { Err(answer.body.to_string()) }
    })
    .await;
    assert_ne!(opened["id"], json!(id));
    let empty = shop.read("/v1/search?q=lamp", opened["token"].as_str()).await;
    assert_eq!((empty.status.as_u16(), &empty.body["total"]), (200, &json!(0)), "{empty:?}");
    // The other is as it was, and the index has its documents alone.
    assert_eq!(doors(&stack, &other, &others_key).await.map(|status| status / 100), [2; 4]);
    assert_eq!(other.read("/v1/search?q=lamp", None).await.body["total"], 30);
    assert_eq!(rows(&stack.write, &others_id).await["catalog.products"], 30);
    assert_eq!(rows(&stack.read, &others_id).await["public.documents"], 30);
    the_index_has_thirty(&stack).await;
    // The log still has its events; views that are built from them do not.
    let operator = Operator::of(&stack);
    operator.does(&["views", "build"]).await;
    let proof = eventually("both sets are equal", PATIENCE, || async {
        operator.run(&["views", "verify"]).await.map_err(|error| error.to_string())
    });
    let proof = proof.await;
    assert_eq!(proof["differences"], json!([]), "{proof}");
    operator.does(&["views", "promote"]).await;
    eventually("nothing has come back", PATIENCE, || async {
        let left = left(&stack, &id).await;
        if left.is_empty() { Ok(()) } else { Err(format!("{left:?}")) }
    })
    .await;
    the_index_has_thirty(&stack).await;
    assert_eq!(other.read("/v1/search?q=lamp", None).await.body["total"], 30);
}

async fn the_index_has_thirty(stack: &TestStack) {
    eventually("the index is rid of the other", PATIENCE, || async {
        let metrics = Client::new().get(format!("{}/metrics", stack.stack.url(Service::Projector)));
        let text = metrics.send().await.expect("an answer").text().await.expect("a text");
        let counts: Vec<&str> = text.lines().filter(|line| line.starts_with("souk_index_documents{")).collect();
        if counts.len() == 1 && counts[0].ends_with(" 30") { Ok(()) } else { Err(format!("{counts:?}")) }
    })
    .await;
}
