//! The lag of everything, the synthetic probe, and what alerts and dashboards are made of.

use acceptance::{
    builders::product_line,
    eventually::eventually,
    shop::{PATIENCE, Shop},
    stack::TestStack,
};
use launcher::{passwords::Role, stack::Service};
use reindex::{
    CommandContext, availability,
    probe::{self, Background, Outcome, Probe, Target},
};
use serde_json::{Value, json};
use std::{collections::BTreeSet, path::Path};

async fn lag(shop: &Shop) -> Value {
    shop.read("/v1/status/lag", None).await.body
}

fn context(stack: &TestStack) -> CommandContext {
    let settings = &stack.stack.settings;
    let mut context =
        CommandContext::at(&settings.read_url_as(Role::Reindex), &stack.stack.index_dir(), "tests").expect("a context");
    context.admin_key = stack.stack.admin_key().ok();
    context
}

fn projection<'a>(lag: &'a Value, name: &str) -> Option<&'a Value> {
    lag["projections"].as_array()?.iter().find(|one| one["projection"] == name)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lag_is_told_by_projection_partition_and_tenant() {
    let stack = TestStack::start(false).await;
    let shop = Shop::open(&stack, "lagging").await;
    shop.bulk_all("products", &[product_line("l-1", "Late thing")]).await;
    eventually("everything is applied and told so", PATIENCE, || async {
        let lag = lag(&shop).await;
        let views = projection(&lag, "products").ok_or("no products")?;
        let quiet = views["state"] == "ok" && views["lag_events"] == 0 && views["catch_up_seconds"] == 0.0;
        let tenant = lag["tenants"].as_array().into_iter().flatten().find(|tenant| {
            tenant["tenant"] == "lagging" && tenant["projection"] == "products" && tenant["applied_events"] != 0
        });
        if quiet && lag["ok"] == true && tenant.is_some() { Ok(()) } else { Err(lag.to_string()) }
    })
    .await;
    // Nobody relays: what is written waits in the outbox, and the tenant it waits for is named.
    sqlx::query(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'closed'; END $$",
    )
    .execute(&stack.write)
    .await
    .expect("a function");
    sqlx::query("CREATE TRIGGER closed BEFORE UPDATE ON catalog.outbox FOR EACH ROW EXECUTE FUNCTION refuse()")
        .execute(&stack.write)
        .await
        .expect("a trigger");
    let lines: Vec<Value> = (0..5).map(|n| product_line(&format!("w-{n}"), "Waiting thing")).collect();
    shop.bulk_all("products", &lines).await;
    eventually("the tenant's events wait in the outbox", PATIENCE, || async {
        let lag = lag(&shop).await;
        let waiting = lag["tenants"].as_array().into_iter().flatten().find(|tenant| {
            tenant["tenant"] == "lagging"
                && tenant["projection"] == "relay:catalog"
                && tenant["waiting_events"].as_i64() >= Some(5)
        });
        if waiting.is_some() { Ok(()) } else { Err(lag.to_string()) }
    })
    .await;
    sqlx::query("DROP TRIGGER closed ON catalog.outbox").execute(&stack.write).await.expect("dropped");
    eventually("nothing waits any more", PATIENCE, || async {
        let lag = lag(&shop).await;
        let relay = projection(&lag, "relay:catalog").ok_or("no relay")?;
        if relay["lag_events"] == 0 { Ok(()) } else { Err(relay.to_string()) }
    })
    .await;
    let status = reindex::status::read(&context(&stack)).await.expect("the status");
    assert!(status.projections.iter().any(|one| one.projection == "products" && one.catch_up_seconds.is_some()));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_probe_finds_what_it_writes_and_says_where_it_does_not() {
    let stack = TestStack::start(false).await;
    let key = stack.stack.admin_key().ok();
    let target = Target { write_url: stack.write_url(), query_url: stack.query_url(), key };
    let registry = service::Metrics::default();
    let metrics = probe::Metrics::new(&registry);
    let shutdown = service::shutdown::Shutdown::default();
    let often = Background { write_url: stack.write_url(), probe_interval_ms: 10 };
    let running = tokio::spawn(probe::run(context(&stack), often, metrics, shutdown.clone()));
    eventually("three rounds are recorded", PATIENCE, || async {
        let found: Vec<(String, Option<f64>, Option<f64>)> =
            sqlx::query_as("SELECT outcome, write_ms, searchable_ms FROM probes ORDER BY id")
                .fetch_all(&stack.read)
                .await
                .map_err(|error| error.to_string())?;
        let good =
            found.iter().filter(|(outcome, write, total)| outcome == "found" && write > &Some(0.0) && total > write);
        if good.count() >= 3 { Ok(()) } else { Err(format!("{found:?}")) }
    })
    .await;
    shutdown.trigger();
    running.await.expect("it ends");
    assert!(registry.text().contains("souk_probe_rounds_total{outcome=\"failed\"} 0"), "{}", registry.text());
    let probe = Probe::new(target).expect("a probe");
    stack.stack.kill(Service::QueryApi).expect("killed");
    let round = probe.round().await;
    assert_eq!((round.outcome, round.write_ms.is_some()), (Outcome::Failed, true), "{round}");
}

/// The names of metrics in a text, without what histograms and counters add.
fn metric_names(text: &str) -> BTreeSet<String> {
    let names = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).filter(|word| word.starts_with("souk_"));
    let plain = |name: &str| {
        ["_bucket", "_count", "_sum", "_total"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name).to_owned()
    };
    names.map(plain).collect()
}

/// The text of every file of a folder.
fn texts(folder: &str) -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(folder);
    let entries = std::fs::read_dir(&folder).expect("the folder").map(|entry| entry.expect("an entry").path());
    entries.map(|path| (path.display().to_string(), std::fs::read_to_string(&path).expect("text"))).collect()
}

/// Metrics of index generations that are built: nothing here builds one, so that they have no series.
const WITHOUT_SERIES: [&str; 3] =
    ["souk_generation_copy_documents", "souk_generation_copy_lag_events", "souk_generation_copy_heartbeat_age_seconds"];

#[tokio::test(flavor = "multi_thread")]
async fn every_metric_of_alerts_and_dashboards_exists() {
    let stack = TestStack::start(true).await;
    let shop = Shop::open(&stack, "metrics").await;
    let token = shop.bulk_all("products", &[product_line("m-1", "Measured thing")]).await;
    shop.search("measured", &token).await;
    // A mail is counted once one was sent.
    let somebody = json!({"email": "somebody@example.com", "password": acceptance::shopper::PASSWORD});
    shop.command(reqwest::Method::POST, "/v1/accounts", None, &somebody).await;
    shop.ask("/v1/search", &json!({"q": "measured", "mode": "lexical"})).await;
    let http = reqwest::Client::new();
    let registry = service::Metrics::default();
    let _probe = probe::Metrics::new(&registry);
    let _availability = availability::Metrics::new(&registry);
    eventually("every name is served by some process", PATIENCE, || async {
        let mut served = metric_names(&registry.text());
        for service in [Service::WriteApi, Service::Projector, Service::Embedder, Service::QueryApi, Service::Operator]
        {
            let url = format!("{}/metrics", stack.stack.url(service));
            let text =
                http.get(url).send().await.map_err(|e| e.to_string())?.text().await.map_err(|e| e.to_string())?;
            served.extend(metric_names(&text));
        }
        served.extend(WITHOUT_SERIES.map(str::to_owned));
        let used = [texts("deploy/grafana/dashboards"), texts("deploy/prometheus")].concat();
        let missing: Vec<String> = used
            .iter()
            .flat_map(|(file, text)| {
                let missing = metric_names(text).into_iter().filter(|name| !served.contains(name));
                missing.map(move |name| format!("{name} in {file}"))
            })
            .collect();
        if missing.is_empty() { Ok(()) } else { Err(format!("{missing:?}")) }
    })
    .await;
}

#[test]
fn every_alert_has_a_runbook() {
    let runbooks = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/guides/runbooks.md"))
        .expect("the runbooks");
    let headings: BTreeSet<String> =
        runbooks.lines().filter_map(|line| line.strip_prefix("## ")).map(str::to_lowercase).collect();
    let rules =
        texts("deploy/prometheus").into_iter().find(|(file, _)| file.ends_with("/alerts.yml")).expect("rules").1;
    let mut alerts = 0;
    for block in rules.split("- alert: ").skip(1) {
        let name = block.lines().next().unwrap_or_default().trim();
        let runbook = format!("runbook: \"docs/guides/runbooks.md#{}\"", name.to_lowercase());
        assert!(block.contains(&runbook), "{name} has no `{runbook}`");
        assert!(headings.contains(&name.to_lowercase()), "docs/guides/runbooks.md has no `## {name}`");
        alerts += 1;
    }
    assert!(alerts > 10, "{alerts} alerts");
    assert_eq!(headings.len(), alerts, "runbooks of alerts that are gone: {headings:?}");
}
