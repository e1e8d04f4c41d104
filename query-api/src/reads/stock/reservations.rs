//! What of a variant is kept for whom, for staff.

use super::variant;
use crate::{
    app::App,
    example,
    problem::Refusal,
    request::{ReadContext, ReadHeaders, ReadParameters, mark},
};
use axum::{
    Json,
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use schemas::{Timestamp, Uuid};
use serde::Serialize;

/// Reservations that go on.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(examples(json!(ReservationList { reservations: vec![ShownReservation::example()] })))]
pub struct ReservationList {
    /// At most a thousand, the first to end first.
    reservations: Vec<ShownReservation>,
}

/// Pieces of a reservation at one place.
#[derive(Debug, Serialize, sqlx::FromRow, utoipa::ToSchema)]
pub struct ShownReservation {
    /// The reservation.
    reservation_id: Uuid,
    /// The checkout that it is for; null if it is for none.
    checkout_id: Option<Uuid>,
    /// The place.
    location: String,
    /// Pieces.
    quantity: i64,
    /// `held` for a time, or `committed` to an order.
    state: String,
    /// When what is held ends by itself.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    /// Whether it does not: a payment is under way.
    pinned: bool,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    reserved_at: Timestamp,
}

impl ShownReservation {
    fn example() -> Self {
        Self {
            reservation_id: example::id(31),
            checkout_id: Some(example::id(32)),
            location: "main".to_owned(),
            quantity: 2,
            state: "held".to_owned(),
            expires_at: example::moment(),
            pinned: false,
            reserved_at: example::moment(),
        }
    }
}

/// The reservations of a variant that go on
///
/// What was released, dispatched or has expired is not here.
#[utoipa::path(get, path = "/v1/variants/{id}/reservations", tag = "stock",
    params(("id" = Uuid, Path, description = "The variant"), ReadHeaders, ReadParameters),
    responses((status = 200, description = "The first to end first", body = ReservationList)))]
pub async fn of_variant(
    State(app): State<App>,
    context: ReadContext,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    let id = variant(&id)?;
    let verdict = context.wait(&app).await?;
    let reservations: Vec<ShownReservation> = sqlx::query_as(
        "SELECT reservation_id, checkout_id, location, quantity, state, expires_at, pinned, reserved_at FROM stock_reservations
         WHERE tenant_id = $1 AND variant_id = $2 ORDER BY expires_at, reservation_id, location LIMIT 1000",
    )
    .bind(context.tenant.uuid())
    .bind(id)
    .fetch_all(&app.pool)
    .await?;
    Ok(mark(Json(ReservationList { reservations }).into_response(), &verdict))
}
