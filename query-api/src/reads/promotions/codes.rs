//! The codes of a promotion: page by page, or all of them at once.

use super::unknown;
use crate::{
    app::App,
    example,
    problem::Refusal,
    request::{ReadContext, ReadHeaders, ReadParameters, mark},
};
use axum::{
    Json,
    body::{Body, Bytes},
    extract::{Path, Query, State, rejection::QueryRejection},
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use futures::stream;
use schemas::{Timestamp, Uuid};
use serde::{Deserialize, Serialize};
use sqlx::PgPool;

const DEFAULT_LIMIT: i64 = 100;
const MAX_LIMIT: i64 = 1_000;
/// Codes that are read at once where all are asked for.
const STEP: i64 = 10_000;

/// Which codes.
#[derive(Debug, Clone, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct CodeParameters {
    /// The `next` of the page before
    after: Option<String>,
    /// Codes on the page, 1 to 1000, default 100; not with `format=ndjson`
    limit: Option<i64>,
    /// Only those that were drawn by one command, by the `batch` of its answer
    batch: Option<Uuid>,
    /// `json` for a page, which is meant if absent; `ndjson` for all of them, a line each
    #[param(inline)]
    format: Option<Format>,
}

/// In which form codes are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = CodeFormat)]
pub enum Format {
    /// A page.
    Json,
    /// All, a line each.
    Ndjson,
}

/// A page of codes.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(examples(json!(CodePage { codes: vec![ShownCode::example()], next: None })))]
pub struct CodePage {
    /// In the order of their letters.
    codes: Vec<ShownCode>,
    /// What to send as `after` for the next page; null on the last one.
    next: Option<String>,
}

/// A code, as staff see it.
#[derive(Debug, Serialize, sqlx::FromRow, utoipa::ToSchema)]
#[schema(examples(json!(ShownCode::example())))]
pub struct ShownCode {
    /// The code, in capitals.
    code: String,
    /// What those that were drawn by one command have in common; null where staff have named it.
    batch: Option<Uuid>,
    /// When it was added.
    #[schema(value_type = String, format = DateTime)]
    added_at: Timestamp,
    /// When it was disabled; null if it was not.
    #[schema(value_type = Option<String>, format = DateTime)]
    disabled_at: Option<Timestamp>,
    /// How many uses checkouts have reserved now.
    reserved: i64,
    /// How many uses orders have.
    consumed: i64,
}

impl ShownCode {
    fn example() -> Self {
        Self {
            code: "SPRING-4ACD7EFGHJ".to_owned(),
            batch: Some(example::id(31)),
            added_at: example::moment(),
            disabled_at: None,
            reserved: 0,
            consumed: 1,
        }
    }
}

/// The codes of a promotion, page by page, or all at once.
#[utoipa::path(get, path = "/v1/promotions/{name}/codes", tag = "promotions",
    params(("name" = String, Path, description = "What staff call it"), CodeParameters, ReadHeaders, ReadParameters),
    responses(
        (status = 200, description = "A page, or a line per code", content((CodePage = "application/json"), (ShownCode = "application/x-ndjson"))),
        (status = 404, description = "The shop has no promotion of this name")))]
pub async fn all(
    State(app): State<App>,
    context: ReadContext,
    Path(name): Path<String>,
    parameters: Result<Query<CodeParameters>, QueryRejection>,
) -> Result<Response, Refusal> {
    let Query(parameters) = parameters?;
    let is_download = parameters.format == Some(Format::Ndjson);
    if is_download && parameters.limit.is_some() {
        return Err(Refusal::parameter("limit", "`format=ndjson` sends all codes; leave the limit out"));
    }
    let limit = parameters.limit.unwrap_or(DEFAULT_LIMIT);
    if !(1..=MAX_LIMIT).contains(&limit) {
        return Err(Refusal::parameter("limit", format!("1 to {MAX_LIMIT} codes fit on a page")));
    }
    let verdict = context.wait(&app).await?;
    let found: Option<Uuid> =
        sqlx::query_scalar("SELECT promotion_id FROM promotions WHERE tenant_id = $1 AND name = $2")
            .bind(context.tenant.uuid())
            .bind(&name)
            .fetch_optional(&app.pool)
            .await?;
    let codes = Codes {
        pool: app.pool.clone(),
        tenant: context.tenant.uuid(),
        promotion: found.ok_or_else(unknown)?,
        batch: parameters.batch,
    };
    let after = parameters.after.unwrap_or_default();
    if is_download {
        return Ok(mark(codes.download(after), &verdict));
    }
    let mut page = codes.after(&after, limit + 1).await?;
    let fits = usize::try_from(limit).unwrap_or_default();
    let has_more = page.len() > fits;
    page.truncate(fits);
    let next = page.last().filter(|_| has_more).map(|last| last.code.clone());
    Ok(mark(Json(CodePage { codes: page, next }).into_response(), &verdict))
}

/// Codes that are asked for.
#[derive(Debug, Clone)]
struct Codes {
    pool: PgPool,
    tenant: Uuid,
    promotion: Uuid,
    batch: Option<Uuid>,
}

impl Codes {
    async fn after(&self, after: &str, limit: i64) -> Result<Vec<ShownCode>, sqlx::Error> {
        sqlx::query_as(
            "SELECT code, batch_id AS batch, added_at, disabled_at, reserved, consumed FROM promotion_codes
             WHERE tenant_id = $1 AND promotion_id = $2 AND code > $3 AND ($4::uuid IS NULL OR batch_id = $4)
             ORDER BY code LIMIT $5",
        )
        .bind(self.tenant)
        .bind(self.promotion)
        .bind(after)
        .bind(self.batch)
        .bind(limit)
        .fetch_all(&self.pool)
        .await
    }

    /// All of them, some thousand at a time as they are taken. Where the database fails, the answer breaks off.
    fn download(self, after: String) -> Response {
        let steps = stream::try_unfold(Some((self, after)), async |rest| {
            let Some((codes, after)) = rest else { return Ok(None) };
            let some = codes.after(&after, STEP).await?;
            let lines = lines(&some).map_err(|error| sqlx::Error::Encode(Box::new(error)))?;
            let is_last = i64::try_from(some.len()) != Ok(STEP);
            let rest = some.last().filter(|_| !is_last).map(|last| (codes, last.code.clone()));
            Ok::<_, sqlx::Error>(Some((lines, rest)))
        });
        let mut response = Body::from_stream(steps).into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson"));
        let file = HeaderValue::from_static("attachment; filename=\"codes.ndjson\"");
        response.headers_mut().insert(header::CONTENT_DISPOSITION, file);
        response
    }
}

fn lines(codes: &[ShownCode]) -> Result<Bytes, serde_json::Error> {
    let mut lines = Vec::new();
    for code in codes {
        serde_json::to_writer(&mut lines, code)?;
        lines.push(b'\n');
    }
    Ok(lines.into())
}
