//! `/v1/reservations`: what staff keep for somebody. Checkouts ask for the same from inside.

use super::super::{
    domain::{
        HoldState,
        command::{Location, pieces},
    },
    port::{self, Held, HeldPart, Pieces, Reserve, Reserved},
};
use super::STAFF;
use crate::{
    contexts::catalog::port::{VariantRef, variants},
    domain::validation::Findings,
    http::{
        extract::{BareCommand, Command, PathId},
        headers::{IdempotencyHeader, TenantHeaders},
        idempotency::REPLAYED,
        problem::ApiError,
    },
    pipeline::{App, Change, Rejection, Scope},
};
use access::Routes;
use axum::{
    Json,
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode},
    response::{IntoResponse, Response},
};
use schemas::{
    TimeDelta, Timestamp, Uuid,
    contexts::Context,
    ids::VariantId,
    problem::{Code, FieldError, Problem},
    token::{TOKEN_HEADER, Token},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::routes;

/// Lines of one reservation.
const MOST_LINES: usize = 100;
/// Minutes that something is kept: 30 days.
const MOST_MINUTES: i64 = 30 * 24 * 60;

/// The routes of reservations.
pub(super) fn routes() -> Routes<App> {
    Routes::default()
        .allow(STAFF, routes!(reserve))
        .allow(STAFF, routes!(commit))
        .allow(STAFF, routes!(release))
        .allow(STAFF, routes!(dispatch))
        .allow(STAFF, routes!(pin))
        .allow(STAFF, routes!(unpin))
}

/// What is to be kept.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReservationInput {
    /// Drawn by you, and used once.
    reservation_id: Uuid,
    /// At most 100, each variant once.
    lines: Vec<ReservationLineInput>,
    /// How long it is kept, up to 30 days.
    #[schema(minimum = 1, maximum = 43_200)]
    minutes: i64,
}

/// Pieces of a variant to keep.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReservationLineInput {
    /// The variant by SKU; this or `variant_id`.
    sku: Option<String>,
    /// The variant by id; this or `sku`.
    #[schema(value_type = Option<schemas::Uuid>)]
    variant_id: Option<VariantId>,
    /// Pieces, above zero.
    quantity: i64,
    /// The only place where they may lie; any if absent.
    location: Option<String>,
}

/// What is kept under an id, by variant.
#[derive(Debug, Serialize, ToSchema)]
#[schema(examples(json!(ReservationAnswer::example())))]
pub(super) struct ReservationAnswer {
    /// Its id.
    reservation_id: Uuid,
    /// Its lines: in your order when it is made, and later by variant.
    lines: Vec<ReservationLineAnswer>,
    /// The consistency token, for reads that must see this write.
    token: String,
}

/// A variant of a reservation.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ReservationLineAnswer {
    /// The variant.
    #[schema(value_type = schemas::Uuid)]
    variant_id: VariantId,
    /// Where it is in its life: `held`, `committed`, `released`, `expired` or `dispatched`.
    #[schema(value_type = String)]
    state: HoldState,
    /// When it ends by itself, while it is held.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
    /// Where its pieces lie.
    parts: Vec<HeldPart>,
    /// The version of the stock item.
    version: u64,
}

impl ReservationAnswer {
    fn of(reservation_id: Uuid, held: Vec<Held>) -> Self {
        let mut token = Token::default();
        held.iter().for_each(|held| token.add(Context::Inventory, held.variant_id.uuid(), held.version));
        let line = |Held { variant_id, state, expires_at, parts, version, .. }: Held| {
            let expires_at = expires_at.filter(|_| state == HoldState::Held);
            ReservationLineAnswer { variant_id, state, expires_at, parts, version }
        };
        Self { reservation_id, lines: held.into_iter().map(line).collect(), token: token.to_string() }
    }

    fn example() -> Self {
        let id = crate::http::answer::EXAMPLE_ID;
        let held = Held {
            variant_id: VariantId(Uuid::from_u128(id.as_u128() + 1)),
            version: 4,
            change: Change::Changed,
            state: HoldState::Held,
            expires_at: Some(Timestamp::UNIX_EPOCH),
            parts: vec![HeldPart { location: "main".to_owned(), quantity: 2 }],
            replayed: false,
        };
        Self::of(Uuid::from_u128(id.as_u128() + 7), vec![held])
    }
}

/// The answer to a command, by what it did.
fn answered(id: Uuid, held: Vec<Held>, done: StatusCode) -> Response {
    let is_changed = held.iter().any(|held| held.change != Change::Unchanged);
    let is_replayed = held.iter().all(|held| held.replayed);
    let answer = ReservationAnswer::of(id, held);
    let mut headers = HeaderMap::new();
    headers
        .extend(HeaderValue::try_from(&answer.token).ok().map(|token| (HeaderName::from_static(TOKEN_HEADER), token)));
    if is_replayed {
        headers.insert(REPLAYED, HeaderValue::from_static("true"));
    }
    (if is_changed { done } else { StatusCode::OK }, headers, Json(answer)).into_response()
}

/// Reserve stock
///
/// All lines are kept, or none: what could not be had stands in `errors` by line. The same id with the same lines changes nothing.
/// A reservation ends once: it is dispatched, released, or expires.
#[utoipa::path(
    post, path = "/v1/reservations", tag = "stock", params(TenantHeaders, IdempotencyHeader),
    request_body = ReservationInput,
    responses((status = 201, description = "Kept", body = ReservationAnswer), (status = 200, description = "Was kept before", body = ReservationAnswer)),
    extensions(("x-problems" = json!(["not_found", "validation_failed", "insufficient_stock", "reservation_exists", "reservation_ended", "reservation_expired"])))
)]
pub(super) async fn reserve(State(app): State<App>, command: Command<ReservationInput>) -> Result<Response, ApiError> {
    let Command { scope, key, body, .. } = command;
    let wanted = read(&app, &scope, &body).await?;
    let reservation_id = body.reservation_id;
    let expires_at = scope.now + TimeDelta::minutes(body.minutes);
    let asked = Reserve { reservation_id, checkout_id: None, expires_at };
    match port::reserve(&app, &scope, key.as_ref(), &asked, &wanted).await? {
        Reserved::All(held) => Ok(answered(reservation_id, held, StatusCode::CREATED)),
        Reserved::Nothing(rejections) => Err(refused(&rejections).into()),
    }
}

/// What is asked for, read, with the variants that are named.
async fn read(app: &App, scope: &Scope, body: &ReservationInput) -> Result<Vec<Pieces>, ApiError> {
    let mut findings = Findings::default();
    if body.lines.is_empty() {
        findings.add("/lines", "at least one line is needed");
    }
    findings.count("/lines", body.lines.len(), MOST_LINES);
    minutes(&mut findings, body.minutes);
    let mut locations = Vec::with_capacity(body.lines.len());
    for (n, line) in body.lines.iter().enumerate() {
        pieces(&mut findings, &format!("/lines/{n}/quantity"), line.quantity, 1);
        let location = line.location.as_deref().map(Location::parse).transpose();
        locations.push(location.unwrap_or_else(|reason| {
            findings.add(format!("/lines/{n}/location"), reason);
            None
        }));
    }
    findings.done().map_err(Rejection::invalid)?;
    let mut named = Vec::with_capacity(body.lines.len());
    for (n, line) in body.lines.iter().enumerate() {
        let variant = VariantRef::parse(line.sku.clone(), line.variant_id);
        named.push(variant.map_err(|rejection| below(&rejection, n))?);
    }
    let mut transaction = app.database.of_shop(scope.tenant).await.map_err(crate::pipeline::Failure::from)?;
    let known = variants(&mut transaction, scope, named.iter()).await?;
    drop(transaction);
    let mut wanted = Vec::with_capacity(named.len());
    for (n, (name, location)) in named.iter().zip(locations).enumerate() {
        let variant = known.get(name).map_err(|rejection| below(&rejection, n))?.variant_id;
        wanted.push(Pieces { variant, quantity: body.lines[n].quantity, location, preferred: Vec::new() });
    }
    Ok(wanted)
}

/// A rejection of a line, with its place.
fn below(rejection: &Rejection, n: usize) -> Rejection {
    let mut problem = rejection.problem().clone();
    problem.errors = at_line(rejection, n);
    Rejection::of(problem)
}

/// What is wrong with a line, each with its place.
fn at_line(rejection: &Rejection, n: usize) -> Vec<FieldError> {
    let problem = rejection.problem();
    if problem.errors.is_empty() {
        let detail = problem.detail.as_ref().unwrap_or(&problem.title);
        return vec![FieldError::new(format!("/lines/{n}"), detail.clone())];
    }
    let at = |error: &FieldError| FieldError { pointer: format!("/lines/{n}{}", error.pointer), ..error.clone() };
    problem.errors.iter().map(at).collect()
}

/// Why nothing is kept: what is wrong with the request goes before what there is not enough of.
fn refused(rejections: &[Option<Rejection>]) -> Rejection {
    let errors = rejections.iter().enumerate().filter_map(|(n, rejection)| Some(at_line(rejection.as_ref()?, n)));
    let errors: Vec<FieldError> = errors.flatten().collect();
    let is_other = |rejection: &&Rejection| rejection.problem().code != Code::InsufficientStock.as_str();
    let other = rejections.iter().flatten().find(is_other).map(Rejection::problem);
    let problem = other.cloned().unwrap_or_else(|| Problem::new(Code::InsufficientStock));
    Rejection::of(problem.detail("nothing was reserved; `errors` has the lines that can't be").errors(errors))
}

/// Commit a reservation
///
/// Its pieces belong to an order from now on, and it ends by itself no more. Once its time is over, that is refused, and
/// nothing of it is kept.
#[utoipa::path(
    post, path = "/v1/reservations/{id}/commit", tag = "stock",
    params(("id" = schemas::Uuid, Path, description = "The reservation"), TenantHeaders, IdempotencyHeader),
    responses((status = 200, description = "Committed, or was so before", body = ReservationAnswer)),
    extensions(("x-problems" = json!(["not_found", "reservation_ended", "reservation_expired"])))
)]
pub(super) async fn commit(
    State(app): State<App>,
    PathId(id): PathId,
    command: BareCommand,
) -> Result<Response, ApiError> {
    let held = port::commit(&app, &command.scope, command.key.as_ref(), id).await?;
    Ok(answered(id, held, StatusCode::OK))
}

/// Release a reservation
///
/// Its pieces can be sold to others, whether they were held or committed. What has left stays gone.
#[utoipa::path(
    post, path = "/v1/reservations/{id}/release", tag = "stock",
    params(("id" = schemas::Uuid, Path, description = "The reservation"), TenantHeaders, IdempotencyHeader),
    responses((status = 200, description = "Released, or was over before", body = ReservationAnswer)),
    extensions(("x-problems" = json!(["not_found", "reservation_ended"])))
)]
pub(super) async fn release(
    State(app): State<App>,
    PathId(id): PathId,
    command: BareCommand,
) -> Result<Response, ApiError> {
    let held = port::release(&app, &command.scope, command.key.as_ref(), id).await?;
    Ok(answered(id, held, StatusCode::OK))
}

/// Dispatch a reservation
///
/// Its pieces have left: what is on hand falls by them. Only what is committed leaves.
#[utoipa::path(
    post, path = "/v1/reservations/{id}/dispatch", tag = "stock",
    params(("id" = schemas::Uuid, Path, description = "The reservation"), TenantHeaders, IdempotencyHeader),
    responses((status = 200, description = "Dispatched, or was so before", body = ReservationAnswer)),
    extensions(("x-problems" = json!(["not_found", "insufficient_stock", "status_conflict", "reservation_ended", "reservation_expired"])))
)]
pub(super) async fn dispatch(
    State(app): State<App>,
    PathId(id): PathId,
    command: BareCommand,
) -> Result<Response, ApiError> {
    let held = port::dispatch(&app, &command.scope, command.key.as_ref(), id, None).await?;
    Ok(answered(id, held, StatusCode::OK))
}

/// Pin a reservation
///
/// It does not end by itself from now on, as while a payment is under way.
#[utoipa::path(
    post, path = "/v1/reservations/{id}/pin", tag = "stock",
    params(("id" = schemas::Uuid, Path, description = "The reservation"), TenantHeaders, IdempotencyHeader),
    responses((status = 200, description = "Pinned, or was so before", body = ReservationAnswer)),
    extensions(("x-problems" = json!(["not_found", "reservation_ended", "reservation_expired"])))
)]
pub(super) async fn pin(
    State(app): State<App>,
    PathId(id): PathId,
    command: BareCommand,
) -> Result<Response, ApiError> {
    let held = port::pin(&app, &command.scope, command.key.as_ref(), id).await?;
    Ok(answered(id, held, StatusCode::OK))
}

/// How long a reservation is kept from now on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct UnpinInput {
    /// Up to 30 days.
    #[schema(minimum = 1, maximum = 43_200)]
    minutes: i64,
}

/// Unpin a reservation
///
/// It ends by itself after that time.
#[utoipa::path(
    post, path = "/v1/reservations/{id}/unpin", tag = "stock",
    params(("id" = schemas::Uuid, Path, description = "The reservation"), TenantHeaders, IdempotencyHeader),
    request_body = UnpinInput,
    responses((status = 200, description = "It ends after that time", body = ReservationAnswer)),
    extensions(("x-problems" = json!(["not_found", "validation_failed", "reservation_ended", "reservation_expired"])))
)]
pub(super) async fn unpin(
    State(app): State<App>,
    PathId(id): PathId,
    command: Command<UnpinInput>,
) -> Result<Response, ApiError> {
    let mut findings = Findings::default();
    minutes(&mut findings, command.body.minutes);
    findings.done().map_err(Rejection::invalid)?;
    let expires_at = command.scope.now + TimeDelta::minutes(command.body.minutes);
    let held = port::unpin(&app, &command.scope, command.key.as_ref(), id, expires_at).await?;
    Ok(answered(id, held, StatusCode::OK))
}

/// Notes a time that is not allowed.
fn minutes(findings: &mut Findings, minutes: i64) {
    if !(1..=MOST_MINUTES).contains(&minutes) {
        findings.add("/minutes", format!("1 to {MOST_MINUTES} minutes are allowed"));
    }
}
