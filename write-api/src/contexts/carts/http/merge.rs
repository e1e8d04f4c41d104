//! Taking over what somebody had as a guest.

use crate::{
    contexts::carts::commands::merge::{Merge, Merged},
    http::{
        answer::EXAMPLE_ID,
        extract::{Buying, Command, PathId},
        headers::{IdempotencyHeader, TenantHeaders, VersionHeader},
        idempotency::REPLAYED,
        problem::ApiError,
    },
    pipeline::{App, Change, Rejection},
};
use access::Caller;
use axum::{
    Json,
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, header},
    response::{IntoResponse, Response},
};
use schemas::{
    buyer::Buyer,
    contexts::Context,
    events::carts::MergeNotice,
    ids::LineId,
    problem::{Code, Problem},
    token::{TOKEN_HEADER, Token},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The proof that the other cart is the caller's, too.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct MergeInput {
    /// The token of the guest, as `POST /v1/guests` gave it out.
    guest_token: String,
}

/// What came of a merge.
#[derive(Debug, Serialize, ToSchema)]
#[schema(examples(json!(MergeAnswer::example())))]
pub(in super::super) struct MergeAnswer {
    /// The cart that both are in.
    id: schemas::Uuid,
    /// Its version; also the `ETag`.
    version: u64,
    /// What became of it. `unchanged` where the guest has no cart, or it was taken over before.
    status: Change,
    /// The consistency token, for reads that must see both carts as they are.
    token: String,
    /// What is not the sum of both.
    notices: Vec<MergeNotice>,
}

impl MergeAnswer {
    /// As the OpenAPI document shows it.
    fn example() -> Self {
        let token = Token::of(Context::Carts, EXAMPLE_ID, 4).to_string();
        let notices = vec![MergeNotice::Capped { line_id: LineId(EXAMPLE_ID), asked: 1_003, quantity: 999 }];
        Self { id: EXAMPLE_ID, version: 4, status: Change::Changed, token, notices }
    }
}

/// Take over a guest's cart
///
/// What the guest has in the current cart is put into this one: quantities of the same goods add up, to 999 at most, and a notice
/// tells where they don't. The guest's cart ends. Sent twice, it counts once.
#[utoipa::path(
    post, path = "/v1/carts/{id}/merge", tag = "carts",
    params(("id" = schemas::Uuid, Path, description = "The customer's cart"), TenantHeaders, VersionHeader, IdempotencyHeader),
    request_body = MergeInput, responses((status = 200, description = "Both are one", body = MergeAnswer)),
    extensions(("x-problems" = json!(["not_found", "validation_failed", "cart_locked", "cart_closed", "cart_full", "cart_currency"])))
)]
pub(in super::super) async fn merge(
    State(app): State<App>,
    buying: Buying,
    PathId(into): PathId,
    command: Command<MergeInput>,
) -> Result<Response, ApiError> {
    let Command { scope, expected, key, body: MergeInput { guest_token } } = command;
    let by = buying.of(&scope)?;
    let guest = match app.callers.who(&guest_token).await {
        Caller::Guest(guest) if guest.tenant == scope.tenant => Buyer::guest(guest.id),
        Caller::Unavailable => return Err(Problem::new(Code::Unavailable).into()),
        Caller::Guest(_)
        | Caller::Anonymous
        | Caller::Newcomer
        | Caller::Visitor(_)
        | Caller::Unknown
        | Caller::Admin
        | Caller::Key(_)
        | Caller::Scoped(..)
        | Caller::Customer(_)
        | Caller::Member(_) => {
            let detail = "this is no token of a guest of this shop, or none any more";
            return Err(Rejection::invalid_at("/guest_token", detail).into());
        }
    };
    let (key, expected) = (key.map(|key| key.of(&by)), expected.or_any());
    let merged = app.procedure(&scope, &Merge { key, into, by, expected, guest }).await?;
    Ok(answer(merged))
}

fn answer(merged: Merged) -> Response {
    let (token, mut headers) = (merged.token().to_string(), HeaderMap::new());
    let etag = format!("\"{}\"", merged.done.version);
    for (name, text) in [(header::ETAG.as_str(), etag), (TOKEN_HEADER, token.clone())] {
        headers.extend(HeaderValue::try_from(text).ok().map(|value| (HeaderName::from_static(name), value)));
    }
    if merged.replayed {
        headers.insert(REPLAYED, HeaderValue::from_static("true"));
    }
    let Merged { done, notices, .. } = merged;
    let (id, version, status) = (done.id, done.version, done.change);
    (headers, Json(MergeAnswer { id, version, status, token, notices })).into_response()
}
