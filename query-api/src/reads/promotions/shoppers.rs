//! What shoppers may know of promotions: whether a code can be used, and which promotions count for everybody.

use crate::{
    app::App,
    example,
    problem::Refusal,
    promotions::{CouponStatus, Promotion},
    request::{ReadContext, ReadHeaders, ReadParameters, mark},
};
use axum::{
    Json,
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use schemas::{Timestamp, Utc};
use serde::Serialize;
use std::sync::Arc;

/// Promotions that are shown at most.
const MOST: usize = 200;

/// What a code is good for.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(examples(json!(Coupon::example())))]
pub struct Coupon {
    /// The code, in capitals.
    code: String,
    /// Whether it can be used, or why not. Whether it helps a cart, the cart tells.
    status: CouponStatus,
    /// What it is for; null if it can't be used.
    title: Option<String>,
}

impl Coupon {
    fn example() -> Self {
        Self { code: "WELCOME10".to_owned(), status: CouponStatus::Usable, title: Some("10 % off".to_owned()) }
    }
}

/// What a code is good for, whoever uses it.
#[utoipa::path(get, path = "/v1/coupons/{code}", tag = "promotions",
    params(("code" = String, Path, description = "As it was typed; small letters count as capitals"), ReadHeaders, ReadParameters),
    responses((status = 200, description = "A code of the shop", body = Coupon), (status = 404, description = "The shop has no such code")))]
pub async fn coupon(
    State(app): State<App>,
    context: ReadContext,
    Path(code): Path<String>,
) -> Result<Response, Refusal> {
    let verdict = context.wait(&app).await?;
    let code = code.trim().to_ascii_uppercase();
    let (status, title) = app.promotions.status(context.tenant, &code, Utc::now()).await?;
    if status == CouponStatus::Unknown {
        return Err(Refusal::not_found("this shop has no such code"));
    }
    Ok(mark(Json(Coupon { code, status, title }).into_response(), &verdict))
}

/// Promotions that count now.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(examples(json!(ActivePromotions { promotions: vec![ActivePromotion::example()] })))]
pub struct ActivePromotions {
    /// In the order in which they are done; at most 200.
    promotions: Vec<ActivePromotion>,
}

/// A promotion that counts without a code.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ActivePromotion {
    /// How shoppers read it.
    title: String,
    /// Until when it counts; null for ever.
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
}

impl ActivePromotion {
    fn example() -> Self {
        Self { title: "15 % off lamps".to_owned(), until: Some(example::moment()) }
    }
}

/// The promotions that count now without a code, for everybody.
///
/// Those for groups of customers are not shown.
#[utoipa::path(get, path = "/v1/active-promotions", tag = "promotions", params(ReadHeaders, ReadParameters),
    responses((status = 200, description = "Their titles", body = ActivePromotions)))]
pub async fn active(State(app): State<App>, context: ReadContext) -> Result<Response, Refusal> {
    let verdict = context.wait(&app).await?;
    let mut active = app.promotions.active(context.tenant, Utc::now()).await?;
    active.retain(|promotion| promotion.content.conditions.groups.is_empty());
    active.sort_by(|one, other| place(one).cmp(&place(other)));
    let shown = |promotion: &Arc<Promotion>| ActivePromotion {
        title: promotion.content.title.clone(),
        until: promotion.content.until,
    };
    let promotions = active.iter().take(MOST).map(shown).collect();
    Ok(mark(Json(ActivePromotions { promotions }).into_response(), &verdict))
}

/// Low priorities are done first; of the same by name.
fn place(promotion: &Promotion) -> (i32, &str) {
    (promotion.content.stacking.priority, &promotion.name)
}
