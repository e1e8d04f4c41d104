//! Uses against PostgreSQL: what is decided at once.

use super::content;
use crate::{
    callers::StoredKeys,
    clock::SystemClock,
    config::BulkOptions,
    contexts::{
        accounts::port::Accounts,
        payments::port::parts::Payments,
        promotions::{
            commands::{
                PromotionRequest, Promotions, Wanted,
                codes::{Asked, Codes},
                promotion_id,
            },
            domain::{Checked, Code},
            port::{self, Use, active::WhyNot},
        },
        tenants::port::Directory,
    },
    domain::Name,
    oidc::{Providers, reach::Reach},
    pipeline::{
        App, Audited, BulkLimits, Change, Error, Expected, Groups, Scope, allowance::Counts, database::Database,
        metrics::CommandMetrics, process::registered::Processes,
    },
    providers::connection::Connection,
    wake::Waker,
};
use access::{AdminKey, Callers, Rates, tokens::Algorithm};
use schemas::{Uuid, ids::TenantId};
use serde_json::{Value, json};
use service::{Metrics, Refusals, RequestContext};
use sqlx::{PgPool, postgres::PgPoolOptions};
use std::sync::Arc;
use test_databases::{Side, TestDatabase};

const SHOP: TenantId = TenantId(Uuid::from_u128(1));

struct Shop {
    app: App,
    pool: PgPool,
    _database: TestDatabase,
}

impl Shop {
    async fn open() -> Self {
        let server = std::env::var("SOUK_TEST_DATABASE_URL")
            .unwrap_or_else(|_| "postgres://souk@127.0.0.1:54329/postgres".to_owned());
        let database = TestDatabase::create(&server, Side::Write).await.expect("a database");
        let pool = PgPoolOptions::new().max_connections(12).connect(&database.url()).await.expect("connected");
        let (metrics, stored) = (Metrics::default(), Database::new(pool.clone()));
        let app = App {
            database: stored.clone(),
            clock: Arc::new(SystemClock),
            waker: Waker::default(),
            metrics: CommandMetrics::new(&metrics),
            refusals: Refusals::new(&metrics),
            bulk: BulkLimits::new(BulkOptions { bulk_streams: 1, bulk_gap_ms: 1, bulk_spool_mib: 1 }, 12),
            tenants: Directory::default(),
            callers: Callers::new(AdminKey::new(None), StoredKeys { database: stored }, None),
            accounts: Accounts::new(None, Algorithm::default(), Providers::new(Reach::Public).expect("a client")),
            rates: Rates::of_shops(None, |quotas| quotas.commands_per_second),
            counts: Counts::default(),
            groups: Groups::default(),
            most_attributes: 10,
            payments: Payments::new(
                Connection::new(Reach::Public).expect("a client"),
                "https://api.stripe.test".parse().expect("an address"),
            ),
            processes: Processes::new(&[]),
        };
        Self { app, pool, _database: database }
    }

    fn scope(&self) -> Scope {
        let request = RequestContext { correlation_id: "test".to_owned(), traceparent: None };
        self.app.scope(SHOP, request, Audited::default())
    }

    async fn define(&self, name: &str, more: &Value) {
        let name = Name::parse(name).expect("a name");
        let content = Checked::parse(content(more), self.app.clock.now()).expect("allowed");
        let id = promotion_id(SHOP, name.as_str());
        let wanted = Wanted::Defined(name, Box::new(content));
        let request = PromotionRequest { id, expected: Expected::Any, wanted };
        self.app.command::<Promotions>(&self.scope(), None, request).await.expect("defined");
    }

    async fn codes(&self, promotion: &str, asked: Asked) {
        let codes = Codes { promotion: Name::parse(promotion).expect("a name"), asked, key: None };
        self.app.procedure(&self.scope(), &codes).await.expect("done");
    }

    async fn reserve(&self, checkout: u128, uses: &[Use]) -> Result<Change, String> {
        told(port::reserve(&self.app, &self.scope(), Uuid::from_u128(checkout), uses).await)
    }

    async fn consume(&self, checkout: u128) -> Result<Change, String> {
        told(port::consume(&self.app, &self.scope(), Uuid::from_u128(checkout)).await)
    }

    async fn release(&self, checkout: u128, is_cancelled: bool) -> Result<Change, String> {
        told(port::release(&self.app, &self.scope(), Uuid::from_u128(checkout), is_cancelled).await)
    }

    /// What the counters of one kind have reserved and consumed together.
    async fn counted(&self, counts: &str) -> (i64, i64) {
        sqlx::query_as(
            "SELECT coalesce(sum(reserved), 0)::int8, coalesce(sum(consumed), 0)::int8 FROM promotions.counters WHERE counts = $1",
        )
        .bind(counts)
        .fetch_one(&self.pool)
        .await
        .expect("counted")
    }

    async fn events(&self) -> i64 {
        sqlx::query_scalar("SELECT count(*) FROM promotions.outbox WHERE aggregate = 'coupon_usage'")
            .fetch_one(&self.pool)
            .await
            .expect("counted")
    }
}

/// The code of the problem, where there is one.
fn told(outcome: Result<Change, Error>) -> Result<Change, String> {
    outcome.map_err(|error| match error {
        Error::Rejected(rejection) => rejection.problem().code.clone(),
        other => format!("{other:?}"),
    })
}

fn used(promotion: &str, code: Option<&str>, customer: &str) -> Use {
    Use { promotion: promotion.to_owned(), code: code.map(str::to_owned), customer: customer.to_owned() }
}

fn code(text: &str) -> Code {
    Code::parse(text).expect("a code")
}

/// M05: usage is not counted later, and is not lost.
#[tokio::test(flavor = "multi_thread")]
async fn of_ten_checkouts_at_once_one_has_the_only_use() {
    let shop = Arc::new(Shop::open().await);
    let limits = json!({"in_all": 1});
    shop.define("once", &json!({"level": "order", "limits": limits})).await;
    let mut checkouts = tokio::task::JoinSet::new();
    for checkout in 0..10 {
        let shop = Arc::clone(&shop);
        checkouts.spawn(async move {
            let uses = [used("once", None, &format!("customer-{checkout}"))];
            (checkout, shop.reserve(checkout, &uses).await)
        });
    }
    let outcomes = checkouts.join_all().await;
    let won: Vec<u128> =
        outcomes.iter().filter(|(_, outcome)| *outcome == Ok(Change::Created)).map(|(at, _)| *at).collect();
    let lost = outcomes.iter().filter(|(_, outcome)| *outcome == Err("coupon_exhausted".to_owned())).count();
    assert_eq!((won.len(), lost), (1, 9), "{outcomes:?}");
    assert_eq!((shop.counted("all").await, shop.events().await), ((1, 0), 1));
    // Declined and aborted: nothing is used, and another may have it.
    assert_eq!(shop.release(won[0], false).await, Ok(Change::Changed));
    assert_eq!(shop.release(won[0], false).await, Ok(Change::Unchanged));
    assert_eq!(shop.counted("all").await, (0, 0));
    assert_eq!(shop.consume(won[0]).await, Err("coupon_settled".to_owned()));
    assert_eq!(shop.reserve(20, &[used("once", None, "anna")]).await, Ok(Change::Created));
    assert_eq!(shop.reserve(20, &[used("once", None, "anna")]).await, Ok(Change::Unchanged), "by its natural key");
    assert_eq!(shop.consume(20).await, Ok(Change::Changed));
    assert_eq!(shop.consume(20).await, Ok(Change::Unchanged));
    assert_eq!(shop.release(20, false).await, Err("coupon_settled".to_owned()));
    // Paid, then cancelled: the promotion does not say so.
    assert_eq!(shop.release(20, true).await, Ok(Change::Unchanged));
    assert_eq!(shop.counted("all").await, (0, 1));
}

#[tokio::test]
async fn a_cancelled_order_gives_back_what_the_promotion_lets_it() {
    let shop = Shop::open().await;
    shop.define("back", &json!({"limits": {"in_all": 1}, "is_given_back": true})).await;
    assert_eq!(shop.reserve(1, &[used("back", None, "anna")]).await, Ok(Change::Created));
    assert_eq!(shop.consume(1).await, Ok(Change::Changed));
    assert_eq!(shop.reserve(2, &[used("back", None, "ben")]).await, Err("coupon_exhausted".to_owned()));
    assert_eq!(shop.release(1, true).await, Ok(Change::Changed));
    assert_eq!(shop.release(1, true).await, Ok(Change::Unchanged));
    assert_eq!((shop.counted("all").await, shop.events().await), ((0, 0), 3));
    assert_eq!(shop.reserve(2, &[used("back", None, "ben")]).await, Ok(Change::Created));
}

#[tokio::test]
async fn limits_hold_by_customer_and_by_code_and_all_uses_are_taken_or_none() {
    let shop = Shop::open().await;
    let limits = json!({"by_customer": 1, "by_code": 2});
    shop.define("each", &json!({"needs_code": true, "limits": limits})).await;
    shop.define("last", &json!({"limits": {"in_all": 1}})).await;
    shop.codes("each", Asked::Add(vec![code("ONE"), code("TWO"), code("OFF")])).await;
    shop.codes("each", Asked::Disable(code("OFF"))).await;
    assert_eq!(
        shop.reserve(1, &[used("each", Some("ONE"), "anna"), used("last", None, "anna")]).await,
        Ok(Change::Created)
    );
    assert_eq!(shop.reserve(2, &[used("each", Some("TWO"), "anna")]).await, Err("coupon_exhausted".to_owned()));
    let both = [used("each", Some("TWO"), "ben"), used("last", None, "ben")];
    assert_eq!(shop.reserve(3, &both).await, Err("coupon_exhausted".to_owned()));
    assert_eq!(shop.counted("code").await, (1, 0), "nothing of what was refused");
    assert_eq!(shop.reserve(4, &[used("each", Some("ONE"), "ben")]).await, Ok(Change::Created));
    assert_eq!(shop.reserve(5, &[used("each", Some("ONE"), "cleo")]).await, Err("coupon_exhausted".to_owned()));
    for (asked, refused) in [
        (used("each", Some("OFF"), "cleo"), "coupon_disabled"),
        (used("each", Some("NONE"), "cleo"), "coupon_unknown"),
        (used("each", None, "cleo"), "coupon_unknown"),
        (used("last", Some("TWO"), "cleo"), "coupon_unknown"),
        (used("missing", None, "cleo"), "coupon_unknown"),
        (used("each", Some("TWO"), "a b"), "validation_failed"),
    ] {
        assert_eq!(shop.reserve(6, &[asked]).await, Err(refused.to_owned()), "{refused}");
    }
    assert_eq!(shop.counted("customer").await, (2, 0));
}

#[tokio::test]
async fn one_checkout_of_a_customer_is_the_first_order() {
    let shop = Shop::open().await;
    let first = json!({"conditions": {"first_order": true}});
    shop.define("one", &first).await;
    shop.define("other", &first).await;
    let uses = [used("one", None, "anna"), used("other", None, "anna")];
    assert_eq!(shop.reserve(1, &uses).await, Ok(Change::Created), "both are of one order");
    assert_eq!(shop.reserve(2, &uses[1..]).await, Err("first_order_taken".to_owned()));
    assert_eq!(shop.reserve(3, &[used("one", None, "ben")]).await, Ok(Change::Created));
    assert_eq!(shop.release(1, false).await, Ok(Change::Changed));
    assert_eq!(shop.reserve(4, &uses[1..]).await, Ok(Change::Created));
    assert_eq!(shop.consume(4).await, Ok(Change::Changed));
    assert_eq!(shop.reserve(5, &uses[..1]).await, Err("first_order_taken".to_owned()));
    let mut transaction = shop.app.database.of_shop(SHOP).await.expect("begun");
    let active = port::active(&mut transaction, &shop.scope(), &[], Some("anna")).await.expect("read");
    assert!(active.has_first_order && active.promotions.len() == 2, "{active:?}");
}

#[tokio::test]
async fn what_was_used_before_counts_once_it_is_limited() {
    let shop = Shop::open().await;
    shop.define("grows", &json!({"limits": {"by_customer": 5}})).await;
    for checkout in 0..3 {
        assert_eq!(shop.reserve(checkout, &[used("grows", None, "anna")]).await, Ok(Change::Created));
    }
    shop.consume(0).await.expect("consumed");
    shop.define("grows", &json!({"limits": {"in_all": 4, "by_customer": 5}})).await;
    assert_eq!(shop.counted("all").await, (2, 1));
    assert_eq!(shop.reserve(3, &[used("grows", None, "ben")]).await, Ok(Change::Created));
    assert_eq!(shop.reserve(4, &[used("grows", None, "ben")]).await, Err("coupon_exhausted".to_owned()));
    // A promotion without limits has no uses that are counted, and nothing to consume.
    shop.define("free", &json!({})).await;
    assert_eq!(shop.reserve(9, &[used("free", None, "anna")]).await, Ok(Change::Unchanged));
    assert_eq!(shop.consume(9).await, Ok(Change::Unchanged));
}

#[tokio::test]
async fn what_may_count_is_known_with_why_a_code_does_not() {
    let shop = Shop::open().await;
    let soon = shop.app.clock.now() + schemas::TimeDelta::hours(1);
    shop.define("automatic", &json!({"limits": {"in_all": 9}})).await;
    shop.define("later", &json!({"from": soon})).await;
    let welcome = json!({"needs_code": true, "limits": {"by_code": 1}});
    shop.define("welcome", &welcome).await;
    shop.define("planned", &json!({"needs_code": true, "from": soon})).await;
    shop.codes("welcome", Asked::Add(vec![code("GOOD"), code("USED"), code("OFF")])).await;
    shop.codes("welcome", Asked::Disable(code("OFF"))).await;
    shop.codes("planned", Asked::Add(vec![code("SOON")])).await;
    shop.reserve(1, &[used("welcome", Some("USED"), "anna")]).await.expect("reserved");
    let given = ["good", "GOOD", "used", "off", "soon", "none", "?"].map(str::to_owned);
    let mut transaction = shop.app.database.of_shop(SHOP).await.expect("begun");
    let active = port::active(&mut transaction, &shop.scope(), &given, Some("anna")).await.expect("read");
    let found: Vec<_> =
        active.promotions.iter().map(|one| (one.name.as_str(), one.code.as_deref(), one.version)).collect();
    assert_eq!(found, [("automatic", None, 1), ("welcome", Some("GOOD"), 1), ("welcome", Some("USED"), 1)]);
    let used_up: Vec<bool> = active.promotions.iter().map(|one| one.exhausted.is_any()).collect();
    assert_eq!(used_up, [false, false, true]);
    let mut why: Vec<_> = active.refused.iter().map(|refused| (refused.code.as_str(), refused.why)).collect();
    why.sort_unstable_by_key(|(code, _)| *code);
    let expected = [
        ("?", WhyNot::Unknown),
        ("NONE", WhyNot::Unknown),
        ("OFF", WhyNot::Disabled),
        ("SOON", WhyNot::NotYet),
        ("USED", WhyNot::Exhausted),
    ];
    assert_eq!(why, expected);
}
