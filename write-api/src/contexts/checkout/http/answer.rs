//! What shoppers are answered.

use super::super::domain::{Checkout, Phase};
use crate::{contexts::payments::port::NextAction, http::answer::EXAMPLE_ID, pipeline::Done};
use axum::{
    Json,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use schemas::{
    contexts::Context,
    events::checkout::{AbortReason, CheckoutAwaitingPayment},
    token::{TOKEN_HEADER, Token},
};
use serde::Serialize;
use utoipa::ToSchema;

/// A checkout that was begun.
#[derive(Debug, Serialize, ToSchema)]
#[schema(examples(json!(StartAnswer::example())))]
pub(in super::super) struct StartAnswer {
    /// Its id.
    id: schemas::Uuid,
    /// Its version.
    version: u64,
    /// The consistency token, for reads that must see it.
    token: String,
    /// How far it is: `open`, `awaiting_payment`, `completed` or `aborted`.
    phase: &'static str,
    /// What it costs, in minor units.
    total: i64,
    /// The digest of what was agreed on.
    digest: String,
    /// By which a guest sees the checkout and its order later on, sent as `access`; told once.
    #[serde(skip_serializing_if = "Option::is_none")]
    access: Option<String>,
    /// What it waits for.
    #[serde(skip_serializing_if = "Option::is_none")]
    awaiting: Option<CheckoutAwaitingPayment>,
    /// Why no order has come of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    abort_reason: Option<AbortReason>,
}

impl StartAnswer {
    fn example() -> Self {
        Self {
            id: EXAMPLE_ID,
            version: 1,
            token: Token::of(Context::Checkout, EXAMPLE_ID, 1).to_string(),
            phase: "open",
            total: 11_056,
            digest: "5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef".to_owned(),
            access: None,
            awaiting: None,
            abort_reason: None,
        }
    }

    pub(super) fn of(done: &Done, checkout: &Checkout, access: Option<String>) -> Self {
        let (phase, awaiting, abort_reason) = match checkout.phase {
            Phase::Open => ("open", None, None),
            Phase::AwaitingPayment { .. } => ("awaiting_payment", checkout.awaiting.clone(), None),
            Phase::Completed => ("completed", None, None),
            Phase::Aborted { reason } => ("aborted", None, Some(reason)),
        };
        let quote = &checkout.started.quote;
        Self {
            id: done.id,
            version: done.version,
            token: Token::of(Context::Checkout, done.id, done.version).to_string(),
            phase,
            total: quote.totals.total,
            digest: quote.digest.clone(),
            access,
            awaiting,
            abort_reason,
        }
    }

    /// Accepted, with the address where query-api tells of it.
    pub(super) fn response(self) -> Response {
        let mut headers = HeaderMap::new();
        let texts = [
            (header::LOCATION, format!("/v1/checkouts/{}", self.id)),
            (HeaderName::from_static(TOKEN_HEADER), self.token.clone()),
            (header::CACHE_CONTROL, "no-store".to_owned()),
        ];
        headers.extend(texts.into_iter().filter_map(|(name, text)| Some((name, HeaderValue::try_from(text).ok()?))));
        (StatusCode::ACCEPTED, headers, Json(self)).into_response()
    }
}

/// What a shopper pays with: one of both.
#[derive(Debug, Serialize, ToSchema)]
#[schema(examples(json!({"client_secret": "pi_3MtwBwLkdIwHu7ix28a3tqPa_secret_YrKJUKribcBjcG8HVhfZluoGH"})))]
pub(in super::super) struct PaymentActionAnswer {
    /// What the provider's form on the shop's page takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<String>,
    /// The page of the provider to go to.
    #[serde(skip_serializing_if = "Option::is_none")]
    redirect: Option<String>,
}

impl PaymentActionAnswer {
    pub(super) fn of(action: NextAction) -> Self {
        match action {
            NextAction::Confirm(secret) => Self { client_secret: Some(secret), redirect: None },
            NextAction::Redirect(url) => Self { client_secret: None, redirect: Some(url) },
        }
    }

    /// Kept by nobody on the way.
    pub(super) fn response(self) -> Response {
        ([(header::CACHE_CONTROL, "no-store")], Json(self)).into_response()
    }
}
