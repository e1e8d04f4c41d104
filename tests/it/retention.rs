//! What is let go of when it is old. Single searches go in small steps, with their sums left as they are, and views that
//! are built anew are still proven equal. What is kept how long is in [`policy`], outboxes are in [`archive`].

mod archive;
mod policy;

use acceptance::{
    eventually::eventually,
    operator::Operator,
    quiet::until_quiet,
    shop::{PATIENCE, Shop},
    stack::TestStack,
};
use clap::Parser;
use launcher::{passwords::Role, stack::Service};
use projector::{
    Config,
    projections::insights::retention::{self, AT_ONCE},
    retention::aged,
};
use reqwest::Method;
use schemas::{Days, Utc, Uuid};
use serde_json::{Value, json};
use service::jobs::Job;
use sqlx::{Connection, PgConnection};

fn reports() -> Value {
    let click = |query_id: &str| {
        json!({"type": "event", "action_name": "click", "query_id": query_id, "client_id": "c", "timestamp": Utc::now(),
               "record_id": Uuid::now_v7(), "event_attributes": {"object": {"object_id": Uuid::from_u128(1)}}})
    };
    json!([
        {"type": "query", "query_id": "q1", "client_id": "c", "user_query": "shoes", "timestamp": Utc::now()},
        click("q1"),
        click("never-reported"),
    ])
}

/// A shop in which that was reported, and has arrived.
async fn reported(slug: &str) -> (TestStack, Shop) {
    let stack = TestStack::start(false).await;
    let shop = Shop::open(&stack, slug).await;
    shop.command(Method::POST, "/v1/insights", None, &reports()).await;
    until_quiet(&stack).await;
    (stack, shop)
}

async fn searches(stack: &TestStack) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM insight_searches").fetch_one(&stack.read).await.expect("a count")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_projector_lets_go_of_old_searches_and_counts_them() {
    let (stack, shop) = reported("ageing").await;
    assert_eq!(searches(&stack).await, 2);
    // More than one step of searches, and of what names one that never came; the younger ones stay.
    for (many, asked, acted) in
        [(AT_ONCE + 3, Some(91), None), (2, None, Some(91)), (1, Some(89), None), (1, None, Some(89))]
    {
        sqlx::query(
            "INSERT INTO insight_searches (tenant_id, query_id, day, query, experiment, arm, clicks, placed_clicks,
                                           click_positions, carts, purchases, acted)
             SELECT gen_random_uuid(), 'q', current_date - $2, 'old', '', '', 1, 0, 0, 0, 0, current_date - $3
             FROM generate_series(1, $1)",
        )
        .bind(many)
        .bind(asked)
        .bind(acted)
        .execute(&stack.read)
        .await
        .expect("inserted");
    }
    eventually("the old ones are gone", PATIENCE, || async {
        let left = searches(&stack).await;
        if left == 4 { Ok(()) } else { Err(format!("{left} searches")) }
    })
    .await;
    let metrics = format!("{}/metrics", stack.stack.url(Service::Projector));
    let text = reqwest::get(&metrics).await.expect("metrics").text().await.expect("text");
    let counted = format!("souk_insight_searches_pruned_total {}", AT_ONCE + 5);
    assert!(text.lines().any(|line| line == counted), "{counted} is not in {text}");
    let figures = shop.read("/v1/insights/queries", None).await.body;
    assert_eq!(figures["queries"][0]["searches"], 1, "{figures}");
}

#[tokio::test(flavor = "multi_thread")]
async fn views_built_anew_are_equal_but_for_what_was_let_go() {
    let (stack, shop) = reported("forgetful").await;
    let tomorrow = Utc::now().date_naive().checked_add_days(Days::new(1)).expect("a day");
    let url = stack.stack.settings.read_url_as(Role::Projector);
    let mut connection = PgConnection::connect(&url).await.expect("a connection");
    assert_eq!(retention::prune(&mut connection, tomorrow).await.expect("pruned"), 2);
    assert_eq!(retention::prune(&mut connection, tomorrow).await.expect("pruned"), 0);
    // Counted for a search that is still known to the views that are built, and to these no more.
    let late = json!([reports()[1]]);
    shop.command(Method::POST, "/v1/insights", None, &late).await;
    until_quiet(&stack).await;
    let operator = Operator::of(&stack);
    operator.does(&["views", "build"]).await;
    let proof = operator.does(&["views", "verify"]).await;
    assert_eq!(proof["differences"], json!([]), "{proof}");
    let figures = shop.read("/v1/insights/queries", None).await.body;
    assert_eq!(figures["queries"][0]["clicks"], 1, "{figures}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_operators_have_settled_goes_by_its_age_and_what_is_open_stays() {
    let stack = TestStack::start(false).await;
    sqlx::raw_sql(
        "INSERT INTO dead_letters (projection, aggregate_key, topic, partition, record_offset, headers, error, state, updated_at)
         SELECT 'products', 'k', 't', 0, n, '{}', 'e', (ARRAY['retried', 'discarded', 'parked', 'retried'])[1 + n % 4],
                now() - CASE WHEN n % 4 = 3 THEN interval '89 days' ELSE interval '91 days' END
         FROM generate_series(0, 2399) AS n;
         INSERT INTO dead_letter_history (letter_id, kind, note) SELECT id, 'failed', '' FROM dead_letters, generate_series(1, 2);
         INSERT INTO operations (at, actor, action, subject) VALUES (now() - interval '366 days', 'a', 'old', 's'),
                                                                    (now() - interval '364 days', 'a', 'young', 's');
         INSERT INTO probes (at, outcome) VALUES (now() - interval '8 days', 'found'), (now() - interval '6 days', 'found');
         INSERT INTO index_switches (generation, kind, actor, at)
         SELECT generation, 'promote', 'a', now() - interval '400 days' FROM index_generations, generate_series(1, 30)
         WHERE state = 'active';
         INSERT INTO tenant_lag (projection, tenant_id, updated_at) VALUES ('gone', gen_random_uuid(), now() - interval '8 days')",
    )
    .execute(&stack.read)
    .await
    .expect("rows");
    let config = Config::parse_from(["projector"]);
    let url = stack.stack.settings.read_url_as(Role::Projector);
    let mut connection = PgConnection::connect(&url).await.expect("a connection");
    let mut deleted = 0;
    for job in aged(&config) {
        deleted += job.run(&mut connection, Utc::now()).await.expect("done");
    }
    // 30 old switches after the one with which the stack began, of which the last 21 stay.
    assert_eq!(deleted, 1_200 + 1 + 1 + 9 + 1);
    let count =
        async |sql: &'static str| -> i64 { sqlx::query_scalar(sql).fetch_one(&stack.read).await.expect("a count") };
    assert_eq!(count("SELECT count(*) FROM dead_letters WHERE state = 'parked'").await, 600);
    assert_eq!(count("SELECT count(*) FROM dead_letters").await, 1_200);
    assert_eq!(count("SELECT count(*) FROM dead_letter_history").await, 2_400);
    assert_eq!(count("SELECT count(*) FROM operations WHERE action = 'old'").await, 0);
    assert_eq!(count("SELECT count(*) FROM operations WHERE action = 'young'").await, 1);
    let never = Config::parse_from(["projector", "--dead-letter-retention-days", "0"]);
    let tomorrow_in_a_year = Utc::now().checked_add_days(Days::new(366)).expect("a day");
    let letters = aged(&never).into_iter().find(|job| job.name() == "dead_letters").expect("the job");
    assert_eq!(letters.run(&mut connection, tomorrow_in_a_year).await.expect("done"), 0, "0 is for never");
    eventually("the projector does its jobs by itself, and counts them", PATIENCE, || async {
        let metrics = format!("{}/metrics", stack.stack.url(Service::Projector));
        let text = reqwest::get(&metrics).await.map_err(|error| error.to_string())?.text().await;
        let text = text.map_err(|error| error.to_string())?;
        let counted = "souk_job_runs_total{name=\"dead_letters\"} 1";
        if text.contains(counted) { Ok(()) } else { Err(format!("{counted} is not in {text}")) }
    })
    .await;
}
