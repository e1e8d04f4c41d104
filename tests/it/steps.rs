//! What concerns very many products is done in steps, and shops take turns: a category above thousands of products
//! changes, a hundred thousand prices are due at once.

use acceptance::{
    builders::{price_line, product_line},
    eventually::eventually,
    quiet::until_quiet,
    shop::{PATIENCE, Shop},
    stack::{TestStack, database},
};
use projector::{
    projections::{
        category_walks::{self, STEP},
        touched::Origin,
    },
    registry::FEEDS,
};
use reqwest::Method;
use schemas::{
    Utc, Uuid,
    ids::{CategoryId, TenantId},
};
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};
use std::collections::{BTreeSet, HashMap};
use test_databases::Side;

const SHOPS: [TenantId; 2] = [TenantId(Uuid::from_u128(1)), TenantId(Uuid::from_u128(2))];
const CATEGORY: CategoryId = CategoryId(Uuid::from_u128(9));

async fn pages(connection: &mut PgConnection, shop: TenantId, count: i32) {
    sqlx::query(
        "INSERT INTO product_pages (tenant_id, product_id, slug, status, doc_version, category_ids, page, updated_at)
         SELECT $1, gen_random_uuid(), n::text, 'published', 1, ARRAY[$2], '{}', now() FROM generate_series(1, $3) AS n",
    )
    .bind(shop.uuid())
    .bind(CATEGORY.uuid())
    .bind(count)
    .execute(connection)
    .await
    .expect("inserted");
}

fn origin(name: &str) -> Origin {
    Origin { event_time: Utc::now(), correlation_id: name.to_owned(), traceparent: None }
}

#[tokio::test]
async fn a_walk_comes_to_each_product_after_the_last_change_and_shops_take_turns() {
    let database = database(Side::Read).await;
    let mut connection = PgConnection::connect(&database.url()).await.expect("connected");
    let categories = BTreeSet::from([CATEGORY]);
    let counts = [2 * STEP + 100, STEP + 100];
    for (shop, count) in SHOPS.into_iter().zip(counts) {
        pages(&mut connection, shop, i32::try_from(count).expect("a count")).await;
        let few = category_walks::few_below(&mut connection, shop, &categories).await.expect("looked");
        assert!(few.is_none(), "more than one step");
        category_walks::begin(&mut connection, shop, &categories, &origin("first")).await.expect("begun");
    }
    let (mut steps, mut seen) = (Vec::new(), HashMap::new());
    while let Some(walker) = category_walks::longest_standing(&mut connection).await.expect("looked") {
        let stretch = category_walks::step(&mut connection, walker, Utc::now()).await.expect("a step").expect("a walk");
        assert!(stretch.products.len() <= STEP);
        steps.push((stretch.tenant, stretch.products.len()));
        for product in stretch.products {
            seen.insert((stretch.tenant, product), stretch.origin.correlation_id.clone());
        }
        if steps.len() == 3 {
            // The first shop is in the middle of its walk.
            category_walks::begin(&mut connection, SHOPS[0], &categories, &origin("second")).await.expect("begun");
        }
        assert!(steps.len() < 20, "a walk ends: {steps:?}");
    }
    let turns: Vec<TenantId> = steps.iter().take(4).map(|(shop, _)| *shop).collect();
    assert_ne!((turns[0], turns[2]), (turns[1], turns[3]), "in turn: {steps:?}");
    let of = |shop: TenantId, name: &str| seen.iter().filter(|((of, _), by)| *of == shop && *by == name).count();
    assert_eq!(of(SHOPS[0], "second"), counts[0], "all of them after the second change");
    assert_eq!(of(SHOPS[1], "first"), counts[1]);
    let composed: usize = steps.iter().filter(|(shop, _)| *shop == SHOPS[0]).map(|(_, count)| count).sum();
    assert!(composed <= counts[0] + 2 * STEP, "and once round only: {steps:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_with_the_token_of_a_category_sees_every_product_below_it() {
    const PRODUCTS: usize = 2 * STEP + 100;
    let stack = TestStack::start(false).await;
    let shop = Shop::open(&stack, "trees").await;
    let (made, _) = shop
        .bulk(
            "categories",
            &[
                json!({"external_id": "root", "name": "Lamps", "slug": "root"}),
                json!({"external_id": "leaf", "name": "Desk", "slug": "leaf", "parent": "root"}),
            ],
        )
        .await
        .expect("made");
    let lines: Vec<Value> = (0..PRODUCTS)
        .map(|n| {
            let mut line = product_line(&format!("p-{n}"), &format!("Lamp number {n}"));
            line["categories"] = json!(["leaf"]);
            line
        })
        .collect();
    let token = shop.bulk_all("products", &lines).await;
    assert_eq!(shop.search("lamp", &token).await.body["total"], PRODUCTS);
    let root = made[0]["id"].as_str().expect("an id");
    let mut token = String::new();
    for (version, name) in (1..).zip(["Lighting", "Lights", "Luminaires"]) {
        let renamed = json!({"external_id": "root", "name": name, "slug": "root"});
        let done = shop.command(Method::PUT, &format!("/v1/categories/{root}"), Some(version), &renamed).await;
        done["token"].as_str().expect("a token").clone_into(&mut token);
    }
    let read = shop.read("/v1/categories", Some(&token)).await;
    assert!(read.fresh, "{read:?}");
    let named = "SELECT count(*) FROM product_pages WHERE page LIKE '%Luminaires%'";
    let pages: i64 = sqlx::query_scalar(named).fetch_one(&stack.read).await.expect("counted");
    assert_eq!(usize::try_from(pages), Ok(PRODUCTS), "pages at the moment at which a read is fresh");
    let documents: i64 = sqlx::query_scalar("SELECT count(*) FROM documents WHERE body LIKE '%Luminaires%'")
        .fetch_one(&stack.read)
        .await
        .expect("counted");
    assert_eq!(usize::try_from(documents), Ok(PRODUCTS));
    let found = shop.read("/v1/search?q=lamp&limit=1", Some(&token)).await;
    assert_eq!((found.fresh, &found.body["total"]), (true, &json!(PRODUCTS)), "{found:?}");
    let other = Shop::open(&stack, "other").await;
    let token = other.bulk_all("products", &[product_line("kettle", "Kettle")]).await;
    assert_eq!(other.search("kettle", &token).await.titles(), ["Kettle"]);
    until_quiet(&stack).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn prices_that_are_due_are_taken_from_each_shop_in_turn() {
    let stack = TestStack::start(false).await;
    let (large, small) = (Shop::open(&stack, "large").await, Shop::open(&stack, "small").await);
    for (shop, products) in [(&large, 2 * STEP), (&small, 1)] {
        let id = |n: usize| format!("d-{n}");
        let lines: Vec<Value> = (0..products).map(|n| product_line(&id(n), "Dated lamp")).collect();
        shop.bulk_all("products", &lines).await;
        let prices: Vec<Value> = (0..products).map(|n| price_line(&id(n), 100)).collect();
        let token = shop.bulk_all("prices", &prices).await;
        shop.search("dated", &token).await;
    }
    until_quiet(&stack).await;
    // Who holds the checkpoint decides when scheduled work begins. The small shop's price is due last.
    let mut held = stack.read.begin().await.expect("begun");
    sqlx::query("SELECT FROM checkpoints WHERE projection = $1 FOR UPDATE")
        .bind(FEEDS[0].name)
        .execute(&mut *held)
        .await
        .expect("held");
    sqlx::query(
        "UPDATE product_pages AS p SET next_price_change_at = now() - CASE t.slug WHEN 'large' THEN interval '1 hour' ELSE '0' END
         FROM tenants AS t WHERE t.id = p.tenant_id",
    )
    .execute(&stack.read)
    .await
    .expect("due");
    // A trigger takes down the order in which they are composed.
    sqlx::raw_sql(
        "CREATE SEQUENCE turns; CREATE TABLE composed (tenant_id uuid, turn bigint DEFAULT nextval('turns'));
         CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
           INSERT INTO public.composed (tenant_id) VALUES (NEW.tenant_id); RETURN NEW; END $$;
         CREATE TRIGGER note AFTER UPDATE ON product_pages FOR EACH ROW WHEN (NEW.next_price_change_at IS NULL)
           EXECUTE FUNCTION note()",
    )
    .execute(&stack.read)
    .await
    .expect("a trigger");
    held.rollback().await.expect("let go");
    let turn = eventually("every price is taken", PATIENCE, || async {
        let row: (i64, Option<i64>) = sqlx::query_as(
            "SELECT count(*), min(turn) FILTER (WHERE slug = 'small') FROM composed AS c JOIN tenants AS t ON t.id = c.tenant_id",
        )
        .fetch_one(&stack.read)
        .await
        .map_err(|error| error.to_string())?;
        match row {
            (count, Some(turn)) if usize::try_from(count).is_ok_and(|count| count > 2 * STEP) => Ok(turn),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    assert!(usize::try_from(turn).is_ok_and(|turn| turn <= STEP), "the small shop's in the first step: {turn}");
}
