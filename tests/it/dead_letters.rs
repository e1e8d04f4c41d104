//! Dead letters as operators settle them: edited, retried, discarded, one by one and in bulk, always in order.

use acceptance::{
    builders::product_line,
    eventually::eventually,
    operator::Operator,
    shop::{PATIENCE, Shop},
    stack::TestStack,
};
use eventlog::dead_letter::operator::{self, Bulk, DeadLetterError, Filter, HistoryKind};
use reindex::Failure;
use schemas::{Uuid, dead_letter::DeadLetterState};
use serde_json::{Value, json};
use sqlx::{PgConnection, Postgres, pool::PoolConnection};

/// Writes an event of a product that nobody can read, and a good one behind it.
pub async fn poisoned(stack: &TestStack, id: Uuid) {
    sqlx::query(
        "INSERT INTO catalog.outbox (event_id, tenant_id, event_type, aggregate, aggregate_id, version, partition_id, payload,
                                     occurred_at, correlation_id, traceparent)
         SELECT gen_random_uuid(), tenant_id, event_type, aggregate, aggregate_id,
                n + 1 + (SELECT max(version) FROM catalog.outbox WHERE aggregate_id = $1), partition_id,
                CASE n WHEN 0 THEN '{\"product_id\": 7}' ELSE replace(payload, 'Thing', 'Behind') END, now(), 'poison',
                '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
         FROM catalog.outbox, generate_series(0, 1) AS n WHERE aggregate_id = $1 AND version = 1 ORDER BY n",
    )
    .bind(id)
    .execute(&stack.write)
    .await
    .expect("inserted");
}

/// Writes a product, then an event of it that nobody can read, and a good one behind it; gives the product's id once the
/// two are kept.
pub async fn poison(stack: &TestStack, shop: &Shop, name: &str) -> Uuid {
    let token = shop.bulk_all("products", &[product_line(name, &format!("Thing {name}"))]).await;
    let hits = shop.search(name, &token).await;
    let id: Uuid = hits.body["hits"][0]["id"].as_str().and_then(|id| id.parse().ok()).expect("an id");
    poisoned(stack, id).await;
    eventually("the event is parked and the one behind it queued", PATIENCE, || async {
        let letters = of_product(stack, id).await;
        let states: Vec<&str> = letters.iter().map(|(_, state)| state.as_str()).collect();
        if states == ["parked", "queued"] { Ok(()) } else { Err(format!("{states:?}")) }
    })
    .await;
    id
}

/// Numbers and states of a product's letters, the oldest first.
pub async fn of_product(stack: &TestStack, id: Uuid) -> Vec<(i64, String)> {
    sqlx::query_as("SELECT id, state FROM dead_letters WHERE aggregate_key LIKE '%' || $1 || '%' ORDER BY id")
        .bind(id.to_string())
        .fetch_all(&stack.read)
        .await
        .expect("letters")
}

async fn version(stack: &TestStack, id: Uuid) -> i64 {
    sqlx::query_scalar("SELECT version FROM sources WHERE context = 'catalog' AND aggregate_id = $1")
        .bind(id)
        .fetch_one(&stack.read)
        .await
        .expect("a version")
}

/// The payload the parked event should have had.
pub async fn good_payload(stack: &TestStack, id: Uuid) -> Vec<u8> {
    let text: String = sqlx::query_scalar("SELECT payload FROM catalog.outbox WHERE aggregate_id = $1 AND version = 1")
        .bind(id)
        .fetch_one(&stack.write)
        .await
        .expect("a payload");
    text.replace("Thing", "Corrected").into_bytes()
}

async fn operations(stack: &TestStack, subject: i64) -> Vec<(String, String, Value)> {
    sqlx::query_as("SELECT action, actor, detail FROM operations WHERE subject = $1 ORDER BY id")
        .bind(subject.to_string())
        .fetch_all(&stack.read)
        .await
        .expect("operations")
}

async fn becomes(stack: &TestStack, id: Uuid, expected: [&str; 2]) {
    eventually(&format!("{expected:?}"), PATIENCE, || async {
        let letters = of_product(stack, id).await;
        let states: Vec<&str> = letters.iter().map(|(_, state)| state.as_str()).collect();
        if states == expected { Ok(()) } else { Err(format!("{states:?}")) }
    })
    .await;
}

async fn connection(stack: &TestStack) -> PoolConnection<Postgres> {
    stack.read.acquire().await.expect("a connection")
}

#[tokio::test(flavor = "multi_thread")]
async fn operators_settle_dead_letters_in_order() {
    let stack = TestStack::start(false).await;
    let shop = Shop::open(&stack, "letters").await;
    let edited = poison(&stack, &shop, "alpha").await;
    let mut connection = connection(&stack).await;
    a_dead_letter_is_shown_whole(&stack, &mut connection, edited).await;
    the_command_line_shows_the_same(&stack, edited).await;
    the_routes_show_the_same_under_their_older_names(&stack, &shop, edited).await;
    a_retry_changes_nothing_while_the_event_is_broken(&stack, &mut connection, edited).await;
    nothing_overtakes_and_nothing_wrong_is_taken(&stack, &mut connection, edited).await;
    an_edited_event_is_applied_and_what_waits_behind_it(&stack, &mut connection, edited).await;
    a_queued_one_is_discarded_without_the_parked_one_being_tried(&stack, &shop, &mut connection).await;
    many_are_settled_by_a_filter(&stack, &shop, &mut connection).await;
}

async fn a_dead_letter_is_shown_whole(stack: &TestStack, connection: &mut PgConnection, product: Uuid) {
    let letters = of_product(stack, product).await;
    let (parked, queued) = (letters[0].0, letters[1].0);
    let whole = operator::show(connection, parked).await.expect("shown");
    assert_eq!(whole.payload, Some(json!({"product_id": 7})));
    assert_eq!(whole.trace_id.as_deref(), Some("4bf92f3577b34da6a3ce929d0e0e4736"));
    assert_eq!(whole.correlation_id.as_deref(), Some("poison"));
    assert_eq!(whole.queue.iter().map(|letter| letter.id).collect::<Vec<_>>(), [queued]);
    assert_eq!(whole.history.iter().map(|one| one.kind.as_str()).collect::<Vec<_>>(), ["failed"]);
    assert_eq!(operator::show(connection, queued).await.expect("shown").waits_for, Some(parked));
    assert!(matches!(operator::show(connection, 0).await, Err(DeadLetterError::NotFound(0))));
}

async fn the_command_line_shows_the_same(stack: &TestStack, product: Uuid) {
    let letters = of_product(stack, product).await;
    let (parked, queued) = (letters[0].0.to_string(), letters[1].0.to_string());
    let operator = Operator::of(stack);
    let list = operator.does(&["dead-letters", "list", "--error", "INVALID TYPE"]).await;
    assert_eq!((&list["total"], list["letters"][0]["id"].to_string()), (&json!(1), parked.clone()), "{list}");
    assert_eq!(
        operator.does(&["letters", "list", "--error", "INVALID TYPE"]).await,
        list,
        "the older name still works"
    );
    let whole = operator.does(&["dead-letters", "show", &parked]).await;
    assert_eq!(whole["queue"][0]["id"].to_string(), queued);
    let counted = operator.does(&["dead-letters", "discard", "--all", "--dry-run", "--reason", "only counted"]).await;
    assert_eq!(counted, json!({"letters": 2, "dry_run": true}));
    let overtaking = operator.run(&["dead-letters", "retry", &queued]).await;
    assert!(
        matches!(&overtaking, Err(Failure::Refused(refusal)) if refusal.code == "dead_letter_queued"),
        "{overtaking:?}"
    );
}

async fn the_routes_show_the_same_under_their_older_names(stack: &TestStack, shop: &Shop, product: Uuid) {
    let parked = of_product(stack, product).await[0].0;
    let key = stack.stack.admin_key().expect("the admin key");
    let ask = async |path: &str| Shop::answer(shop.get(path, None).bearer_auth(&key).send().await.expect("sent")).await;
    for (present, former) in [
        (format!("/v1/operations/dead-letters/{parked}"), format!("/v1/operations/letters/{parked}")),
        (format!("/v1/console/dead-letters/{parked}"), format!("/v1/console/letters/{parked}")),
        ("/v1/console/dead-letters?state=parked".to_owned(), "/v1/console/letters?state=parked".to_owned()),
    ] {
        let (now, before) = (ask(&present).await, ask(&former).await);
        assert_eq!((now.status.as_u16(), before.status.as_u16()), (200, 200), "{present}: {now:?}, {before:?}");
        assert_eq!(now.body, before.body, "{former}");
    }
    let unknown = ask("/v1/console/dead-letters?state=lost").await;
    assert_eq!(unknown.status, 400, "an unknown state is refused: {unknown:?}");
    assert_eq!(ask("/v1/console/road").await.status, 200);
}

async fn a_retry_changes_nothing_while_the_event_is_broken(
    stack: &TestStack,
    connection: &mut PgConnection,
    product: Uuid,
) {
    let parked = of_product(stack, product).await[0].0;
    operator::retry(connection, parked, "anna").await.expect("taken");
    eventually("it was tried and parked again", PATIENCE, || async {
        let attempts: i32 = sqlx::query_scalar("SELECT attempts FROM dead_letters WHERE id = $1 AND state = 'parked'")
            .bind(parked)
            .fetch_optional(&stack.read)
            .await
            .map_err(|error| error.to_string())?
            .unwrap_or_default();
        if attempts == 2 { Ok(()) } else { Err(attempts.to_string()) }
    })
    .await;
    becomes(stack, product, ["parked", "queued"]).await;
    let whole = operator::show(connection, parked).await.expect("shown");
    let history: Vec<(&str, &str)> = whole.history.iter().map(|one| (one.kind.as_str(), one.actor.as_str())).collect();
    assert_eq!(history, [("failed", ""), ("retry", "anna"), ("failed", "")]);
}

async fn nothing_overtakes_and_nothing_wrong_is_taken(stack: &TestStack, connection: &mut PgConnection, product: Uuid) {
    let letters = of_product(stack, product).await;
    let (parked, queued) = (letters[0].0, letters[1].0);
    let overtaking = operator::retry(connection, queued, "anna").await;
    assert!(matches!(overtaking, Err(DeadLetterError::Queued { head, .. }) if head == parked), "{overtaking:?}");
    for wrong in ["{\"product_id\": 7}", "no JSON", "{}"] {
        let refused = operator::edit(connection, parked, wrong.as_bytes(), "anna", "").await;
        assert!(matches!(refused, Err(DeadLetterError::Payload(_))), "{wrong}: {refused:?}");
    }
    let silent = operator::discard(connection, parked, "anna", "  ").await;
    assert!(matches!(silent, Err(DeadLetterError::NoReason)), "{silent:?}");
    becomes(stack, product, ["parked", "queued"]).await;
    assert_eq!(operations(stack, queued).await, []);
}

async fn an_edited_event_is_applied_and_what_waits_behind_it(
    stack: &TestStack,
    connection: &mut PgConnection,
    product: Uuid,
) {
    let parked = of_product(stack, product).await[0].0;
    let payload = good_payload(stack, product).await;
    operator::edit(connection, parked, &payload, "anna", "the importer sent a number").await.expect("taken");
    becomes(stack, product, ["retried", "retried"]).await;
    assert_eq!(version(stack, product).await, 4, "both were applied, the later one last");
    let page: String = sqlx::query_scalar("SELECT page FROM product_pages WHERE product_id = $1")
        .bind(product)
        .fetch_one(&stack.read)
        .await
        .expect("a page");
    assert!(page.contains("Behind alpha"), "{page}");
    let whole = operator::show(connection, parked).await.expect("shown");
    let edit = whole.history.iter().find(|one| one.kind == HistoryKind::Edit).expect("the edit");
    assert_eq!(edit.payload, Some(json!({"product_id": 7})), "what was there is kept");
    let done = operations(stack, parked).await;
    let done: Vec<(&str, &str)> = done.iter().map(|(action, actor, _)| (action.as_str(), actor.as_str())).collect();
    assert_eq!(done, [("dead_letter.retry", "anna"), ("dead_letter.edit", "anna")]);
    let again = operator::retry(connection, parked, "anna").await;
    assert!(matches!(again, Err(DeadLetterError::State { .. })), "{again:?}");
}

async fn a_queued_one_is_discarded_without_the_parked_one_being_tried(
    stack: &TestStack,
    shop: &Shop,
    connection: &mut PgConnection,
) {
    let product = poison(stack, shop, "beta").await;
    let letters = of_product(stack, product).await;
    operator::discard(connection, letters[1].0, "anna", "superseded").await.expect("discarded");
    becomes(stack, product, ["parked", "discarded"]).await;
    let whole = operator::show(connection, letters[0].0).await.expect("shown");
    assert_eq!((whole.letter.attempts, whole.queue.len()), (1, 0), "nobody asked for the parked one to be tried");
    operator::discard(connection, letters[0].0, "anna", "written by a test").await.expect("discarded");
    assert_eq!(version(stack, product).await, 2);
    let detail = &operations(stack, letters[0].0).await[0].2;
    assert_eq!(detail["reason"], "written by a test");
}

async fn many_are_settled_by_a_filter(stack: &TestStack, shop: &Shop, connection: &mut PgConnection) {
    let (gamma, delta) = (poison(stack, shop, "gamma").await, poison(stack, shop, "delta").await);
    let parked =
        Filter { states: vec![DeadLetterState::Parked], projection: Some("products".to_owned()), ..Filter::default() };
    let page = operator::list(connection, &parked, 0, 1).await.expect("listed");
    assert_eq!((page.total, page.letters.len()), (2, 1));
    let next = page.next.expect("there is more");
    assert_eq!(operator::list(connection, &parked, next, 1).await.expect("listed").letters.len(), 1);
    let dry = operator::apply_all(connection, &parked, Bulk::Discard("a test"), "anna", true, None).await;
    assert_eq!(dry.expect("counted"), 2);
    becomes(stack, gamma, ["parked", "queued"]).await;
    let other = operator::apply_all(connection, &parked, Bulk::Discard("a test"), "anna", false, Some(3)).await;
    assert!(matches!(other, Err(DeadLetterError::Changed { expected: 3, found: 2 })), "{other:?}");
    let elsewhere = Filter { error: Some("NO SUCH ERROR".to_owned()), ..parked.clone() };
    let none = operator::apply_all(connection, &elsewhere, Bulk::Discard("a test"), "anna", false, None).await;
    assert_eq!(none.expect("done"), 0);
    let done = operator::apply_all(connection, &parked, Bulk::Discard("a test"), "anna", false, Some(2)).await;
    assert_eq!(done.expect("done"), 2);
    for product in [gamma, delta] {
        // What waited behind is applied as soon as the way is free.
        becomes(stack, product, ["discarded", "retried"]).await;
        assert_eq!(version(stack, product).await, 4);
        let letter = of_product(stack, product).await[0].0;
        assert_eq!(operations(stack, letter).await[0].2["letters"], 2);
    }
    assert_eq!(operator::list(connection, &Filter::default(), 0, 10).await.expect("listed").total, 0);
}
