//! What the views have lost is noticed and sent again, in every context.

use acceptance::{
    eventually::eventually,
    operator::Operator,
    quiet::until_quiet,
    shop::{PATIENCE, Shop},
    stack::TestStack,
};
use launcher::passwords::Role;
use reqwest::{Method, StatusCode};
use schemas::Utc;
use serde_json::{Value, json};

const RULE: &str = "/v1/merchandising/rules/returns";
const ZONE: &str = "/v1/settings/tax-zones/germany";

fn search(query_id: &str, text: &str) -> Value {
    json!({
        "type": "query", "query_id": query_id, "user_query": text, "client_id": "one-client",
        "timestamp": Utc::now(), "query_response_hit_ids": [],
    })
}

/// The queries that shoppers asked, as staff see them.
async fn queries(shop: &Shop) -> Vec<String> {
    let read = shop.read("/v1/insights/queries", None).await.body;
    let mut found: Vec<String> = read["queries"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|one| one["query"].as_str())
        .map(str::to_owned)
        .collect();
    found.sort();
    found
}

async fn harm(stack: &TestStack, statements: &[&'static str]) {
    for statement in statements {
        let harmed = sqlx::query(*statement).execute(&stack.read).await.expect("harmed");
        assert_eq!(harmed.rows_affected(), 1, "{statement}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_definition_and_a_lost_report_are_noticed_and_sent_again() {
    let stack = TestStack::start(false).await;
    let shop = Shop::open(&stack, "reconciled").await;
    let rule = json!({
        "enabled": true, "priority": 3, "when": {"query": {"match": "is", "text": "returns"}},
        "then": [{"type": "redirect", "url": "/returns"}],
    });
    shop.command(Method::PUT, RULE, None, &rule).await;
    let zone = json!({"areas": [{"country": "DE"}], "mode": "inclusive", "rates": []});
    shop.command(Method::PUT, ZONE, None, &zone).await;
    for (query_id, text) in [("q1", "red shoes"), ("q2", "blue shoes")] {
        shop.command(Method::POST, "/v1/insights", None, &json!([search(query_id, text)])).await;
    }
    until_quiet(&stack).await;
    assert_eq!(queries(&shop).await, ["blue shoes", "red shoes"]);

    let operator = Operator::of(&stack);
    let write = stack.stack.settings.write_url_as(Role::Reindex);
    let look = ["reconcile", "--all", "--settle", "0", "--write-database-url", &write];
    let clean = operator.does(&look).await;
    assert_eq!(clean["hops"]["views"]["wrong"], 0, "{clean}");

    // As if the second report, the rule and the tax zone had never arrived.
    harm(
        &stack,
        &[
            "DELETE FROM merchandising WHERE kind = 'rules' AND name = 'returns'",
            "DELETE FROM settings WHERE kind = 'tax-zones' AND name = 'germany'",
            "UPDATE sources SET version = version - 1 WHERE context = 'insights'",
            "DELETE FROM insight_searches WHERE query_id = 'q2'",
            "DELETE FROM insight_queries WHERE query = 'blue shoes'",
        ],
    )
    .await;
    let found = operator.does(&look).await;
    assert_eq!(
        (&found["hops"]["views"]["wrong"], &found["hops"]["views"]["mended"]),
        (&json!(3), &json!(3)),
        "{found}"
    );
    let examples = found["hops"]["views"]["examples"].to_string();
    for part in
        ["merchandising has version 0 of 1", "settings has version 0 of 1", "insights/", "sources has version 1 of 2"]
    {
        assert!(examples.contains(part), "{part} in {examples}");
    }
    eventually("the rule, the zone and the report are back", PATIENCE, || async {
        let (rule, zone) = (shop.read(RULE, None).await.status, shop.read(ZONE, None).await.status);
        let asked = queries(&shop).await;
        if rule == StatusCode::OK && zone == StatusCode::OK && asked == ["blue shoes", "red shoes"] {
            Ok(())
        } else {
            Err(format!("{rule}, {zone}, {asked:?}"))
        }
    })
    .await;
    let again = operator.does(&look).await;
    assert_eq!(again["hops"]["views"]["wrong"], 0, "{again}");
}
