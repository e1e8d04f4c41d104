//! Who may call which route: every operation of both OpenAPI documents, asked by everybody there is. What has to come follows
//! from what the document says.

use acceptance::{
    builders::product_line,
    eventually::eventually,
    shop::{PATIENCE, Shop},
    shopper::{Authenticated, Guest, PASSWORD, Shopper, invited},
    stack::TestStack,
};
use access::{Permission, scoped::Scope};
use reqwest::{Client, Method};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// An operation of a document.
struct Operation {
    method: Method,
    /// With something in each parameter.
    url: String,
    /// Who may call it, in words.
    access: String,
}

/// Who has an account in each shop.
const CUSTOMER: &str = "customer@example.com";
/// The rule of routes by which people sign in, in the words of the documents.
const NAMED: &str = "whoever names the tenant";
/// What every parameter of a path takes: an id, and a slug.
const ANY: &str = "0199a3b4-5c6d-7e8f-9a0b-1c2d3e4f5a6b";

/// Operations of a document.
fn operations(name: &str, base: &str) -> Vec<Operation> {
    let path = format!("{}/../docs/openapi/{name}", env!("CARGO_MANIFEST_DIR"));
    let document: Value = serde_json::from_str(&std::fs::read_to_string(path).expect(name)).expect("JSON");
    let mut found = Vec::new();
    for (path, methods) in document["paths"].as_object().expect("paths") {
        let parts = path.split('/').map(|part| if part.starts_with('{') { ANY } else { part });
        let url = format!("{base}{}", parts.collect::<Vec<_>>().join("/"));
        for (method, operation) in methods.as_object().expect("methods") {
            let method = method.to_uppercase().parse().expect("a method");
            let access = operation["x-souk-access"].as_str().expect(path).to_owned();
            found.push(Operation { method, url: url.clone(), access });
        }
    }
    found
}

/// Somebody who calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Principal {
    Nobody,
    /// Without a key, at the shop's host.
    Visitor,
    /// Without a key, at the host of another shop.
    OtherVisitor,
    /// With a key that looks like one and is none.
    Guessing,
    /// With a key that was revoked.
    Revoked,
    Searching,
    /// With a scoped key of the shop's search key.
    Scoped,
    /// A shopper of the shop who has signed in.
    Customer,
    /// A shopper of another shop who has signed in there.
    OtherCustomer,
    /// A guest of the shop.
    Guest,
    /// A guest of another shop.
    OtherGuest,
    /// Staff with every permission but the one that is needed.
    StaffWithout,
    /// Staff with the permission that is needed alone.
    StaffWith,
    Owner,
    OtherOwner,
    Admin,
    /// An owner of the shop who has signed in by the password alone.
    WeakOwner,
    /// Somebody who has signed in with a one-time code, and a role with every permission.
    StaffMember,
    /// The same, an owner of the shop.
    OwnerMember,
    /// The same, an administrator of the installation.
    AdminMember,
}

const PRINCIPALS: [Principal; 20] = [
    Principal::Nobody,
    Principal::Visitor,
    Principal::OtherVisitor,
    Principal::Guessing,
    Principal::Revoked,
    Principal::Searching,
    Principal::Scoped,
    Principal::Customer,
    Principal::OtherCustomer,
    Principal::Guest,
    Principal::OtherGuest,
    Principal::StaffWithout,
    Principal::StaffWith,
    Principal::Owner,
    Principal::OtherOwner,
    Principal::Admin,
    Principal::WeakOwner,
    Principal::StaffMember,
    Principal::OwnerMember,
    Principal::AdminMember,
];

/// How a request is met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Met {
    In,
    /// 401: who calls is not known.
    Unknown,
    /// 403: known, and not allowed.
    Forbidden,
    /// 404: for the caller there is no such shop.
    NoShop,
}

/// What has to come.
fn expected(access: &str, principal: Principal) -> Met {
    use Principal::{
        Admin, AdminMember, Customer, Guessing, Guest, Nobody, OtherCustomer, OtherGuest, OtherOwner, OtherVisitor,
        Owner, OwnerMember, Revoked, Scoped, Searching, StaffMember, StaffWith, StaffWithout, Visitor, WeakOwner,
    };
    match (access, principal) {
        // What is a shopper's is nobody else's.
        ("customer" | "buyer", Admin) => Met::Forbidden,
        ("anybody", _) | (_, Admin | AdminMember) => Met::In,
        (NAMED, Nobody) => Met::In,
        ("search" | "shopper" | NAMED, Visitor | Customer | Guest) => Met::In,
        ("customer" | "buyer", Customer) | ("buyer", Guest) => Met::In,
        ("search" | "shopper" | NAMED | "customer" | "buyer", WeakOwner | StaffMember | OwnerMember) => Met::In,
        ("search" | "shopper" | NAMED | "customer" | "buyer", OtherCustomer) => Met::NoShop,
        ("search" | "shopper" | NAMED | "buyer", OtherGuest) => Met::NoShop,
        ("search" | "shopper" | NAMED, OtherVisitor) => Met::NoShop,
        (_, Nobody | Visitor | OtherVisitor | Guessing | Revoked) => Met::Unknown,
        ("search", Scoped) => Met::In,
        ("search" | "shopper" | NAMED, Searching | StaffWithout | StaffWith | Owner) => Met::In,
        ("shopper" | NAMED, Scoped) => Met::Forbidden,
        ("owner", Owner | OwnerMember) => Met::In,
        ("admin" | "customer" | "buyer", _) => Met::Forbidden,
        (_, Customer | OtherCustomer | Guest | OtherGuest | WeakOwner) => Met::Forbidden,
        (_, OtherOwner) => Met::NoShop,
        ("owner", _) => Met::Forbidden,
        (other, principal) => {
            assert!(other.starts_with("staff "), "a kind without a case: {other}");
            match principal {
                StaffWith | Owner | StaffMember | OwnerMember => Met::In,
                Nobody | Visitor | OtherVisitor | Guessing | Revoked | Searching | Scoped | Customer
                | OtherCustomer | Guest | OtherGuest | StaffWithout | OtherOwner | Admin | WeakOwner | AdminMember => {
                    Met::Forbidden
                }
            }
        }
    }
}

/// The keys of everybody.
struct Keys {
    admin: String,
    guessed: String,
    revoked: String,
    search: String,
    scoped: String,
    owner: String,
    other_owner: String,
    customer: String,
    other_customer: String,
    guest: String,
    other_guest: String,
    with: BTreeMap<&'static str, String>,
    without: BTreeMap<&'static str, String>,
    weak_owner: String,
    /// Staff, an owner and an administrator, in this order.
    members: [Authenticated; 3],
}

impl Keys {
    async fn of(stack: &TestStack, shop: &Shop, other: &Shop) -> Self {
        let admin = stack.stack.admin_key().expect("the admin key");
        let (mut with, mut without) = (BTreeMap::new(), BTreeMap::new());
        for permission in Permission::ALL {
            let others: Vec<&str> =
                Permission::ALL.iter().filter(|one| *one != permission).map(|one| one.as_str()).collect();
            with.insert(permission.as_str(), shop.key("staff", &[permission.as_str()]).await.1);
            without.insert(permission.as_str(), shop.key("staff", &others).await.1);
        }
        let (id, revoked) = shop.key("owner", &[]).await;
        revoke(shop, &id).await;
        let (id, search) = shop.key("search", &[]).await;
        let scoped = scoped(&search, &id, &Scope { filter: Some("brand:Ours".to_owned()), ..Scope::default() });
        let guessed = format!("{}{}", &search[..search.len() - 4], "AAAA");
        let (owner, other_owner) = (shop.key("owner", &[]).await.1, other.key("owner", &[]).await.1);
        let customer = Shopper::sign_up(stack, shop, CUSTOMER).await.access;
        let other_customer = Shopper::sign_up(stack, other, CUSTOMER).await.access;
        let (guest, other_guest) = (Guest::begin(shop).await.token, Guest::begin(other).await.token);
        let weak_owner = invited(shop, "weak@example.com", Some("owner")).await.access;
        let all =
            json!({"name": "All", "permissions": Permission::ALL.iter().map(|one| one.as_str()).collect::<Vec<_>>()});
        shop.command(Method::PUT, "/v1/roles/everything", None, &all).await;
        let members = [
            Authenticated::invited(shop, "staff@example.com", "everything").await,
            Authenticated::invited(shop, "owner@example.com", "owner").await,
            Authenticated::invited(shop, "admin@example.com", "admin").await,
        ];
        Self {
            admin,
            guessed,
            revoked,
            search,
            scoped,
            owner,
            other_owner,
            customer,
            other_customer,
            guest,
            other_guest,
            with,
            without,
            weak_owner,
            members,
        }
    }

    /// The key of somebody who asks for an operation.
    fn of_principal(&self, principal: Principal, access: &str) -> Option<&str> {
        let permission = access.strip_prefix("staff ").unwrap_or("catalog.write");
        let key = match principal {
            Principal::Nobody | Principal::Visitor | Principal::OtherVisitor => return None,
            Principal::Guessing => &self.guessed,
            Principal::Revoked => &self.revoked,
            Principal::Searching => &self.search,
            Principal::Scoped => &self.scoped,
            Principal::Customer => &self.customer,
            Principal::OtherCustomer => &self.other_customer,
            Principal::Guest => &self.guest,
            Principal::OtherGuest => &self.other_guest,
            Principal::StaffWithout => &self.without[permission],
            Principal::StaffWith => &self.with[permission],
            Principal::Owner => &self.owner,
            Principal::OtherOwner => &self.other_owner,
            Principal::Admin => &self.admin,
            Principal::WeakOwner => &self.weak_owner,
            Principal::StaffMember => &self.members[0].person.access,
            Principal::OwnerMember => &self.members[1].person.access,
            Principal::AdminMember => &self.members[2].person.access,
        };
        Some(key)
    }

    /// Signs those in again who have signed out.
    async fn sign_in(&mut self, shop: &Shop) {
        self.customer = Shopper::sign_in(shop, CUSTOMER, PASSWORD).await.access;
        self.weak_owner = Shopper::sign_in(shop, "weak@example.com", PASSWORD).await.access;
        for member in &mut self.members {
            member.sign_in(shop).await;
        }
    }
}

/// A scoped key, as a shop's server makes it.
fn scoped(search_key: &str, id: &str, scope: &Scope) -> String {
    access::scoped::make(search_key, id.parse().expect("an id"), scope).expect("made")
}

/// Revokes a key and waits until the views know it.
async fn revoke(shop: &Shop, id: &str) {
    let answer = shop.request(Method::DELETE, &format!("/v1/keys/{id}")).send().await.expect("an answer");
    let revoked: Value = answer.json().await.expect("JSON");
    let read = shop.read("/v1/keys", revoked["token"].as_str()).await;
    assert!(read.fresh, "{revoked} {read:?}");
    let keys = read.body["keys"].as_array().cloned().unwrap_or_default();
    assert!(keys.iter().any(|key| key["id"] == *id && key["revoked_at"].is_string()), "{keys:?}");
}

/// How a request for a shop is met.
async fn met(http: &Client, operation: &Operation, slug: &str, principal: Principal, key: Option<&str>) -> Met {
    let Operation { method, url, .. } = operation;
    let request = http.request(method.clone(), url).header("x-tenant-slug", slug);
    let request = match principal {
        Principal::Visitor => request.header("host", format!("{slug}.localhost")),
        Principal::OtherVisitor => request.header("host", "neighbour.localhost"),
        _ => request,
    };
    let request = if *method == Method::GET { request } else { request.json(&json!({})) };
    let request = key.into_iter().fold(request, |request, key| request.bearer_auth(key));
    let answer = request.send().await.expect("an answer");
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    let body: Value = answer.json().await.unwrap_or_default();
    assert!(status < 500 || status == 503, "{method} {url}: {status} {body}");
    match (status, body["code"].as_str()) {
        (401, code) => {
            assert_eq!(code, Some("unauthorized"), "{method} {url}");
            assert_eq!(headers["www-authenticate"], "Bearer", "{method} {url}");
            Met::Unknown
        }
        (403, code) => {
            assert_eq!(code, Some("forbidden"), "{method} {url}");
            Met::Forbidden
        }
        // Of shops themselves, administrators are told that there is none of that name.
        (404, Some("tenant_not_found"))
            if matches!(principal, Principal::Admin | Principal::AdminMember) && url.contains("/v1/tenants/") =>
        {
            Met::In
        }
        (404, Some("tenant_not_found")) => Met::NoShop,
        _ => Met::In,
    }
}

#[tokio::test]
async fn every_route_lets_in_whom_its_document_names() {
    let stack = TestStack::start(false).await;
    let (shop, other) = (Shop::open(&stack, "guarded").await, Shop::open(&stack, "neighbour").await);
    let (http, mut keys) = (Client::new(), Keys::of(&stack, &shop, &other).await);
    let mut wrong = Vec::new();
    let mut kinds = BTreeSet::new();
    let all = [("query-api.json", stack.query_url()), ("write-api.json", stack.write_url())];
    for operation in all.iter().flat_map(|(name, base)| operations(name, base)) {
        for principal in PRINCIPALS {
            let key = keys.of_principal(principal, &operation.access);
            let (met, wanted) =
                (met(&http, &operation, &shop.slug, principal, key).await, expected(&operation.access, principal));
            if met != wanted {
                let Operation { method, url, access } = &operation;
                wrong.push(format!("{method} {url} is for {access}; {principal:?}: {met:?}, not {wanted:?}"));
            }
        }
        if operation.method == Method::DELETE && operation.url.contains("/v1/sessions") {
            keys.sign_in(&shop).await;
        }
        kinds.insert(operation.access);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(kinds.len() >= 10, "{kinds:?}");
    // Those that no document lists.
    for path in ["/v1/operations/status", "/v1/console/road", "/v1/console/letters"] {
        let url = format!("{}{path}", stack.query_url());
        let operation = Operation { method: Method::GET, url, access: "admin".to_owned() };
        for principal in PRINCIPALS {
            let key = keys.of_principal(principal, "admin");
            let met = met(&http, &operation, &shop.slug, principal, key).await;
            assert_eq!(met, expected("admin", principal), "{path} {principal:?}");
        }
    }
}

#[tokio::test]
async fn nothing_that_is_refused_is_done() {
    let stack = TestStack::start(false).await;
    let shop = Shop::open(&stack, "closed").await;
    let stranger = shop.without_key();
    let line = json!({"external_id": "a", "title": "Lamp of a stranger", "variants": [{"sku": "a"}], "publish": true});
    let search = shop.with_key(&shop.key("search", &[]).await.1);
    let prices = shop.with_key(&shop.key("staff", &["pricing.write"]).await.1);
    for (who, status) in [(&stranger, 401), (&search, 403), (&prices, 403)] {
        let sent = who.request(Method::POST, "/v1/products/bulk").body(format!("{line}\n")).send().await;
        assert_eq!(sent.expect("an answer").status(), status);
        let opened = who.request(Method::PUT, "/v1/tenants/of-a-stranger").json(&json!({"name": "x"})).send().await;
        assert_eq!(opened.expect("an answer").status(), status);
    }
    let tenants: i64 = sqlx::query_scalar("SELECT count(*) FROM tenants.tenants WHERE slug = 'of-a-stranger'")
        .fetch_one(&stack.write)
        .await
        .expect("counted");
    let products: i64 =
        sqlx::query_scalar("SELECT count(*) FROM catalog.products").fetch_one(&stack.write).await.expect("counted");
    assert_eq!((tenants, products), (0, 0));
}

/// Who asks at the host of a shop without a key shops there, and nowhere else.
#[tokio::test]
async fn a_host_names_its_shop() {
    let stack = TestStack::start(false).await;
    let shop = Shop::open(&stack, "hosted").await;
    Shop::open(&stack, "elsewhere").await;
    let token = shop.bulk_all("products", &[product_line("lamp", "Lamp of ours")]).await;
    shop.search("lamp", &token).await;
    let http = Client::new();
    let ask = |host: &'static str, path: &str| {
        let request = http.get(format!("{}{path}", stack.query_url())).header("host", host);
        async move {
            let answer = request.send().await.expect("an answer");
            let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
            let body: Value = answer.json().await.unwrap_or_default();
            assert_eq!(status == 401, headers.contains_key("www-authenticate"), "{host}: {body}");
            (status, body)
        }
    };
    let search = "/v1/search?q=lamp";
    assert_eq!(ask("hosted.localhost:8081", search).await.1["total"], 1);
    assert_eq!(ask("Hosted.LocalHost", &format!("{search}&tenant=hosted")).await.1["total"], 1);
    assert_eq!(ask("elsewhere.localhost", search).await.1["total"], 0);
    for (host, path, status, code) in [
        ("hosted.localhost", "/v1/search?q=lamp&tenant=elsewhere", 404, "tenant_not_found"),
        ("nowhere.localhost", search, 404, "tenant_not_found"),
        ("localhost", search, 401, "unauthorized"),
        ("127.0.0.1", "/v1/search?q=lamp&tenant=hosted", 401, "unauthorized"),
        ("a.hosted.localhost", search, 401, "unauthorized"),
        ("hosted.localhost", "/v1/merchandising/rules", 401, "unauthorized"),
    ] {
        let (met, body) = ask(host, path).await;
        assert_eq!((met, body["code"].as_str()), (status, Some(code)), "{host}{path}: {body}");
    }
    // A shop of this moment is waited for there, too.
    let open = http.put(format!("{}/v1/tenants/brandnew", stack.write_url())).json(&json!({"name": "New"}));
    let open = open.bearer_auth(stack.stack.admin_key().expect("the admin key"));
    let opened: Value = open.send().await.expect("an answer").json().await.expect("JSON");
    let token = opened["token"].as_str().expect("a token");
    let (status, body) = ask("brandnew.localhost", &format!("/v1/categories?token={token}&wait_ms=20000")).await;
    assert_eq!(status, 200, "{body}");
}

/// The shop of a request without a header is that of the key; a header may only agree.
#[tokio::test]
async fn a_key_names_its_shop() {
    let stack = TestStack::start(false).await;
    let (shop, other) = (Shop::open(&stack, "named").await, Shop::open(&stack, "another").await);
    let token = shop.bulk_all("products", &[product_line("lamp", "Lamp of ours")]).await;
    shop.search("lamp", &token).await;
    let (http, key) = (Client::new(), shop.key("search", &[]).await.1);
    let url = format!("{}/v1/search?q=lamp", stack.query_url());
    let ask = |url: String, slug: Option<&str>| {
        let request = http.get(url).bearer_auth(&key);
        let request = slug.into_iter().fold(request, |request, slug| request.header("x-tenant-slug", slug));
        async move {
            let answer = request.send().await.expect("an answer");
            (answer.status().as_u16(), answer.json::<Value>().await.unwrap_or_default())
        }
    };
    for slug in [None, Some("named")] {
        let (status, body) = ask(url.clone(), slug).await;
        assert_eq!((status, &body["total"]), (200, &json!(1)), "{body}");
    }
    let (status, body) = ask(url.clone(), Some(&other.slug)).await;
    assert_eq!((status, body["code"].as_str()), (404, Some("tenant_not_found")), "{body}");
    let (_, nowhere) = ask(url.clone(), Some("nowhere")).await;
    let told = |body: &Value| body["detail"].as_str().expect("a detail").to_owned();
    assert_eq!(
        told(&body).replace("another", "nowhere"),
        told(&nowhere),
        "a shop that is there is told as one that is not"
    );
    let (status, body) = ask(format!("{url}&tenant=another"), None).await;
    assert_eq!((status, body["code"].as_str()), (404, Some("tenant_not_found")), "{body}");
    // Staff write without naming it, too.
    let staff = shop.key("staff", &["catalog.write"]).await.1;
    let line = product_line("bulb", "Bulb of ours");
    let write = format!("{}/v1/products/bulk", stack.write_url());
    let sent = http.post(&write).bearer_auth(&staff).body(format!("{line}\n")).send().await.expect("an answer");
    assert_eq!(sent.status(), 200);
    let text = sent.text().await.expect("lines");
    assert!(text.contains("\"created\":1"), "{text}");
}

#[tokio::test]
async fn a_revoked_key_is_none_within_seconds_on_both_sides() {
    let stack = TestStack::start(false).await;
    let shop = Shop::open(&stack, "revoked").await;
    let (id, key) = shop.key("owner", &[]).await;
    let owner = shop.with_key(&key);
    assert_eq!(owner.read("/v1/keys", None).await.status, 200);
    let written = owner.request(Method::PUT, "/v1/merchandising/synonyms/sofas");
    let set = json!({"kind": "multi_way", "terms": ["sofa", "couch"]});
    assert_eq!(written.json(&set).send().await.expect("an answer").status(), 201);
    revoke(&shop, &id).await;
    eventually("the key is none any more", PATIENCE, || async {
        let read = owner.read("/v1/keys", None).await.status.as_u16();
        let removed = owner.request(Method::DELETE, "/v1/merchandising/synonyms/sofas").header("if-match", "*");
        let written = removed.send().await.expect("an answer").status().as_u16();
        if (read, written) == (401, 401) { Ok(()) } else { Err(format!("{read} and {written}")) }
    })
    .await;
    // The command that names it again changes nothing.
    let again = shop.request(Method::DELETE, &format!("/v1/keys/{id}")).send().await.expect("an answer");
    assert_eq!(again.json::<Value>().await.expect("JSON")["status"], "unchanged");
}

/// Every text of every table of a database that holds one of these.
async fn tables_with(pool: &sqlx::PgPool, needles: &[&str]) -> Vec<String> {
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
         WHERE c.relkind IN ('r', 'p') AND n.nspname NOT IN ('pg_catalog', 'information_schema')",
    )
    .fetch_all(pool)
    .await
    .expect("the tables");
    assert!(tables.len() > 10, "{tables:?}");
    let mut found = Vec::new();
    for table in tables {
        let query = format!("SELECT count(*) FROM {table} AS t WHERE t::text LIKE ANY($1)");
        let patterns: Vec<String> = needles.iter().map(|needle| format!("%{needle}%")).collect();
        let count: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(query))
            .bind(patterns)
            .fetch_one(pool)
            .await
            .unwrap_or_else(|error| unreachable!("{table}: {error}"));
        if count > 0 {
            found.push(table);
        }
    }
    found
}

#[tokio::test]
async fn a_key_is_kept_nowhere() {
    let stack = TestStack::start(false).await;
    let shop = Shop::open(&stack, "secretive").await;
    let asked = json!({"name": "canary", "kind": "owner"});
    let send = || async {
        let request = shop.request(Method::POST, "/v1/keys").header("idempotency-key", "once").json(&asked);
        request.send().await.expect("an answer").json::<Value>().await.expect("JSON")
    };
    let (first, again) = (send().await, send().await);
    let key = first["key"].as_str().expect("a key");
    assert_eq!((&again["id"], again.get("key")), (&first["id"], None), "{again}");
    shop.read("/v1/keys", first["token"].as_str()).await;
    assert_eq!(shop.with_key(key).read("/v1/keys", None).await.status, 200);
    let secret = &key["souk_owner_".len() + 4..];
    for pool in [&stack.write, &stack.read] {
        assert_eq!(tables_with(pool, &[secret]).await, Vec::<String>::new());
        assert_ne!(tables_with(pool, &["canary"]).await, Vec::<String>::new(), "the search finds what is there");
    }
    let logs = std::fs::read_dir(&stack.stack.settings.data_dir).expect("the folder").flatten();
    for file in logs.map(|entry| entry.path()).filter(|path| path.is_file()) {
        let bytes = std::fs::read(&file).unwrap_or_default();
        assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()), "{}", file.display());
    }
}

#[tokio::test]
async fn a_key_that_makes_no_sense_is_told_what_is_wrong() {
    let stack = TestStack::start(false).await;
    let shop = Shop::open(&stack, "wishing").await;
    for (asked, pointer) in [
        (json!({"name": "x", "kind": "staff"}), "/permissions"),
        (json!({"name": "x", "kind": "staff", "permissions": ["all"]}), "/permissions/0"),
        (json!({"name": "x", "kind": "search", "permissions": ["catalog.write"]}), "/permissions"),
        (json!({"name": "", "kind": "search"}), "/name"),
        (json!({"name": "x", "kind": "search", "expires_at": "2020-01-01T00:00:00Z"}), "/expires_at"),
    ] {
        let answer = shop.request(Method::POST, "/v1/keys").json(&asked).send().await.expect("an answer");
        assert_eq!(answer.status(), 422, "{asked}");
        let body: Value = answer.json().await.expect("JSON");
        assert_eq!(body["errors"][0]["pointer"], pointer, "{body}");
    }
    for asked in
        [json!({"name": "x", "kind": "root"}), json!({"name": "x"}), json!({"kind": "search", "name": "x", "a": 1})]
    {
        let answer = shop.request(Method::POST, "/v1/keys").json(&asked).send().await.expect("an answer");
        assert_eq!(answer.status(), 400, "{asked}");
    }
    let missing = shop.request(Method::DELETE, "/v1/keys/0199a3b4-5c6d-7e8f-9a0b-1c2d3e4f5a6b").send().await;
    assert_eq!(missing.expect("an answer").status(), 404);
}

/// Two products, one of which is outside of the scope.
async fn shop_of_two(stack: &TestStack) -> Shop {
    let shop = Shop::open(stack, "scoped").await;
    shop.bulk_all("categories", &[json!({"external_id": "c", "name": "Lamps", "slug": "lamps"})]).await;
    let line = |id: &str, brand: &str| {
        let mut line = product_line(id, &format!("Lamp {id}"));
        line["brand"] = json!(brand);
        line["categories"] = json!(["c"]);
        line
    };
    let token = shop.bulk_all("products", &[line("shown", "Ours"), line("hidden", "Theirs")]).await;
    shop.search("lamp", &token).await;
    shop
}

#[tokio::test]
async fn a_scoped_key_shows_its_scope_and_nothing_beyond() {
    let stack = TestStack::start(false).await;
    let shop = shop_of_two(&stack).await;
    let found = shop.read("/v1/search?q=lamp", None).await;
    let hidden = found.body["hits"].as_array().into_iter().flatten().find(|hit| hit["title"] == "Lamp hidden");
    let hidden = hidden.expect("both are found")["id"].as_str().expect("an id").to_owned();
    let pin = json!({"enabled": true, "priority": 1, "when": {"query": {"match": "is", "text": "lamp"}}, "then": [
        {"type": "pin", "product_id": hidden, "position": 1}]});
    let pinned = shop.command(Method::PUT, "/v1/merchandising/rules/pin", None, &pin).await;
    let read = shop.read("/v1/search?q=lamp", pinned["token"].as_str()).await;
    assert_eq!(read.titles()[0], "Lamp hidden", "the rule works for others: {}", read.body);
    let (id, key) = shop.key("search", &[]).await;
    let only = |filter: &str| Scope { filter: Some(filter.to_owned()), ..Scope::default() };
    let visitor = shop.with_key(&scoped(&key, &id, &only("brand:Ours")));
    // Also where the visitor filters by the same field, and asks for the values of it.
    for (path, list) in [
        ("/v1/search?q=lamp&facets=brand", "/hits"),
        ("/v1/search?q=lamp&facets=brand&filter=brand:Theirs,Ours", "/hits"),
        ("/v1/search?q=&facets=*", "/hits"),
        ("/v1/search?q=lamp&facets=brand&steering=false", "/hits"),
        ("/v1/facets/brand?q=lamp", "/values"),
        ("/v1/facets/brand?q=lamp&filter=brand:Ours", "/values"),
        ("/v1/categories/lamps/products", "/products"),
    ] {
        let read = visitor.read(path, None).await;
        assert_eq!(read.status, 200, "{path}: {read:?}");
        let text = read.body.to_string();
        assert_eq!(read.body.pointer(list).and_then(Value::as_array).map(Vec::len), Some(1), "{path}: {text}");
        assert!(!text.contains("Theirs") && !text.contains("Lamp hidden"), "{path}: {text}");
    }
    let many = json!({"searches": [{"q": "lamp", "facets": ["brand"]}]});
    let answer = visitor.ask("/v1/search/multi", &many).await;
    assert!(answer.to_string().contains("Lamp shown") && !answer.to_string().contains("Theirs"), "{answer}");
    // What another scope was answered a moment ago is not this one's.
    let other = shop.with_key(&scoped(&key, &id, &only("brand:Theirs")));
    assert_eq!(other.read("/v1/search?q=lamp&facets=brand", None).await.titles(), ["Lamp hidden"]);
    let few = shop.with_key(&scoped(&key, &id, &Scope { max_hits: Some(1), ..Scope::default() }));
    let page = few.read("/v1/search?q=lamp&limit=100", None).await;
    assert_eq!((page.titles().len(), &page.body["total"]), (1, &json!(2)));
    // What does not know scopes refuses.
    for path in ["/v1/suggest?q=lamp", &format!("/v1/products/{hidden}"), &format!("/v1/products/{hidden}/similar")] {
        assert_eq!(visitor.read(path, None).await.status, 403, "{path}");
    }
}

#[tokio::test]
async fn a_scoped_key_ends_with_its_time_and_with_its_search_key() {
    let stack = TestStack::start(false).await;
    let shop = Shop::open(&stack, "ending").await;
    let (id, key) = shop.key("search", &[]).await;
    let status = async |key: String| shop.with_key(&key).read("/v1/search?q=x", None).await.status.as_u16();
    let until = |at: i64| scoped(&key, &id, &Scope { expires_at: Some(at), ..Scope::default() });
    assert_eq!(status(until(1)).await, 401);
    assert_eq!(status(until(4_000_000_000)).await, 200);
    // One that is signed with a key of another kind opens nothing.
    let (owner_id, owner) = shop.key("owner", &[]).await;
    assert_eq!(status(scoped(&owner, &owner_id, &Scope::default())).await, 401);
    assert_eq!(status(scoped(&owner, &id, &Scope::default())).await, 401);
    revoke(&shop, &id).await;
    eventually("scoped keys end with it", PATIENCE, || async {
        let status = status(until(4_000_000_000)).await;
        if status == 401 { Ok(()) } else { Err(status.to_string()) }
    })
    .await;
}
