//! The ledger: nobody writes to it but by its function, and what is read of it is balanced.

use super::Scene;
use acceptance::{eventually::eventually, shop::PATIENCE, stripe_stand_in::GOOD};
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;

const SHOP: &str = "00000000-0000-0000-0000-000000000001";

/// What PostgreSQL says when write-api, for a shop, tries this and commits.
async fn tried(scene: &Scene, statements: &str) -> Result<(), String> {
    let sql = format!("BEGIN; SET LOCAL ROLE souk_write; SET LOCAL souk.tenant = '{SHOP}'; {statements}; COMMIT");
    let mut connection = scene.stack.write.acquire().await.expect("a connection");
    let done = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut *connection).await;
    let done = done.map(drop).map_err(|error| error.to_string());
    // A failed one is still open.
    let _ = sqlx::raw_sql("ROLLBACK").execute(&mut *connection).await;
    done
}

fn post(shop: &str, key: &str, entries: &Value) -> String {
    let header = json!({
        "tenant_id": shop,
        "transaction_id": format!("00000000-0000-0000-0000-0000000000a{}", if key == "k" { 'a' } else { 'b' }),
        "posted_at": "2026-12-01T10:00:00Z",
        "key": key,
        "kind": "captured",
        "cause": "x",
    });
    format!("SELECT payments.ledger_post('{header}', '{entries}')")
}

fn entry(account: &str, side: &str, amount: i64, currency: &str) -> Value {
    json!({"account": account, "side": side, "amount": amount, "currency": currency})
}

#[tokio::test]
async fn only_what_is_balanced_is_posted_and_only_by_the_function() {
    let scene = Scene::open("closed").await;
    let both = |amount| json!([entry("1000:stripe", "debit", amount, "USD"), entry("1100:x", "credit", amount, "USD")]);
    tried(&scene, &post(SHOP, "k", &both(100))).await.expect("posted");
    tried(&scene, &post(SHOP, "k", &both(100))).await.expect("the same again");
    for (wrong, why) in [
        (post(SHOP, "k", &both(101)), "posted before, with other entries"),
        (post(SHOP, "l", &json!([])), "fewer than two entries"),
        (
            post(SHOP, "l", &json!([entry("1000:a", "debit", 1, "USD"), entry("1100:x", "credit", 1, "EUR")])),
            "not balanced",
        ),
        (post(SHOP, "l", &both(0)), "ledger_entries"),
        (post("00000000-0000-0000-0000-000000000002", "l", &both(1)), "of another shop"),
        (
            format!(
                "INSERT INTO payments.ledger_entries VALUES ('{SHOP}', '00000000-0000-0000-0000-0000000000aa', '2026-12-01T10:00:00Z', 3, '1000:a', 'debit', 1, 'USD')"
            ),
            "permission denied",
        ),
        ("UPDATE payments.ledger_entries SET amount = 1".to_owned(), "permission denied"),
        ("DELETE FROM payments.ledger_keys".to_owned(), "permission denied"),
    ] {
        let said = tried(&scene, &wrong).await.expect_err(&wrong);
        assert!(said.contains(why), "{wrong}: {said}");
    }
    // Not even the owner of the tables adds a third entry to what was balanced.
    let third = "INSERT INTO payments.ledger_entries SELECT tenant_id, transaction_id, occurred_at, 3, account, side, amount, currency
                 FROM payments.ledger_entries WHERE position = 1";
    let said = sqlx::query(third).execute(&scene.stack.write).await.expect_err("balanced").to_string();
    assert!(said.contains("not balanced"), "{said}");
}

#[tokio::test]
async fn what_all_accounts_have_is_balanced_at_every_moment() {
    let scene = Scene::open("balanced").await;
    let mut token = None;
    for amount in [10_000, 2_550] {
        let (id, _) = scene.payment("card", "USD", amount).await;
        scene.attempt(&id, 1, Some(GOOD)).await;
        let (_, captured) = scene.post(&id, "capture", &json!({"amount": amount})).await;
        token = captured["token"].as_str().map(str::to_owned);
    }
    let read = scene.shop.read("/v1/ledger/trial-balance", token.as_deref()).await;
    assert!(read.fresh, "{read:?}");
    let sum = |body: &Value, name: &str| {
        body["accounts"].as_array().into_iter().flatten().filter_map(|account| account[name].as_i64()).sum::<i64>()
    };
    eventually("both payments are there", PATIENCE, || async {
        let read = scene.shop.read("/v1/ledger/trial-balance", None).await;
        let of = |number: &str| {
            let all = read.body["accounts"].as_array().cloned().unwrap_or_default();
            all.iter().find(|account| account["account"] == number).map(|account| account["balance"].clone())
        };
        let is_there = of("1100") == Some(json!(-12_550)) && of("9001") == Some(json!(0));
        if is_there && sum(&read.body, "debit") == sum(&read.body, "credit") {
            Ok(())
        } else {
            Err(format!("{read:?}"))
        }
    })
    .await;
    let before = scene.shop.read("/v1/ledger/trial-balance?at=2020-01-01T00:00:00Z", None).await;
    assert_eq!(before.body["accounts"], json!([]));
    let page = scene.shop.read("/v1/ledger/accounts/1000:stripe?limit=1", None).await;
    let next = page.body["next"].as_str().expect("another page").to_owned();
    let rest = scene.shop.read(&format!("/v1/ledger/accounts/1000:stripe?cursor={next}"), None).await;
    assert_eq!(rest.body["entries"].as_array().map(Vec::len), Some(3), "two captures and two fees: {rest:?}");
    let later = scene.shop.read("/v1/ledger/accounts/1000:stripe?from=2100-01-01T00:00:00Z", None).await;
    assert_eq!(later.body["opening"], json!([{"currency": "USD", "balance": 12_550 - 320 - 104}]), "{later:?}");
    assert_eq!(scene.shop.read("/v1/ledger/accounts/1000:stripe?cursor=x", None).await.status, 400);
}
