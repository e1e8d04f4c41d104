//! A promotion that nobody has put yet, tried on carts that are there: what they would cost with it.

mod answer;
mod asked;
mod tally;

use super::one;
use crate::{
    app::App,
    previews::Turn,
    problem::Refusal,
    reads::carts::{Draft, Known, StoredCart, Tried},
    request::{JsonBody, ReadContext, ReadHeaders, ReadParameters, mark},
};
use answer::PromotionPreview;
use asked::{Asked, PreviewBody};
use axum::{
    Json,
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use schemas::{
    Utc,
    ids::TenantId,
    problem::{Code, Problem},
};
use sqlx::PgPool;
use std::{
    iter::Peekable,
    sync::Arc,
    time::{Duration, Instant},
};
use tally::Tally;

/// Carts that are looked up and priced together, and lines of them: their goods are held in memory.
const CARTS_TOGETHER: usize = 200;
const LINES_TOGETHER: usize = 2_000;
/// How long carts are priced. What is not reached by then is left out, and the answer says so.
const LONGEST: Duration = Duration::from_secs(8);

/// Try a promotion on past carts
///
/// Nothing is written. Each cart is priced twice by the prices, stock, settings and promotions of today: as it stands, and with the draft in
/// addition, or in place of the promotion of that name. Goods that can't be had today are left out. Each cart is looked at by itself: the
/// limits of the draft are not counted, and of what was ordered only the country is known of the place it went to. Of the rules of
/// `PUT /v1/promotions/{name}` it checks the form, the name, the span and rates: a draft that was previewed may still be refused there.
#[utoipa::path(post, path = "/v1/promotions/preview", tag = "promotions",
    params(ReadHeaders, ReadParameters), request_body = PreviewBody,
    responses((status = 200, description = "What the carts cost before and after", body = PromotionPreview), (status = 422, description = "A value of the draft or of the carts is not allowed; `errors` says which")),
    extensions(("x-problems" = json!(["validation_failed"]))))]
pub async fn preview(
    State(app): State<App>,
    context: ReadContext,
    JsonBody(body): JsonBody<PreviewBody>,
) -> Result<Response, Refusal> {
    let asked = body.checked(Utc::now())?;
    let verdict = context.wait(&app).await?;
    let turn = app.previews.turn()?;
    Ok(mark(Json(tried(&app, &context, &asked, turn).await?).into_response(), &verdict))
}

/// The promotion that is called `preview`, which the path of previews would hide.
pub(super) async fn named_like_it(state: State<App>, context: ReadContext) -> Result<Response, Refusal> {
    one(state, context, Path("preview".to_owned())).await
}

/// Looks carts up and prices them, some at a time, as long as there is time.
async fn tried(app: &App, context: &ReadContext, asked: &Asked, mut turn: Turn) -> Result<PromotionPreview, Refusal> {
    let until = Instant::now() + LONGEST;
    let (carts, mut is_cut) = asked.carts.find(&app.pool, context.tenant).await?;
    let mut carts = carts.into_iter().peekable();
    let mut tally = Tally::default();
    loop {
        let some = together(&mut carts);
        if some.is_empty() {
            break;
        }
        let known = Known::of_all(app, context, &some, asked.draft.gifts(), asked.at).await?;
        let work = Work { draft: Arc::clone(&asked.draft), carts: some, known, until };
        let is_done;
        (tally, turn, is_done) = on_a_thread(work, tally, turn).await?;
        if !is_done {
            is_cut = true;
            break;
        }
    }
    let replaces = version(&app.pool, context.tenant, asked.draft.name()).await?;
    Ok(tally.told(asked, replaces, is_cut))
}

/// The next carts, one at least if there are any.
fn together(carts: &mut Peekable<impl Iterator<Item = StoredCart>>) -> Vec<StoredCart> {
    let (mut some, mut lines) = (Vec::new(), 0);
    while let Some(next) = carts.next_if(|next| {
        some.is_empty() || (some.len() < CARTS_TOGETHER && lines + next.cart.lines.len() <= LINES_TOGETHER)
    }) {
        lines += next.cart.lines.len();
        some.push(next);
    }
    some
}

/// Carts with what is known around each.
struct Work {
    draft: Arc<Draft>,
    carts: Vec<StoredCart>,
    known: Vec<Known>,
    until: Instant,
}

impl Work {
    /// Prices the carts; gives whether the time was enough for all.
    fn price(&self, tally: &mut Tally) -> bool {
        for (stored, known) in self.carts.iter().zip(&self.known) {
            if Instant::now() >= self.until {
                return false;
            }
            tally.take(stored, self.draft.name(), Tried::of(stored, known, &self.draft).ok().as_ref());
        }
        true
    }
}

/// Pricing hundreds of carts would keep others waiting. The turn lasts until it is done, whether or not somebody still waits for it.
async fn on_a_thread(work: Work, mut tally: Tally, turn: Turn) -> Result<(Tally, Turn, bool), Refusal> {
    let span = tracing::Span::current();
    let run = move || {
        let is_done = span.in_scope(|| work.price(&mut tally));
        (tally, turn, is_done)
    };
    tokio::task::spawn_blocking(run).await.map_err(|error| {
        tracing::error!(%error, "a preview broke off");
        Problem::new(Code::Internal).into()
    })
}

/// The version of the promotion that has the name of the draft.
async fn version(pool: &PgPool, tenant: TenantId, name: &str) -> Result<Option<i64>, sqlx::Error> {
    sqlx::query_scalar("SELECT version FROM promotions WHERE tenant_id = $1 AND name = $2")
        .bind(tenant.uuid())
        .bind(name)
        .fetch_optional(pool)
        .await
}
