//! Typesense, by its documented API (typesense.org/docs, collections, documents, search).

use super::{
    engine::{Answer, PAGE},
    http,
    product::Product,
    queries::{FACETS, Kind, Query},
};
use crate::BenchError;
use reqwest::{Method, RequestBuilder};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Documents in one import.
const CHUNK: usize = 2_000;

/// A server, and a collection that only this uses.
#[derive(Debug)]
pub(crate) struct Typesense {
    pub(crate) http: reqwest::Client,
    pub(crate) base: String,
    pub(crate) key: String,
    pub(crate) collection: String,
}

#[derive(Deserialize)]
struct Found {
    found: u64,
    hits: Vec<Hit>,
    #[serde(default)]
    facet_counts: Vec<FacetCounts>,
}

#[derive(Deserialize)]
struct Hit {
    document: Document,
}

#[derive(Deserialize)]
struct Document {
    id: String,
}

#[derive(Deserialize)]
struct FacetCounts {
    field_name: String,
    counts: Vec<Count>,
}

#[derive(Deserialize)]
struct Count {
    value: String,
    count: u64,
}

impl Typesense {
    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}/{path}", self.base)).header("x-typesense-api-key", &self.key)
    }

    pub(crate) async fn load(&self, products: &[Product]) -> Result<(), BenchError> {
        let text = |name: &str| json!({"name": name, "type": "string", "optional": true});
        let facet = |name: &str, of: &str| json!({"name": name, "type": of, "facet": true, "optional": true});
        let schema = json!({"name": self.collection, "fields": [
            {"name": "title", "type": "string"}, text("part_number"), text("description"),
            facet("brand", "string"), facet("product_type", "string"), facet("category", "string[]"),
            {"name": "price", "type": "int64", "optional": true}, facet("available", "bool")]});
        http::send("making a collection", self.request(Method::POST, "collections").json(&schema)).await?;
        let path = format!("collections/{}/documents/import", self.collection);
        for chunk in products.chunks(CHUNK) {
            let mut lines = String::new();
            for product in chunk {
                lines += &serde_json::to_string(product).map_err(|error| BenchError::Broken(error.to_string()))?;
                lines.push('\n');
            }
            let request = self.request(Method::POST, &path).query(&[("action", "upsert")]);
            let response = http::send("an import", request.body(lines)).await?;
            let url = response.url().to_string();
            let told = response.text().await.unwrap_or_default();
            // The whole is a success even if lines were refused; each has an answer of its own.
            let refused = told.lines().find(|line| {
                serde_json::from_str::<Value>(line).is_ok_and(|line| line["success"] == Value::Bool(false))
            });
            if let Some(reason) = refused {
                return Err(BenchError::Service { what: "an import", url, reason: reason.to_owned() });
            }
        }
        Ok(())
    }

    pub(crate) async fn search(&self, query: &Query, kind: Kind) -> Result<Answer, BenchError> {
        let filter = (kind == Kind::Filtered).then_some(query.brand.as_str());
        self.ask(&query.text, filter, kind == Kind::Filtered, PAGE).await
    }

    pub(crate) async fn count(&self, brand: &str) -> Result<u64, BenchError> {
        Ok(self.ask("*", Some(brand), false, 1).await?.total)
    }

    async fn ask(&self, text: &str, brand: Option<&str>, facets: bool, limit: usize) -> Result<Answer, BenchError> {
        let mut parameters = vec![
            ("q", text.to_owned()),
            ("query_by", "title,brand,part_number,product_type,description".to_owned()),
            ("query_by_weights", "4,2,2,2,1".to_owned()),
            ("per_page", limit.to_string()),
            ("include_fields", "id".to_owned()),
        ];
        if let Some(brand) = brand {
            // Between backticks nothing but a backtick has a meaning.
            parameters.push(("filter_by", format!("brand:=`{}`", brand.replace('`', ""))));
        }
        if facets {
            parameters.push(("facet_by", FACETS.join(",")));
            parameters.push(("max_facet_values", "10".to_owned()));
        }
        let path = format!("collections/{}/documents/search", self.collection);
        let found: Found = http::json("a search", self.request(Method::GET, &path).query(&parameters)).await?;
        let counts = |facet: FacetCounts| -> (String, BTreeMap<String, u64>) {
            (facet.field_name, facet.counts.into_iter().map(|count| (count.value, count.count)).collect())
        };
        Ok(Answer {
            ids: found.hits.into_iter().map(|hit| hit.document.id).collect(),
            total: found.found,
            facets: found.facet_counts.into_iter().map(counts).collect(),
        })
    }

    pub(crate) async fn remove(&self) -> Result<(), BenchError> {
        let request = self.request(Method::DELETE, &format!("collections/{}", self.collection));
        http::send("removing a collection", request).await.map(|_| ())
    }
}
