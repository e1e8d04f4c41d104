//! Reservations from outside: many want one SKU, and what is kept for somebody is sold to nobody else.

mod histories;

use acceptance::{
    builders::{product_line, stock_line},
    eventually::eventually,
    shop::{PATIENCE, Read, Shop},
    stack::TestStack,
};
use futures::future::join_all;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

/// A shop with one product and so many pieces of it; gives the variant's id as well.
async fn stocked(stack: &TestStack, slug: &str, pieces: i64) -> (Shop, String) {
    let shop = Shop::open(stack, slug).await;
    shop.bulk_all("products", &[product_line("one", "Only lamp")]).await;
    let token = shop.bulk_all("stock", &[stock_line("one", pieces)]).await;
    let page = shop.read("/v1/products/by-external-id/one", Some(&token)).await;
    let variant = page.body["variants"][0]["id"].as_str().expect("a variant").to_owned();
    (shop, variant)
}

fn body(id: Uuid, sku: &str, quantity: i64) -> Value {
    json!({"reservation_id": id, "minutes": 60, "lines": [{"sku": sku, "quantity": quantity}]})
}

/// Asks for a reservation, under the id as the key.
async fn reserve(shop: &Shop, id: Uuid, sku: &str, quantity: i64) -> Read {
    let request = shop.request(Method::POST, "/v1/reservations").header("idempotency-key", id.to_string());
    Shop::answer(request.json(&body(id, sku, quantity)).send().await.expect("an answer")).await
}

async fn act(shop: &Shop, id: Uuid, what: &str) -> Read {
    let request = shop.request(Method::POST, &format!("/v1/reservations/{id}/{what}"));
    Shop::answer(request.send().await.expect("an answer")).await
}

fn code(read: &Read) -> &str {
    read.body["code"].as_str().unwrap_or_default()
}

/// On hand, reserved, committed and available at `main`.
async fn counted(shop: &Shop, variant: &str, token: &Value) -> [i64; 4] {
    let read = shop.read(&format!("/v1/stock?variant_id={variant}"), token.as_str()).await;
    assert!(read.fresh, "{read:?}");
    let level = &read.body["levels"][0];
    ["on_hand", "reserved", "committed", "available"].map(|name| level[name].as_i64().expect(name))
}

#[tokio::test(flavor = "multi_thread")]
async fn many_that_want_one_sku_get_exactly_what_is_there() {
    const CLIENTS: usize = 64;
    const UNITS: i64 = 16;
    let stack = TestStack::start(false).await;
    let shop = Shop::open(&stack, "rush").await;
    for round in 0..3 {
        let name = format!("rush-{round}");
        shop.bulk_all("products", &[product_line(&name, "Wanted lamp")]).await;
        shop.bulk_all("stock", &[stock_line(&name, UNITS)]).await;
        let ids: Vec<Uuid> = (0..CLIENTS).map(|_| Uuid::now_v7()).collect();
        let sku = format!("SKU-{name}");
        let answers = join_all(ids.iter().map(|id| reserve(&shop, *id, &sku, 1))).await;
        let of = |status: StatusCode| answers.iter().filter(|answer| answer.status == status).count();
        assert_eq!((of(StatusCode::CREATED), of(StatusCode::CONFLICT)), (16, CLIENTS - 16), "{answers:?}");
        assert!(answers.iter().all(|answer| answer.status == 201 || code(answer) == "insufficient_stock"));
        // Each is told the same again.
        let again = join_all(ids.iter().map(|id| reserve(&shop, *id, &sku, 1))).await;
        for (first, again) in answers.iter().zip(&again) {
            let without = |read: &Read| {
                let mut body = read.body.clone();
                body["instance"] = Value::Null;
                (read.status, body)
            };
            assert_eq!(without(first), without(again));
        }
    }
    let unlike: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM inventory.levels AS l WHERE l.on_hand <> (
           SELECT coalesce(sum(m.pieces), 0) FROM inventory.movements AS m
           WHERE (m.tenant_id, m.variant_id, m.location) = (l.tenant_id, l.variant_id, l.location))
         OR l.reserved <> (
           SELECT coalesce(sum(r.quantity), 0) FROM inventory.reservations AS r
           WHERE (r.tenant_id, r.variant_id, r.location) = (l.tenant_id, l.variant_id, l.location) AND r.state = 'held')",
    )
    .fetch_one(&stack.write)
    .await
    .expect("counted");
    assert_eq!(unlike, 0, "counters are what rows add up to");
}

#[tokio::test]
async fn what_is_kept_follows_its_way_and_search_follows_it() {
    let stack = TestStack::start(false).await;
    let (shop, variant) = stocked(&stack, "kept", 3).await;
    let id = Uuid::now_v7();
    let held = reserve(&shop, id, "SKU-one", 3).await;
    assert_eq!(held.status, 201, "{held:?}");
    assert_eq!(held.body["lines"][0]["parts"], json!([{"location": "main", "quantity": 3}]));
    let token = &held.body["token"];
    assert_eq!(counted(&shop, &variant, token).await, [3, 3, 0, 0]);
    let available = async |token: &Value| {
        let found = shop.read("/v1/search?q=lamp&filter=available:true", token.as_str()).await;
        assert!(found.fresh, "{found:?}");
        found.body["total"].as_u64().expect("a total")
    };
    assert_eq!(available(token).await, 0, "nothing is left to be sold");
    let path = format!("/v1/variants/{variant}/availability");
    let told = shop.read(&path, token.as_str()).await;
    assert_eq!((&told.body["level"], &told.body["orderable"]), (&json!("none"), &json!(false)), "{told:?}");
    let listed = shop.read(&format!("/v1/variants/{variant}/reservations"), token.as_str()).await;
    assert_eq!(
        (&listed.body["reservations"][0]["state"], &listed.body["reservations"][0]["quantity"]),
        (&json!("held"), &json!(3))
    );

    let committed = act(&shop, id, "commit").await;
    assert_eq!(counted(&shop, &variant, &committed.body["token"]).await, [3, 0, 3, 0]);
    let released = act(&shop, id, "release").await;
    assert_eq!(counted(&shop, &variant, &released.body["token"]).await, [3, 0, 0, 3]);
    assert_eq!(available(&released.body["token"]).await, 1, "it can be sold again");
    let told = shop.read(&path, released.body["token"].as_str()).await;
    assert_eq!((&told.body["level"], &told.body["left"]), (&json!("low"), &json!(3)), "{told:?}");
    assert_eq!(code(&act(&shop, id, "commit").await), "reservation_ended");

    let id = Uuid::now_v7();
    reserve(&shop, id, "SKU-one", 2).await;
    assert_eq!(code(&act(&shop, id, "dispatch").await), "status_conflict", "it is not committed");
    act(&shop, id, "commit").await;
    let left = act(&shop, id, "dispatch").await;
    assert_eq!(counted(&shop, &variant, &left.body["token"]).await, [1, 0, 0, 1]);
    let page = shop.read("/v1/products/by-external-id/one", left.body["token"].as_str()).await;
    let shown = &page.body["variants"][0];
    assert_eq!((&shown["on_hand"], &shown["availability"]["left"]), (&json!(1), &json!(1)), "{page:?}");
    assert_eq!(code(&act(&shop, id, "release").await), "reservation_ended");
}

#[tokio::test]
async fn all_lines_are_kept_or_none() {
    let stack = TestStack::start(false).await;
    let (shop, variant) = stocked(&stack, "lines", 5).await;
    shop.bulk_all("products", &[product_line("two", "Second lamp")]).await;
    shop.bulk_all("stock", &[stock_line("two", 1)]).await;
    let lines = json!([{"sku": "SKU-one", "quantity": 2}, {"sku": "SKU-two", "quantity": 2}]);
    let asked = json!({"reservation_id": Uuid::now_v7(), "minutes": 60, "lines": lines});
    let ask = async || {
        let request = shop.request(Method::POST, "/v1/reservations").header("idempotency-key", "both").json(&asked);
        Shop::answer(request.send().await.expect("an answer")).await
    };
    let (refused, again) = (ask().await, ask().await);
    for answer in [&refused, &again] {
        assert_eq!((answer.status.as_u16(), code(answer)), (409, "insufficient_stock"), "{answer:?}");
        let errors = answer.body["errors"].as_array().expect("lines");
        assert_eq!(errors.len(), 1);
        assert_eq!(errors[0]["pointer"], "/lines/1/quantity");
    }
    eventually("nothing is kept", PATIENCE, async || {
        let counted = counted(&shop, &variant, &Value::Null).await;
        if counted == [5, 0, 0, 5] { Ok(()) } else { Err(format!("{counted:?}")) }
    })
    .await;
    let listed = shop.read(&format!("/v1/variants/{variant}/reservations"), None).await;
    assert_eq!(listed.body["reservations"], json!([]));
    let wrong = json!({"reservation_id": Uuid::now_v7(), "minutes": 0, "lines": [{"sku": "SKU-one", "quantity": 0}]});
    let wrong =
        Shop::answer(shop.request(Method::POST, "/v1/reservations").json(&wrong).send().await.expect("an answer"))
            .await;
    let pointers: Vec<&Value> =
        wrong.body["errors"].as_array().expect("errors").iter().map(|e| &e["pointer"]).collect();
    assert_eq!((wrong.status.as_u16(), pointers), (422, vec![&json!("/minutes"), &json!("/lines/0/quantity")]));
}

#[tokio::test]
async fn what_is_not_taken_in_time_is_sold_to_others() {
    let stack = TestStack::start(false).await;
    let (shop, variant) = stocked(&stack, "late", 2).await;
    let (late, pinned) = (Uuid::now_v7(), Uuid::now_v7());
    for id in [late, pinned] {
        assert_eq!(reserve(&shop, id, "SKU-one", 1).await.status, 201);
    }
    assert_eq!(act(&shop, pinned, "pin").await.status, 200);
    // As if an hour had passed.
    sqlx::query("UPDATE inventory.reservations SET expires_at = now() - interval '1 second'")
        .execute(&stack.write)
        .await
        .expect("late");
    let refused = act(&shop, late, "commit").await;
    assert_eq!((refused.status.as_u16(), code(&refused)), (409, "reservation_expired"), "{refused:?}");
    eventually("it can be sold again", PATIENCE, async || {
        let counted = counted(&shop, &variant, &Value::Null).await;
        if counted == [2, 1, 0, 1] { Ok(()) } else { Err(format!("{counted:?}")) }
    })
    .await;
    assert_eq!(reserve(&shop, Uuid::now_v7(), "SKU-one", 1).await.status, 201);
    assert_eq!(act(&shop, pinned, "commit").await.status, 200, "what is pinned goes on");
}

#[tokio::test]
async fn a_correction_tells_for_whom_pieces_are_missing_and_goods_move() {
    let stack = TestStack::start(false).await;
    let (shop, variant) = stocked(&stack, "moved", 4).await;
    let id = Uuid::now_v7();
    reserve(&shop, id, "SKU-one", 3).await;
    let transfer = |quantity: i64| json!({"from": "main", "to": "window", "quantity": quantity});
    let path = format!("/v1/variants/{variant}/stock/transfer");
    let refused = shop.request(Method::POST, &path).json(&transfer(2)).send().await.expect("an answer");
    assert_eq!(code(&Shop::answer(refused).await), "insufficient_stock", "what is kept stays");
    shop.command(Method::POST, &path, None, &transfer(1)).await;
    let lost = json!({"location": "main", "quantity": -2, "reason": "lost"});
    let lost = shop.command(Method::POST, &format!("/v1/variants/{variant}/stock/adjust"), None, &lost).await;
    assert_eq!(counted(&shop, &variant, &lost["token"]).await, [1, 3, 0, -2]);
    let short: String = sqlx::query_scalar(
        "SELECT payload FROM inventory.outbox WHERE event_type = 'souk.inventory.stock_item.short.v1'",
    )
    .fetch_one(&stack.write)
    .await
    .expect("told");
    let short: Value = serde_json::from_str(&short).expect("JSON");
    assert_eq!((&short["missing"], &short["reservations"][0]["reservation_id"]), (&json!(2), &json!(id)), "{short}");
    let back = json!({"return_id": Uuid::now_v7(), "location": "window", "quantity": 1});
    for _ in 0..2 {
        shop.command(Method::POST, &format!("/v1/variants/{variant}/stock/return"), None, &back).await;
    }
    let allow = json!({"location": "main", "limit": 4});
    let allowed = shop.command(Method::PUT, &format!("/v1/variants/{variant}/stock/backorders"), None, &allow).await;
    let told = shop.read(&format!("/v1/variants/{variant}/availability"), allowed["token"].as_str()).await;
    assert_eq!((&told.body["level"], &told.body["orderable"]), (&json!("none"), &json!(true)), "{told:?}");
    // Two are in the window, and two more may be promised.
    assert_eq!(reserve(&shop, Uuid::now_v7(), "SKU-one", 5).await.status, 409);
    assert_eq!(reserve(&shop, Uuid::now_v7(), "SKU-one", 4).await.status, 201);
}

#[tokio::test]
async fn another_shop_has_no_part_in_it() {
    let stack = TestStack::start(false).await;
    let (shop, variant) = stocked(&stack, "own", 1).await;
    let other = Shop::open(&stack, "stranger").await;
    let id = Uuid::now_v7();
    assert_eq!(reserve(&shop, id, "SKU-one", 1).await.status, 201);
    for what in ["commit", "release", "dispatch", "pin"] {
        assert_eq!(act(&other, id, what).await.status, 404, "{what}");
    }
    assert_eq!(reserve(&other, Uuid::now_v7(), "SKU-one", 1).await.status, 404);
    assert_eq!(other.read(&format!("/v1/variants/{variant}/availability"), None).await.status, 404);
    assert_eq!(other.read("/v1/stock", None).await.body["levels"], json!([]));
    // The same id is free there.
    other.bulk_all("products", &[product_line("one", "Their lamp")]).await;
    other.bulk_all("stock", &[stock_line("one", 1)]).await;
    assert_eq!(reserve(&other, id, "SKU-one", 1).await.status, 201);
    assert_eq!(act(&shop, id, "commit").await.status, 200);
}
