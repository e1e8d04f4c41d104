//! The answer to a single command.

use super::idempotency::REPLAYED;
use crate::pipeline::{Change, Done, command::CarriedOut};
use axum::{
    Json,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use schemas::token::{TOKEN_HEADER, Token};
use serde::Serialize;

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
        done.variants.iter().map(|variant| Self { sku: variant.sku.clone(), id: variant.id.uuid() }).collect()
    }
}

impl IntoResponse for CarriedOut {
    fn into_response(self) -> Response {
        let done = &self.done;
        let token = Token::of(self.context, done.id, done.version).to_string();
        let mut headers = HeaderMap::new();
        // Digits in quotes, and base64url.
        for (name, text) in [(header::ETAG.as_str(), format!("\"{}\"", done.version)), (TOKEN_HEADER, token.clone())] {
            headers.extend(HeaderValue::try_from(text).ok().map(|value| (HeaderName::from_static(name), value)));
        }
        if self.replayed {
            headers.insert(REPLAYED, HeaderValue::from_static("true"));
        }
        let status = if done.change == Change::Created { StatusCode::CREATED } else { StatusCode::OK };
        let (id, version, change) = (done.id, done.version, done.change.as_str());
        let body = CommandAnswer { id, version, status: change, token, variants: VariantAnswer::of(done) };
        (status, headers, Json(body)).into_response()
    }
}
