//! What staff and administrators did is written with what they did, shown, and found where it was tampered with.

use acceptance::{
    builders::{price_line, product_line},
    eventually::eventually,
    shop::{PATIENCE, Shop},
    stack::TestStack,
};
use launcher::audit::{self, Flaw, Report, VerifyArgs};
use reqwest::Method;
use schemas::{audit::Entry, ids::TenantId};
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};
use std::path::PathBuf;

/// The entries of a shop, the newest first, once there are so many.
async fn entries(shop: &Shop, path: &str, count: usize) -> Vec<Entry> {
    eventually("the entries are there", PATIENCE, async || {
        let page = shop.read(path, None).await.body;
        let all = page["entries"].as_array().ok_or_else(|| page.to_string())?;
        let read = |one: &Value| serde_json::from_value(one["entry"].clone()).map_err(|error| error.to_string());
        let found = all.iter().map(read).collect::<Result<Vec<Entry>, String>>()?;
        if found.len() == count { Ok(found) } else { Err(page.to_string()) }
    })
    .await
}

#[tokio::test]
async fn what_was_done_is_told_with_who_what_and_why() {
    let stack = TestStack::start(false).await;
    let shop = Shop::open(&stack, "audited").await;
    let (staff_id, key) = shop.key("staff", &["catalog.write", "audit.read"]).await;
    let staff = shop.with_key(&key);
    let made = staff.command(Method::POST, "/v1/products", None, &product_line("lamp", "Lamp")).await;
    let id = made["id"].as_str().expect("an id");
    let of = format!("/v1/activity?of={id}");
    let created = entries(&shop, &of, 1).await;
    let change = &created[0].changes[0];
    assert_eq!((created[0].actor.kind(), created[0].actor.id()), ("staff", Some(staff_id.parse().expect("a UUID"))));
    assert_eq!((change.context.as_str(), change.aggregate.as_str(), change.before), ("catalog", "product", 0));
    assert_eq!((created[0].address.as_deref(), &created[0].reason), (Some("127.0.0.1"), &None));
    let change = staff
        .request(Method::PUT, &format!("/v1/products/{id}"))
        .header("if-match", "*")
        .header("souk-reason", "Spring range")
        .header("x-correlation-id", "of-the-test")
        .json(&product_line("lamp", "Brass lamp"));
    assert!(change.send().await.expect("an answer").status().is_success());
    let changed = entries(&staff, &of, 2).await;
    assert_eq!(
        (changed[0].reason.as_deref(), changed[0].correlation_id.as_str()),
        (Some("Spring range"), "of-the-test")
    );
    let fields = &changed[0].changes[0].fields;
    let title = fields.iter().find(|field| field.pointer == "/content/title").expect("the title");
    assert_eq!((&title.before, &title.after), (&json!("Lamp"), &json!("Brass lamp")));
    // What is refused, or changes nothing, was not done; neither was a dry run.
    let again = staff.request(Method::PUT, &format!("/v1/products/{id}")).header("if-match", "*");
    assert!(again.json(&product_line("lamp", "Brass lamp")).send().await.expect("an answer").status().is_success());
    let bad = staff.request(Method::PUT, &format!("/v1/products/{id}")).header("if-match", "\"77\"");
    assert_eq!(bad.json(&product_line("lamp", "Bad")).send().await.expect("an answer").status(), 412);
    let long = staff.request(Method::POST, "/v1/products").header("souk-reason", "x".repeat(501));
    assert_eq!(long.json(&product_line("other", "Other")).send().await.expect("an answer").status(), 400);
    let lines: Vec<Value> = (0..3).map(|n| product_line(&format!("b-{n}"), "Bulk")).collect();
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    for (query, done) in [("?dry_run=true", false), ("", true)] {
        let bulk = shop.request(Method::POST, &format!("/v1/products/bulk{query}")).body(format!("{text}no JSON\n"));
        let answer = bulk.send().await.expect("an answer");
        assert!(answer.status().is_success(), "{done} {answer:?}");
        answer.text().await.expect("read to its end");
    }
    let all = entries(&shop, "/v1/activity?limit=500", 5).await;
    assert_eq!((all[0].changes.len(), all[0].actor.kind()), (3, "admin"), "one entry for a transaction: {all:?}");
    // The key was made, and before it the shop was opened.
    let aggregates: Vec<&str> = all.iter().rev().map(|entry| entry.changes[0].aggregate.as_str()).collect();
    assert_eq!(aggregates, ["tenant", "key", "product", "product", "product"]);
    assert!(!serde_json::to_string(&all).expect("JSON").contains(&key), "no key is told");
    let page = shop.read("/v1/activity?limit=2", None).await.body;
    let next = page["next"].as_i64().expect("another page");
    let rest = shop.read(&format!("/v1/activity?before={next}"), None).await.body;
    assert_eq!((rest["entries"].as_array().map(Vec::len), &rest["next"]), (Some(3), &Value::Null));
    assert_eq!(shop.read("/v1/activity?limit=0", None).await.status, 400);
}

#[tokio::test]
async fn a_bulk_write_that_changes_much_is_told_in_several_entries() {
    let stack = TestStack::start(false).await;
    let shop = Shop::open(&stack, "much").await;
    // Each of these values is told as it was and as it is.
    let line = |number: usize, value: &str| {
        let mut line = product_line(&format!("p-{number}"), &format!("Lamp {value}"));
        line["attributes"] = (0..18).map(|n| (format!("value-{n}"), json!(value.repeat(200)))).collect();
        line
    };
    for value in ["a", "b"] {
        shop.bulk_all("products", &(0..500).map(|number| line(number, value)).collect::<Vec<_>>()).await;
    }
    let told = eventually("what was changed is told", PATIENCE, async || {
        let page = shop.read("/v1/activity?limit=500", None).await.body;
        let read = |one: &Value| serde_json::from_value::<Entry>(one["entry"].clone()).expect("an entry");
        let all: Vec<Entry> = page["entries"].as_array().into_iter().flatten().map(read).collect();
        let changed = |entry: &&Entry| entry.changes[0].aggregate == "product" && entry.changes[0].before > 0;
        let lengths: Vec<usize> = all.iter().filter(changed).map(|entry| entry.changes.len()).collect();
        if lengths.iter().sum::<usize>() == 500 { Ok(lengths) } else { Err(format!("{lengths:?}")) }
    })
    .await;
    assert!(told.len() > 1, "{told:?}");
    let report = verified(&stack, None).await;
    assert!(report.is_whole(), "{report}");
}

async fn verified(stack: &TestStack, heads: Option<PathBuf>) -> Report {
    let args = VerifyArgs { heads, json: false, settings: stack.stack.settings.clone() };
    audit::verify(&args).await.expect("verified")
}

/// What is found of a shop after a statement on a copy of its entries that is taken back afterwards.
async fn tampered(stack: &TestStack, owner: &mut PgConnection, tenant: TenantId, statements: &str) -> Vec<Flaw> {
    let keep = "CREATE TABLE public.kept AS SELECT * FROM audit.outbox; CREATE TABLE public.kept_trails AS SELECT * FROM audit.trails;";
    let back = "DELETE FROM audit.outbox; INSERT INTO audit.outbox SELECT * FROM public.kept; DROP TABLE public.kept;
                DELETE FROM audit.trails; INSERT INTO audit.trails SELECT * FROM public.kept_trails; DROP TABLE public.kept_trails;";
    sqlx::raw_sql(keep).execute(&mut *owner).await.expect("kept");
    let statements = statements.replace("{shop}", &format!("tenant_id = '{tenant}'"));
    sqlx::raw_sql(sqlx::AssertSqlSafe(statements)).execute(&mut *owner).await.expect("tampered");
    let mut report = verified(stack, None).await;
    sqlx::raw_sql(back).execute(&mut *owner).await.expect("put back");
    let of_shop = report.shops.remove(&tenant.uuid()).expect("the shop");
    assert!(report.is_whole(), "the other shops are as they were: {report}");
    of_shop.flaws
}

#[tokio::test]
async fn an_entry_that_is_changed_removed_moved_or_cut_off_is_found_at_its_place() {
    let stack = TestStack::start(false).await;
    let (shop, _) = (Shop::open(&stack, "tampered").await, Shop::open(&stack, "other").await);
    for number in 0..6 {
        shop.bulk_all("products", &[product_line(&format!("p-{number}"), "Lamp")]).await;
    }
    shop.bulk_all("prices", &[price_line("p-0", 100)]).await;
    entries(&shop, "/v1/activity", 8).await;
    let report = verified(&stack, None).await;
    assert!(report.is_whole() && report.shops.len() == 2, "{report}");
    let mut owner = PgConnection::connect(&stack.stack.settings.write_url()).await.expect("the owner");
    let tenant = TenantId(*report.shops.iter().find(|(_, shop)| shop.slug == "tampered").expect("the shop").0);
    let payload = "payload = replace(payload, 'product', 'prodact')";
    for (statements, flaws) in [
        (format!("UPDATE audit.outbox SET {payload} WHERE {{shop}} AND version = 3"), vec![Flaw::Changed { number: 3 }]),
        ("DELETE FROM audit.outbox WHERE {shop} AND version = 4".to_owned(), vec![Flaw::Missing { from: 4, to: 4 }]),
        ("DELETE FROM audit.outbox WHERE {shop} AND version > 6".to_owned(), vec![Flaw::Missing { from: 7, to: 8 }]),
        (
            // With the trail: the copy on the read side still has them.
            "DELETE FROM audit.outbox WHERE {shop} AND version > 6;
             UPDATE audit.trails SET version = 6, digest = (SELECT payload::jsonb ->> 'digest' FROM audit.outbox WHERE {shop} AND version = 6)
             WHERE {shop}"
                .to_owned(),
            vec![Flaw::Missing { from: 7, to: 8 }],
        ),
    ] {
        assert_eq!(tampered(&stack, &mut owner, tenant, &statements).await, flaws, "{statements}");
    }
    let swapped = "UPDATE audit.outbox SET version = CASE version WHEN 2 THEN 102 ELSE 105 END WHERE {shop} AND version IN (2, 5);
                   UPDATE audit.outbox SET version = CASE version WHEN 102 THEN 5 ELSE 2 END WHERE {shop} AND version IN (102, 105);";
    let found = tampered(&stack, &mut owner, tenant, swapped).await;
    for number in [2, 3, 5, 6] {
        assert!(found.contains(&Flaw::OutOfOrder { number }), "{number}: {found:?}");
    }
    assert!(found.contains(&Flaw::OtherThanCopy { number: 2 }), "{found:?}");
    assert!(verified(&stack, None).await.is_whole(), "as it was");
}

#[tokio::test]
async fn heads_that_were_exported_show_what_was_cut_off_and_are_signed() {
    let stack = TestStack::start(false).await;
    let shop = Shop::open(&stack, "exported").await;
    shop.bulk_all("products", &[product_line("p", "Lamp")]).await;
    let heads = audit::heads(&stack.stack.settings).await.expect("heads");
    let head = heads.iter().max_by_key(|head| head.number).expect("a head").clone();
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("heads.ndjson");
    let export = |heads: &[audit::Head]| {
        let lines: Vec<String> = heads.iter().map(|head| head.line().expect("a line")).collect();
        std::fs::write(&file, lines.join("\n")).expect("written");
    };
    export(&heads);
    let report = verified(&stack, Some(file.clone())).await;
    assert!(report.is_whole() && report.heads == 1, "{report}");
    export(&[audit::Head { number: head.number + 5, ..head.clone() }]);
    let report = verified(&stack, Some(file.clone())).await;
    let flaws = &report.shops[&head.tenant].flaws;
    assert_eq!(flaws, &[Flaw::NotSigned { number: head.number + 5 }]);
    assert!(report.to_string().contains("was not signed with this key"), "{report}");
}

#[tokio::test]
async fn a_process_can_add_entries_and_change_none() {
    let stack = TestStack::start(false).await;
    Shop::open(&stack, "kept").await;
    let url = stack.stack.settings.write_url_as(launcher::passwords::Role::Write);
    let mut process = PgConnection::connect(&url).await.expect("write-api's role");
    for statement in ["UPDATE audit.outbox SET payload = ''", "DELETE FROM audit.outbox", "TRUNCATE audit.outbox"] {
        let refused = sqlx::query(statement).execute(&mut process).await.expect_err(statement);
        assert!(refused.to_string().contains("permission denied"), "{statement}: {refused}");
    }
}
