//! Listings, pages, carts and checkouts say the same of what can be had, and where they do not, it is noticed.

use acceptance::{
    builders::{product_line, stock_line},
    shop::Shop,
    stack::TestStack,
};
use launcher::passwords::Role;
use reindex::{
    CommandContext,
    availability::{Comparison, Metrics, Round, Surface},
    reconcile,
};
use reqwest::Method;
use serde_json::json;
use std::collections::BTreeMap;

fn comparison(stack: &TestStack) -> Comparison {
    let settings = &stack.stack.settings;
    let mut context =
        CommandContext::at(&settings.read_url_as(Role::Reindex), &stack.stack.index_dir(), "tests").expect("a context");
    context.admin_key = stack.stack.admin_key().ok();
    context.query_url = Some(stack.query_url());
    let write = reconcile::write_pool(&settings.write_url_as(Role::Reindex)).expect("a pool");
    Comparison::new(context, Some(write), 20).expect("a comparison")
}

/// A shop with these products, and as many pieces of each; what shoppers see has all of it.
async fn stocked(stack: &TestStack, slug: &str, products: &[(&str, i64)]) -> Shop {
    let shop = Shop::open(stack, slug).await;
    let lines: Vec<_> = products.iter().map(|(name, _)| product_line(name, "Honest lamp")).collect();
    let written = shop.bulk_all("products", &lines).await;
    let levels: Vec<_> = products.iter().map(|(name, pieces)| stock_line(name, *pieces)).collect();
    let counted = shop.bulk_all("stock", &levels).await;
    shop.search("lamp", &format!("{written},{counted}")).await;
    shop
}

async fn changed(stack: &TestStack, statement: &'static str) {
    let done = sqlx::query(statement).execute(&stack.read).await.expect("changed");
    assert_eq!(done.rows_affected(), 1, "{statement}");
}

fn counts(round: &Round) -> BTreeMap<Surface, i64> {
    round.contradictions.iter().map(|(surface, found)| (*surface, found.count)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sold_out_and_comes_back_is_told_alike_everywhere() {
    let stack = TestStack::start(false).await;
    let shop = stocked(&stack, "honest", &[("one", 3), ("promised", 0)]).await;
    // One that nobody sells, and one that may be promised before it is there.
    let mut draft = product_line("draft", "Draft lamp");
    draft["publish"] = json!(false);
    let drafted = shop.bulk_all("products", &[draft]).await;
    let counted = shop.bulk_all("stock", &[stock_line("draft", 7)]).await;
    let page = shop.read("/v1/products/by-external-id/promised", Some(&format!("{drafted},{counted}"))).await;
    let variant = page.body["variants"][0]["id"].as_str().expect("a variant").to_owned();
    let limit = json!({"location": "main", "limit": 4});
    let allowed = shop.command(Method::PUT, &format!("/v1/variants/{variant}/stock/backorders"), None, &limit).await;
    let told = shop.read(&format!("/v1/variants/{variant}/availability"), allowed["token"].as_str()).await;
    assert_eq!((&told.body["level"], &told.body["orderable"]), (&json!("none"), &json!(true)), "{told:?}");
    let page = shop.read("/v1/products/by-external-id/draft", None).await;
    let draft = page.body["variants"][0]["id"].as_str().expect("a variant");
    let told = shop.read(&format!("/v1/variants/{draft}/availability"), None).await;
    assert_eq!((&told.body["level"], &told.body["orderable"]), (&json!("in_stock"), &json!(false)), "{told:?}");

    let mut comparison = comparison(&stack);
    for pieces in [0, 9, 0, 2] {
        let token = shop.bulk_all("stock", &[stock_line("one", pieces)]).await;
        shop.search("lamp", &token).await;
        let round = comparison.round().await.expect("a round");
        assert_eq!(round, Round { compared: 3, ..Round::default() }, "with {pieces} pieces");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_changed_behind_the_back_of_a_view_contradicts_by_name() {
    let stack = TestStack::start(false).await;
    let shop = stocked(&stack, "planted", &[("one", 9), ("two", 9), ("three", 9)]).await;
    changed(
        &stack,
        "UPDATE stock_levels SET on_hand = 0
         WHERE variant_id = (SELECT variant_id FROM stock_skus WHERE sku = 'SKU-one')",
    )
    .await;
    changed(
        &stack,
        "UPDATE product_pages SET page = replace(page, '\"level\":\"in_stock\"', '\"level\":\"none\"')
         WHERE external_id = 'two' AND page LIKE '%\"level\":\"in_stock\"%'",
    )
    .await;
    let registry = service::Metrics::default();
    let (metrics, mut comparison) = (Metrics::new(&registry), comparison(&stack));
    let round = comparison.round().await.expect("a round");
    metrics.observe(&round);
    // A cart goes by the page.
    assert_eq!(counts(&round), [(Surface::Stock, 1), (Surface::Page, 1), (Surface::Cart, 1)].into(), "{round:?}");
    for (surface, named, said) in [
        (Surface::Stock, "planted SKU-one: ", "stock: sold out"),
        (Surface::Page, "planted SKU-two: ", "page: for sale, sold out"),
        (Surface::Cart, "planted SKU-two: ", "cart: can't be ordered"),
    ] {
        let first = round.contradictions[&surface].first.as_deref().unwrap_or_default();
        assert!(first.starts_with(named) && first.contains(said), "{first}");
    }
    let line = "souk_availability_contradictions{surface=\"stock\"} 1";
    assert!(registry.text().contains(line), "{}", registry.text());

    // The next events tell what is there.
    let token = shop.bulk_all("stock", &[stock_line("one", 8), stock_line("two", 8)]).await;
    shop.search("lamp", &token).await;
    let round = comparison.round().await.expect("a round");
    metrics.observe(&round);
    assert_eq!(counts(&round), BTreeMap::new(), "{round:?}");
    let line = "souk_availability_contradictions{surface=\"stock\"} 0";
    assert!(registry.text().contains(line), "{}", registry.text());
}
