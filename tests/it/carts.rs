//! Carts, as shoppers fill them: as guests and signed in, on both servers.

use acceptance::{
    builders::{price_line, product_line, stock_line},
    eventually::eventually,
    shop::{PATIENCE, Read, Shop},
    shopper::{Guest, PASSWORD, Shopper},
    stack::TestStack,
};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

/// A shop with lamps and bulbs that can be bought; gives it as a storefront asks it, with a search key.
async fn stocked(stack: &TestStack, slug: &str) -> (Shop, Shop) {
    let owner = Shop::open(stack, slug).await;
    let products = owner.bulk_all("products", &[product_line("lamp", "Lamp"), product_line("bulb", "Bulb")]).await;
    let prices = owner.bulk_all("prices", &[price_line("lamp", 1_000), price_line("bulb", 250)]).await;
    let stock = owner.bulk_all("stock", &[stock_line("lamp", 4), stock_line("bulb", 0)]).await;
    owner.search("lamp", &format!("{products},{prices},{stock}")).await;
    let storefront = owner.with_key(&owner.key("search", &[]).await.1);
    (owner, storefront)
}

/// A cart that was begun; gives its id.
async fn begun(buyer: &Shop) -> String {
    let cart = buyer.command(Method::POST, "/v1/carts", None, &json!({"currency": "USD"})).await;
    cart["id"].as_str().expect("an id").to_owned()
}

async fn add(buyer: &Shop, cart: &str, sku: &str, quantity: i64) -> Value {
    let item = json!({"sku": format!("SKU-{sku}"), "quantity": quantity});
    buyer.command(Method::POST, &format!("/v1/carts/{cart}/items"), None, &item).await
}

/// The cart as the read side has it after a write.
async fn seen(buyer: &Shop, cart: &str, written: &Value) -> Value {
    let Read { status, fresh, body } = buyer.read(&format!("/v1/carts/{cart}"), written["token"].as_str()).await;
    assert!(fresh && status == 200, "{status} {body}");
    body
}

async fn answer(request: RequestBuilder) -> (u16, String, Value) {
    let Read { status, body, .. } = Shop::answer(request.send().await.expect("an answer")).await;
    (status.as_u16(), body["code"].as_str().unwrap_or_default().to_owned(), body)
}

#[tokio::test]
async fn what_may_be_promised_is_priced_as_if_it_were_there() {
    let stack = TestStack::start(false).await;
    let (owner, shop) = stocked(&stack, "promising").await;
    let page = owner.read("/v1/products/by-external-id/bulb", None).await;
    let variant = page.body["variants"][0]["id"].as_str().expect("a variant").to_owned();
    let limit = json!({"location": "main", "limit": 4});
    let allowed = owner.command(Method::PUT, &format!("/v1/variants/{variant}/stock/backorders"), None, &limit).await;
    let told = owner.read(&format!("/v1/variants/{variant}/availability"), allowed["token"].as_str()).await;
    assert_eq!((&told.body["level"], &told.body["orderable"]), (&json!("none"), &json!(true)), "{told:?}");
    let guest = Guest::begin(&shop).await.at(&shop);
    let cart = begun(&guest).await;
    for (more, availability) in [(3, "in_stock"), (2, "fewer_left")] {
        let written = add(&guest, &cart, "bulb", more).await;
        let shown = seen(&guest, &cart, &written).await;
        assert_eq!(shown["lines"][0]["availability"], availability, "{shown}");
        assert_eq!(shown["quote"]["totals"]["goods"].as_u64(), shown["pieces"].as_u64().map(|pieces| pieces * 250));
    }
}

#[tokio::test]
async fn a_guest_fills_a_cart_and_sees_what_was_written() {
    let stack = TestStack::start(false).await;
    let (_, shop) = stocked(&stack, "filling").await;
    let guest = Guest::begin(&shop).await.at(&shop);
    let cart = begun(&guest).await;
    assert_eq!(begun(&guest).await, cart, "who has a cart has that one");
    let items = format!("/v1/carts/{cart}/items");
    let lamps = json!({"sku": "SKU-lamp", "quantity": 2});
    let once = || guest.request(Method::POST, &items).header("idempotency-key", "once").json(&lamps);
    let (first, again) = (answer(once()).await, answer(once()).await);
    assert_eq!((first.0, &first.2["version"]), (200, &json!(2)), "{first:?}");
    assert_eq!(first.2["token"], again.2["token"], "{again:?}");
    let written = add(&guest, &cart, "bulb", 1).await;
    let shown = seen(&guest, &cart, &written).await;
    assert_eq!((&shown["phase"], &shown["owner"], &shown["pieces"]), (&json!("open"), &json!("guest"), &json!(3)));
    let of = |sku: &str| {
        let lines = shown["lines"].as_array().into_iter().flatten();
        lines.clone().find(|line| line["sku"] == format!("SKU-{sku}")).cloned().unwrap_or_default()
    };
    let (lamp, bulb) = (of("lamp"), of("bulb"));
    assert_eq!((&lamp["title"], &lamp["quantity"], &lamp["unit_price"]), (&json!("Lamp"), &json!(2), &json!(1_000)));
    assert_eq!((&lamp["availability"], &bulb["availability"]), (&json!("in_stock"), &json!("sold_out")), "{shown}");
    assert_eq!(shown["quote"]["totals"]["goods"], 2_000, "what is sold out is not priced: {shown}");
    assert_eq!(shown["quote"]["digest"].as_str().map(str::len), Some(64));
    assert_eq!(guest.read("/v1/cart", written["token"].as_str()).await.body["id"], cart);
    // Lines are changed and taken away by their ids.
    let line = |line: &Value| format!("{items}/{}", line["line_id"].as_str().expect("an id"));
    let three = guest.command(Method::PUT, &line(&lamp), None, &json!({"quantity": 3})).await;
    assert_eq!(three["status"], "changed");
    let written = guest.command(Method::DELETE, &line(&bulb), None, &Value::Null).await;
    let shown = seen(&guest, &cart, &written).await;
    assert_eq!((&shown["pieces"], &shown["quote"]["totals"]["goods"]), (&json!(3), &json!(3_000)), "{shown}");
    let stale = guest.request(Method::DELETE, &line(&lamp)).header("if-match", "\"2\"");
    assert_eq!(answer(stale).await.1, "version_conflict");
    // Thrown away, it is no longer the one that the guest has.
    let written = guest.command(Method::DELETE, &format!("/v1/carts/{cart}"), None, &Value::Null).await;
    assert_eq!(seen(&guest, &cart, &written).await["ended"]["kind"], "abandoned");
    assert_eq!(guest.read("/v1/cart", written["token"].as_str()).await.status, 404);
    assert_ne!(begun(&guest).await, cart);
}

#[tokio::test]
async fn a_code_that_is_none_is_kept_and_told_and_a_destination_is_a_place() {
    let stack = TestStack::start(false).await;
    let (_, shop) = stocked(&stack, "trying").await;
    let guest = Guest::begin(&shop).await.at(&shop);
    let cart = begun(&guest).await;
    add(&guest, &cart, "lamp", 1).await;
    let path = format!("/v1/carts/{cart}");
    guest.command(Method::PUT, &format!("{path}/coupons/summer-10"), None, &Value::Null).await;
    let again = guest.command(Method::PUT, &format!("{path}/coupons/SUMMER-10"), None, &Value::Null).await;
    assert_eq!(again["status"], "unchanged");
    let to = json!({"place": {"country": "GB", "postal_code": "sw1a 1aa"}, "shipping_method": "parcel"});
    let written = guest.command(Method::PUT, &format!("{path}/destination"), None, &to).await;
    let shown = seen(&guest, &cart, &written).await;
    let coupon = &shown["coupons"][0];
    assert_eq!((&coupon["code"], &coupon["counts"]), (&json!("SUMMER-10"), &json!(false)), "{shown}");
    assert!(coupon["words"].is_string(), "{shown}");
    assert_eq!(shown["place"], json!({"country": "GB", "postal_code": "SW1A1AA"}));
    for (request, status, pointer) in [
        (guest.request(Method::PUT, &format!("{path}/coupons/a%20b")), 422, "code"),
        (
            guest.request(Method::PUT, &format!("{path}/destination")).json(&json!({"place": {"country": "ZZ"}})),
            422,
            "/place/country",
        ),
        (
            guest.request(Method::POST, &format!("{path}/items")).json(&json!({"sku": "SKU-lamp", "quantity": 1_000})),
            422,
            "/quantity",
        ),
        (
            guest.request(Method::POST, &format!("{path}/items")).json(&json!({"sku": "SKU-lamp", "quantity": 999})),
            422,
            "/quantity",
        ),
        (
            guest.request(Method::POST, "/v1/carts").json(&json!({"currency": "USD", "channel": "No Name"})),
            422,
            "/channel",
        ),
    ] {
        let (met, _, body) = answer(request).await;
        assert_eq!((met, body["errors"][0]["pointer"].as_str()), (status, Some(pointer)), "{body}");
    }
    let nothing = json!({"sku": "SKU-nothing", "quantity": 1});
    assert_eq!(answer(guest.request(Method::POST, &format!("{path}/items")).json(&nothing)).await.1, "not_found");
}

#[tokio::test]
async fn anothers_cart_is_not_there() {
    let stack = TestStack::start(false).await;
    let (owner, shop) = stocked(&stack, "owned").await;
    let mine = Guest::begin(&shop).await.at(&shop);
    let cart = begun(&mine).await;
    let written = add(&mine, &cart, "lamp", 1).await;
    let line = seen(&mine, &cart, &written).await["lines"][0]["line_id"].as_str().expect("an id").to_owned();
    let (neighbours, ours) = (Shop::open(&stack, "next-door").await, owner.clone());
    let strangers = [
        Guest::begin(&shop).await.at(&shop),
        Shopper::sign_up(&stack, &shop, "ana@example.com").await.at(&shop),
        Guest::begin(&neighbours).await.at(&neighbours),
    ];
    let path = format!("/v1/carts/{cart}");
    for stranger in &strangers {
        for (method, below, body) in [
            (Method::POST, "/items", json!({"sku": "SKU-lamp", "quantity": 1})),
            (Method::PUT, &*format!("/items/{line}"), json!({"quantity": 2})),
            (Method::DELETE, &*format!("/items/{line}"), Value::Null),
            (Method::PUT, "/coupons/A", Value::Null),
            (Method::DELETE, "/coupons/A", Value::Null),
            (Method::PUT, "/destination", json!({"place": null})),
            (Method::DELETE, "", Value::Null),
        ] {
            for version in ["*", "\"7\""] {
                let request = stranger.request(method.clone(), &format!("{path}{below}")).header("if-match", version);
                let (status, code, body) = answer(request.json(&body)).await;
                assert_eq!((status, code.as_str()), (404, "not_found"), "{method} {below} {version}: {body}");
            }
        }
        let read = stranger.read(&path, written["token"].as_str()).await;
        assert_eq!((read.status.as_u16(), &read.body["code"]), (404, &json!("not_found")), "{read:?}");
        assert_eq!(stranger.read("/v1/cart", None).await.status, 404);
    }
    // Nor is it there for administrators and keys: it is a shopper's.
    let staff = ours.with_key(&ours.key("owner", &[]).await.1);
    for who in [&ours, &staff, &shop] {
        assert_eq!(who.read(&path, None).await.status, 403);
        assert_eq!(answer(who.request(Method::DELETE, &path)).await.1, "forbidden");
    }
    assert_eq!(seen(&mine, &cart, &written).await["pieces"], 1);
}

#[tokio::test]
async fn a_customer_takes_a_guests_cart_over_once() {
    let stack = TestStack::start(false).await;
    let (_, shop) = stocked(&stack, "merging").await;
    let guest = Guest::begin(&shop).await;
    let as_guest = guest.at(&shop);
    let guests = begun(&as_guest).await;
    add(&as_guest, &guests, "lamp", 2).await;
    let ana = Shopper::sign_up(&stack, &shop, "ana@example.com").await;
    let as_ana = ana.at(&shop);
    let cart = begun(&as_ana).await;
    add(&as_ana, &cart, "lamp", 3).await;
    let path = format!("/v1/carts/{cart}/merge");
    let take = json!({"guest_token": guest.token});
    assert_eq!(answer(as_guest.request(Method::POST, &path).json(&take)).await.1, "forbidden");
    for wrong in ["nothing", &*ana.access] {
        let (status, _, body) = answer(as_ana.request(Method::POST, &path).json(&json!({"guest_token": wrong}))).await;
        assert_eq!((status, &body["errors"][0]["pointer"]), (422, &json!("/guest_token")), "{body}");
    }
    let merge = |key: &'static str| as_ana.request(Method::POST, &path).header("idempotency-key", key).json(&take);
    let (status, _, merged) = answer(merge("first")).await;
    assert_eq!((status, &merged["status"], &merged["notices"]), (200, &json!("changed"), &json!([])), "{merged}");
    assert_eq!(answer(merge("first")).await.2, merged, "the same request gets the same answer");
    assert_eq!(answer(merge("second")).await.2["status"], "unchanged");
    let shown = seen(&as_ana, &cart, &merged).await;
    let lines = shown["lines"].as_array().expect("lines");
    assert_eq!((lines.len(), &lines[0]["quantity"], &shown["owner"]), (1, &json!(5), &json!("customer")), "{shown}");
    let ended = seen(&as_guest, &guests, &merged).await;
    assert_eq!(ended["ended"], json!({"kind": "merged", "into": cart}), "{ended}");
    assert_eq!((ended["lines"].as_array().map(Vec::len), &ended["quote"]), (Some(0), &Value::Null));
    assert_eq!(as_guest.read("/v1/cart", merged["token"].as_str()).await.status, 404);
    // What the guest begins from here on is another cart, and is capped with a notice.
    let next = begun(&as_guest).await;
    add(&as_guest, &next, "lamp", 998).await;
    let capped = answer(merge("third")).await.2;
    assert_eq!(capped["notices"][0]["kind"], "capped", "{capped}");
    assert_eq!((&capped["notices"][0]["asked"], &capped["notices"][0]["quantity"]), (&json!(1_003), &json!(999)));
    assert_eq!(seen(&as_ana, &cart, &capped).await["pieces"], 999);
}

#[tokio::test]
async fn a_key_of_one_shopper_is_not_anothers() {
    let stack = TestStack::start(false).await;
    let (_, shop) = stocked(&stack, "keyed").await;
    let (one, other) = (Guest::begin(&shop).await.at(&shop), Guest::begin(&shop).await.at(&shop));
    let begin = |who: &Shop| {
        who.request(Method::POST, "/v1/carts").header("idempotency-key", "1").json(&json!({"currency": "USD"}))
    };
    let (first, second) = (answer(begin(&one)).await, answer(begin(&other)).await);
    assert_eq!((first.0, second.0), (201, 201));
    assert_ne!(first.2["id"], second.2["id"]);
}

#[tokio::test]
async fn whoever_is_erased_has_no_cart() {
    let stack = TestStack::start(false).await;
    let (_, shop) = stocked(&stack, "forgetful").await;
    let ana = Shopper::sign_up(&stack, &shop, "ana@example.com").await;
    let as_ana = ana.at(&shop);
    let cart = begun(&as_ana).await;
    let item = json!({"sku": "SKU-lamp", "quantity": 1, "options": {"engraving": "zebulonia"}});
    as_ana.command(Method::POST, &format!("/v1/carts/{cart}/items"), None, &item).await;
    let to = json!({"place": {"country": "GB", "postal_code": "ZEBU10NIA"}});
    as_ana.command(Method::PUT, &format!("/v1/carts/{cart}/destination"), None, &to).await;
    as_ana.command(Method::POST, "/v1/me/erase", None, &json!({"password": PASSWORD})).await;
    for (pool, table) in [(&stack.write, "carts.carts"), (&stack.read, "carts")] {
        eventually("nothing of it is left but its end", PATIENCE, || async {
            let sql = format!("SELECT phase || state FROM {table} WHERE cart_id = $1::uuid");
            let found: Option<String> = sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
                .bind(&cart)
                .fetch_optional(pool)
                .await
                .map_err(|error| error.to_string())?;
            let found = found.unwrap_or_default();
            let is_over = found.starts_with("expired") && found.contains("owner_erased");
            if is_over && !found.to_lowercase().contains("zebu") { Ok(()) } else { Err(found) }
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_guests_of_a_shop_may_come_at_once() {
    let stack = TestStack::start(false).await;
    let shop = Shop::open(&stack, "first-guests").await;
    let drawn = (0..16).map(|_| shop.request(Method::POST, "/v1/guests").json(&json!({})).send());
    for drawn in futures::future::join_all(drawn).await {
        let drawn = drawn.expect("an answer");
        assert!(drawn.status().is_success(), "{drawn:?}");
    }
}
