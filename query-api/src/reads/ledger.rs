//! The ledger: what each account has at a moment, and the entries of one.

use crate::{
    app::App,
    example,
    problem::{Refusal, bounded},
    read_model::{Expected, Given, Isolation, ReadModel},
    request::{ReadContext, ReadHeaders, ReadParameters, mark},
};
use access::{Permission, Routes, Rule};
use axum::{
    Json,
    extract::{Path, Query, State, rejection::QueryRejection},
    response::{IntoResponse, Response},
};
use schemas::{Timestamp, Uuid, events::payments::summed_as};
use serde::{Deserialize, Serialize};
use utoipa_axum::routes;

/// Entries on a page, where no number is asked for and at most.
const USUAL: usize = 100;
const MOST: usize = 1_000;

/// The ledger.
pub const READ: ReadModel = ReadModel {
    routes,
    isolation: &[
        Isolation::of("/v1/ledger/trial-balance", "/v1/ledger/trial-balance", Expected::Empty("/accounts"))
            .given(COLLECTED),
        Isolation::of("/v1/ledger/accounts/{account}", "/v1/ledger/accounts/1020:ours", Expected::Empty("/entries")),
    ],
};

const COLLECTED: &[Given] = &[
    Given {
        method: "PUT",
        path: "/v1/payments/0199a3b4-5c6d-7e8f-9a0b-1c2d3e4f5a6d",
        body: r#"{"order_id": "0199a3b4-5c6d-7e8f-9a0b-1c2d3e4f5a6c", "method": "cash_on_delivery", "currency": "USD", "amount": 1099}"#,
    },
    Given {
        method: "POST",
        path: "/v1/payments/0199a3b4-5c6d-7e8f-9a0b-1c2d3e4f5a6d/collections",
        body: r#"{"capture_id": "shipment-1", "carrier": "ours", "amount": 1099}"#,
    },
];

fn routes() -> Routes<App> {
    Routes::default()
        .allow(Rule::Staff(Permission::PaymentsRead), routes!(trial_balance))
        .allow(Rule::Staff(Permission::PaymentsRead), routes!(statement))
}

/// As of when.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct TrialBalanceParameters {
    /// What was posted before that moment; now, if absent
    #[param(value_type = Option<String>, format = DateTime)]
    at: Option<Timestamp>,
}

/// What an account has.
#[derive(Debug, Serialize, sqlx::FromRow, utoipa::ToSchema)]
pub struct AccountBalance {
    /// Its number, over all that it is the account of.
    account: String,
    /// ISO 4217 code.
    currency: String,
    /// The sum of its debits, in minor units.
    debit: i64,
    /// The sum of its credits.
    credit: i64,
    /// Debits less credits.
    balance: i64,
}

/// What all accounts have: in each currency as much on one side as on the other.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(examples(json!(TrialBalance::example())))]
pub struct TrialBalance {
    /// By number and currency.
    accounts: Vec<AccountBalance>,
}

impl TrialBalance {
    fn example() -> Self {
        let of = |account: &str, debit, credit| AccountBalance {
            account: account.to_owned(),
            currency: "USD".to_owned(),
            debit,
            credit,
            balance: debit - credit,
        };
        Self { accounts: vec![of("1000", 11_056, 351), of("1100", 0, 11_056), of("5000", 351, 0)] }
    }
}

/// What all accounts of the ledger have.
#[utoipa::path(get, path = "/v1/ledger/trial-balance", tag = "payments",
    params(ReadHeaders, ReadParameters, TrialBalanceParameters),
    responses((status = 200, description = "By number and currency", body = TrialBalance)))]
pub async fn trial_balance(
    State(app): State<App>,
    context: ReadContext,
    asked: Result<Query<TrialBalanceParameters>, QueryRejection>,
) -> Result<Response, Refusal> {
    let Query(TrialBalanceParameters { at }) = asked?;
    let verdict = context.wait(&app).await?;
    let accounts: Vec<AccountBalance> = sqlx::query_as(
        "WITH moment AS (SELECT coalesce($2::timestamptz, now()) AS at),
              parts AS (
           SELECT h.account, h.currency, h.debit, h.credit FROM ledger_hours AS h, moment AS m
           WHERE h.tenant_id = $1 AND h.hour < date_trunc('hour', m.at, 'UTC')
           UNION ALL
           SELECT e.account, e.currency, e.debit, e.credit FROM ledger_entries AS e, moment AS m
           WHERE e.tenant_id = $1 AND e.posted_at >= date_trunc('hour', m.at, 'UTC') AND e.posted_at < m.at)
         SELECT split_part(account, ':', 1) AS account, currency, sum(debit)::bigint AS debit, sum(credit)::bigint AS credit,
           (sum(debit) - sum(credit))::bigint AS balance
         FROM parts GROUP BY 1, 2 ORDER BY 1, 2",
    )
    .bind(context.tenant.uuid())
    .bind(at)
    .fetch_all(&app.pool)
    .await?;
    Ok(mark(Json(TrialBalance { accounts }).into_response(), &verdict))
}

/// Which entries.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct StatementParameters {
    /// What was posted from that moment on; all, if absent
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// What was posted before that moment; all, if absent
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<Timestamp>,
    /// Those after the ones of a page; `next` of it
    cursor: Option<String>,
    /// Entries at most, up to 1000; 100 if absent
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
}

/// What an account had before.
#[derive(Debug, Serialize, sqlx::FromRow, utoipa::ToSchema)]
pub struct OpeningBalance {
    /// ISO 4217 code.
    currency: String,
    /// Debits less credits before `from`, in minor units.
    balance: i64,
}

/// An entry of an account.
#[derive(Debug, Serialize, sqlx::FromRow, utoipa::ToSchema)]
pub struct PostedEntry {
    /// The transaction that it is part of.
    transaction_id: Uuid,
    /// Its place there, from 1.
    position: i32,
    /// What it is of in the business.
    key: String,
    /// What it is, in a word.
    kind: String,
    /// The payment that it belongs to; null if there is none.
    payment_id: Option<Uuid>,
    /// ISO 4217 code.
    currency: String,
    /// Minor units on the debit side; 0 if it is on the other.
    debit: i64,
    /// Minor units on the credit side; 0 if it is on the other.
    credit: i64,
    /// When it was posted.
    #[schema(value_type = String, format = DateTime)]
    posted_at: Timestamp,
}

/// The entries of an account, the oldest first.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(examples(json!(Statement::example())))]
pub struct Statement {
    /// The account.
    account: String,
    /// What it had before `from`, by currency; empty without one.
    opening: Vec<OpeningBalance>,
    /// The entries.
    entries: Vec<PostedEntry>,
    /// The `cursor` of the next page; null if this is the last.
    next: Option<String>,
}

impl Statement {
    fn example() -> Self {
        let entry = PostedEntry {
            transaction_id: example::id(35),
            position: 1,
            key: format!("{}:1:capture", example::id(31)),
            kind: "captured".to_owned(),
            payment_id: Some(example::id(31)),
            currency: "USD".to_owned(),
            debit: 11_056,
            credit: 0,
            posted_at: example::moment(),
        };
        Self { account: "1000:stripe".to_owned(), opening: Vec::new(), entries: vec![entry], next: None }
    }
}

/// A place among the entries of an account.
type Place = (Timestamp, Uuid, i32);

fn place(cursor: &str) -> Option<Place> {
    let mut parts = cursor.split('_');
    let at = Timestamp::from_timestamp_micros(parts.next()?.parse().ok()?)?;
    let found = (at, Uuid::parse_str(parts.next()?).ok()?, parts.next()?.parse().ok()?);
    parts.next().is_none().then_some(found)
}

/// The entries of an account of the ledger.
#[utoipa::path(get, path = "/v1/ledger/accounts/{account}", tag = "payments",
    params(
        ("account" = String, Path, description = "The account, such as 1000:stripe or 1100:<order>"),
        ReadHeaders, ReadParameters, StatementParameters
    ),
    responses((status = 200, description = "The oldest first", body = Statement)))]
pub async fn statement(
    State(app): State<App>,
    context: ReadContext,
    Path(account): Path<String>,
    asked: Result<Query<StatementParameters>, QueryRejection>,
) -> Result<Response, Refusal> {
    let Query(asked) = asked?;
    let limit = bounded("limit", asked.limit.unwrap_or(USUAL), 1, MOST)?;
    let after: Option<Place> = match asked.cursor.as_deref().map(place) {
        Some(None) => return Err(Refusal::parameter("cursor", "this is no cursor; `next` of an answer goes on")),
        other => other.flatten(),
    };
    let verdict = context.wait(&app).await?;
    let entries: Vec<PostedEntry> = sqlx::query_as(
        "SELECT transaction_id, position, key, kind, payment_id, currency, debit, credit, posted_at FROM ledger_entries
         WHERE tenant_id = $1 AND account = $2 AND ($3::timestamptz IS NULL OR posted_at >= $3)
           AND ($4::timestamptz IS NULL OR posted_at < $4)
           AND ($5::timestamptz IS NULL OR (posted_at, transaction_id, position) > ($5, $6::uuid, $7::integer))
         ORDER BY posted_at, transaction_id, position LIMIT $8",
    )
    .bind(context.tenant.uuid())
    .bind(&account)
    .bind(asked.from)
    .bind(asked.to)
    .bind(after.map(|(at, ..)| at))
    .bind(after.map(|(_, id, _)| id))
    .bind(after.map(|(.., position)| position))
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(&app.pool)
    .await?;
    let opening = match asked.from {
        Some(from) => opening(&app, &context, &account, from).await?,
        None => Vec::new(),
    };
    let next = entries
        .last()
        .filter(|_| entries.len() == limit)
        .map(|last| format!("{}_{}_{}", last.posted_at.timestamp_micros(), last.transaction_id, last.position));
    Ok(mark(Json(Statement { account, opening, entries, next }).into_response(), &verdict))
}

/// What an account had before a moment: from its hours, if it has sums of its own, else from its few entries.
async fn opening(
    app: &App,
    context: &ReadContext,
    account: &str,
    from: Timestamp,
) -> Result<Vec<OpeningBalance>, Refusal> {
    let has_hours = summed_as(account) == account;
    Ok(sqlx::query_as(
        "WITH parts AS (
           SELECT currency, debit, credit FROM ledger_hours
           WHERE $4 AND tenant_id = $1 AND account = $2 AND hour < date_trunc('hour', $3::timestamptz, 'UTC')
           UNION ALL
           SELECT currency, debit, credit FROM ledger_entries
           WHERE tenant_id = $1 AND account = $2 AND posted_at < $3
             AND (NOT $4 OR posted_at >= date_trunc('hour', $3::timestamptz, 'UTC')))
         SELECT currency, (sum(debit) - sum(credit))::bigint AS balance FROM parts GROUP BY 1 ORDER BY 1",
    )
    .bind(context.tenant.uuid())
    .bind(account)
    .bind(from)
    .bind(has_hours)
    .fetch_all(&app.pool)
    .await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_again_or_refused() {
        let id = example::id(35);
        let at = example::moment();
        assert_eq!(place(&format!("{}_{id}_2", at.timestamp_micros())), Some((at, id, 2)));
        for wrong in ["", "1", "1_x_1", &format!("1_{id}"), &format!("1_{id}_1_1"), &format!("x_{id}_1")] {
            assert_eq!(place(wrong), None, "{wrong}");
        }
    }
}
