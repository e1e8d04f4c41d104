//! Payments, as staff begin and end them by hand. The checkout does the same without these routes.

use super::{
    super::{
        domain::payment::policy::{self, Settlement},
        port::{self, Authorise, NextAction, Order, PaymentState},
    },
    carried_out,
};
use crate::{
    http::{
        answer::{CommandAnswer, EXAMPLE_ID},
        extract::{BareCommand, Command, PathId},
        headers::TenantHeaders,
        problem::ApiError,
    },
    pipeline::{App, Rejection, command::CarriedOut},
};
use axum::{
    Json,
    extract::State,
    http::{HeaderName, HeaderValue},
    response::{IntoResponse, Response},
};
use schemas::{
    Uuid,
    contexts::Context,
    events::settings::PaymentMethod,
    money::{Currency, Money},
    token::{TOKEN_HEADER, Token},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A payment to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct PaymentInput {
    /// For what.
    order_id: Uuid,
    /// How it is paid.
    method: PaymentMethod,
    /// ISO 4217 code, such as USD.
    #[schema(value_type = String)]
    currency: Currency,
    /// How much, in minor units, above zero.
    amount: i64,
}

/// An attempt to make.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct AttemptInput {
    /// Its number: that of the last attempt, to go on with it, or the next.
    attempt: u32,
    /// What is paid with: a token of the provider's page, such as `pm_1Q…`, never a card. Without one, the shopper says it there, by the
    /// secret of the answer.
    payment_method: Option<String>,
}

/// How much to capture.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct CaptureInput {
    /// Minor units. What is held beyond is let go of.
    amount: i64,
}

/// How a payment is given up.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct VoidInput {
    /// Whether money that comes nevertheless goes back at once; it does, unless something else is said.
    #[serde(default = "yes")]
    gives_back: bool,
}

const fn yes() -> bool {
    true
}

/// What the shopper has to do.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(in super::super) enum ActionAnswer {
    /// To say with what they pay, on the shop's page, by this secret.
    ClientSecret(String),
    /// To go to this page.
    Redirect(String),
}

/// How far a payment is.
#[derive(Debug, Serialize, ToSchema)]
#[schema(examples(json!(PaymentAnswer::example())))]
pub(in super::super) struct PaymentAnswer {
    /// The payment.
    id: Uuid,
    /// Its version.
    version: u64,
    /// created, pending, action_required, authorized, partly_captured, captured, failed, voided or expired.
    status: String,
    /// The number of the last attempt; 0 for none.
    attempt: u32,
    /// ISO 4217 code.
    #[schema(value_type = String)]
    currency: Currency,
    /// How much is to be paid, in minor units.
    amount: i64,
    /// How much of it a provider holds.
    held: i64,
    /// How much has come.
    captured: i64,
    /// How much has not come yet.
    due: i64,
    /// How much has come beyond what was due; it stays with the order.
    over: i64,
    /// How much of what has come went back, or is going to.
    refunded: i64,
    /// Why the last attempt has failed, in the provider's word.
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<String>,
    /// What the shopper has to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    action: Option<ActionAnswer>,
    /// The consistency token, for reads that must see this write.
    token: String,
}

impl PaymentAnswer {
    /// As the OpenAPI document shows it.
    fn example() -> Self {
        Self {
            id: EXAMPLE_ID,
            version: 3,
            status: "authorized".to_owned(),
            attempt: 1,
            currency: Currency::USD,
            amount: 11_056,
            held: 11_056,
            captured: 0,
            due: 11_056,
            over: 0,
            refunded: 0,
            failure: None,
            action: None,
            token: Token::of(Context::Payments, EXAMPLE_ID, 3).to_string(),
        }
    }
}

fn answer(state: PaymentState) -> Response {
    let token = Token::of(Context::Payments, state.payment_id, state.version).to_string();
    let header = HeaderValue::try_from(token.as_str()).ok().map(|value| (HeaderName::from_static(TOKEN_HEADER), value));
    let action = state.action.map(|action| match action {
        NextAction::Confirm(secret) => ActionAnswer::ClientSecret(secret),
        NextAction::Redirect(url) => ActionAnswer::Redirect(url),
    });
    let (due, over) = match state.settlement {
        Settlement::Due(amount) => (amount, 0),
        Settlement::Back(amount) => (0, amount),
        Settlement::Even => (0, 0),
    };
    let answer = PaymentAnswer {
        id: state.payment_id,
        version: state.version,
        status: state.status.as_str().to_owned(),
        attempt: state.attempt,
        currency: state.money.currency,
        amount: state.money.amount,
        held: state.held,
        captured: state.captured,
        due,
        over,
        refunded: state.refunded,
        failure: state.failure,
        action,
        token,
    };
    let mut response = Json(answer).into_response();
    response.headers_mut().extend(header);
    response
}

/// Create a payment
///
/// Whoever makes it chooses its id, so that the same again changes nothing. A sum of 0 needs no payment.
#[utoipa::path(
    put, path = "/v1/payments/{id}", tag = "payments",
    params(("id" = Uuid, Path, description = "The payment, by an id that was drawn for it"), TenantHeaders),
    request_body = PaymentInput,
    responses(
        (status = 200, description = "It was created before", body = CommandAnswer),
        (status = 201, description = "Created", body = CommandAnswer)
    ),
    extensions(("x-problems" = json!(["validation_failed", "payment_exists", "payment_method_unavailable"])))
)]
pub(in super::super) async fn create(
    State(app): State<App>,
    PathId(payment_id): PathId,
    command: Command<PaymentInput>,
) -> Result<CarriedOut, ApiError> {
    let PaymentInput { order_id, method, currency, amount } = command.body;
    let order = Order { payment_id, order_id, checkout_id: None, method, money: Money { amount, currency } };
    let created = port::create(&app, &command.scope, order).await?;
    let nothing = || Rejection::invalid_at("/amount", format!("1 to {} minor units are allowed", policy::MOST));
    Ok(carried_out(created.ok_or_else(nothing)?))
}

/// Make an attempt to pay
///
/// The provider holds the money; it is captured later. The number of the attempt makes it safe to send again. What came of it may not
/// be known yet: then the payment is `pending`, and the same request goes on with the same attempt. Another one follows once it has
/// failed.
#[utoipa::path(
    post, path = "/v1/payments/{id}/attempts", tag = "payments",
    params(("id" = Uuid, Path, description = "The payment"), TenantHeaders), request_body = AttemptInput,
    responses((status = 200, description = "How far the payment is", body = PaymentAnswer)),
    extensions(("x-problems" = json!(["validation_failed", "not_found", "payment_method", "payment_attempt", "payment_refused", "payment_method_unavailable", "status_conflict"])))
)]
pub(in super::super) async fn attempt(
    State(app): State<App>,
    PathId(payment_id): PathId,
    command: Command<AttemptInput>,
) -> Result<Response, ApiError> {
    let AttemptInput { attempt, payment_method: token } = command.body;
    let is_token = |token: &String| {
        (1..=200).contains(&token.len()) && token.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    if token.as_ref().is_some_and(|token| !is_token(token)) {
        let detail = "1 to 200 ASCII letters, digits and _ are allowed";
        return Err(Rejection::invalid_at("/payment_method", detail).into());
    }
    let asked = Authorise { payment_id, attempt, token };
    Ok(answer(port::authorise(&app, &command.scope, &asked).await?))
}

/// Capture what is held, or a part of it
///
/// The same again changes nothing.
#[utoipa::path(
    post, path = "/v1/payments/{id}/capture", tag = "payments",
    params(("id" = Uuid, Path, description = "The payment"), TenantHeaders), request_body = CaptureInput,
    responses((status = 200, description = "How far the payment is", body = PaymentAnswer)),
    extensions(("x-problems" = json!(["validation_failed", "not_found", "payment_method", "exceeds_authorized", "capture_exists", "payment_refused", "status_conflict"])))
)]
pub(in super::super) async fn capture(
    State(app): State<App>,
    PathId(payment_id): PathId,
    command: Command<CaptureInput>,
) -> Result<Response, ApiError> {
    Ok(answer(port::capture(&app, &command.scope, payment_id, command.body.amount).await?))
}

/// Give a payment up
///
/// What is held is let go of, and nobody can pay by it any more. The same again changes nothing.
#[utoipa::path(
    post, path = "/v1/payments/{id}/void", tag = "payments",
    params(("id" = Uuid, Path, description = "The payment"), TenantHeaders), request_body = VoidInput,
    responses((status = 200, description = "How far the payment is", body = PaymentAnswer)),
    extensions(("x-problems" = json!(["not_found", "payment_refused", "status_conflict"])))
)]
pub(in super::super) async fn void(
    State(app): State<App>,
    PathId(payment_id): PathId,
    command: Command<VoidInput>,
) -> Result<Response, ApiError> {
    Ok(answer(port::void(&app, &command.scope, payment_id, command.body.gives_back).await?))
}

/// Give late money back
///
/// All that has come of a payment that was given up, and did not go back before. The same again changes nothing.
#[utoipa::path(
    post, path = "/v1/payments/{id}/late-refund", tag = "payments",
    params(("id" = Uuid, Path, description = "The payment"), TenantHeaders),
    responses((status = 200, description = "How far the payment is", body = PaymentAnswer)),
    extensions(("x-problems" = json!(["not_found", "status_conflict"])))
)]
pub(in super::super) async fn refund_late(
    State(app): State<App>,
    PathId(payment_id): PathId,
    command: BareCommand,
) -> Result<Response, ApiError> {
    port::refund_late(&app, &command.scope, payment_id).await?;
    let state = port::state(&app, command.scope.tenant, payment_id).await?;
    Ok(answer(state.ok_or_else(|| Rejection::not_found("the shop has no such payment"))?))
}
