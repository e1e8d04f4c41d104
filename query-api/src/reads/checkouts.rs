//! Where checkouts stand: for the shopper who waits, also as a stream, and for staff those that have not ended.

use crate::{
    app::App,
    example,
    problem::Refusal,
    read_model::{Expected, Isolation, ReadModel},
    reads::{
        carts::example_quote,
        orders::{Seen, id_of},
    },
    request::{ReadContext, ReadHeaders, ReadParameters, mark},
};
use access::{Permission, Routes, Rule};
use axum::{
    Json,
    body::{Body, Bytes},
    extract::{Path, State},
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use futures::stream;
use schemas::{
    Timestamp, Uuid,
    events::checkout::{CheckoutAwaitingPayment, Obstacle},
    ids::TenantId,
    quote::{Quote, QuoteGroup},
};
use serde::Serialize;
use std::{convert::Infallible, time::Duration};
use utoipa_axum::routes;

/// Checkouts.
pub const READ: ReadModel = ReadModel {
    routes,
    isolation: &[
        Isolation::of("/v1/checkouts/{id}", "/v1/checkouts/0199a3b4-5c6d-7e8f-9a0b-1c2d3e4f5a6b", Expected::StaffOnly),
        Isolation::of("/v1/processes", "/v1/processes", Expected::NothingYet("/processes")),
    ],
};

/// How often a stream looks.
const LOOK: Duration = Duration::from_millis(300);
/// How many times it looks: a client that is still there asks anew.
const LOOKS: u32 = 400;

fn routes() -> Routes<App> {
    Routes::default()
        .allow(Rule::Shopper, routes!(by_id))
        .allow(Rule::Staff(Permission::OrdersRead), routes!(under_way))
}

/// Where a checkout stands.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(examples(json!(ShownCheckout::example())))]
pub struct ShownCheckout {
    /// Its id.
    id: Uuid,
    /// Its version.
    version: i64,
    /// `open` while it goes on by itself, `awaiting_payment`, `completed` or `aborted`.
    phase: String,
    /// The cart.
    cart_id: Uuid,
    /// How it is paid: `card`, `transfer` or `cash_on_delivery`.
    payment_method: String,
    /// ISO 4217 code.
    currency: String,
    /// What it costs, in minor units.
    total: i64,
    /// The groups in which the goods are sent, by their names.
    groups: Vec<QuoteGroup>,
    /// What it waits for.
    #[serde(skip_serializing_if = "Option::is_none")]
    awaiting: Option<CheckoutAwaitingPayment>,
    /// The order, once there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    order_id: Option<Uuid>,
    /// Why no order has come of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    abort_reason: Option<String>,
    /// What stood in the way.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    obstacles: Vec<Obstacle>,
    /// Whether the shop has to look after it before it goes on.
    is_delayed: bool,
    /// When it was begun.
    #[schema(value_type = String, format = DateTime)]
    started_at: Timestamp,
    /// When it was changed last.
    #[schema(value_type = String, format = DateTime)]
    changed_at: Timestamp,
}

impl ShownCheckout {
    fn example() -> Self {
        Self {
            id: example::id(40),
            version: 3,
            phase: "completed".to_owned(),
            cart_id: example::id(41),
            payment_method: "card".to_owned(),
            currency: "USD".to_owned(),
            total: 11_056,
            groups: example_quote().as_ref().map(Quote::groups).unwrap_or_default(),
            awaiting: None,
            order_id: Some(example::id(42)),
            abort_reason: None,
            obstacles: Vec::new(),
            is_delayed: false,
            started_at: example::moment(),
            changed_at: example::moment(),
        }
    }

    fn is_over(&self) -> bool {
        matches!(self.phase.as_str(), "completed" | "aborted")
    }
}

#[derive(Debug, sqlx::FromRow)]
struct Row {
    version: i64,
    buyer_kind: String,
    buyer_id: Uuid,
    access_digest: Option<String>,
    phase: String,
    cart_id: Uuid,
    payment_method: String,
    currency: String,
    total: i64,
    quote: String,
    awaiting: Option<String>,
    order_id: Option<Uuid>,
    abort_reason: Option<String>,
    obstacles: String,
    is_delayed: bool,
    started_at: Timestamp,
    changed_at: Timestamp,
}

/// A checkout of somebody; of another's nobody is told that it is there.
async fn find(app: &App, tenant: TenantId, id: Uuid, seen: &Seen) -> Result<ShownCheckout, Refusal> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT version, buyer_kind, buyer_id, access_digest, phase, cart_id, payment_method, currency, total, quote, awaiting, order_id,
           abort_reason, obstacles, parked_at IS NOT NULL AS is_delayed, started_at, changed_at
         FROM checkouts WHERE tenant_id = $1 AND checkout_id = $2",
    )
    .bind(tenant.uuid())
    .bind(id)
    .fetch_optional(&app.pool)
    .await?;
    let theirs = row.filter(|row| seen.may_see(&row.buyer_kind, row.buyer_id, row.access_digest.as_deref()));
    let row = theirs.ok_or_else(|| Refusal::not_found("you have no checkout with this id"))?;
    Ok(ShownCheckout {
        id,
        version: row.version,
        phase: row.phase,
        cart_id: row.cart_id,
        payment_method: row.payment_method,
        currency: row.currency,
        total: row.total,
        groups: serde_json::from_str::<Quote>(&row.quote)?.groups(),
        awaiting: row.awaiting.as_deref().map(serde_json::from_str).transpose()?,
        order_id: row.order_id,
        abort_reason: row.abort_reason,
        obstacles: serde_json::from_str(&row.obstacles)?,
        is_delayed: row.is_delayed,
        started_at: row.started_at,
        changed_at: row.changed_at,
    })
}

/// Where a checkout stands
///
/// With `Accept: text/event-stream` each change is sent as it comes, until the checkout has ended; a stream ends after two minutes, too.
#[utoipa::path(get, path = "/v1/checkouts/{id}", tag = "checkout",
    params(("id" = Uuid, Path, description = "The checkout"),
           ("access" = Option<String>, Query, description = "The token that was given out with it"), ReadHeaders, ReadParameters),
    responses((status = 200, description = "Where it stands", body = ShownCheckout), (status = 404, description = "You have no such checkout")))]
pub async fn by_id(
    State(app): State<App>,
    headers: HeaderMap,
    seen: Seen,
    context: ReadContext,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    let id = id_of(&id)?;
    let verdict = context.wait(&app).await?;
    let shown = find(&app, context.tenant, id, &seen).await?;
    let wants = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if wants.contains("text/event-stream") {
        return Ok(mark(
            events(Watched { app, tenant: context.tenant, id, seen, last: None, looks: 0, is_over: false }),
            &verdict,
        ));
    }
    Ok(mark(Json(shown).into_response(), &verdict))
}

/// A checkout that somebody watches.
struct Watched {
    app: App,
    tenant: TenantId,
    id: Uuid,
    seen: Seen,
    /// The version that was sent last.
    last: Option<i64>,
    looks: u32,
    is_over: bool,
}

impl Watched {
    /// The next change; none once the checkout has ended, or it was watched for long enough.
    async fn next(mut self) -> Option<(Result<Bytes, Infallible>, Self)> {
        while !self.is_over && self.looks < LOOKS && !self.app.shutdown.is_triggered() {
            self.looks += 1;
            // What can't be read now is read at the next look.
            if let Ok(shown) = find(&self.app, self.tenant, self.id, &self.seen).await
                && self.last != Some(shown.version)
            {
                (self.last, self.is_over) = (Some(shown.version), shown.is_over());
                let data = serde_json::to_string(&shown).unwrap_or_default();
                let text = format!("event: checkout\nid: {}\ndata: {data}\n\n", shown.version);
                return Some((Ok(Bytes::from(text)), self));
            }
            // A comment tells whoever stands between that the stream is alive.
            if self.looks.is_multiple_of(50) {
                return Some((Ok(Bytes::from_static(b": waiting\n\n")), self));
            }
            tokio::time::sleep(LOOK).await;
        }
        None
    }
}

fn events(watched: Watched) -> Response {
    let body = Body::from_stream(stream::unfold(watched, Watched::next));
    ([(header::CONTENT_TYPE, "text/event-stream"), (header::CACHE_CONTROL, "no-store")], body).into_response()
}

/// Processes that are under way.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(examples(json!(ProcessList { processes: vec![ShownProcess::example()] })))]
pub struct ProcessList {
    /// A thousand at most: those that stand still first, then the oldest.
    processes: Vec<ShownProcess>,
}

/// A process that has not ended.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ShownProcess {
    /// Its id: of a checkout, the checkout's.
    id: Uuid,
    /// What it is.
    name: &'static str,
    /// Where it stands, such as `awaiting_payment`.
    phase: String,
    /// What it waits for, where it does not go on by itself.
    awaiting: Option<CheckoutAwaitingPayment>,
    /// The order, once there is one.
    order_id: Option<Uuid>,
    /// The step that failed, where it stands still.
    step: Option<String>,
    /// Why.
    reason: Option<String>,
    /// Since when it stands still.
    #[schema(value_type = Option<String>, format = DateTime)]
    parked_at: Option<Timestamp>,
    /// When it was begun.
    #[schema(value_type = String, format = DateTime)]
    started_at: Timestamp,
    /// When it was changed last.
    #[schema(value_type = String, format = DateTime)]
    changed_at: Timestamp,
}

impl ShownProcess {
    fn example() -> Self {
        Self {
            id: example::id(40),
            name: "checkout",
            phase: "open".to_owned(),
            awaiting: None,
            order_id: Some(example::id(42)),
            step: Some("commit_stock".to_owned()),
            reason: Some("the database does not answer".to_owned()),
            parked_at: Some(example::moment()),
            started_at: example::moment(),
            changed_at: example::moment(),
        }
    }
}

#[derive(Debug, sqlx::FromRow)]
struct ProcessRow {
    checkout_id: Uuid,
    phase: String,
    awaiting: Option<String>,
    order_id: Option<Uuid>,
    parked_step: Option<String>,
    parked_reason: Option<String>,
    parked_at: Option<Timestamp>,
    started_at: Timestamp,
    changed_at: Timestamp,
}

impl ProcessRow {
    fn shown(self) -> Result<ShownProcess, serde_json::Error> {
        // What a process has waited for says nothing any more once it goes on.
        let awaiting = self.awaiting.filter(|_| self.phase == "awaiting_payment");
        Ok(ShownProcess {
            id: self.checkout_id,
            name: "checkout",
            phase: self.phase,
            awaiting: awaiting.as_deref().map(serde_json::from_str).transpose()?,
            order_id: self.order_id,
            step: self.parked_step,
            reason: self.parked_reason,
            parked_at: self.parked_at,
            started_at: self.started_at,
            changed_at: self.changed_at,
        })
    }
}

/// Processes that have not ended
///
/// Those that stand still until staff let them go on come first.
#[utoipa::path(get, path = "/v1/processes", tag = "checkout", params(ReadHeaders, ReadParameters),
    responses((status = 200, description = "Those that stand still first, then the oldest", body = ProcessList)))]
pub async fn under_way(State(app): State<App>, context: ReadContext) -> Result<Response, Refusal> {
    let verdict = context.wait(&app).await?;
    let rows: Vec<ProcessRow> = sqlx::query_as(
        "SELECT checkout_id, phase, awaiting, order_id, parked_step, parked_reason, parked_at, started_at, changed_at FROM checkouts
         WHERE tenant_id = $1 AND (parked_at IS NOT NULL OR phase IN ('open', 'awaiting_payment'))
         ORDER BY parked_at, started_at, checkout_id LIMIT 1000",
    )
    .bind(context.tenant.uuid())
    .fetch_all(&app.pool)
    .await?;
    let processes = rows.into_iter().map(ProcessRow::shown).collect::<Result<_, _>>()?;
    Ok(mark(Json(ProcessList { processes }).into_response(), &verdict))
}
