//! What a client is told of a wrong request: where it is wrong and what would be right, under a code that the OpenAPI
//! document lists, and without the names that types have in the program. The wrong requests are made from the
//! documents: every body, parameter and header, with values of every kind.

use crate::openapi::document;
use acceptance::{shop::Shop, stack::TestStack};
use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};

/// Words that say how the program is written.
const OF_THE_PROGRAM: [&str; 12] = [
    "struct ",
    "enum ",
    "variant of",
    "variant identifier",
    "u8",
    "u32",
    "u64",
    "i32",
    "i64",
    "usize",
    "f64",
    "eserialize",
];

/// What is put in every place.
fn values() -> Vec<Value> {
    vec![
        json!(5),
        json!(-1),
        json!(1.5),
        json!("x"),
        json!([]),
        json!([5]),
        json!([{"nonsense": 1}]),
        json!({}),
        json!({"nonsense": 1}),
        json!(null),
        json!(true),
    ]
}

/// A schema's own properties, or those of what it is a list of or a choice among, with how to wrap a value of them.
fn properties<'a>(document: &'a Value, schema: &'a Value) -> Vec<(String, &'a Value)> {
    if let Some(name) = schema["$ref"].as_str() {
        return document
            .pointer(name.trim_start_matches('#'))
            .map_or_else(Vec::new, |found| properties(document, found));
    }
    let own = schema["properties"].as_object().into_iter().flatten();
    let mut found: Vec<(String, &Value)> = own.map(|(name, schema)| (name.clone(), schema)).collect();
    for part in ["oneOf", "anyOf", "allOf"].iter().flat_map(|kind| schema[kind].as_array().into_iter().flatten()) {
        found.extend(properties(document, part));
    }
    found
}

/// Bodies that are wrong somewhere, down to a depth.
fn bodies(document: &Value, schema: &Value, depth: usize) -> Vec<Value> {
    let mut all = values();
    for (name, property) in properties(document, schema) {
        let is_list = property.get("items").is_some();
        let inner = property.get("items").unwrap_or(property);
        let below = if depth == 0 { values() } else { bodies(document, inner, depth - 1) };
        for value in below {
            all.push(json!({ name.as_str(): if is_list && depth > 0 { json!([value]) } else { value } }));
        }
    }
    // What tells the members of a choice apart, so that they are read to the end.
    let tags = [("type", "pin"), ("type", "banner"), ("type", "query"), ("type", "event"), ("kind", "one_way")];
    let tagged = all.clone().into_iter().filter(|_| schema.to_string().contains("oneOf"));
    let tagged: Vec<Value> = tagged
        .flat_map(|body| {
            tags.map(|(tag, name)| {
                let mut body = body.clone();
                if let Value::Object(fields) = &mut body {
                    fields.entry(tag).or_insert_with(|| name.into());
                }
                body
            })
        })
        .collect();
    all.extend(tagged);
    all
}

/// The texts of a problem.
fn texts(problem: &Value) -> Vec<&str> {
    let errors = problem["errors"].as_array().into_iter().flatten();
    errors.map(|error| &error["detail"]).chain([&problem["detail"]]).filter_map(Value::as_str).collect()
}

/// Words in the texts of a problem that belong to the program, and not to its interface.
fn slips(document: &Value, problem: &Value) -> Vec<String> {
    let components = document["components"]["schemas"].as_object();
    let types = components.into_iter().flatten().map(|(name, _)| name.as_str());
    let types = types.filter(|name| name.chars().filter(char::is_ascii_uppercase).count() > 1);
    let words: Vec<&str> = types.chain(OF_THE_PROGRAM).collect();
    let slip = |text: &str| words.iter().find(|word| text.contains(**word)).map(|word| format!("`{word}` in: {text}"));
    texts(problem).into_iter().filter_map(slip).collect()
}

/// One service with its document.
struct Service {
    document: Value,
    base: String,
    http: Client,
    slug: String,
    flaws: Vec<String>,
}

impl Service {
    fn request(&self, method: &str, path: &str) -> RequestBuilder {
        let filled = [
            ("{id}", "00000000-0000-0000-0000-000000000001"),
            ("{product}", "00000000-0000-0000-0000-000000000001"),
            ("{slug}", self.slug.as_str()),
            ("{name}", "contract"),
            ("{kind}", "rules"),
            ("{field}", "brand"),
            ("{category}", "nowhere"),
        ];
        let path = filled.iter().fold(path.to_owned(), |path, (name, value)| path.replace(name, value));
        let method: Method = method.to_uppercase().parse().expect("a method");
        self.http.request(method, format!("{}{path}", self.base)).header("x-tenant-slug", &self.slug)
    }

    async fn check(&mut self, method: &str, path: &str, request: RequestBuilder, what: &str) {
        let answer = request.send().await.expect("an answer");
        let (status, text) = (answer.status(), answer.text().await.expect("a text"));
        let place = format!("{method} {path} {what}");
        // A bulk write says of each line what is wrong with it.
        for line in text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
            let problem = line.get("problem").unwrap_or(&line);
            self.flaws.extend(slips(&self.document, problem).into_iter().map(|slip| format!("{place}: {slip}")));
        }
        if status.is_success() {
            return;
        }
        let problem: Value = serde_json::from_str(&text).unwrap_or_default();
        let code = problem["code"].as_str().unwrap_or("no code");
        let response = &self.document["paths"][path][method]["responses"][status.as_str()];
        let listed = &response["content"][schemas::problem::MEDIA_TYPE]["examples"];
        if listed.get(code).is_none() || status == StatusCode::INTERNAL_SERVER_ERROR {
            self.flaws.push(format!("{place}: {status} {code} is not listed, or should not be: {text}"));
        }
    }

    async fn check_all(&mut self) {
        let document = self.document.clone();
        for (path, methods) in document["paths"].as_object().expect("paths") {
            for (method, operation) in methods.as_object().expect("methods") {
                self.check_body(&document, path, method, operation).await;
                self.check_parameters(path, method, operation).await;
            }
        }
    }

    async fn check_body(&mut self, document: &Value, path: &str, method: &str, operation: &Value) {
        for (media_type, content) in operation["requestBody"]["content"].as_object().into_iter().flatten() {
            for body in bodies(document, &content["schema"], 2) {
                let text = body.to_string();
                let request = self.request(method, path).header("if-match", "*").header("content-type", media_type);
                self.check(method, path, request.body(text.clone()), &text).await;
            }
            for text in ["", "{", "[1,"] {
                let request = self.request(method, path).header("content-type", media_type).body(text);
                self.check(method, path, request, text).await;
            }
        }
    }

    async fn check_parameters(&mut self, path: &str, method: &str, operation: &Value) {
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let name = parameter["name"].as_str().expect("a name");
            for value in ["x", "-1", "1.5", "", "99999999999999999999999", "\u{0}", "nobody"] {
                let what = format!("{name}={value}");
                let request = self.request(method, path);
                let request = match parameter["in"].as_str() {
                    Some("query") => request.query(&[(name, value)]),
                    Some("header") if value != "\u{0}" => request.header(name, value),
                    _ => continue,
                };
                self.check(method, path, request, &what).await;
            }
        }
    }
}

#[tokio::test]
async fn a_wrong_request_is_answered_in_words_of_the_interface_under_a_listed_code() {
    let stack = TestStack::start(false).await;
    let shop = Shop::open(&stack, "contract").await;
    for (name, base) in [("query-api.json", stack.query_url()), ("write-api.json", stack.write_url())] {
        let (document, slug) = (document(name), shop.slug.clone());
        let http = Client::builder().default_headers(stack.key().headers(&[])).build().expect("a client");
        let mut service = Service { document, base, http, slug, flaws: Vec::new() };
        service.check_all().await;
        let flaws = service.flaws;
        let first: Vec<&String> = flaws.iter().take(40).collect();
        assert!(flaws.is_empty(), "{name}, {} flaws:\n{first:#?}", flaws.len());
    }
}

#[tokio::test]
async fn a_tenant_in_the_address_has_to_be_the_one_of_the_header() {
    let stack = TestStack::start(false).await;
    let shop = Shop::open(&stack, "first").await;
    Shop::open(&stack, "second").await;
    let same = shop.read("/v1/categories?tenant=first", None).await;
    assert_eq!(same.status, StatusCode::OK, "{same:?}");
    let other = shop.read("/v1/categories?tenant=second", None).await;
    assert_eq!((other.status.as_u16(), &other.body["code"]), (400, &json!("tenant_conflict")));
    let http = Client::builder().default_headers(stack.key().headers(&[])).build().expect("a client");
    let unnamed = http.get(format!("{}/v1/categories", stack.query_url())).send().await.expect("an answer");
    let unnamed = Shop::answer(unnamed).await;
    assert_eq!(unnamed.body["code"], "tenant_required");
    assert!(unnamed.body["detail"].as_str().is_some_and(|detail| detail.contains("one of the headers")));
}

#[test]
fn slips_are_found() {
    let document = json!({"components": {"schemas": {"FacetBody": {}, "Problem": {}}}});
    let of = |detail: &str| slips(&document, &json!({"errors": [{"pointer": "", "detail": detail}]})).len();
    assert_eq!(of("data did not match any variant of untagged enum FacetBody"), 1);
    assert_eq!(of("invalid type: integer `5`, expected struct Search"), 1);
    assert_eq!(of("a Problem is not a type of ours where it is a word"), 0);
}
