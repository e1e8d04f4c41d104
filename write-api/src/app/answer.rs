//! The answer to a single command, as it is sent and as it is kept with an idempotency key.

use super::{Change, Done};
use crate::store::idempotency::StoredAnswer;
use schemas::{
    contexts::Context,
    token::{TOKEN_HEADER, Token},
};
use serde::Serialize;
use std::collections::BTreeMap;

/// The body of an answer.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct CommandAnswer {
    /// The aggregate's id: of the product, the category, the variant, the definition or the tenant.
    id: schemas::Uuid,
    /// Its version after the command; also the `ETag`.
    version: u64,
    /// `created`, `changed` or `unchanged`.
    status: &'static str,
    /// The consistency token, for reads that must see this write.
    token: String,
    /// Of a product: its variants.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    variants: Vec<VariantAnswer>,
}

/// A variant's id.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct VariantAnswer {
    /// Its SKU.
    pub(crate) sku: String,
    /// Its id.
    pub(crate) id: schemas::Uuid,
}

impl VariantAnswer {
    pub(crate) fn of(done: &Done) -> Vec<Self> {
        done.variants.iter().map(|(sku, id)| Self { sku: sku.clone(), id: id.uuid() }).collect()
    }
}

/// Puts what was done into words.
pub(crate) fn answer(context: Context, done: &Done) -> StoredAnswer {
    let token = Token::of(context, done.id, done.version).to_string();
    let headers = BTreeMap::from([
        ("etag".to_owned(), format!("\"{}\"", done.version)),
        (TOKEN_HEADER.to_owned(), token.clone()),
    ]);
    let (id, version, status) = (done.id, done.version, done.change.as_str());
    let body = CommandAnswer { id, version, status, token, variants: VariantAnswer::of(done) };
    StoredAnswer {
        status: if done.change == Change::Created { 201 } else { 200 },
        headers,
        // A struct of texts and numbers does not fail to serialize.
        body: serde_json::to_string(&body).unwrap_or_default(),
    }
}
