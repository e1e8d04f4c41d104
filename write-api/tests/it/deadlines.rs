//! What the database may keep a command waiting for.

use super::stack::{Stack, product, sent};
use reqwest::Method;

/// A command on a product that somebody else has locked, with these flags; and again when it is free.
async fn held_up(flags: &[&str]) -> (u16, String, String) {
    let stack = Stack::with(flags).await;
    let made = stack.post("/v1/products", product("a")).await;
    let mut holder = stack.pool.begin().await.unwrap();
    sqlx::query("SELECT 1 FROM catalog.products FOR UPDATE").execute(&mut *holder).await.unwrap();
    let path = format!("/v1/products/{}/publish", made.id());
    let publish = || sent(stack.request(Method::POST, &path).header("if-match", "*").header("idempotency-key", "k"));
    let refused = publish().await;
    holder.rollback().await.unwrap();
    assert_eq!(publish().await.status, 200, "nothing of it stays, nor of its key");
    let metrics = stack.http.get(format!("{}/metrics", stack.base)).send().await.unwrap().text().await.unwrap();
    let counted = format!("souk_requests_refused_total{{reason=\"{}\"}} 1\n", refused.code());
    assert!(metrics.contains(&counted), "{metrics}");
    stack.stop().await;
    (refused.status, refused.code().to_owned(), refused.header("retry-after").to_owned())
}

#[tokio::test]
async fn a_command_waits_for_others_only_so_long() {
    let refused = held_up(&["--write-lock-ms", "200"]).await;
    assert_eq!(refused, (503, "contended".to_owned(), "1".to_owned()));
}

#[tokio::test]
async fn a_statement_takes_only_so_long() {
    let refused = held_up(&["--write-statement-ms", "200"]).await;
    assert_eq!(refused, (503, "unavailable".to_owned(), "1".to_owned()));
}

#[tokio::test]
async fn every_session_has_deadlines_and_is_looked_after() {
    let stack = Stack::start().await;
    stack.post("/v1/products", product("a")).await;
    // Only the session itself knows its settings: a product whose slug tells them.
    sqlx::raw_sql(
        "CREATE FUNCTION told() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN NEW.slug = concat_ws('-',
           current_setting('statement_timeout'), current_setting('lock_timeout'),
           current_setting('idle_in_transaction_session_timeout'), current_setting('client_connection_check_interval'));
           RETURN NEW; END$$;
         CREATE TRIGGER told BEFORE INSERT ON catalog.products FOR EACH ROW EXECUTE FUNCTION told()",
    )
    .execute(&stack.pool)
    .await
    .unwrap();
    stack.post("/v1/products", product("b")).await;
    let told: String = sqlx::query_scalar("SELECT slug FROM catalog.products WHERE external_id = 'b'")
        .fetch_one(&stack.pool)
        .await
        .unwrap();
    assert_eq!(told, "30s-5s-30s-10s");
    stack.stop().await;
}
