//! Payments, as staff see them: a list by status, and one with what has come and gone.

use crate::{
    app::App,
    problem::{Refusal, bounded},
    read_model::{Expected, Given, Isolation, ReadModel},
    request::{ReadContext, ReadHeaders, ReadParameters, mark},
    view::View,
};
use access::{Permission, Routes, Rule};
use axum::{
    Json,
    extract::{Path, Query, State, rejection::QueryRejection},
    response::{IntoResponse, Response},
};
use schemas::{Timestamp, Uuid};
use serde::{Deserialize, Serialize};
use utoipa_axum::routes;

mod shown;

use shown::{PaymentDetail, ProviderList, ShownCapture, ShownPayment, ShownProvider, ShownRefund, ShownTransfer};

/// Payments on a page, where no number is asked for and at most.
const USUAL: usize = 50;
const MOST: usize = 200;
/// How far payments are, in the words of the list.
const STATUSES: [&str; 9] = [
    "created",
    "pending",
    "action_required",
    "authorized",
    "partly_captured",
    "captured",
    "failed",
    "voided",
    "expired",
];

/// Payments.
pub const READ: ReadModel = ReadModel {
    routes,
    isolation: &[
        Isolation::of("/v1/payments", "/v1/payments", Expected::Empty("/payments")).given(CREATED),
        Isolation::of("/v1/payments/{id}", OURS, Expected::NotFound),
        Isolation::of("/v1/payment-providers", "/v1/payment-providers", Expected::Empty("/providers")).given(AGREED),
    ],
};

const OURS: &str = "/v1/payments/0199a3b4-5c6d-7e8f-9a0b-1c2d3e4f5a6b";

const CREATED: &[Given] = &[Given {
    method: "PUT",
    path: OURS,
    body: r#"{"order_id": "0199a3b4-5c6d-7e8f-9a0b-1c2d3e4f5a6c", "method": "transfer", "currency": "USD", "amount": 1099}"#,
}];

const AGREED: &[Given] =
    &[Given { method: "PUT", path: "/v1/payment-providers/stripe", body: r#"{"secret_key": "sk_test_ours"}"# }];

fn routes() -> Routes<App> {
    Routes::default()
        .allow(Rule::Staff(Permission::PaymentsRead), routes!(all))
        .allow(Rule::Staff(Permission::PaymentsRead), routes!(one))
        .allow(Rule::Owner, routes!(providers))
}

/// Which payments.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PaymentParameters {
    /// Those that are so far: created, pending, action_required, authorized, partly_captured, captured, failed, voided or expired
    status: Option<String>,
    /// Those after the ones of a page; `next` of it
    cursor: Option<String>,
    /// Payments at most, up to 200; 50 if absent
    #[param(minimum = 1, maximum = 200)]
    limit: Option<usize>,
}

/// Payments, the newest first.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(examples(json!(PaymentPage { payments: vec![ShownPayment::example()], next: None })))]
pub struct PaymentPage {
    /// The payments.
    payments: Vec<ShownPayment>,
    /// The `cursor` of the next page; null if this is the last.
    next: Option<String>,
}

/// A place in a list: when what stands there happened, and its id.
fn place(cursor: &str) -> Option<(Timestamp, Uuid)> {
    let (micros, id) = cursor.split_once('_')?;
    Some((Timestamp::from_timestamp_micros(micros.parse().ok()?)?, Uuid::parse_str(id).ok()?))
}

/// The payments of the shop.
#[utoipa::path(get, path = "/v1/payments", tag = "payments", params(ReadHeaders, ReadParameters, PaymentParameters),
    responses((status = 200, description = "The newest first", body = PaymentPage)))]
pub async fn all(
    State(app): State<App>,
    context: ReadContext,
    asked: Result<Query<PaymentParameters>, QueryRejection>,
) -> Result<Response, Refusal> {
    let Query(asked) = asked?;
    let limit = bounded("limit", asked.limit.unwrap_or(USUAL), 1, MOST)?;
    if asked.status.as_deref().is_some_and(|status| !STATUSES.contains(&status)) {
        return Err(Refusal::parameter("status", format!("one of {} is expected", STATUSES.join(", "))));
    }
    let before = match asked.cursor.as_deref().map(place) {
        Some(None) => return Err(Refusal::parameter("cursor", "this is no cursor; `next` of an answer goes on")),
        other => other.flatten(),
    };
    let verdict = context.wait(&app).await?;
    let payments: Vec<ShownPayment> = sqlx::query_as(
        "SELECT payment_id AS id, version, order_id, checkout_id, method, account, status, currency, amount, held, captured, fees,
           attempt, reference, failure, mismatch, created_at, changed_at,
           (SELECT coalesce(sum(r.amount), 0)::bigint FROM refunds AS r
              WHERE r.tenant_id = p.tenant_id AND r.payment_id = p.payment_id AND r.status <> 'failed') AS refunded
         FROM payments AS p
         WHERE tenant_id = $1 AND ($2::text IS NULL OR status = $2)
           AND ($3::timestamptz IS NULL OR (created_at, payment_id) < ($3, $4::uuid))
         ORDER BY created_at DESC, payment_id DESC LIMIT $5",
    )
    .bind(context.tenant.uuid())
    .bind(&asked.status)
    .bind(before.map(|(at, _)| at))
    .bind(before.map(|(_, id)| id))
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(&app.pool)
    .await?;
    let next = payments.last().filter(|_| payments.len() == limit).map(ShownPayment::place);
    Ok(mark(Json(PaymentPage { payments, next }).into_response(), &verdict))
}

/// A payment, with what has come and gone.
#[utoipa::path(get, path = "/v1/payments/{id}", tag = "payments",
    params(("id" = Uuid, Path, description = "The payment"), ReadHeaders, ReadParameters),
    responses(
        (status = 200, description = "The payment; the version is the ETag, too", body = PaymentDetail),
        (status = 404, description = "No such payment")
    ))]
pub async fn one(State(app): State<App>, context: ReadContext, Path(id): Path<String>) -> Result<Response, Refusal> {
    let id = Uuid::parse_str(&id).map_err(|_| Refusal::parameter("id", "the path should hold a UUID"))?;
    let verdict = context.wait(&app).await?;
    let found: Option<ShownPayment> = sqlx::query_as(
        "SELECT payment_id AS id, version, order_id, checkout_id, method, account, status, currency, amount, held, captured, fees,
           attempt, reference, failure, mismatch, created_at, changed_at,
           (SELECT coalesce(sum(r.amount), 0)::bigint FROM refunds AS r
              WHERE r.tenant_id = p.tenant_id AND r.payment_id = p.payment_id AND r.status <> 'failed') AS refunded
         FROM payments AS p WHERE tenant_id = $1 AND payment_id = $2",
    )
    .bind(context.tenant.uuid())
    .bind(id)
    .fetch_optional(&app.pool)
    .await?;
    let payment = found.ok_or_else(|| Refusal::not_found("this shop has no such payment"))?;
    let (version, detail) = (payment.version, detail(&app, &context, payment).await?);
    Ok(mark(View::of(&detail)?.version(version).response(), &verdict))
}

async fn detail(app: &App, context: &ReadContext, payment: ShownPayment) -> Result<PaymentDetail, Refusal> {
    let (tenant, id) = (context.tenant.uuid(), payment.id);
    let captures: Vec<ShownCapture> = sqlx::query_as(
        "SELECT capture_id, source, account, currency, amount, captured_at, kept FROM payment_captures
         WHERE tenant_id = $1 AND payment_id = $2 ORDER BY captured_at, capture_id LIMIT 200",
    )
    .bind(tenant)
    .bind(id)
    .fetch_all(&app.pool)
    .await?;
    let transfers: Vec<ShownTransfer> = sqlx::query_as(
        "SELECT proof_id, currency, amount, reference, proof, entered_by, entered_at, approved_by, approved_at
         FROM payment_transfers WHERE tenant_id = $1 AND payment_id = $2 ORDER BY entered_at, proof_id LIMIT 200",
    )
    .bind(tenant)
    .bind(id)
    .fetch_all(&app.pool)
    .await?;
    let refunds: Vec<ShownRefund> = sqlx::query_as(
        "SELECT refund_id AS id, status, currency, amount, reason, reference, requested_at, changed_at
         FROM refunds WHERE tenant_id = $1 AND payment_id = $2 ORDER BY requested_at, refund_id LIMIT 200",
    )
    .bind(tenant)
    .bind(id)
    .fetch_all(&app.pool)
    .await?;
    Ok(PaymentDetail { payment, captures, transfers, refunds })
}

/// The payment providers that the shop has agreed with. No secret is shown.
#[utoipa::path(get, path = "/v1/payment-providers", tag = "payments", params(ReadHeaders, ReadParameters),
    responses((status = 200, description = "By name", body = ProviderList)))]
pub async fn providers(State(app): State<App>, context: ReadContext) -> Result<Response, Refusal> {
    let verdict = context.wait(&app).await?;
    let providers: Vec<ShownProvider> = sqlx::query_as(
        "SELECT account_id AS id, name, version, changed_at FROM payment_providers WHERE tenant_id = $1 ORDER BY name LIMIT 100",
    )
    .bind(context.tenant.uuid())
    .fetch_all(&app.pool)
    .await?;
    Ok(mark(Json(ProviderList { providers }).into_response(), &verdict))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_again_or_refused() {
        let shown = ShownPayment::example();
        assert_eq!(place(&shown.place()), Some((shown.created_at, shown.id)));
        for wrong in ["", "_", "1", "x_0199a3b4-5c6d-7e8f-9a0b-1c2d3e4f5a6b", "1_x", "99999999999999999999_x"] {
            assert_eq!(place(wrong), None, "{wrong}");
        }
    }
}
