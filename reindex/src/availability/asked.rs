//! A shopper who asks query-api for one variant wherever it is shown.

use super::{
    chosen::Variant,
    said::{Said, Surface},
};
use crate::failure::Failure;
use reqwest::{Client, RequestBuilder, StatusCode};
use schemas::filter::{Field, Filter, Test};
use serde_json::Value;
use std::time::Duration;

/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// A client of query-api to whom all shops are open.
#[derive(Debug, Clone)]
pub struct Shopper {
    http: Client,
}

impl Shopper {
    /// A shopper with the key of an administrator.
    ///
    /// # Errors
    /// If there can be no HTTP client.
    pub fn new(key: Option<&str>) -> Result<Self, Failure> {
        let http = Client::builder().timeout(PATIENCE).default_headers(access::key::header(key)).build();
        Ok(Self { http: http.map_err(|error| Failure::Other(error.to_string()))? })
    }

    /// What each surface of a query-api says of a variant.
    pub async fn ask(&self, query_url: &str, variant: &Variant) -> Result<[(Surface, Said); 4], Failure> {
        let (availability, page, is_listed, is_sold) = tokio::try_join!(
            self.shown(query_url, variant, format!("/v1/variants/{}/availability", variant.id)),
            self.shown(query_url, variant, format!("/v1/products/{}", variant.product)),
            self.finds(query_url, variant, product(variant)),
            self.finds(query_url, variant, sold(variant)),
        )?;
        let search = Said { published: Some(is_listed), in_stock: is_listed.then_some(is_sold), ..Said::default() };
        let [stock, cart] = of_availability(availability.as_ref());
        Ok([
            (Surface::Stock, stock),
            (Surface::Page, of_page(page.as_ref(), variant)),
            (Surface::Search, search),
            (Surface::Cart, cart),
        ])
    }

    /// What is shown at a path; none if there is nothing.
    async fn shown(&self, query_url: &str, variant: &Variant, path: String) -> Result<Option<Value>, Failure> {
        let request = self.http.get(format!("{query_url}{path}")).header("x-tenant-slug", &variant.slug);
        answered(query_url, request).await
    }

    /// Whether a search without words, as a listing is one, finds the product by a filter. The question why runs the very search,
    /// and is no shopper's: what is sold out must not be counted as searches that find nothing.
    async fn finds(&self, query_url: &str, variant: &Variant, filter: Filter) -> Result<bool, Failure> {
        let request = self.http.get(format!("{query_url}/v1/search/why/{}", variant.product));
        let request = request.header("x-tenant-slug", &variant.slug);
        let asked =
            [("filter", filter.to_string()), ("understand", "false".to_owned()), ("steering", "false".to_owned())];
        let told = answered(query_url, request.query(&asked)).await?;
        let found = told.and_then(|told| told["found"].as_bool());
        found.ok_or_else(|| Failure::Query(query_url.to_owned(), "it does not say what a search finds".to_owned()))
    }
}

fn is(field: Field, value: String) -> Filter {
    Filter::Is(field, Test::In(vec![value]))
}

fn product(variant: &Variant) -> Filter {
    is(Field::Id, variant.product.to_string())
}

/// The product by this very variant, if a piece of it can be sold.
fn sold(variant: &Variant) -> Filter {
    let of = vec![is(Field::Sku, variant.sku.clone()), is(Field::Available, true.to_string())];
    Filter::All(vec![product(variant), Filter::Variant(Box::new(Filter::All(of)))])
}

/// An answer; none for what is not found.
async fn answered(query_url: &str, request: RequestBuilder) -> Result<Option<Value>, Failure> {
    let failed = |error: reqwest::Error| Failure::Query(query_url.to_owned(), error.to_string());
    let answer = request.send().await.map_err(failed)?;
    if answer.status() == StatusCode::NOT_FOUND {
        return Ok(None);
    }
    answer.error_for_status().map_err(failed)?.json().await.map(Some).map_err(failed)
}

/// What the counters say, and what a cart goes by: one route tells both.
fn of_availability(answer: Option<&Value>) -> [Said; 2] {
    let Some(answer) = answer else {
        return [Said::default(), Said { orderable: Some(false), ..Said::default() }];
    };
    let stock = Said { in_stock: answer["level"].as_str().map(|level| level != "none"), ..Said::default() };
    [stock, Said { orderable: answer["orderable"].as_bool(), ..Said::default() }]
}

fn of_page(page: Option<&Value>, variant: &Variant) -> Said {
    let Some(page) = page else { return Said { published: Some(false), ..Said::default() } };
    let id = variant.id.to_string();
    let own = page["variants"].as_array().into_iter().flatten().find(|own| own["id"].as_str() == Some(id.as_str()));
    Said {
        published: Some(own.is_some() && page["status"] == "published"),
        in_stock: own.and_then(|own| own["availability"]["level"].as_str()).map(|level| level != "none"),
        orderable: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use schemas::Uuid;
    use serde_json::json;

    fn variant() -> Variant {
        let id = Uuid::from_u128;
        Variant { shop: id(1), slug: "demo".to_owned(), id: id(2), product: id(3), sku: "K \"1\"".to_owned() }
    }

    #[test]
    fn answers_are_read_as_shoppers_read_them() {
        let of = |level: &str, orderable| of_availability(Some(&json!({"level": level, "orderable": orderable})));
        assert_eq!(of("low", true).map(|said| said.to_string()), ["in stock", "can be ordered"]);
        assert_eq!(of("none", true).map(|said| said.to_string()), ["sold out", "can be ordered"]);
        assert_eq!(of_availability(None).map(|said| said.to_string()), ["", "can't be ordered"]);
        let page = |status: &str, id: Uuid| {
            let own = json!({"id": id, "availability": {"level": "in_stock"}});
            of_page(Some(&json!({"status": status, "variants": [own]})), &variant()).to_string()
        };
        assert_eq!(page("published", variant().id), "for sale, in stock");
        assert_eq!(page("draft", variant().id), "not for sale, in stock");
        assert_eq!(page("published", Uuid::nil()), "not for sale");
        assert_eq!(of_page(None, &variant()).to_string(), "not for sale");
    }

    #[test]
    fn filters_are_ones_that_searches_take() {
        for filter in [product(&variant()), sold(&variant())] {
            assert_eq!(schemas::filter::parse(&filter.to_string()), Ok(filter));
        }
    }
}
