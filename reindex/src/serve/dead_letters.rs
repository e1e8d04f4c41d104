//! What operators do with dead letters in the console. Each route takes JSON and answers how many dead letters it
//! changed.

use super::{
    actor::Actor,
    answer::Answered,
    sent::{DeadLetterId, Sent},
};
use crate::{context::CommandContext, failure::Failure};
use access::{Routes, Rule};
use axum::{
    Json,
    extract::State,
    routing::{get, post},
};
use eventlog::dead_letter::operator::{self, Bulk, Filter};
use schemas::{Uuid, dead_letter::DeadLetterState};
use serde::Deserialize;
use serde_json::{Value, json};

type Answer = Result<Json<Value>, Answered>;

/// Where the routes are. The second is their older name, kept for one release.
const BASES: [&str; 2] = ["/v1/operations/dead-letters", "/v1/operations/letters"];

pub fn routes(context: CommandContext) -> Routes<()> {
    BASES
        .into_iter()
        .fold(Routes::default(), |routes, base| {
            routes
                .allow_unlisted(Rule::Admin, &format!("{base}/retry"), post(retry_all))
                .allow_unlisted(Rule::Admin, &format!("{base}/discard"), post(discard_all))
                .allow_unlisted(Rule::Admin, &format!("{base}/{{id}}"), get(whole))
                .allow_unlisted(Rule::Admin, &format!("{base}/{{id}}/retry"), post(retry))
                .allow_unlisted(Rule::Admin, &format!("{base}/{{id}}/edit"), post(edit))
                .allow_unlisted(Rule::Admin, &format!("{base}/{{id}}/discard"), post(discard))
        })
        .with_state(context)
}

fn done(letters: i64) -> Answer {
    Ok(Json(json!({"letters": letters})))
}

async fn connection(context: &CommandContext) -> Result<sqlx::pool::PoolConnection<sqlx::Postgres>, Answered> {
    Ok(context.pool.acquire().await.map_err(Failure::from)?)
}

async fn whole(State(context): State<CommandContext>, DeadLetterId(id): DeadLetterId) -> Answer {
    let letter = operator::show(&mut *connection(&context).await?, id).await.map_err(Failure::from)?;
    Ok(Json(serde_json::to_value(letter).map_err(Failure::from)?))
}

async fn retry(Actor(context): Actor, DeadLetterId(id): DeadLetterId) -> Answer {
    operator::retry(&mut *connection(&context).await?, id, &context.actor).await.map_err(Failure::from)?;
    done(1)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct EditBody {
    /// The new payload as text.
    payload: String,
    #[serde(default)]
    reason: String,
}

async fn edit(Actor(context): Actor, DeadLetterId(id): DeadLetterId, Sent(body): Sent<EditBody>) -> Answer {
    let payload = body.payload.as_bytes();
    operator::edit(&mut *connection(&context).await?, id, payload, &context.actor, &body.reason)
        .await
        .map_err(Failure::from)?;
    done(1)
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct ReasonBody {
    reason: String,
}

async fn discard(Actor(context): Actor, DeadLetterId(id): DeadLetterId, Sent(body): Sent<ReasonBody>) -> Answer {
    operator::discard(&mut *connection(&context).await?, id, &context.actor, &body.reason)
        .await
        .map_err(Failure::from)?;
    done(1)
}

/// Which dead letters; what is not given does not restrict.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct FilterBody {
    states: Vec<DeadLetterState>,
    projection: Option<String>,
    event_type: Option<String>,
    tenant: Option<Uuid>,
    error: Option<String>,
    key: Option<String>,
    older_than_seconds: Option<i64>,
    newer_than_seconds: Option<i64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct BulkBody {
    filter: FilterBody,
    reason: String,
    dry_run: bool,
    /// Nothing is done unless exactly so many match.
    expect: Option<i64>,
}

impl From<FilterBody> for Filter {
    fn from(body: FilterBody) -> Self {
        let FilterBody { states, projection, event_type, tenant, error, key, older_than_seconds, newer_than_seconds } =
            body;
        Self { states, projection, event_type, tenant, error, key, older_than_seconds, newer_than_seconds }
    }
}

async fn bulk(
    context: &CommandContext,
    filter: FilterBody,
    bulk: Bulk<'_>,
    dry_run: bool,
    expect: Option<i64>,
) -> Answer {
    let mut connection = connection(context).await?;
    let letters = operator::apply_all(&mut connection, &filter.into(), bulk, &context.actor, dry_run, expect)
        .await
        .map_err(Failure::from)?;
    done(letters)
}

async fn retry_all(Actor(context): Actor, Sent(body): Sent<BulkBody>) -> Answer {
    bulk(&context, body.filter, Bulk::Retry, body.dry_run, body.expect).await
}

async fn discard_all(Actor(context): Actor, Sent(body): Sent<BulkBody>) -> Answer {
    bulk(&context, body.filter, Bulk::Discard(&body.reason), body.dry_run, body.expect).await
}
