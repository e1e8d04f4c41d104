//! One tenant of a stack over HTTP, as a storefront and a back office would use it.

use crate::{builders::ndjson, eventually::eventually, stack::TestStack};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode, header::HeaderMap};
use schemas::token::{CONSISTENCY_HEADER, TOKEN_HEADER, WAIT_HEADER};
use serde_json::{Value, json};
use std::time::Duration;

/// How long a read may take to become fresh before a test fails.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A tenant.
#[derive(Debug, Clone)]
pub struct Shop {
    /// Its slug.
    pub slug: String,
    http: Client,
    write: String,
    query: String,
}

/// The answer of a read.
#[derive(Debug, Clone)]
pub struct Read {
    /// The status.
    pub status: StatusCode,
    /// Whether the answer says that it is fresh.
    pub fresh: bool,
    /// The body.
    pub body: Value,
}

impl Read {
    /// The titles of the hits.
    #[must_use]
    pub fn titles(&self) -> Vec<String> {
        let hits = self.body["hits"].as_array().into_iter().flatten();
        hits.filter_map(|hit| hit["title"].as_str().map(str::to_owned)).collect()
    }
}

fn client(headers: HeaderMap) -> Client {
    Client::builder().timeout(Duration::from_secs(40)).default_headers(headers).build().expect("a client")
}

impl Shop {
    /// Opens a shop and waits until the read side knows it.
    pub async fn open(stack: &TestStack, slug: &str) -> Self {
        let http = client(stack.key().headers(&[]));
        let shop = Self { slug: slug.to_owned(), http, write: stack.write_url(), query: stack.query_url() };
        let created = shop.command(Method::PUT, &format!("/v1/tenants/{slug}"), None, &json!({"name": slug})).await;
        assert!(created["id"].is_string(), "{created}");
        // The shop itself is a write that its token waits for.
        let read = shop.read("/v1/categories", created["token"].as_str()).await;
        assert_eq!(read.status, StatusCode::OK, "{read:?}");
        shop
    }

    /// The same shop, asked by somebody without a key.
    #[must_use]
    pub fn without_key(&self) -> Self {
        Self { http: client(HeaderMap::new()), ..self.clone() }
    }

    /// The same shop, asked by somebody who has this key.
    #[must_use]
    pub fn with_key(&self, key: &str) -> Self {
        Self { http: client(access::key::header(Some(key))), ..self.clone() }
    }

    /// Makes a key and waits until the read side knows it; gives its id and the key.
    pub async fn key(&self, kind: &str, permissions: &[&str]) -> (String, String) {
        let asked = json!({"name": kind, "kind": kind, "permissions": permissions});
        let made = self.command(Method::POST, "/v1/keys", None, &asked).await;
        let of = |name: &str| made[name].as_str().expect(name).to_owned();
        let read = self.read("/v1/keys", Some(&of("token"))).await;
        assert!(read.fresh && read.status == StatusCode::OK, "{read:?}");
        (of("id"), of("key"))
    }

    /// The same shop, read from another query-api.
    #[must_use]
    pub fn read_from(&self, query: &str) -> Self {
        Self { query: query.to_owned(), ..self.clone() }
    }

    /// The same shop, written to by another write-api.
    #[must_use]
    pub fn write_to(&self, write: &str) -> Self {
        Self { write: write.to_owned(), ..self.clone() }
    }

    /// A request to write-api as this tenant.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.write)).header("x-tenant-slug", &self.slug)
    }

    /// A command that must succeed; `if_match` is the version it was decided on.
    pub async fn command(&self, method: Method, path: &str, if_match: Option<u64>, body: &Value) -> Value {
        let mut request = self.request(method, path).json(body);
        if let Some(version) = if_match {
            request = request.header("if-match", format!("\"{version}\""));
        }
        let answer = request.send().await.expect("an answer");
        let status = answer.status();
        let body: Value = answer.json().await.unwrap_or_default();
        assert!(status.is_success(), "{path}: {status} {body}");
        body
    }

    /// A bulk write; gives the lines and the summary, or what went wrong on the way.
    ///
    /// # Errors
    /// A sentence, where write-api did not answer to the end.
    pub async fn bulk(&self, what: &str, lines: &[Value]) -> Result<(Vec<Value>, Value), String> {
        let request = self.request(Method::POST, &format!("/v1/{what}/bulk?on_error=skip"));
        let request = request.header("content-type", "application/x-ndjson").body(ndjson(lines));
        let text = request.send().await.map_err(|e| e.to_string())?.text().await.map_err(|e| e.to_string())?;
        let mut answers: Vec<Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).map_err(|e| format!("{e}: {line}")))
            .collect::<Result<_, _>>()?;
        let summary = answers.pop().and_then(|last| last.get("summary").cloned()).ok_or("no summary")?;
        Ok((answers, summary))
    }

    /// A bulk write in which every line must be accepted; gives its token.
    pub async fn bulk_all(&self, what: &str, lines: &[Value]) -> String {
        let (answers, summary) = self.bulk(what, lines).await.expect("answered");
        assert_eq!(summary["rejected"], 0, "{answers:?}");
        summary["token"].as_str().unwrap_or_default().to_owned()
    }

    /// A read, with a token to wait for if there is one.
    pub async fn read(&self, path: &str, token: Option<&str>) -> Read {
        let answer = self.get(path, token).send().await.expect("an answer");
        Self::answer(answer).await
    }

    /// A read as a request to be changed.
    pub fn get(&self, path: &str, token: Option<&str>) -> RequestBuilder {
        let request = self.http.get(format!("{}{path}", self.query)).header("x-tenant-slug", &self.slug);
        match token {
            Some(token) => request.header(TOKEN_HEADER, token).header(WAIT_HEADER, "30000"),
            None => request,
        }
    }

    /// Status, freshness and body of an answer.
    pub async fn answer(answer: Response) -> Read {
        let fresh = answer.headers().get(CONSISTENCY_HEADER).is_some_and(|value| value == "fresh");
        Read { status: answer.status(), fresh, body: answer.json().await.unwrap_or_default() }
    }

    /// A read that is asked in JSON; it must succeed.
    pub async fn ask(&self, path: &str, body: &Value) -> Value {
        let request = self.http.post(format!("{}{path}", self.query)).header("x-tenant-slug", &self.slug);
        let answer = Self::answer(request.json(body).send().await.expect("an answer")).await;
        assert!(answer.status.is_success(), "{path}: {answer:?}");
        answer.body
    }

    /// Waits until query-api has loaded its model: it answers before that, and says so where it needs one.
    pub async fn until_it_embeds(&self) {
        eventually("the model is loaded", PATIENCE, || async {
            let read = self.read("/v1/search?mode=semantic&q=tea", None).await;
            if read.status.is_success() { Ok(()) } else { Err(format!("{read:?}")) }
        })
        .await;
    }

    /// A search that has to be fresh.
    pub async fn search(&self, text: &str, token: &str) -> Read {
        let read = self.read(&format!("/v1/search?limit=50&q={text}"), Some(token)).await;
        assert!(read.fresh, "{read:?}");
        read
    }
}
