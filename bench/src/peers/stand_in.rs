//! Typesense and Meilisearch as their documentation has them, small enough for a test: what an adapter sends is
//! refused where the real one would refuse it.

use super::{
    engine::Engine,
    meilisearch::Meilisearch,
    oracle::Oracle,
    product::Product,
    queries::{Kind, Query},
    typesense::Typesense,
};
use crate::BenchError;
use axum::{
    Json, Router,
    extract::{Path, Query as Parameters, Request, State},
    http::{HeaderMap, StatusCode},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{delete, get, patch, post},
};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, atomic::AtomicU32, atomic::Ordering},
};

const KEY: &str = "secret";

#[derive(Clone, Default)]
struct Shared {
    documents: Arc<Mutex<Option<Vec<Value>>>>,
    filterable: Arc<Mutex<Vec<String>>>,
    tasks: Arc<Mutex<Vec<Option<Value>>>>,
    /// Answers of 503 that are still to be given.
    busy: Arc<AtomicU32>,
}

type Reply = Result<Json<Value>, (StatusCode, Json<Value>)>;

fn refused(status: StatusCode, message: &str) -> (StatusCode, Json<Value>) {
    (status, Json(json!({"message": message})))
}

/// Keeps everybody out who has no key, and says now and then that it is busy.
async fn guard(State(shared): State<Shared>, headers: HeaderMap, request: Request, next: Next) -> Response {
    let key = headers.get("x-typesense-api-key").and_then(|value| value.to_str().ok());
    let bearer = headers.get("authorization").and_then(|value| value.to_str().ok());
    if key != Some(KEY) && bearer != Some(&format!("Bearer {KEY}")) {
        return refused(StatusCode::UNAUTHORIZED, "Forbidden - a valid `x-typesense-api-key` header must be sent.")
            .into_response();
    }
    let busy = shared.busy.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok();
    if busy {
        refused(StatusCode::SERVICE_UNAVAILABLE, "Not Ready or Lagging").into_response()
    } else {
        next.run(request).await
    }
}

/// What matches: every word in the title or brand.
fn matching(documents: &[Value], text: &str, brand: Option<&str>) -> Vec<Value> {
    let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).filter(|word| word != "*").collect();
    let holds = |document: &&Value| {
        let said = format!("{} {}", document["title"], document["brand"]).to_lowercase();
        words.iter().all(|word| said.contains(word)) && brand.is_none_or(|brand| document["brand"] == *brand)
    };
    documents.iter().filter(holds).cloned().collect()
}

fn counts(found: &[Value], field: &str) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for document in found {
        let values = document[field].as_array().cloned().unwrap_or_else(|| vec![document[field].clone()]);
        for value in values.iter().filter(|value| !value.is_null()) {
            *counts.entry(value.as_str().map_or_else(|| value.to_string(), str::to_owned)).or_default() += 1;
        }
    }
    counts
}

mod like_typesense {
    use super::*;

    pub(super) fn routes() -> Router<Shared> {
        Router::new()
            .route("/collections", post(create))
            .route("/collections/{name}", delete(remove))
            .route("/collections/{name}/documents/import", post(import))
            .route("/collections/{name}/documents/search", get(search))
    }

    async fn create(State(shared): State<Shared>, Json(schema): Json<Value>) -> Reply {
        if shared.documents.lock().expect("lock").is_some() {
            let name = schema["name"].as_str().unwrap_or_default();
            return Err(refused(StatusCode::CONFLICT, &format!("A collection with name `{name}` already exists.")));
        }
        *shared.documents.lock().expect("lock") = Some(Vec::new());
        Ok(Json(schema))
    }

    /// Each line has an answer of its own, and the whole is a success.
    async fn import(State(shared): State<Shared>, body: String) -> Response {
        let mut answers = Vec::new();
        for line in body.lines() {
            let document: Value = serde_json::from_str(line).expect("JSON");
            if document["title"].as_str().is_some_and(|title| !title.is_empty()) {
                shared.documents.lock().expect("lock").as_mut().expect("a collection").push(document);
                answers.push(json!({"success": true}).to_string());
            } else {
                let error = "Field `title` has been declared in the schema, but is not found in the document.";
                answers.push(json!({"success": false, "error": error, "code": 400}).to_string());
            }
        }
        answers.join("\n").into_response()
    }

    async fn search(State(shared): State<Shared>, Parameters(asked): Parameters<BTreeMap<String, String>>) -> Reply {
        let documents = shared.documents.lock().expect("lock").clone();
        let documents = documents.ok_or_else(|| refused(StatusCode::NOT_FOUND, "Collection not found"))?;
        let filter = asked.get("filter_by").map(String::as_str);
        let brand = filter.map(|filter| filter.strip_prefix("brand:=`").and_then(|rest| rest.strip_suffix('`')));
        if brand == Some(None) || !asked.contains_key("query_by") {
            return Err(refused(StatusCode::BAD_REQUEST, "Could not parse the filter query."));
        }
        let found = matching(&documents, &asked["q"], brand.flatten());
        let facets = asked.get("facet_by").map_or_else(Vec::new, |by| by.split(',').collect());
        let counted = facets.iter().map(|field| {
            let counts =
                counts(&found, field).into_iter().map(|(value, count)| json!({"value": value, "count": count}));
            json!({"field_name": field, "counts": counts.collect::<Vec<_>>()})
        });
        let limit: usize = asked["per_page"].parse().expect("a number");
        let hits = found.iter().take(limit).map(|document| json!({"document": {"id": document["id"]}}));
        Ok(Json(json!({"found": found.len(), "out_of": documents.len(), "page": 1, "search_time_ms": 0,
            "hits": hits.collect::<Vec<_>>(), "facet_counts": counted.collect::<Vec<_>>()})))
    }

    async fn remove(State(shared): State<Shared>, Path(name): Path<String>) -> Reply {
        let removed = shared.documents.lock().expect("lock").take();
        let missing = || refused(StatusCode::NOT_FOUND, &format!("No collection with name `{name}` found."));
        removed.map(|_| Json(json!({"name": name}))).ok_or_else(missing)
    }
}

mod like_meilisearch {
    use super::*;

    pub(super) fn routes() -> Router<Shared> {
        Router::new()
            .route("/indexes", post(create))
            .route("/indexes/{uid}", delete(remove))
            .route("/indexes/{uid}/settings", patch(settings))
            .route("/indexes/{uid}/documents", post(add))
            .route("/indexes/{uid}/search", post(search))
            .route("/tasks/{uid}", get(task))
    }

    /// Every change is accepted, and a task says later what became of it.
    fn accepted(shared: &Shared, error: Option<Value>) -> (StatusCode, Json<Value>) {
        let mut tasks = shared.tasks.lock().expect("lock");
        tasks.push(error);
        (StatusCode::ACCEPTED, Json(json!({"taskUid": tasks.len() - 1, "status": "enqueued"})))
    }

    async fn task(State(shared): State<Shared>, Path(uid): Path<usize>) -> Json<Value> {
        match &shared.tasks.lock().expect("lock")[uid] {
            None => Json(json!({"uid": uid, "status": "succeeded", "error": null})),
            Some(error) => Json(json!({"uid": uid, "status": "failed", "error": error})),
        }
    }

    async fn create(State(shared): State<Shared>, Json(index): Json<Value>) -> (StatusCode, Json<Value>) {
        let mut documents = shared.documents.lock().expect("lock");
        let there = documents.is_some().then(
            || json!({"code": "index_already_exists", "message": format!("Index `{}` already exists.", index["uid"])}),
        );
        documents.get_or_insert_default();
        drop(documents);
        accepted(&shared, there)
    }

    async fn settings(State(shared): State<Shared>, Json(settings): Json<Value>) -> (StatusCode, Json<Value>) {
        let names = settings["filterableAttributes"].as_array().cloned().unwrap_or_default();
        *shared.filterable.lock().expect("lock") =
            names.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect();
        accepted(&shared, None)
    }

    async fn add(State(shared): State<Shared>, Json(mut added): Json<Vec<Value>>) -> (StatusCode, Json<Value>) {
        shared.documents.lock().expect("lock").as_mut().expect("an index").append(&mut added);
        accepted(&shared, None)
    }

    async fn search(State(shared): State<Shared>, Json(asked): Json<Value>) -> Reply {
        let documents = shared.documents.lock().expect("lock").clone();
        let missing = || refused(StatusCode::NOT_FOUND, "Index `ours` not found.");
        let documents = documents.ok_or_else(missing)?;
        let filter = asked["filter"].as_str();
        if filter.is_some() && !shared.filterable.lock().expect("lock").contains(&"brand".to_owned()) {
            return Err(refused(StatusCode::BAD_REQUEST, "Attribute `brand` is not filterable."));
        }
        let brand =
            filter.map(|filter| filter.trim_start_matches("brand = \"").trim_end_matches('"').replace("\\\"", "\""));
        let found = matching(&documents, asked["q"].as_str().unwrap_or_default(), brand.as_deref());
        let facets = asked["facets"].as_array().cloned().unwrap_or_default();
        let facets = facets.iter().filter_map(Value::as_str);
        let distribution: BTreeMap<_, _> = facets.map(|field| (field, counts(&found, field))).collect();
        let limit = asked["limit"].as_u64().or_else(|| asked["hitsPerPage"].as_u64()).expect("a page") as usize;
        let hits: Vec<Value> = found.iter().take(limit).map(|document| json!({"id": document["id"]})).collect();
        let total = if asked["page"].is_u64() { "totalHits" } else { "estimatedTotalHits" };
        Ok(Json(json!({"hits": hits, total: found.len(), "facetDistribution": distribution, "processingTimeMs": 0})))
    }

    async fn remove(State(shared): State<Shared>) -> (StatusCode, Json<Value>) {
        shared.documents.lock().expect("lock").take();
        accepted(&shared, None)
    }
}

/// Serves one of them and tells where.
async fn serve(routes: Router<Shared>, shared: &Shared) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let guarded = middleware::from_fn_with_state(shared.clone(), guard);
    let router = routes.layer(guarded).with_state(shared.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

async fn typesense(shared: &Shared, key: &str) -> Engine {
    let base = serve(like_typesense::routes(), shared).await;
    let http = super::client().expect("a client");
    Engine::Typesense(Typesense { http, base, key: key.to_owned(), collection: "ours".to_owned() })
}

async fn meilisearch(shared: &Shared, key: &str) -> Engine {
    let base = serve(like_meilisearch::routes(), shared).await;
    let http = super::client().expect("a client");
    Engine::Meilisearch(Meilisearch { http, base, key: key.to_owned(), index: "ours".to_owned() })
}

fn product(id: u32, title: &str, brand: &str) -> Product {
    Product {
        id: id.to_string(),
        title: title.to_owned(),
        brand: Some(brand.to_owned()),
        part_number: None,
        product_type: Some("lamp".to_owned()),
        description: None,
        category: vec!["home".to_owned(), "lamps".to_owned()],
        price: Some(1_999),
        available: id.is_multiple_of(2),
    }
}

fn lamps() -> Vec<Product> {
    let brands = ["12\" Lights", "Bolt", "12\" Lights"];
    (1..).zip(brands).map(|(id, brand)| product(id, &format!("Brass lamp {id}"), brand)).collect()
}

fn brass(brand: &str) -> Query {
    Query { text: "brass lamp".to_owned(), brand: brand.to_owned() }
}

async fn engines(shared: [&Shared; 2], key: &str) -> [Engine; 2] {
    [typesense(shared[0], key).await, meilisearch(shared[1], key).await]
}

#[tokio::test]
async fn products_are_loaded_found_filtered_counted_and_removed() {
    let shared = [Shared::default(), Shared::default()];
    let products = lamps();
    let (oracle, query) = (Oracle::new(&products), brass("12\" Lights"));
    for mut engine in engines([&shared[0], &shared[1]], KEY).await {
        engine.load(&products).await.expect("loaded");
        assert_eq!(engine.search(&query, Kind::Text).await.expect("found").total, 3);
        let answer = engine.search(&query, Kind::Filtered).await.expect("found");
        assert_eq!((answer.ids.as_slice(), answer.total), (["1".to_owned(), "3".to_owned()].as_slice(), 2));
        assert_eq!(answer.facets["category"], BTreeMap::from([("home".to_owned(), 2), ("lamps".to_owned(), 2)]));
        assert_eq!(answer.facets["available"], BTreeMap::from([("false".to_owned(), 2)]));
        oracle.check(&engine, &query, Kind::Filtered, &answer).expect("right");
        let wrong = oracle.check(&engine, &brass("Bolt"), Kind::Filtered, &answer).expect_err("another brand");
        assert!(matches!(&wrong, BenchError::Failed(said) if said.contains("not of the brand Bolt")), "{wrong}");
        oracle.check_counts(&engine, std::slice::from_ref(&query)).await.expect("the same counts");
        engine.remove().await.expect("removed");
        let gone = engine.search(&query, Kind::Text).await.expect_err("nothing is left");
        assert!(gone.to_string().contains("not found"), "{gone}");
    }
}

#[tokio::test]
async fn a_busy_engine_is_asked_again_and_one_that_refuses_is_not() {
    let shared = [Shared::default(), Shared::default()];
    let mut engines = engines([&shared[0], &shared[1]], KEY).await;
    for (engine, shared) in engines.iter_mut().zip(&shared) {
        engine.load(&lamps()).await.expect("loaded");
        shared.busy.store(2, Ordering::Relaxed);
        assert_eq!(engine.count("Bolt").await.expect("counted"), 1);
        shared.busy.store(100, Ordering::Relaxed);
        let busy = engine.count("Bolt").await.expect_err("still busy");
        assert!(busy.to_string().contains("503") && busy.to_string().contains("Lagging"), "{busy}");
        assert!(shared.busy.load(Ordering::Relaxed) > 90, "it is not asked for ever");
        shared.busy.store(0, Ordering::Relaxed);
        let twice = engine.load(&lamps()).await.expect_err("it is there");
        assert!(twice.to_string().contains("already exists"), "{twice}");
    }
    let strangers = [typesense(&shared[0], "wrong").await, meilisearch(&shared[1], "wrong").await];
    for engine in strangers {
        let refused = engine.count("Bolt").await.expect_err("no key");
        assert!(refused.to_string().contains("401"), "{refused}");
    }
}

#[tokio::test]
async fn a_refused_line_of_an_import_is_an_error() {
    let shared = Shared::default();
    let mut engine = typesense(&shared, KEY).await;
    let refused = engine.load(&[product(1, "", "Bolt")]).await.expect_err("no title");
    assert!(refused.to_string().contains("declared in the schema"), "{refused}");
}
