//! The ledger: its entries, and sums of them by account and hour. Accounts of single orders and payments have one sum, so that there are
//! no more sums than a balance can be made of.

use crate::projection::{Projection, ViewTable};
use eventlog::Event;
use schemas::{
    Timestamp, Uuid,
    events::{
        DomainEvent, PaymentsEvent,
        payments::{LedgerEntry, LedgerTransactionPosted, Side, summed_as},
    },
    topics::Context,
};
use sqlx::PgConnection;
use std::collections::BTreeMap;

/// The ledger.
#[derive(Debug)]
pub struct Ledger;

/// Whose sum it is: of a shop, an account, a currency and an hour.
type HourKey = (Uuid, String, String, Timestamp);

impl Projection for Ledger {
    const NAME: &'static str = "ledger";
    const READS: &'static [Context] = &[Context::Payments];
    const TABLES: &'static [ViewTable] = &[
        ViewTable::whole("ledger_entries", "tenant_id, transaction_id, position"),
        ViewTable::whole("ledger_hours", "tenant_id, account, currency, hour"),
    ];

    async fn apply(connection: &mut PgConnection, events: &[&Event], _: Timestamp) -> Result<(), sqlx::Error> {
        let mut hours = BTreeMap::<HourKey, (i64, i64)>::new();
        for event in events {
            let DomainEvent::Payments(PaymentsEvent::LedgerTransactionPosted(posted)) = &event.event else { continue };
            store(connection, event, posted).await?;
            for entry in &posted.entries {
                let (debit, credit) = sides(entry);
                let (account, currency) = (summed_as(&entry.account).to_owned(), entry.currency.to_string());
                let key = (event.envelope.tenant.uuid(), account, currency, hour_of(event.envelope.time));
                let sum = hours.entry(key).or_default();
                *sum = (sum.0.saturating_add(debit), sum.1.saturating_add(credit));
            }
        }
        add(connection, &hours).await
    }
}

/// What an entry has on either side.
const fn sides(entry: &LedgerEntry) -> (i64, i64) {
    match entry.side {
        Side::Debit => (entry.amount, 0),
        Side::Credit => (0, entry.amount),
    }
}

/// The beginning of the hour, in UTC.
fn hour_of(time: Timestamp) -> Timestamp {
    let seconds = time.timestamp();
    Timestamp::from_timestamp(seconds - seconds.rem_euclid(3_600), 0).unwrap_or(time)
}

async fn store(
    connection: &mut PgConnection,
    event: &Event,
    posted: &LedgerTransactionPosted,
) -> Result<(), sqlx::Error> {
    let entries = &posted.entries;
    let (debits, credits): (Vec<i64>, Vec<i64>) = entries.iter().map(sides).unzip();
    sqlx::query(
        "INSERT INTO ledger_entries (tenant_id, transaction_id, position, posted_at, key, kind, payment_id, account, currency, debit, credit)
         SELECT $1, $2, e.n::integer, $3, $4, $5, $6, e.account, e.currency, e.debit, e.credit
         FROM unnest($7::text[], $8::text[], $9::bigint[], $10::bigint[]) WITH ORDINALITY AS e (account, currency, debit, credit, n)
         ON CONFLICT (tenant_id, transaction_id, position) DO NOTHING",
    )
    .bind(event.envelope.tenant.uuid())
    .bind(posted.transaction_id)
    .bind(event.envelope.time)
    .bind(&posted.key)
    .bind(&posted.kind)
    .bind(posted.payment_id)
    .bind(entries.iter().map(|entry| entry.account.as_str()).collect::<Vec<_>>())
    .bind(entries.iter().map(|entry| entry.currency.to_string()).collect::<Vec<_>>())
    .bind(debits)
    .bind(credits)
    .execute(connection)
    .await?;
    Ok(())
}

/// Several shares of the feed add to one row: each writes them in one order.
async fn add(connection: &mut PgConnection, hours: &BTreeMap<HourKey, (i64, i64)>) -> Result<(), sqlx::Error> {
    if hours.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO ledger_hours AS known (tenant_id, account, currency, hour, debit, credit)
         SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[], $5::bigint[], $6::bigint[])
         ON CONFLICT (tenant_id, account, currency, hour) DO UPDATE
         SET debit = known.debit + excluded.debit, credit = known.credit + excluded.credit",
    )
    .bind(hours.keys().map(|(tenant, ..)| *tenant).collect::<Vec<_>>())
    .bind(hours.keys().map(|(_, account, ..)| account.as_str()).collect::<Vec<_>>())
    .bind(hours.keys().map(|(_, _, currency, _)| currency.as_str()).collect::<Vec<_>>())
    .bind(hours.keys().map(|(.., hour)| *hour).collect::<Vec<_>>())
    .bind(hours.values().map(|(debit, _)| *debit).collect::<Vec<_>>())
    .bind(hours.values().map(|(_, credit)| *credit).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::hour_of;

    #[test]
    fn an_hour_begins_in_utc() {
        let hour = |text: &str| hour_of(text.parse().expect("a time")).to_rfc3339();
        assert_eq!(hour("2026-12-01T10:59:59.999Z"), "2026-12-01T10:00:00+00:00");
        assert_eq!(hour("2026-12-01T10:00:00Z"), "2026-12-01T10:00:00+00:00");
        assert_eq!(hour("1969-12-31T23:30:00Z"), "1969-12-31T23:00:00+00:00");
    }
}
