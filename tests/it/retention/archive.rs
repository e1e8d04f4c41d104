//! An old month of an outbox goes into a file and out of the database, and comes back with a new epoch of the log.

use super::reported;
use acceptance::{
    builders::{price_line, product_line},
    digest,
    quiet::until_quiet,
    scratch,
    shop::Shop,
    stack::TestStack,
};
use launcher::{
    passwords::Role,
    tenants::{ExportArgs, export},
};
use projector::retention::ArchiveOutboxes;
use schemas::{Days, Timestamp, Utc, topics::Context};
use serde_json::Value;
use service::jobs::Job;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use std::path::PathBuf;

/// So far ahead that this month is an old one.
fn in_a_season() -> Timestamp {
    Utc::now().checked_add_days(Days::new(100)).expect("a day")
}

async fn archive(stack: &TestStack) -> u64 {
    let job = ArchiveOutboxes { folder: stack.stack.settings.archive_dir(), days: 30 };
    // With no more rights than the projector has, whose job it is.
    let url = stack.stack.settings.write_url_as(Role::Projector);
    let mut connection = PgConnection::connect(&url).await.expect("a connection");
    job.run(&mut connection, in_a_season()).await.expect("archived")
}

/// Rows of all outboxes.
async fn rows(stack: &TestStack) -> i64 {
    let mut rows = 0;
    for context in Context::ALL {
        let sql = format!("SELECT count(*) FROM {context}.outbox");
        rows += sqlx::query_scalar::<_, i64>(AssertSqlSafe(sql)).fetch_one(&stack.write).await.expect("counted");
    }
    rows
}

async fn some_file(stack: &TestStack) -> PathBuf {
    let file: String = sqlx::query_scalar("SELECT file FROM installation.archives WHERE context = 'catalog'")
        .fetch_one(&stack.write)
        .await
        .expect("a file of the catalog");
    stack.stack.settings.archive_dir().join(file)
}

async fn written(shop: &Shop, names: [&str; 3]) {
    let products: Vec<Value> = names.iter().map(|name| product_line(name, &format!("Sturdy {name}"))).collect();
    shop.bulk_all("products", &products).await;
    shop.bulk_all("prices", &names.map(|name| price_line(name, 990))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_archived_comes_back_with_a_new_epoch() {
    let (stack, shop) = reported("archived").await;
    written(&shop, ["kettle", "lamp", "chair"]).await;
    until_quiet(&stack).await;
    let (before, held) = (digest::take(&stack).await, rows(&stack).await);

    // What is not published stays, with its whole month.
    sqlx::query("UPDATE installation.jobs SET last_started_at = now()").execute(&stack.write).await.expect("not due");
    assert_eq!(archive(&stack).await, held.unsigned_abs());
    assert_eq!(rows(&stack).await, 0);
    assert_eq!(archive(&stack).await, 0, "nothing is left to do");
    let manifest = stack.stack.settings.archive_dir().join("catalog/manifest.json");
    let manifest: Value = serde_json::from_slice(&std::fs::read(manifest).expect("a manifest")).expect("JSON");
    assert!(manifest[0]["rows"].as_i64() > Some(2), "{manifest}");

    // The months are gone, so these go to the partition of last resort; versions go on.
    written(&shop, ["kettle", "stool", "table"]).await;
    until_quiet(&stack).await;
    let (after, younger) = (digest::take(&stack).await, rows(&stack).await);
    assert_ne!(after, before);

    // A file that is not there, or not as it was, is named, and nothing is changed.
    let path = some_file(&stack).await;
    let aside = path.with_extension("aside");
    std::fs::rename(&path, &aside).expect("moved");
    let refused = stack.souk("recover", &[]).await.expect_err("refused");
    assert!(refused.contains("missing") && refused.contains(path.to_str().expect("a path")), "{refused}");
    let mut bytes = std::fs::read(&aside).expect("read");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&path, &bytes).expect("written");
    let refused = stack.souk("recover", &[]).await.expect_err("refused");
    assert!(refused.contains("damaged") && refused.contains(path.to_str().expect("a path")), "{refused}");
    assert_eq!(rows(&stack).await, younger);
    written(&shop, ["stool", "table", "shelf"]).await;
    until_quiet(&stack).await;
    let last = digest::take(&stack).await;

    std::fs::rename(&aside, &path).expect("brought back");
    let whole = held + rows(&stack).await;
    stack.souk("recover", &[]).await.expect("recovered");
    until_quiet(&stack).await;
    assert_eq!(rows(&stack).await, whole, "every row is back");
    assert_eq!(digest::take(&stack).await, last);
    scratch::rebuild(&stack).await;
    assert_eq!(digest::take(&stack).await, last, "the new log holds everything");

    // And goes once more: what was taken back is in the new files, and a next recovery reads only these.
    assert_eq!(archive(&stack).await, whole.unsigned_abs());
    let rows_in_files =
        "SELECT sum(rows)::bigint FROM installation.archives WHERE restored_at IS NULL AND dropped_at IS NOT NULL";
    let rows_in_files: i64 = sqlx::query_scalar(rows_in_files).fetch_one(&stack.write).await.expect("summed");
    assert_eq!(rows_in_files, whole);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_month_that_waits_for_publication_and_a_cut_short_run_lose_nothing() {
    let (stack, shop) = reported("cut-short").await;
    written(&shop, ["kettle", "lamp", "chair"]).await;
    until_quiet(&stack).await;
    let held = rows(&stack).await;
    let mut writer = stack.write.begin().await.expect("begun");
    // As if somebody had asked for an event again and the relay had not sent it yet.
    sqlx::query("LOCK TABLE catalog.outbox IN SHARE ROW EXCLUSIVE MODE").execute(&mut *writer).await.expect("locked");
    sqlx::query("UPDATE catalog.outbox SET published_at = NULL WHERE version = 1")
        .execute(&mut *writer)
        .await
        .expect("asked");
    let waiting: i64 =
        sqlx::query_scalar("SELECT count(*) FROM catalog.outbox").fetch_one(&mut *writer).await.expect("counted");
    let job = ArchiveOutboxes { folder: stack.stack.settings.archive_dir(), days: 30 };
    job.run(&mut writer, in_a_season()).await.expect("archived");
    writer.commit().await.expect("done");
    assert_eq!(rows(&stack).await, waiting, "the catalog's month stays whole, the others went");
    until_quiet(&stack).await;
    // A run that was ended between the file and the deletion: rows of a shared partition are in both.
    sqlx::query("UPDATE catalog.outbox SET occurred_at = occurred_at - interval '3 years'")
        .execute(&stack.write)
        .await
        .expect("aged");
    archive(&stack).await;
    let kept: i64 = sqlx::query_scalar("SELECT sum(rows)::bigint FROM installation.archives")
        .fetch_one(&stack.write)
        .await
        .expect("summed");
    assert_eq!((kept, rows(&stack).await), (held, 0));
    sqlx::query("UPDATE installation.archives SET dropped_at = NULL")
        .execute(&stack.write)
        .await
        .expect("as if cut short");
    assert_eq!(archive(&stack).await, 0, "what is gone is gone");
    let open: i64 = sqlx::query_scalar("SELECT count(*) FROM installation.archives WHERE dropped_at IS NULL")
        .fetch_one(&stack.write)
        .await
        .expect("counted");
    assert_eq!(open, 0);
}

/// The lines of an export.
async fn exported(stack: &TestStack, slug: &str, name: &str) -> Vec<Value> {
    let path = stack.stack.settings.data_dir.join(name);
    let (slug, settings) = (slug.to_owned(), stack.stack.settings.clone());
    let args = ExportArgs { slug, output: Some(path.clone()), settings };
    let events = export(&args).await.expect("exported");
    let text = std::fs::read_to_string(path).expect("written");
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(lines.len() as u64, events);
    assert!(export(&args).await.is_err(), "nothing is written over");
    lines
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_has_all_of_a_shop_and_nothing_of_others_wherever_it_is() {
    let (stack, other) = reported("other").await;
    let shop = Shop::open(&stack, "exported").await;
    written(&other, ["kettle", "lamp", "chair"]).await;
    written(&shop, ["kettle", "stool", "table"]).await;
    let (_, key) = shop.key("search", &[]).await;
    until_quiet(&stack).await;
    let lines = exported(&stack, "exported", "before.ndjson").await;
    let tenant = lines[0]["data"]["tenant_id"].as_str().expect("the shop's id").to_owned();
    assert!(lines.iter().all(|line| line["souktenant"] == tenant && line["specversion"] == "1.0"));
    let of = |kind: &str| lines.iter().filter(|line| line["type"] == kind).count();
    for (kind, count) in [
        ("souk.tenants.tenant.created.v1", 1),
        ("souk.catalog.product.created.v1", 3),
        ("souk.pricing.price_sheet.changed.v1", 3),
        ("souk.access.key.created.v1", 1),
    ] {
        assert_eq!(of(kind), count, "{kind}");
    }
    let made = lines.iter().find(|line| line["type"] == "souk.access.key.created.v1").expect("there");
    assert!(made["data"]["hint"].is_string() && made["data"].get("signing_key").is_none(), "{made}");
    assert!(!serde_json::to_string(&lines).expect("JSON").contains(&key));
    sqlx::query("UPDATE installation.jobs SET last_started_at = now()").execute(&stack.write).await.expect("not due");
    assert!(archive(&stack).await > 0);
    assert_eq!(exported(&stack, "exported", "after.ndjson").await, lines, "from the archive it is the same");
    let nowhere = stack.stack.settings.data_dir.join("nowhere.ndjson");
    let settings = stack.stack.settings.clone();
    let args = ExportArgs { slug: "nowhere".to_owned(), output: Some(nowhere.clone()), settings };
    assert!(export(&args).await.is_err() && !nowhere.exists(), "what is no export is not left there");
    std::fs::remove_file(some_file(&stack).await).expect("removed");
    let args = ExportArgs { slug: "exported".to_owned(), ..args };
    let error = export(&args).await.expect_err("an archive is missing").to_string();
    assert!(error.contains("is missing") && !nowhere.exists(), "{error}");
}
