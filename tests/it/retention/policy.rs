//! What is kept how long, table by table: every table of the two databases is here, and the guide shows the same list.

use acceptance::stack::database;
use sqlx::{Connection, PgConnection};
use std::{collections::BTreeSet, fmt::Write};
use test_databases::Side;

/// A table, or for a context's tables the name that all contexts have.
struct Kept {
    table: &'static str,
    what: &'static str,
    /// How long, and who deletes.
    long: &'static str,
}

const fn kept(table: &'static str, what: &'static str, long: &'static str) -> Kept {
    Kept { table, what, long }
}

const BY_EVENTS: &str = "as long as what it shows; the projection rewrites and deletes it";
const ONE_ROW: &str = "one row, written over";

/// The write database. `*` stands for each context.
const WRITE: &[Kept] = &[
    kept(
        "*.outbox",
        "every event, in partitions by month",
        "for ever; with `--outbox-retention-days` archived, then dropped by the job `outbox_archive`",
    ),
    kept(
        "*.idempotency_keys",
        "the first answer to each key",
        "`--idempotency-key-hours` (24); the job `idempotency_keys`",
    ),
    kept("*.removed", "ids of aggregates that were removed, so that none is given twice", "for ever; a few bytes each"),
    kept(
        "tenants.tenants",
        "the state of each tenant",
        "until it is deleted and its data are gone; the job `deleted_shops`",
    ),
    kept(
        "tenants.usage",
        "what each shop has, as it was measured last",
        "as long as the shop; the job `shop_usage` writes it over",
    ),
    kept(
        "tenants.deleted",
        "which shops were deleted, and when their data were gone",
        "for ever: what a recovery brings back goes again",
    ),
    kept("catalog.products", "the state of each product", "until its removal, by the command"),
    kept("catalog.variants", "whose SKU it is", "until its product's removal, by the command"),
    kept("catalog.attribute_names", "the attribute names of each shop", "for good"),
    kept("catalog.categories", "the state of each category", "until its removal, by the command"),
    kept("pricing.price_sheets", "prices of each variant", "for ever: a removed sheet keeps its version"),
    kept("inventory.stock_items", "the version of each stock item", "for ever"),
    kept("inventory.levels", "stock by variant and location", "for ever"),
    kept("inventory.reservations", "what is or was kept for whom", "for ever: no id is used twice"),
    kept("inventory.movements", "what came and went, in partitions by month", "for ever: what is on hand is their sum"),
    kept("merchandising.definitions", "what staff have defined", "for ever: a removed one keeps its version"),
    kept("settings.definitions", "what shops have decided", "for ever: a removed one keeps its version"),
    kept("settings.tax_areas", "which tax zone has an area", "until the zone has it no more, by the command"),
    kept(
        "carts.carts",
        "the state of each cart",
        "for ever: one that has ended stays, empty, after `--cart-days` (30) at the latest, by the job `carts_expire`",
    ),
    kept("promotions.promotions", "the state of each promotion", "for ever: one that has ended keeps its version"),
    kept("promotions.code_lists", "how many codes each promotion has", "for ever"),
    kept("promotions.codes", "whose each code is", "for ever: a code is given once"),
    kept("promotions.usages", "uses of limited promotions by checkouts", "for ever: a use is settled once"),
    kept("promotions.counters", "how often limited promotions, codes and customers are used", "for ever"),
    kept("promotions.first_orders", "which checkout of a customer is the first order", "for ever"),
    kept("insights.clients", "the version of each client that reports", "for ever; 40 bytes each"),
    kept(
        "insights.records",
        "reports of the last two days, so that one is counted once",
        "two days; write-api, as new ones come",
    ),
    kept("audit.trails", "number and digest of the last entry of each shop's audit", "for ever"),
    kept("access.keys", "digest and rights of each key", "for ever: a revoked one stays none"),
    kept("accounts.users", "the state of each account, personal data sealed", "for ever: an erased one stays, empty"),
    kept("accounts.roles", "the state of each role that a shop has defined", "for ever: a removed one stays none"),
    kept(
        "accounts.second_factors",
        "secrets of one-time codes, sealed, and digests of recovery codes",
        "until they are disabled or the person is erased, by the command",
    ),
    kept("accounts.sessions", "the state of each session", "for ever"),
    kept("accounts.token_keys", "public halves of the keys of access tokens", "for ever"),
    kept("accounts.token_key_secrets", "their private halves, sealed", "for ever"),
    kept("accounts.shop_keys", "the key of each shop, wrapped", "for ever"),
    kept("accounts.person_keys", "the key of each person, wrapped", "until they are erased, by the command"),
    kept("accounts.emails", "digest of each account's address", "until they are erased, by the command"),
    kept("accounts.passwords", "hash of each account's password", "until they are erased, by the command"),
    kept(
        "accounts.identity_providers",
        "what shops agreed with identity providers, without the secrets",
        "for ever: a removed one keeps its version",
    ),
    kept("accounts.identity_provider_secrets", "the secrets, sealed", "until the provider's removal, by the command"),
    kept(
        "accounts.identities",
        "digest of what a provider calls each person",
        "until they are erased or unlinked, by the command",
    ),
    kept(
        "accounts.identity_requests",
        "ways to providers that somebody has begun, sealed",
        "10 minutes; the job `accounts_end`",
    ),
    kept(
        "accounts.proved_addresses",
        "whose orders as a guest are looked for",
        "until the job `guest_orders_claimed` has found them",
    ),
    kept("accounts.former_guests", "which guests an account was, by their ids", "as long as the account"),
    kept("accounts.codes", "digests of codes that were sent", "an hour or a day; the job `accounts_end`"),
    kept(
        "accounts.refresh_tokens",
        "digests of refresh tokens, also of used ones",
        "90 days after they are over; the job `accounts_end`",
    ),
    kept(
        "accounts.mails",
        "mails that wait, sealed",
        "until they are sent; those that were given up 7 days, by the job `accounts_end`",
    ),
    kept("payments.payments", "the state of each payment", "for ever"),
    kept("payments.refunds", "the state of each refund", "for ever"),
    kept("payments.provider_accounts", "what shops agreed with payment providers, without the secrets", "for ever"),
    kept("payments.provider_secrets", "the secrets, sealed", "as long as the shop; written over by the command"),
    kept("payments.provider_looks", "when the list of each provider was last compared", "a row for each account"),
    kept(
        "payments.calls",
        "what providers were asked for and have not answered yet",
        "until it is known what came of it, a day or so; write-api",
    ),
    kept(
        "payments.actions",
        "what shoppers have to do at a provider, sealed",
        "until it is done or another attempt is made, by the command",
    ),
    kept("payments.webhooks", "webhooks as they came, sealed", "90 days; the job `payment_webhooks`"),
    kept(
        "payments.fetches",
        "objects to ask providers for",
        "until they were asked for, 72 hours at most where nobody knows them; write-api",
    ),
    kept("payments.ledger_keys", "which keys of the ledger were posted", "for ever"),
    kept("payments.ledger_transactions", "transactions of the ledger, in partitions by month", "for ever"),
    kept("payments.ledger_entries", "their entries, in partitions by month", "for ever"),
    kept(
        "processes.processes",
        "what goes on over several commands, such as checkouts: states without anything personal",
        "180 days after it has ended; the job `processes_end`",
    ),
    kept("processes.triggers", "what a process was told and has not taken in", "until it has; the process"),
    kept("processes.steps", "commands of processes that are still to be carried out", "until they are; the process"),
    kept("processes.timers", "deadlines of processes", "until they have come, or the process has ended"),
    kept("processes.links", "which process is told of what happens to an aggregate", "with its process"),
    kept("orders.orders", "the state of each order, personal data sealed", "for ever"),
    kept("orders.numbers", "the last number that each shop has given to an order", "for ever"),
    kept("checkout.checkouts", "the state of each checkout, personal data sealed", "for ever"),
    kept("checkout.offers", "prices that were offered to a shopper", "10 minutes; the job `processes_end`"),
    kept(
        "public.log_epochs",
        "when and why the log began anew, and its partitions",
        "for ever; a row for each recovery and one for the first start",
    ),
    kept("installation.archives", "the files of archived months", "for ever: a recovery needs them"),
    kept("installation.jobs", "when each job was last done", "a row for each job"),
    kept("public.leases", "until when each leader is believed to be at work", "a row for each lock"),
];

/// The read database.
const READ: &[Kept] = &[
    kept(
        "public.tenants",
        "tenants, and the ids of those that were deleted",
        "for ever: an event of a deleted shop must not bring it back",
    ),
    kept(
        "public.sources",
        "the newest version of each aggregate, also of removed ones",
        "for ever: an older event must not bring it back",
    ),
    kept("public.categories", "categories", BY_EVENTS),
    kept("public.category_walks", "walks over the products below changed categories", BY_EVENTS),
    kept("public.product_pages", "product pages", BY_EVENTS),
    kept("public.listing", "products by category", BY_EVENTS),
    kept("public.stock_levels", "stock by variant and location", BY_EVENTS),
    kept("public.stock_skus", "SKUs of variants", BY_EVENTS),
    kept("public.stock_reservations", "reservations that go on", BY_EVENTS),
    kept(
        "public.documents",
        "search documents, also of removed products",
        "for ever: an older version must not come back",
    ),
    kept(
        "public.document_outbox",
        "documents that wait for the broker",
        "until it has acknowledged; the document relay",
    ),
    kept("public.embeddings", "vectors", "as long as a generation names their set; `reindex prune`"),
    kept("public.keys", "digest and rights of each key", BY_EVENTS),
    kept("public.users", "accounts, without anything personal", BY_EVENTS),
    kept("public.sessions", "sessions of accounts", BY_EVENTS),
    kept("public.roles", "roles of shops", BY_EVENTS),
    kept("public.token_keys", "public halves of the keys of access tokens", BY_EVENTS),
    kept("public.identity_providers", "identity providers, as the page shows them", BY_EVENTS),
    kept("public.payments", "payments", BY_EVENTS),
    kept("public.payment_captures", "money that has come", BY_EVENTS),
    kept("public.payment_transfers", "transfers that staff have entered", BY_EVENTS),
    kept("public.refunds", "refunds", BY_EVENTS),
    kept("public.payment_providers", "what shops agreed with payment providers, without secrets", BY_EVENTS),
    kept("public.ledger_entries", "entries of the ledger", BY_EVENTS),
    kept("public.ledger_hours", "sums of the ledger by account and hour", BY_EVENTS),
    kept("public.orders", "orders, without anything personal", BY_EVENTS),
    kept("public.order_history", "what became of orders, with who and why", BY_EVENTS),
    kept("public.checkouts", "where checkouts stand, without anything personal", BY_EVENTS),
    kept("public.activity", "what staff and administrators did", "for ever"),
    kept("public.merchandising", "what steers search", BY_EVENTS),
    kept("public.settings", "what shops have decided", BY_EVENTS),
    kept("public.carts", "carts, as their owners see them", BY_EVENTS),
    kept("public.promotions", "promotions", BY_EVENTS),
    kept("public.promotion_codes", "codes, and how often each was used", BY_EVENTS),
    kept("public.promotion_figures", "how often promotions are used", BY_EVENTS),
    kept("public.promotion_customers", "how often customers use promotions", BY_EVENTS),
    kept("public.insight_searches", "single searches", "`--insight-retention-days` (90); the projection"),
    kept("public.insight_queries", "sums by day and query", "for ever"),
    kept("public.insight_products", "sums by day and product", "for ever"),
    kept("public.insight_retention", "before which day searches may be gone", ONE_ROW),
    kept(
        "public.checkpoints",
        "where each projection goes on",
        "a row for each partition; a new epoch of the log deletes those before it",
    ),
    kept(
        "public.projection_status",
        "how far each projection is",
        "a row for each partition; a new epoch of the log deletes those before it",
    ),
    kept(
        "public.tenant_lag",
        "how late each tenant is served",
        "`--report-retention-days` (7) without a new report; the job `tenant_lag`",
    ),
    kept(
        "public.dead_letters",
        "events that could not be applied",
        "open ones until they are settled; settled ones `--dead-letter-retention-days` (90); the job `dead_letters`",
    ),
    kept("public.dead_letter_history", "what happened to each of them", "with its dead letter"),
    kept(
        "public.probes",
        "rounds of the synthetic probe",
        "a day, by `reindex serve`; `--report-retention-days` (7) where none runs; the job `probes`",
    ),
    kept(
        "public.reconciliations",
        "what the reconciler found",
        "`--report-retention-days` (7); the job `reconciliations`",
    ),
    kept("public.operations", "who did what", "`--operation-retention-days` (365); the job `operations`"),
    kept("public.index_generations", "index generations", "until `reindex prune`"),
    kept(
        "public.generation_copies",
        "copies of generations by node",
        "`--report-retention-days` (7) after a node's last report; the job `generation_copies`",
    ),
    kept("public.query_nodes", "processes of query-api", "a day after the last report; the index writer"),
    kept("public.generation_proofs", "proofs of copies by node", "with their generation"),
    kept("public.index_watches", "watches of promotions and trials", "with their generation"),
    kept("public.index_nodes", "nodes with an index folder", "a day after the last report; the index writer"),
    kept("public.leases", "until when each leader is believed to be at work", "a row for each lock"),
    kept("public.discarded_events", "what operators gave up", "for ever: views that are built anew go past it"),
    kept(
        "public.index_switches",
        "which generation answered when",
        "`--operation-retention-days` (365), the last 20 always; the job `index_switches`",
    ),
    kept("public.vector_sets", "sets of vectors", "a row for each set"),
    kept("public.views_standby", "the second set of views", ONE_ROW),
    kept("public.log_epoch", "the epoch of the log that is followed", ONE_ROW),
    kept("installation.jobs", "when each job was last done", "a row for each job"),
];

/// The tables of a database as the policy names them; partitions are their table's.
async fn tables(url: &str) -> BTreeSet<String> {
    let mut connection = PgConnection::connect(url).await.expect("a connection");
    let names: Vec<(String, String)> = sqlx::query_as(
        "SELECT n.nspname::text, c.relname::text FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
         WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relname <> '_sqlx_migrations'
           AND n.nspname NOT IN ('pg_catalog', 'information_schema')",
    )
    .fetch_all(&mut connection)
    .await
    .expect("tables");
    names
        .into_iter()
        .map(|(schema, table)| match table.as_str() {
            "outbox" | "idempotency_keys" | "removed" => format!("*.{table}"),
            _ => format!("{schema}.{table}"),
        })
        .collect()
}

fn named(list: &[Kept]) -> BTreeSet<String> {
    list.iter().map(|kept| kept.table.to_owned()).collect()
}

/// The policy as the guide shows it.
fn markdown(list: &[Kept]) -> String {
    let mut text = "| table | what | how long, and who deletes |\n|---|---|---|\n".to_owned();
    for Kept { table, what, long } in list {
        // Writing into a String does not fail.
        let _ = writeln!(text, "| `{table}` | {what} | {long} |");
    }
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn every_table_says_how_long_its_rows_are_kept() {
    let (write, read) = (database(Side::Write).await, database(Side::Read).await);
    let mut connection = PgConnection::connect(&write.url()).await.expect("a connection");
    sqlx::query("SELECT installation.create_context('sample')").execute(&mut connection).await.expect("a context");
    drop(connection);
    for (side, list, own) in [(&write, WRITE, "WRITE"), (&read, READ, "READ")] {
        let (there, listed) = (tables(&side.url()).await, named(list));
        let missing: Vec<_> = there.difference(&listed).collect();
        assert!(missing.is_empty(), "say in {own} (tests/it/retention/policy.rs) how long these are kept: {missing:?}");
        let gone: Vec<_> = listed.difference(&there).collect();
        assert!(gone.is_empty(), "{own} names tables that are gone: {gone:?}");
    }
}

#[test]
fn the_guide_shows_the_same_policy() {
    let guide = include_str!("../../../docs/guides/retention.md");
    for (list, heading) in [(WRITE, "## The write database"), (READ, "## The read database")] {
        let section = guide.split(heading).nth(1).unwrap_or_default().trim_start();
        let table = markdown(list);
        assert!(
            section.starts_with(&table),
            "docs/guides/retention.md: below \"{heading}\" there has to be\n\n{table}"
        );
    }
}
