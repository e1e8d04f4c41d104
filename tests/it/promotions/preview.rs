//! Drafts of promotions are tried on carts of the shop, and nothing comes of it but figures.

use super::{ALL, define, token};
use acceptance::{
    builders::{price_line, product_line, stock_line},
    buying::{Buyer, take_orders},
    eventually::eventually,
    shop::{PATIENCE, Read, Shop},
    shopper::Guest,
    stack::TestStack,
};
use reqwest::{Method, StatusCode};
use schemas::token::{TOKEN_HEADER, WAIT_HEADER};
use serde_json::{Value, json};

/// A shop with lamps of 10.00 in a category and bulbs of 2.50 in none; gives it, the category and a token of all that.
async fn stocked(stack: &TestStack, slug: &str) -> (Shop, String, String) {
    let shop = Shop::open(stack, slug).await;
    let tree = [json!({"external_id": "lamps", "name": "Lamps", "slug": "lamps"})];
    let categories = shop.bulk_all("categories", &tree).await;
    let mut lamp = product_line("lamp", "Lamp");
    lamp["categories"] = json!(["lamps"]);
    let products = shop.bulk_all("products", &[lamp, product_line("bulb", "Bulb")]).await;
    let prices = shop.bulk_all("prices", &[price_line("lamp", 1_000), price_line("bulb", 250)]).await;
    let stock = shop.bulk_all("stock", &[stock_line("lamp", 50), stock_line("bulb", 50)]).await;
    let written = format!("{categories},{products},{prices},{stock}");
    let listed = shop.read("/v1/categories", Some(&written)).await;
    let category = listed.body["categories"][0]["id"].as_str().expect("an id").to_owned();
    (shop, category, written)
}

/// A guest's cart with so many lamps and bulbs; gives its id and the token of the last write.
async fn cart(shop: &Shop, lamps: i64, bulbs: i64) -> (String, String) {
    let storefront = shop.with_key(&shop.key("search", &[]).await.1);
    let guest = Guest::begin(&storefront).await.at(&storefront);
    let begun = guest.command(Method::POST, "/v1/carts", None, &json!({"currency": "USD"})).await;
    let (id, mut written) = (begun["id"].as_str().expect("an id").to_owned(), token(&begun));
    for (sku, quantity) in [("SKU-lamp", lamps), ("SKU-bulb", bulbs)].into_iter().filter(|(_, quantity)| *quantity > 0)
    {
        let item = json!({"sku": sku, "quantity": quantity});
        written = token(&guest.command(Method::POST, &format!("/v1/carts/{id}/items"), None, &item).await);
    }
    (id, written)
}

/// What a shop is answered that tries a draft, once its reads have what was written.
async fn tried(stack: &TestStack, shop: &Shop, written: Option<&str>, body: &Value) -> Read {
    let reads = shop.write_to(&stack.query_url());
    let mut request = reads.request(Method::POST, &format!("{ALL}/preview")).json(body);
    if let Some(written) = written {
        request = request.header(TOKEN_HEADER, written).header(WAIT_HEADER, "30000");
    }
    Shop::answer(request.send().await.expect("an answer")).await
}

fn percent(rate_ppm: u32, more: &Value) -> Value {
    let mut content = json!({"title": "Spring", "effect": {"kind": "percentage", "rate_ppm": rate_ppm}});
    for (name, value) in more.as_object().expect("an object") {
        content[name] = value.clone();
    }
    content
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_is_tried_on_past_carts() {
    let stack = TestStack::start(false).await;
    let (ours, lamps, written) = stocked(&stack, "trying-ours").await;
    let (theirs, _, others) = stocked(&stack, "trying-theirs").await;
    let (lit, first) = cart(&ours, 2, 1).await;
    let (_, second) = cart(&ours, 0, 3).await;
    let (_, other) = cart(&theirs, 5, 0).await;
    let (written, others) = (format!("{written},{first},{second}"), format!("{others},{other}"));

    // A tenth off lamps: of two carts one has any.
    let draft = percent(100_000, &json!({"target": {"categories": [lamps]}}));
    let read = tried(&stack, &ours, Some(&written), &json!({"name": "spring", "promotion": draft})).await;
    assert!(read.fresh && read.status == StatusCode::OK, "{read:?}");
    let told = read.body;
    assert_eq!((&told["carts"], &told["applied"], &told["is_cut"]), (&json!(2), &json!(1), &json!(false)), "{told}");
    assert_eq!((&told["assumes_code"], &told["replaces"]), (&json!(false), &Value::Null));
    let sums = json!([{
        "currency": "USD", "carts": 2, "applied": 1, "goods": 3_000, "discount_of_draft": 200, "discounts_before": 0,
        "discounts_after": 200, "total_before": 3_000, "total_after": 2_800, "displaced": [],
    }]);
    assert_eq!(told["sums"], sums, "{told}");
    let [refused] = told["refused"].as_array().expect("reasons").as_slice() else { unreachable!("{told}") };
    assert_eq!((&refused["reason"], &refused["carts"]), (&json!("promotion_takes_nothing_off"), &json!(1)));
    let [example] = told["examples"].as_array().expect("examples").as_slice() else { unreachable!("{told}") };
    assert_eq!((&example["cart_id"], &example["status"]), (&json!(lit), &json!("open")), "{example}");
    let totals = ["before", "after"].map(|side| example[side]["totals"]["total"].as_i64());
    assert_eq!(totals, [Some(2_250), Some(2_050)], "{example}");
    let lines = example["lines"].as_array().expect("lines");
    let lamp = lines.iter().find(|line| line["sku"] == "SKU-lamp").expect("the lamps");
    assert_eq!((&lamp["discount"], &lamp["words"]), (&json!(200), &json!(["Spring: 2.00 USD off 20.00 USD"])));

    // The other shop has its own cart, and ours knows nothing of it.
    let read =
        tried(&stack, &theirs, Some(&others), &json!({"name": "spring", "promotion": percent(100_000, &json!({}))}))
            .await;
    assert_eq!((&read.body["carts"], &read.body["sums"][0]["goods"]), (&json!(1), &json!(5_000)), "{read:?}");
    // Nothing was put.
    assert_eq!(ours.read(&format!("{ALL}/spring"), None).await.status, StatusCode::NOT_FOUND);
    assert_eq!(ours.read("/v1/active-promotions", None).await.body["promotions"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_displaces_others_and_takes_the_place_of_its_name() {
    let stack = TestStack::start(false).await;
    let (shop, _, written) = stocked(&stack, "displacing").await;
    let group = |code: bool| json!({"needs_code": code, "stacking": {"group": "one-of"}});
    let sale = define(&shop, "sale", None, &percent(200_000, &group(false))).await;
    let (_, first) = cart(&shop, 2, 1).await;
    let (_, second) = cart(&shop, 0, 3).await;
    let written = format!("{written},{sale},{first},{second}");
    let figures = |body: &Value| {
        let names = ["discount_of_draft", "discounts_before", "discounts_after", "total_before", "total_after"];
        names.map(|name| body["sums"][0][name].as_i64().unwrap_or_default())
    };
    // The best of a group counts: all carts are taken to have the code.
    let better = json!({"name": "better", "promotion": percent(300_000, &group(true))});
    let told = tried(&stack, &shop, Some(&written), &better).await.body;
    assert_eq!((&told["assumes_code"], figures(&told)), (&json!(true), [900, 600, 900, 2_400, 2_100]), "{told}");
    assert_eq!(told["sums"][0]["displaced"], json!([{"promotion": "sale", "carts": 2, "amount": 600}]), "{told}");
    let worse = json!({"name": "worse", "promotion": percent(100_000, &group(false))});
    let told = tried(&stack, &shop, Some(&written), &worse).await.body;
    assert_eq!((&told["applied"], figures(&told)), (&json!(0), [0, 600, 600, 2_400, 2_400]), "{told}");
    assert_eq!(told["refused"][0]["reason"], "promotion_outdone", "{told}");
    // One that counts alone does so even where others would take off more.
    let alone = json!({"name": "alone", "promotion": percent(100_000, &json!({"stacking": {"is_exclusive": true}}))});
    let told = tried(&stack, &shop, Some(&written), &alone).await.body;
    assert_eq!(figures(&told), [300, 600, 300, 2_400, 2_700], "{told}");
    // By the name of one that is there, the draft takes its place.
    let instead = json!({"name": "sale", "promotion": percent(500_000, &json!({}))});
    let told = tried(&stack, &shop, Some(&written), &instead).await.body;
    assert_eq!((&told["replaces"], figures(&told)), (&json!(1), [1_500, 600, 1_500, 2_400, 1_500]), "{told}");
    // Fewer carts than there are, and the answer says so.
    let one = json!({"name": "one", "promotion": percent(100_000, &json!({})), "carts": {"limit": 1}});
    let told = tried(&stack, &shop, Some(&written), &one).await.body;
    assert_eq!((&told["carts"], &told["is_cut"], &told["sums"][0]["goods"]), (&json!(1), &json!(true), &json!(750)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_is_tried_on_what_was_ordered() {
    let stack = TestStack::start(false).await;
    let (shop, lamps, written) = stocked(&stack, "trying-orders").await;
    take_orders(&shop).await;
    shop.search("lamp", &written).await;
    let buyer = Buyer::guest(&shop.with_key(&shop.key("search", &[]).await.1)).await;
    let cart = buyer.cart("SKU-lamp", 2).await;
    let ordered = buyer.checkout("one", &cart, "cash_on_delivery", 2_500).await;
    assert!(ordered.status.is_success(), "{ordered:?}");
    let draft = percent(100_000, &json!({"target": {"categories": [lamps]}}));
    let asked = json!({"name": "spring", "promotion": draft, "carts": {"status": ["checked_out"]}});
    eventually("what was ordered is tried", PATIENCE, || async {
        let told = shop.ask(&format!("{ALL}/preview"), &asked).await;
        let sums = &told["sums"][0];
        let figures = ["goods", "discount_of_draft", "total_before", "total_after"].map(|name| sums[name].as_i64());
        let expected = [2_000, 200, 2_500, 2_300].map(Some);
        if figures == expected && told["examples"][0]["cart_id"] == cart { Ok(()) } else { Err(told.to_string()) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_that_is_wrong_is_named_by_its_pointer_and_only_staff_may_try() {
    let stack = TestStack::start(false).await;
    let shop = Shop::open(&stack, "wrong-drafts").await;
    let right = json!({"name": "spring", "promotion": percent(100_000, &json!({}))});
    let with = |pointer: &str, value: Value| {
        let mut body = right.clone();
        body["carts"] = json!({});
        let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
        body.pointer_mut(parent).expect("an object")[name] = value;
        body
    };
    for (pointer, value, status) in [
        ("/promotion/effect/rate_ppm", json!(2_000_000), 422),
        ("/promotion/until", json!("2020-01-01T00:00:00Z"), 422),
        ("/name", json!("Spring Sale"), 422),
        ("/carts/limit", json!(1_001), 422),
        ("/carts/from", json!("soon"), 400),
        ("/promotion/title", json!(7), 400),
    ] {
        let read = tried(&stack, &shop, None, &with(pointer, value)).await;
        let code = if status == 422 { "validation_failed" } else { "invalid_request" };
        assert_eq!((read.status.as_u16(), &read.body["code"]), (status, &json!(code)), "{read:?}");
        assert_eq!(read.body["errors"][0]["pointer"], pointer, "{read:?}");
    }
    let staff = shop.with_key(&shop.key("staff", &["promotions.write"]).await.1);
    assert_eq!(tried(&stack, &staff, None, &right).await.status, StatusCode::OK);
    for (kind, permissions) in [("search", [].as_slice()), ("staff", ["catalog.write"].as_slice())] {
        let other = shop.with_key(&shop.key(kind, permissions).await.1);
        assert_eq!(tried(&stack, &other, None, &right).await.status, StatusCode::FORBIDDEN, "{kind}");
    }
    // A promotion may be called like the path.
    let made = define(&shop, "preview", None, &percent(100_000, &json!({}))).await;
    assert_eq!(shop.read(&format!("{ALL}/preview"), Some(&made)).await.body["name"], "preview");
}
