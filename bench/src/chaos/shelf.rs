//! A category with more products below it than one transaction composes. It is given another slug again and again, so that
//! every release has documents to compose from what another has left.

use super::{back_office::BackOffice, load::Load};
use crate::BenchError;
use futures::{StreamExt, TryStreamExt, stream};
use reqwest::Method;
use schemas::{Uuid, topics::Context};
use serde_json::json;
use std::time::{Duration, Instant};

/// Products below it.
const PRODUCTS: usize = 600;
/// Products that are created at once.
const AT_ONCE: usize = 4;
/// How long it may take until each of them shows the slug.
const SHOWN_WITHIN: Duration = Duration::from_secs(60);
const EXTERNAL_ID: &str = "shelf";

/// The category.
#[derive(Debug)]
pub struct Shelf {
    id: Uuid,
    version: u64,
    revision: u64,
}

impl Shelf {
    /// Creates the category and its products.
    ///
    /// # Errors
    /// If write-api refuses for good.
    pub async fn fill(office: &BackOffice) -> Result<Self, BenchError> {
        let mut shelf = Self { id: Uuid::nil(), version: 0, revision: 0 };
        let made = office.until_acknowledged(Method::POST, "categories", None, &shelf.content()).await?;
        office.note(Context::Catalog, &made, String::new());
        (shelf.id, shelf.version) = (made.id, made.version);
        let products = (0..PRODUCTS).map(|_| async {
            let word = office.word();
            let body = json!({
                "slug": word, "external_id": word, "title": format!("Shelf thing {word}"), "categories": [EXTERNAL_ID],
                "variants": [{ "sku": word }], "publish": true,
            });
            let done = office.until_acknowledged(Method::POST, "products", None, &body).await?;
            office.note(Context::Catalog, &done, String::new());
            Ok::<_, BenchError>(())
        });
        stream::iter(products).buffer_unordered(AT_ONCE).try_collect::<()>().await?;
        Ok(shelf)
    }

    /// Gives it the next slug.
    ///
    /// # Errors
    /// If write-api refuses for good.
    pub async fn rename(&mut self, office: &BackOffice) -> Result<(), BenchError> {
        self.revision += 1;
        let (path, version) = (format!("categories/{}", self.id), format!("\"{}\"", self.version));
        let done = office.until_acknowledged(Method::PUT, &path, Some(&version), &self.content()).await?;
        office.note(Context::Catalog, &done, self.slug());
        self.version = done.version;
        Ok(())
    }

    /// Waits until a node finds each product under the slug that it has now.
    ///
    /// # Errors
    /// If it does not in a minute.
    pub async fn shown_at(&self, load: &Load, node: usize) -> Result<(), BenchError> {
        let (client, began) = (load.client_of(node)?, Instant::now());
        let path = format!("/v1/search?filter=category:{}&limit=1&mode=lexical", self.slug());
        loop {
            let found = client.query(&path, None).await.and_then(|answer| answer.body["total"].as_u64());
            if found == u64::try_from(PRODUCTS).ok() {
                return Ok(());
            }
            if began.elapsed() > SHOWN_WITHIN {
                let slug = self.slug();
                return Err(BenchError::Failed(format!("{found:?} of {PRODUCTS} products are shown under `{slug}`")));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    fn slug(&self) -> String {
        format!("shelf-{}", self.revision)
    }

    fn content(&self) -> serde_json::Value {
        json!({ "external_id": EXTERNAL_ID, "name": "Shelf", "slug": self.slug() })
    }
}
