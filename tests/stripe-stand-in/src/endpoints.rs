//! What Stripe is asked.

use super::{
    ASKING, DECLINED, Fault, GOOD, Kept, SECRET_KEY, Shared, State,
    intents::{Intent, Refund},
    lock,
};
use axum::{
    Json, Router,
    body::{Body, to_bytes},
    extract::{Path, Query, Request, State as Extracted},
    http::{HeaderMap, StatusCode, Uri, header},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use reqwest::Url;
use serde_json::{Value, json};
use std::collections::HashMap;

/// Attempts on a page at most.
const PAGE: usize = 100;

type Form = HashMap<String, String>;
/// What a change comes to: a status, and the body of the answer.
type Done = Result<Value, (StatusCode, Value)>;

pub(super) fn router(state: Shared) -> Router {
    Router::new()
        .route("/v1/payment_intents", get(list).post(create))
        .route("/v1/payment_intents/{id}", get(retrieve))
        .route("/v1/payment_intents/{id}/{change}", post(change))
        .route("/v1/refunds", get(refunds).post(refund))
        .layer(from_fn_with_state(state.clone(), met))
        .with_state(state)
}

fn error(status: StatusCode, kind: &str, code: &str) -> (StatusCode, Value) {
    (status, json!({"error": {"type": kind, "code": code, "message": "it is refused"}}))
}

fn invalid(code: &str) -> (StatusCode, Value) {
    error(StatusCode::BAD_REQUEST, "invalid_request_error", code)
}

/// Who asks, what goes wrong, and what was answered before under the same key.
async fn met(Extracted(state): Extracted<Shared>, request: Request, next: Next) -> Response {
    let fault = {
        let mut state = lock(&state);
        state.asked += 1;
        let is_change = request.method() == axum::http::Method::POST;
        state.changes += usize::from(is_change);
        let breaks = is_change && state.breaks_each > 0 && state.changes.is_multiple_of(state.breaks_each);
        match (state.faults.is_empty(), breaks) {
            (false, _) => Some(state.faults.remove(0)),
            (true, true) => Some(Fault::BrokenAfter),
            (true, false) => None,
        }
    };
    match fault {
        Some(Fault::Silent) => return std::future::pending().await,
        Some(Fault::Broken) => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        Some(Fault::Busy) => return told(error(StatusCode::TOO_MANY_REQUESTS, "rate_limit_error", "rate_limit")),
        Some(Fault::SilentAfter | Fault::BrokenAfter) | None => {}
    }
    if bearer(request.headers()) != Some(SECRET_KEY) {
        return told(error(StatusCode::UNAUTHORIZED, "invalid_request_error", "api_key_invalid"));
    }
    if request.method() == axum::http::Method::GET {
        return next.run(request).await;
    }
    let answer = once(&state, request, next, fault == Some(Fault::BrokenAfter)).await;
    if fault == Some(Fault::SilentAfter) { std::future::pending().await } else { answer }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")
}

fn told((status, body): (StatusCode, Value)) -> Response {
    (status, Json(body)).into_response()
}

/// A change, once for its key. Failures of the server are kept as well.
async fn once(state: &Shared, request: Request, next: Next, breaks: bool) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(bytes) = to_bytes(body, 1 << 20).await else { return told(invalid("body")) };
    let key = parts.headers.get("idempotency-key").and_then(|key| key.to_str().ok()).map(str::to_owned);
    let Some(key) = key else { return told(invalid("idempotency_key")) };
    let asked = format!("{} {}", parts.uri, String::from_utf8_lossy(&bytes));
    if let Some(kept) = lock(state).kept.get(&key) {
        if kept.request != asked {
            return told(error(StatusCode::BAD_REQUEST, "idempotency_error", "idempotency_key_reused"));
        }
        return told((kept.status, kept.body.clone()));
    }
    let answer = next.run(Request::from_parts(parts, Body::from(bytes))).await;
    let status = if breaks { StatusCode::INTERNAL_SERVER_ERROR } else { answer.status() };
    let body = to_bytes(answer.into_body(), 1 << 20).await.unwrap_or_default();
    let body: Value = if breaks { json!({}) } else { serde_json::from_slice(&body).unwrap_or_default() };
    lock(state).kept.insert(key, Kept { request: asked, status, body: body.clone() });
    told((status, body))
}

/// A form, of which nothing else is known than these parameters.
fn form(body: &str, known: &[&str]) -> Result<Form, (StatusCode, Value)> {
    let url = Url::parse(&format!("http://form/?{body}")).map_err(|_| invalid("form"))?;
    let form: Form = url.query_pairs().into_owned().collect();
    let is_known = |name: &String| known.contains(&name.as_str()) || name.starts_with("metadata[");
    if form.keys().all(is_known) { Ok(form) } else { Err(invalid("parameter_unknown")) }
}

fn amount(form: &Form, name: &str) -> Result<i64, (StatusCode, Value)> {
    form.get(name).and_then(|text| text.parse().ok()).filter(|amount| *amount > 0).ok_or_else(|| invalid("amount"))
}

fn metadata(form: &Form) -> HashMap<String, String> {
    let own = |name: &String| name.strip_prefix("metadata[")?.strip_suffix(']').map(str::to_owned);
    form.iter().filter_map(|(name, value)| Some((own(name)?, value.clone()))).collect()
}

fn is_expanded(uri: &Uri) -> bool {
    uri.query().is_some_and(|query| query.contains("balance_transaction"))
}

fn answer(done: Done) -> Response {
    match done {
        Ok(body) => Json(body).into_response(),
        Err(refused) => told(refused),
    }
}

async fn create(Extracted(state): Extracted<Shared>, uri: Uri, body: String) -> Response {
    answer(begin(&mut lock(&state), &body, is_expanded(&uri)))
}

fn begin(state: &mut State, body: &str, expanded: bool) -> Done {
    let form = form(body, &["amount", "currency", "capture_method", "payment_method_types[]"])?;
    let amount = amount(&form, "amount")?;
    let currency = form.get("currency").filter(|text| text.len() == 3).ok_or_else(|| invalid("currency"))?;
    let is_three = ["kwd", "bhd", "jod", "omr", "tnd"].contains(&currency.as_str());
    let is_hollow = ["ugx", "isk"].contains(&currency.as_str());
    if (is_three && amount % 10 != 0) || (is_hollow && amount % 100 != 0) {
        return Err(invalid("amount"));
    }
    if form.get("capture_method").is_none_or(|method| method != "manual") {
        return Err(invalid("capture_method"));
    }
    let id = state.draw("pi");
    let intent = Intent::new(&id, amount, currency, metadata(&form));
    let told = intent.json(expanded);
    state.intents.insert(id, intent);
    *state.carried_out.entry("create".to_owned()).or_default() += 1;
    state.tell("payment_intent.created", &told);
    Ok(told)
}

async fn retrieve(Extracted(state): Extracted<Shared>, Path(id): Path<String>, uri: Uri) -> Response {
    let state = lock(&state);
    let found = state.intents.get(&id).map(|intent| intent.json(is_expanded(&uri)));
    answer(found.ok_or_else(|| error(StatusCode::NOT_FOUND, "invalid_request_error", "resource_missing")))
}

async fn list(Extracted(state): Extracted<Shared>, Query(asked): Query<Form>, uri: Uri) -> Response {
    let state = lock(&state);
    let since: i64 = asked.get("created[gte]").and_then(|text| text.parse().ok()).unwrap_or_default();
    let after = asked.get("starting_after");
    let mut found: Vec<&Intent> = state.intents.values().rev().filter(|intent| intent.created >= since).collect();
    found.retain(|intent| after.is_none_or(|after| intent.id < *after));
    let has_more = found.len() > PAGE;
    let data: Vec<Value> = found.into_iter().take(PAGE).map(|intent| intent.json(is_expanded(&uri))).collect();
    Json(json!({"object": "list", "data": data, "has_more": has_more})).into_response()
}

async fn change(
    Extracted(state): Extracted<Shared>,
    Path((id, change)): Path<(String, String)>,
    uri: Uri,
    body: String,
) -> Response {
    answer(changed(&mut lock(&state), &id, &change, &body, is_expanded(&uri)))
}

fn changed(state: &mut State, id: &str, change: &str, body: &str, expanded: bool) -> Done {
    let form = form(body, &["payment_method", "amount_to_capture"])?;
    let transaction = state.draw("txn");
    let missing = || error(StatusCode::NOT_FOUND, "invalid_request_error", "resource_missing");
    let intent = state.intents.get_mut(id).ok_or_else(missing)?;
    let unexpected = || invalid("payment_intent_unexpected_state");
    let mut declined = false;
    match (change, intent.status) {
        ("confirm", "requires_payment_method" | "requires_confirmation" | "requires_action") => {
            match form.get("payment_method").map(String::as_str) {
                Some(GOOD) => intent.hold(),
                Some(ASKING) => intent.ask(),
                Some(DECLINED) => {
                    intent.decline("generic_decline");
                    declined = true;
                }
                _ => return Err(invalid("resource_missing")),
            }
        }
        ("capture", "requires_capture") => {
            let amount = amount(&form, "amount_to_capture")?;
            if amount > intent.amount {
                return Err(invalid("amount_too_large"));
            }
            intent.capture(amount, &transaction);
        }
        ("cancel", "requires_payment_method" | "requires_confirmation" | "requires_action" | "requires_capture") => {
            intent.cancel();
        }
        ("confirm" | "capture" | "cancel", _) => return Err(unexpected()),
        _ => return Err(missing()),
    }
    let (kind, told) = (intent.event(), intent.json(expanded));
    *state.carried_out.entry(change.to_owned()).or_default() += 1;
    state.tell(kind, &told);
    if !declined {
        return Ok(told);
    }
    let (status, mut body) = error(StatusCode::PAYMENT_REQUIRED, "card_error", "card_declined");
    body["error"]["decline_code"] = json!("generic_decline");
    body["error"]["payment_intent"] = told;
    Err((status, body))
}

async fn refunds(Extracted(state): Extracted<Shared>, Query(asked): Query<Form>) -> Response {
    let state = lock(&state);
    let wanted = asked.get("payment_intent").cloned().unwrap_or_default();
    let currency = state.intents.get(&wanted).map(|intent| intent.currency.clone()).unwrap_or_default();
    let data: Vec<Value> =
        state.refunds.iter().filter(|refund| refund.intent == wanted).map(|refund| refund.json(&currency)).collect();
    Json(json!({"object": "list", "data": data, "has_more": false})).into_response()
}

async fn refund(Extracted(state): Extracted<Shared>, body: String) -> Response {
    answer(sent_back(&mut lock(&state), &body))
}

fn sent_back(state: &mut State, body: &str) -> Done {
    let form = form(body, &["payment_intent", "amount"])?;
    let (amount, id) = (amount(&form, "amount")?, form.get("payment_intent").cloned().unwrap_or_default());
    let drawn = state.draw("re");
    let missing = || error(StatusCode::NOT_FOUND, "invalid_request_error", "resource_missing");
    let intent = state.intents.get_mut(&id).ok_or_else(missing)?;
    if intent.refunded + amount > intent.received {
        return Err(invalid("charge_already_refunded"));
    }
    intent.refunded += amount;
    let (currency, charge) = (intent.currency.clone(), intent.charge_json());
    let refund = Refund::new(&drawn, &id, amount, metadata(&form));
    let told = refund.json(&currency);
    state.refunds.push(refund);
    *state.carried_out.entry("refund".to_owned()).or_default() += 1;
    state.tell("charge.refunded", &charge);
    Ok(told)
}
