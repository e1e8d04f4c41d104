//! Whoever is erased is found nowhere: a made-up person is looked for in every table, record, file and log.

use super::{answer, met, storefront};
use acceptance::{
    eventually::eventually,
    shop::{PATIENCE, Shop},
    shopper::{PASSWORD, Shopper},
    stack::TestStack,
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, PgPool};
use std::path::Path;

/// What only this person has.
const CANARIES: [&str; 4] = ["zebulonia", "quandary-lane", "xylograph-7-pine", "5550199777"];

/// Every row of every table of a database that holds one of these words.
pub(super) async fn rows_with(pool: &PgPool, words: &[&str]) -> Vec<String> {
    let tables: Vec<(String, String)> = sqlx::query_as(
        "SELECT n.nspname, c.relname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
         WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema')",
    )
    .fetch_all(pool)
    .await
    .expect("the tables");
    assert!(tables.len() > 20, "{tables:?}");
    let mut found = Vec::new();
    for (schema, table) in tables {
        let sql = format!("SELECT t::text FROM \"{schema}\".\"{table}\" AS t WHERE lower(t::text) LIKE ANY($1)");
        let patterns: Vec<String> = words.iter().map(|word| format!("%{word}%")).collect();
        let rows: Vec<String> =
            sqlx::query_scalar(AssertSqlSafe(sql)).bind(patterns).fetch_all(pool).await.expect("the rows");
        found.extend(rows.into_iter().map(|row| format!("{schema}.{table}: {row}")));
    }
    found
}

/// Every file below a folder that holds one of these words.
pub(super) fn files_with(folder: &Path, words: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok) {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap_or_default()).to_lowercase();
            found.extend(words.iter().filter(|word| text.contains(**word)).map(|word| format!("{path:?}: {word}")));
        }
    }
    found
}

#[tokio::test]
async fn a_person_who_is_erased_is_found_nowhere() {
    let stack = TestStack::start(false).await;
    let shop = storefront(&stack, "forgetting").await;
    let email = "zebulonia@example.com";
    let ana = Shopper::sign_up(&stack, &shop, email).await;
    let own = ana.at(&shop);
    own.command(Method::PUT, "/v1/me/profile", None, &json!({"name": "Zebulonia", "phone": "5550199777"})).await;
    let street = json!({"address": {"name": "Zebulonia", "line1": "quandary-lane", "city": "x", "country": "CO"}});
    own.command(Method::POST, "/v1/me/addresses", None, &street).await;
    let password = json!({"current": PASSWORD, "password": "xylograph-7-pine"});
    assert_eq!(met(&own, Method::PUT, "/v1/me/password", &password).await.0, 204);
    let wrong = json!({"password": PASSWORD});
    assert_eq!(met(&own, Method::POST, "/v1/me/erase", &wrong).await, (403, "wrong_password".to_owned()));
    let right = json!({"password": "xylograph-7-pine"});
    let (status, _, erased) = answer(own.request(Method::POST, "/v1/me/erase").json(&right)).await;
    assert_eq!(status, 200, "{erased}");
    assert_eq!(erased["receipt"]["sub"], ana.id);
    let said = erased["signed"].as_str().and_then(|jws| jws.split('.').nth(1)).expect("a signature");
    let said: Value = serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(said).expect("base64")).expect("JSON");
    assert_eq!(said, erased["receipt"]);
    eventually("no token of theirs is good", PATIENCE, || async {
        let met = (
            own.read("/v1/search?q=x", None).await.status.as_u16(),
            answer(own.request(Method::GET, "/v1/me")).await.0,
        );
        if met == (401, 401) { Ok(()) } else { Err(format!("{met:?}")) }
    })
    .await;
    let staff = Shop::open(&stack, "forgetting").await;
    eventually("the views know it", PATIENCE, || async {
        let users = staff.read("/v1/users", None).await.body;
        if users["users"][0]["erased_at"].is_string() { Ok(()) } else { Err(users.to_string()) }
    })
    .await;
    let sign_in = json!({"email": email, "password": "xylograph-7-pine"});
    assert_eq!(met(&shop, Method::POST, "/v1/sessions", &sign_in).await, (401, "sign_in_failed".to_owned()));
    // Mails have left the house.
    std::fs::remove_dir_all(stack.stack.settings.data_dir.join("mails")).expect("the mails");
    let (write, read) = (rows_with(&stack.write, &CANARIES).await, rows_with(&stack.read, &CANARIES).await);
    assert!(write.is_empty() && read.is_empty(), "{write:#?} {read:#?}");
    let files = files_with(&stack.stack.settings.data_dir, &CANARIES);
    assert!(files.is_empty(), "{files:#?}");
    let keys: i64 =
        sqlx::query_scalar("SELECT count(*) FROM accounts.person_keys").fetch_one(&stack.write).await.expect("");
    assert_eq!(keys, 0);
    // The address is free again, and its next account is another one.
    let next = Shopper::sign_up(&stack, &shop, email).await;
    assert_ne!(next.id, ana.id);
}

#[tokio::test]
async fn staff_erase_on_request_and_the_audit_has_who() {
    let stack = TestStack::start(false).await;
    let owner = Shop::open(&stack, "requests").await;
    let shop = owner.with_key(&owner.key("search", &[]).await.1);
    let ana = Shopper::sign_up(&stack, &shop, "ana@example.com").await;
    let path = format!("/v1/users/{}", ana.id);
    let catalog = owner.with_key(&owner.key("staff", &["catalog.write"]).await.1);
    assert_eq!(met(&catalog, Method::DELETE, &path, &json!({})).await.0, 403);
    let (key, text) = owner.key("staff", &["accounts.erase"]).await;
    let staff = owner.with_key(&text);
    assert_eq!(met(&staff, Method::DELETE, &path, &json!({})).await.0, 200);
    assert_eq!(met(&staff, Method::DELETE, &path, &json!({})).await.0, 200, "once more, and nothing happens");
    let unknown = "/v1/users/0199a3b4-5c6d-7e8f-9a0b-1c2d3e4f5a6b";
    assert_eq!(met(&staff, Method::DELETE, unknown, &json!({})).await.0, 404);
    let done = eventually("the audit has it", PATIENCE, || async {
        let activity = owner.read("/v1/activity", None).await.body;
        let entries = activity["entries"].as_array().cloned().unwrap_or_default();
        entries.into_iter().find(|entry| entry.to_string().contains("user.erased")).ok_or(activity.to_string())
    })
    .await;
    assert!(done.to_string().contains(&key), "{done}");
    assert!(!done.to_string().contains("example.com"), "{done}");
}
