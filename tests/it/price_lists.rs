//! Prices of groups, channels and many pieces, and products that come and go by a schedule: what shoppers see of them, and
//! what a quote is made of.

use acceptance::{
    builders::product_line,
    eventually::eventually,
    shop::{PATIENCE, Shop},
    stack::TestStack,
};
use reqwest::Method;
use schemas::{
    TimeDelta, Utc, Uuid,
    events::pricing::{Asked, chosen_price},
    ids::{ProductId, TenantId, VariantId},
    money::Currency,
};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Entries for everybody, for a group, for a channel, and for many pieces.
fn entries() -> Value {
    json!([
        {"currency": "USD", "list_amount": 1_000},
        {"currency": "USD", "list_amount": 700, "group": "trade"},
        {"currency": "USD", "list_amount": 800, "channel": "app"},
        {"currency": "USD", "list_amount": 1_000, "sale_amount": 900, "min_quantity": 10},
        {"currency": "USD", "list_amount": 950, "min_quantity": 20},
        {"currency": "USD", "list_amount": 850, "min_quantity": 50},
    ])
}

/// A product in a category below another, with these prices; gives its page and the token of all that.
async fn priced(shop: &Shop) -> (Value, String) {
    let tree = [
        json!({"external_id": "home", "name": "Home", "slug": "home"}),
        json!({"external_id": "lamps", "name": "Lamps", "slug": "lamps", "parent": "home"}),
    ];
    let categories = shop.bulk_all("categories", &tree).await;
    let mut line = product_line("lamp", "Lamp of many prices");
    line["categories"] = json!(["lamps"]);
    (line["tax_class"], line["weight_grams"], line["height_mm"]) = (json!("reduced"), json!(1_200), json!(400));
    let products = shop.bulk_all("products", &[line]).await;
    let prices = shop.bulk_all("prices", &[json!({"sku": "SKU-lamp", "entries": entries()})]).await;
    let token = format!("{categories},{products},{prices}");
    let page = shop.read("/v1/products/by-external-id/lamp", Some(&token)).await;
    assert!(page.fresh, "{page:?}");
    (page.body, token)
}

fn id(value: &Value) -> Uuid {
    value.as_str().expect("an id").parse().expect("a UUID")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_pay_changes_nothing_of_what_search_shows() {
    let stack = TestStack::start(false).await;
    let shop = Shop::open(&stack, "price-lists").await;
    let (page, token) = priced(&shop).await;
    let hit = shop.search("lamp", &token).await.body["hits"][0].clone();
    assert_eq!(hit["prices"]["USD"], json!({"min": 1_000, "max": 1_000, "list": 1_000}), "{hit}");
    let none = shop.read("/v1/search?q=lamp&filter=price%3C1000", Some(&token)).await;
    assert_eq!(none.body["total"], 0, "{none:?}");

    let variant = &page["variants"][0];
    assert_eq!(variant["prices"]["USD"]["amount"], 1_000, "{variant}");
    let tiers = json!([
        {"min_quantity": 10, "amount": 900, "list_amount": 1_000},
        {"min_quantity": 50, "amount": 850, "list_amount": 850},
    ]);
    assert_eq!(variant["tiers"]["USD"], tiers, "what costs more than fewer pieces is no tier: {variant}");
    assert_eq!(variant["price_sheet"].as_array().map(Vec::len), Some(4), "{variant}");
    assert!(!page.to_string().contains("trade") && !page.to_string().contains("\"app\""), "{page}");
    assert_eq!((&page["tax_class"], &page["height_mm"]), (&json!("reduced"), &json!(400)), "{page}");
    assert_eq!(variant["weight_grams"], 1_200, "{variant}");

    let path = format!("/v1/products/{}/prices", page["id"].as_str().expect("an id"));
    let sheets = shop.read(&path, Some(&token)).await;
    let sheet = &sheets.body["sheets"][0];
    assert_eq!((&sheet["version"], sheet["entries"].as_array().map(Vec::len)), (&json!(1), Some(6)), "{sheets:?}");
    let visitor = shop.with_key(&shop.key("search", &[]).await.1);
    assert_eq!(visitor.read(&path, None).await.status, 403);
    let staff = shop.with_key(&shop.key("staff", &["pricing.write"]).await.1);
    assert_eq!(staff.read(&path, None).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quote_is_made_of_the_whole_sheet_and_the_whole_way_through_the_tree() {
    let stack = TestStack::start(false).await;
    let shop = Shop::open(&stack, "goods").await;
    let (page, _token) = priced(&shop).await;
    let tenant: Uuid = sqlx::query_scalar("SELECT id FROM tenants WHERE slug = 'goods'")
        .fetch_one(&stack.read)
        .await
        .expect("the shop");
    let (product, variant) = (ProductId(id(&page["id"])), VariantId(id(&page["variants"][0]["id"])));
    let stranger = VariantId(Uuid::now_v7());
    for products in [vec![], vec![product]] {
        let offers = query_api::goods::offers(&stack.read, TenantId(tenant), &[variant, stranger], &products)
            .await
            .expect("read");
        assert_eq!(offers.len(), 1, "{offers:?}");
        let offer = &offers[&variant];
        assert_eq!((offer.good.product_id, offer.good.category_ids.len()), (product, 2), "{offer:?}");
        assert_eq!((offer.good.is_published, offer.good.weight_grams), (true, Some(1_200)), "{offer:?}");
        assert_eq!((offer.good.tax_class.as_deref(), offer.prices_version), (Some("reduced"), 1), "{offer:?}");
        let amount = |groups: &[&str], channel, quantity| {
            let groups: BTreeSet<String> = groups.iter().map(|group| (*group).to_owned()).collect();
            let asked = Asked { currency: Currency::USD, channel, groups: &groups, quantity, now: Utc::now() };
            chosen_price(&offer.prices, &asked).map(|entry| entry.amount())
        };
        assert_eq!(amount(&[], None, 1), Some(1_000));
        assert_eq!(amount(&[], None, 20), Some(900));
        assert_eq!(amount(&[], Some("app"), 20), Some(800));
        assert_eq!(amount(&["trade"], Some("app"), 1), Some(700));
    }
    let other = query_api::goods::offers(&stack.read, TenantId(Uuid::now_v7()), &[variant], &[product]).await;
    assert!(other.expect("read").is_empty(), "another shop has none of it");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_entries_that_begin_at_once_are_refused_and_a_sale_within_a_price_is_not() {
    let stack = TestStack::start(false).await;
    let shop = Shop::open(&stack, "overlaps").await;
    let (page, _token) = priced(&shop).await;
    let path = format!("/v1/variants/{}/prices", page["variants"][0]["id"].as_str().expect("an id"));
    let set = async |entries: Value| {
        let request = shop.request(Method::PUT, &path).header("if-match", "*").json(&json!({"entries": entries}));
        Shop::answer(request.send().await.expect("an answer")).await
    };
    let tier = |amount: i64| json!({"currency": "USD", "list_amount": amount, "group": "trade", "min_quantity": 10});
    let refused = set(json!([tier(5), {"currency": "USD", "list_amount": 7}, tier(6)])).await;
    assert_eq!(refused.status, 422, "{refused:?}");
    assert_eq!(refused.body["errors"][0]["pointer"], "/entries/2/valid_from", "{refused:?}");
    let sale = json!({"currency": "USD", "list_amount": 7, "sale_amount": 5, "valid_from": "2020-01-01T00:00:00Z",
                      "valid_until": "2999-01-01T00:00:00Z"});
    let taken = set(json!([{"currency": "USD", "list_amount": 7}, sale])).await;
    assert!(taken.status.is_success(), "{taken:?}");
    let token = taken.body["token"].as_str().expect("a token");
    let hit = shop.search("lamp", token).await.body["hits"][0].clone();
    assert_eq!(hit["prices"]["USD"]["min"], 5, "{hit}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_product_comes_into_sight_and_goes_out_of_it_by_its_schedule() {
    let stack = TestStack::start(false).await;
    let shop = Shop::open(&stack, "schedules").await;
    let mut line = product_line("lamp", "Lamp of tomorrow");
    line["publish"] = json!(false);
    let token = shop.bulk_all("products", &[line]).await;
    assert!(shop.search("lamp", &token).await.titles().is_empty());
    let page = shop.read("/v1/products/by-external-id/lamp", Some(&token)).await.body;
    let path = format!("/v1/products/{}/schedule", page["id"].as_str().expect("an id"));
    let found = async |expected: usize| {
        eventually("the schedule is kept", PATIENCE, || async {
            let titles = shop.read("/v1/search?q=lamp", None).await.titles();
            if titles.len() == expected { Ok(()) } else { Err(format!("{titles:?}")) }
        })
        .await;
    };
    let later = (Utc::now() + TimeDelta::days(1)).to_rfc3339();
    let span = json!({"publish_at": Utc::now().to_rfc3339(), "archive_at": later});
    shop.command(Method::PUT, &path, Some(1), &span).await;
    found(1).await;
    // That it was published and what is left are told one after the other.
    let shown = eventually("what is left of the schedule", PATIENCE, || async {
        let shown = shop.read(&path, None).await.body;
        if shown["schedule"]["publish_at"].is_null() { Ok(shown) } else { Err(shown.to_string()) }
    })
    .await;
    assert_eq!(shown["status"], "published", "{shown}");
    assert!(shown["schedule"]["archive_at"].is_string(), "{shown}");
    let version = shown["version"].as_u64();
    let over = json!({"archive_at": Utc::now().to_rfc3339()});
    shop.command(Method::PUT, &path, version, &over).await;
    found(0).await;
    let visitor = shop.with_key(&shop.key("search", &[]).await.1);
    assert_eq!(visitor.read(&path, None).await.status, 403, "what is to come is staff's to know");
}
