//! Checkouts a second, from asking to the confirmed order, beside bare statements that insert a row each on the same PostgreSQL.

use crate::{
    BenchError,
    figures::{Figures, Latencies},
    orders::{Http, Shelf, Side},
    profile::ProfileArgs,
};
use futures::future::join_all;
use launcher::{
    settings::Settings,
    stack::{Service, Stack},
};
use reqwest::Method;
use serde::Serialize;
use serde_json::{Value, json};
use sqlx::{PgPool, postgres::PgPoolOptions};
use std::{
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

const EXAMPLES: &str = "Examples:
  souk bench checkout
  souk bench checkout --clients 64 --checkouts 2000 --json

It needs the stack that `souk up` starts, whose database it knows. Before the clock starts, --checkouts guests fill a cart each.
Then --clients take one after the other through the checkout, in cash, and wait until the order is confirmed. After that as many
tasks insert --checkouts rows by one statement each, in a transaction of its own, by --connections connections. The row stands in
a schema `bench_checkout` of the write database, which is removed at the end.

The report gives both a second, and their ratio. One checkout is a dozen transactions.";

/// The longest that a client waits for one order.
const WAIT: &str = "wait=30";

/// Compare checkouts with bare inserts
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// How many shoppers order at the same time
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub clients: u32,
    /// How many orders are made
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub checkouts: u32,
    /// Connections of the bare inserts; as many as write-api has
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=500))]
    pub connections: u32,
    /// Slug of the shop that is bought at; created if it does not exist
    #[arg(long, default_value = "bench-checkout")]
    pub tenant: String,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
    /// How souk was built.
    #[command(flatten)]
    pub profile: ProfileArgs,
    /// Where the stack is.
    #[command(flatten)]
    pub settings: Settings,
}

#[derive(Debug, Serialize)]
struct Report {
    profile: &'static str,
    clients: u32,
    checkouts: u32,
    /// Orders a second.
    orders: f64,
    /// From asking for a checkout until the order is confirmed.
    latency: Figures,
    /// Statements a second.
    inserts: f64,
    /// Orders a second as a multiple of inserts.
    ratio: f64,
}

/// Measures and prints.
///
/// # Errors
/// [`BenchError`] if souk or PostgreSQL does not answer, or a checkout does not become an order.
pub async fn run(args: Args) -> Result<(), BenchError> {
    let profile = args.profile.own()?;
    let own = std::env::current_exe()?;
    let stack = Stack::new(args.settings.clone(), own.parent().unwrap_or(Path::new(".")).to_owned())?;
    let urls = [stack.url(Service::WriteApi), stack.url(Service::QueryApi)];
    let staff = Http::new(urls, &args.tenant, &stack.admin_key()?)?;
    let shelf = Shelf::fill(&staff, args.checkouts).await?;
    let carts = carts(&args, &staff, &shelf).await?;
    let mut latencies = Latencies::new()?;
    let time = order(&args, carts, &mut latencies).await?;
    let orders = f64::from(args.checkouts) / time.as_secs_f64().max(1e-6);
    let inserts = f64::from(args.checkouts) / bare(&args, &stack.settings.write_url()).await?.as_secs_f64().max(1e-6);
    let report = Report {
        profile,
        clients: args.clients,
        checkouts: args.checkouts,
        orders,
        latency: latencies.figures(),
        inserts,
        ratio: orders / inserts,
    };
    if args.json {
        println!("{}", crate::json(&report)?);
    } else {
        show(&report);
    }
    Ok(())
}

fn show(report: &Report) {
    let Report { profile, clients, checkouts, orders, latency, inserts, ratio } = report;
    println!("{checkouts} checkouts by {clients} clients; profile: {profile}");
    println!("  checkouts:    {orders:.1} orders/s; {latency}");
    println!("  bare inserts: {inserts:.0} statements/s");
    println!("  ratio:        {ratio:.3}");
}

/// A guest with a cart, ready to order.
struct Ready {
    guest: Http,
    body: Value,
}

async fn carts(args: &Args, staff: &Http, shelf: &Shelf) -> Result<Vec<Ready>, BenchError> {
    let next = AtomicU32::new(0);
    let fill = || async {
        let mut ready = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= args.checkouts {
                return Ok::<_, BenchError>(ready);
            }
            ready.push(one(staff, shelf, number).await?);
        }
    };
    let filled = join_all((0..args.clients).map(|_| fill())).await;
    Ok(filled.into_iter().collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
}

async fn one(staff: &Http, shelf: &Shelf, number: u32) -> Result<Ready, BenchError> {
    let drawn = staff.done(Method::POST, "/v1/guests", &json!({})).await?;
    let guest = staff.with_key(drawn["guest_token"].as_str().unwrap_or_default());
    let begun = guest.done(Method::POST, "/v1/carts", &json!({"currency": "USD"})).await?;
    let id = begun["id"].as_str().unwrap_or_default().to_owned();
    // The scarce ones are left to others.
    let product = 1 + usize::try_from(number).unwrap_or_default() % 5;
    let item = json!({"sku": shelf.sku(product), "quantity": 1});
    guest.done(Method::POST, &format!("/v1/carts/{id}/items"), &item).await?;
    let body = json!({
        "client_request_id": format!("b-{number}"), "cart_id": id, "email": format!("shopper-{number}@example.com"),
        "shipping_address": Shelf::address(), "shipping_method": "standard", "payment_method": "cash_on_delivery",
        "accepted": {"total": 1_000_000, "digest": ""},
    });
    Ok(Ready { guest, body })
}

/// Takes all carts through the checkout; gives the time of all, and adds that of each.
async fn order(args: &Args, carts: Vec<Ready>, latencies: &mut Latencies) -> Result<Duration, BenchError> {
    let carts = Arc::new(Mutex::new(carts));
    let began = Instant::now();
    let clients = (0..args.clients).map(|_| {
        let carts = Arc::clone(&carts);
        tokio::spawn(async move {
            let mut times = Latencies::new()?;
            loop {
                let next = carts.lock().unwrap_or_else(PoisonError::into_inner).pop();
                let Some(Ready { guest, body }) = next else { return Ok::<_, BenchError>(times) };
                let asked = Instant::now();
                let path = "/v1/checkouts";
                let answer = guest.send(Side::Write, Method::POST, path, Some(&body), &[("prefer", WAIT)]).await?;
                if answer.body["phase"] != "completed" {
                    return Err(guest.refused(Side::Write, path, &answer));
                }
                times.add(asked.elapsed());
            }
        })
    });
    for outcome in join_all(clients.collect::<Vec<_>>()).await {
        latencies.merge(&outcome.map_err(|error| BenchError::Broken(error.to_string()))??)?;
    }
    Ok(began.elapsed())
}

/// As many rows, each by one statement.
async fn bare(args: &Args, url: &str) -> Result<Duration, BenchError> {
    let pool = PgPoolOptions::new();
    let pool = pool.max_connections(args.connections).min_connections(args.connections).connect(url).await?;
    sqlx::raw_sql(
        "DROP SCHEMA IF EXISTS bench_checkout CASCADE;
         CREATE SCHEMA bench_checkout;
         CREATE TABLE bench_checkout.orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body text NOT NULL);",
    )
    .execute(&pool)
    .await?;
    let time = insert(args, &pool).await;
    sqlx::raw_sql("DROP SCHEMA IF EXISTS bench_checkout CASCADE").execute(&pool).await?;
    pool.close().await;
    time
}

async fn insert(args: &Args, pool: &PgPool) -> Result<Duration, BenchError> {
    let (left, body) = (Arc::new(AtomicU32::new(args.checkouts)), "x".repeat(1_000));
    let began = Instant::now();
    let tasks = (0..args.clients).map(|_| {
        let (pool, left, body) = (pool.clone(), Arc::clone(&left), body.clone());
        tokio::spawn(async move {
            while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok() {
                sqlx::query("INSERT INTO bench_checkout.orders (body) VALUES ($1)").bind(&body).execute(&pool).await?;
            }
            Ok::<_, sqlx::Error>(())
        })
    });
    for outcome in join_all(tasks.collect::<Vec<_>>()).await {
        outcome.map_err(|error| BenchError::Broken(error.to_string()))??;
    }
    Ok(began.elapsed())
}
