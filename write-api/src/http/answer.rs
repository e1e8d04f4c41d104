//! The answer to a single command.

use super::idempotency::REPLAYED;
use crate::pipeline::{Change, Done, command::CarriedOut};
use axum::{
    Json,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use schemas::{
    contexts::Context,
    token::{TOKEN_HEADER, Token},
};
use serde::Serialize;

/// The body of an answer.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(examples(json!(CommandAnswer::example())))]
pub(crate) struct CommandAnswer {
    /// The aggregate's id: of the product, the category, the variant, the definition, the key or the tenant.
    id: schemas::Uuid,
    /// Its version after the command; also the `ETag`.
    version: u64,
    /// What became of it.
    status: Change,
    /// The consistency token, for reads that must see this write.
    token: String,
    /// Of a product: its variants.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    variants: Vec<VariantAnswer>,
}

impl CommandAnswer {
    /// As the OpenAPI document shows it: a product was created.
    fn example() -> Self {
        let (id, version) = (EXAMPLE_ID, 1);
        let token = Token::of(Context::Catalog, id, version).to_string();
        Self { id, version, status: Change::Created, token, variants: vec![VariantAnswer::example()] }
    }
}

/// The product of the examples in the OpenAPI document.
pub(crate) const EXAMPLE_ID: schemas::Uuid = schemas::Uuid::from_u128(0x0199_2f6e_8a5c_7c31_9d1f_3b8e_5a70_c410);

/// A variant's id.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct VariantAnswer {
    /// Its SKU.
    pub(crate) sku: String,
    /// Its id.
    pub(crate) id: schemas::Uuid,
}

impl VariantAnswer {
    /// The variant of the product in the examples.
    pub(crate) fn example() -> Self {
        Self { sku: "K-1".to_owned(), id: schemas::Uuid::from_u128(EXAMPLE_ID.as_u128() + 1) }
    }

    pub(crate) fn of(done: &Done) -> Vec<Self> {
        done.variants.iter().map(|variant| Self { sku: variant.sku.clone(), id: variant.id.uuid() }).collect()
    }
}

impl CarriedOut {
    /// The token by which reads see it.
    pub(crate) fn token(&self) -> Token {
        Token::of(self.context, self.done.id, self.done.version)
    }
}

impl IntoResponse for CarriedOut {
    fn into_response(self) -> Response {
        let (done, token) = (&self.done, self.token().to_string());
        let mut headers = HeaderMap::new();
        // Digits in quotes, and base64url.
        for (name, text) in [(header::ETAG.as_str(), format!("\"{}\"", done.version)), (TOKEN_HEADER, token.clone())] {
            headers.extend(HeaderValue::try_from(text).ok().map(|value| (HeaderName::from_static(name), value)));
        }
        if self.replayed {
            headers.insert(REPLAYED, HeaderValue::from_static("true"));
        }
        let status = if done.change == Change::Created { StatusCode::CREATED } else { StatusCode::OK };
        let (id, version) = (done.id, done.version);
        let body = CommandAnswer { id, version, status: done.change, token, variants: VariantAnswer::of(done) };
        (status, headers, Json(body)).into_response()
    }
}
