//! Many clients for a few pieces of one SKU: exactly those that are there are reserved, and how fast, beside a bare UPDATE of a
//! counter on the same PostgreSQL.

use crate::{
    BenchError,
    figures::{Figures, Latencies},
    peers::Ratio,
    profile::ProfileArgs,
    shop::{Shop, ShopArgs},
};
use futures::future::join_all;
use schemas::Uuid;
use serde::Serialize;
use serde_json::json;
use sqlx::{PgPool, postgres::PgPoolOptions};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

const EXAMPLES: &str = "Examples:
  souk bench reservations
  souk bench reservations --clients 200 --units 200 --rounds 20 --json

In each round a new SKU has --units pieces, and --clients ask for one of them at the same time, each once. Then as many tasks run
`UPDATE ... SET available = available - 1 WHERE id = $1 AND available >= 1` on a row with as many pieces, each in a transaction of its
own, by --connections connections. The report gives requests a second of both and their ratio. The exit code is 1 if in any round
other than --units were reserved. A request that is told to come again (429, 503) comes again with its key.

The row stands in a schema `bench_reservations` of the write database, which is removed at the end. With more than 500 clients
write-api needs a larger --http-connections-per-peer, and for all of them at once --shop-commands-per-second 0.";

/// How long a client waits that was told to come again.
const AGAIN: Duration = Duration::from_millis(20);
/// How often a client comes.
const MOST_TRIES: u32 = 500;

/// Compare reservations of one SKU with a bare UPDATE
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Where the shop is that is written into.
    #[command(flatten)]
    pub shop: ShopArgs,
    /// Number of clients in each round
    #[arg(long, value_name = "N", default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub clients: u32,
    /// Pieces that there are in each round
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub units: u32,
    /// Number of rounds; the report gives the median
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub rounds: u32,
    /// Connections of the bare UPDATE; as many as write-api has
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=500))]
    pub connections: u32,
    /// URL of the write database
    #[arg(
        long,
        env = "SOUK_WRITE_DATABASE_URL",
        hide_env_values = true,
        default_value = "postgres://souk@127.0.0.1:54320/souk_write"
    )]
    pub write_database_url: String,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
    /// How souk was built.
    #[command(flatten)]
    pub profile: ProfileArgs,
}

#[derive(Debug, Serialize)]
struct Report {
    profile: &'static str,
    clients: u32,
    units: u32,
    rounds: u32,
    /// Requests a second, by round: median, least, most.
    reservations: Ratio,
    /// From asking to the answer.
    latency: Figures,
    /// Requests that were told to come again.
    told_to_come_again: u64,
    updates: Ratio,
    /// Reservations a second as a multiple of updates.
    ratio: Ratio,
    /// Rounds in which other than `units` were reserved.
    wrong_rounds: Vec<Wrong>,
}

/// A round that has gone wrong.
#[derive(Debug, Serialize)]
struct Wrong {
    round: u32,
    reserved: u32,
    refused: u32,
}

/// What became of the clients of a round.
#[derive(Debug)]
struct Round {
    time: Duration,
    reserved: u32,
    refused: u32,
    again: u64,
}

/// Measures and prints.
///
/// # Errors
/// [`BenchError`] if souk or PostgreSQL does not answer, or a round has reserved more or less than there was.
pub async fn run(args: Args) -> Result<(), BenchError> {
    let profile = args.profile.own()?;
    let shop = Shop::open(&args.shop).await?;
    let bare = Bare::open(&args).await?;
    let measured = measure(&args, profile, &shop, &bare).await;
    bare.close().await?;
    let report = measured?;
    if args.json {
        println!("{}", crate::json(&report)?);
    } else {
        show(&report);
    }
    if report.wrong_rounds.is_empty() {
        return Ok(());
    }
    Err(BenchError::Failed(format!("{} rounds have not reserved exactly what there was", report.wrong_rounds.len())))
}

fn show(report: &Report) {
    let Report {
        profile,
        clients,
        units,
        rounds,
        reservations,
        latency,
        told_to_come_again,
        updates,
        ratio,
        wrong_rounds,
    } = report;
    println!("{clients} clients for {units} pieces, {rounds} rounds: median (least..most); profile: {profile}");
    println!("  reservations:  {reservations:.0} requests/s; {latency}; told to come again: {told_to_come_again}");
    println!("  bare UPDATE:   {updates:.0} statements/s");
    println!("  ratio:         {ratio:.2}");
    for Wrong { round, reserved, refused } in wrong_rounds {
        println!("  round {round}: {reserved} reserved, {refused} refused");
    }
}

async fn measure(args: &Args, profile: &'static str, shop: &Shop, bare: &Bare) -> Result<Report, BenchError> {
    let run = SystemTime::now().duration_since(UNIX_EPOCH).map_err(|error| BenchError::Broken(error.to_string()))?;
    let (mut reservations, mut updates, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    let (mut latencies, mut again, mut wrong_rounds) = (Latencies::new()?, 0, Vec::new());
    // The first round opens the connections and is not counted.
    for round in 0..=args.rounds {
        let sku = format!("res-{}-{round}", run.as_millis());
        shop.create(&sku, &format!("Something wanted {round}")).await?;
        let stock = json!({"sku": sku, "location": "main", "op": "set", "quantity": args.units});
        shop.bulk("stock", format!("{stock}\n")).await?;
        let mut times = Latencies::new()?;
        let own = reserve(args, shop, &sku, &mut times).await?;
        let bare_round = bare.round(args, round).await?;
        let expected = args.units.min(args.clients);
        if (own.reserved, own.refused) != (expected, args.clients - expected) {
            wrong_rounds.push(Wrong { round, reserved: own.reserved, refused: own.refused });
        }
        if bare_round.reserved != expected {
            return Err(BenchError::Broken(format!("the bare UPDATE took {} of {expected}", bare_round.reserved)));
        }
        if round == 0 {
            continue;
        }
        let speed = |time: Duration| f64::from(args.clients) / time.as_secs_f64().max(1e-6);
        reservations.push(speed(own.time));
        updates.push(speed(bare_round.time));
        ratios.push(speed(own.time) / speed(bare_round.time));
        again += own.again;
        latencies.merge(&times)?;
    }
    let of = |rounds: Vec<f64>| Ratio::of(rounds).ok_or_else(|| BenchError::Nothing("no round was made".to_owned()));
    Ok(Report {
        profile,
        clients: args.clients,
        units: args.units,
        rounds: args.rounds,
        reservations: of(reservations)?,
        latency: latencies.figures(),
        told_to_come_again: again,
        updates: of(updates)?,
        ratio: of(ratios)?,
        wrong_rounds,
    })
}

/// All clients at once, each for one piece.
async fn reserve(args: &Args, shop: &Shop, sku: &str, times: &mut Latencies) -> Result<Round, BenchError> {
    let began = Instant::now();
    let asked = join_all((0..args.clients).map(|_| async {
        let (id, began) = (Uuid::now_v7(), Instant::now());
        let body = json!({"reservation_id": id, "lines": [{"sku": sku, "quantity": 1}], "minutes": 60});
        for tries in 0..MOST_TRIES {
            match shop.try_command("reservations", &id.to_string(), &body).await? {
                429 | 503 => tokio::time::sleep(AGAIN).await,
                status => return Ok((status, began.elapsed(), u64::from(tries))),
            }
        }
        Err(BenchError::Failed(format!("a client was told to come again {MOST_TRIES} times")))
    }))
    .await;
    let time = began.elapsed();
    let mut round = Round { time, reserved: 0, refused: 0, again: 0 };
    for outcome in asked {
        let (status, took, again) = outcome?;
        times.add(took);
        round.again += again;
        match status {
            200 | 201 => round.reserved += 1,
            409 => round.refused += 1,
            other => return Err(BenchError::Failed(format!("a reservation was answered {other}"))),
        }
    }
    Ok(round)
}

/// A counter in a table of its own.
struct Bare {
    pool: PgPool,
}

impl Bare {
    async fn open(args: &Args) -> Result<Self, BenchError> {
        let pool = PgPoolOptions::new()
            .max_connections(args.connections)
            .min_connections(args.connections)
            .acquire_timeout(Duration::from_secs(60))
            .connect(&args.write_database_url)
            .await?;
        sqlx::raw_sql(
            "DROP SCHEMA IF EXISTS bench_reservations CASCADE;
             CREATE SCHEMA bench_reservations;
             CREATE TABLE bench_reservations.counters (id integer PRIMARY KEY, available integer NOT NULL);",
        )
        .execute(&pool)
        .await?;
        Ok(Self { pool })
    }

    async fn round(&self, args: &Args, round: u32) -> Result<Round, BenchError> {
        let (id, units) = (i32::try_from(round).unwrap_or(i32::MAX), i32::try_from(args.units).unwrap_or(i32::MAX));
        sqlx::query("INSERT INTO bench_reservations.counters VALUES ($1, $2)")
            .bind(id)
            .bind(units)
            .execute(&self.pool)
            .await?;
        let began = Instant::now();
        let tasks = (0..args.clients).map(|_| {
            let pool = self.pool.clone();
            tokio::spawn(async move {
                let update =
                    "UPDATE bench_reservations.counters SET available = available - 1 WHERE id = $1 AND available >= 1";
                sqlx::query(update).bind(id).execute(&pool).await.map(|done| done.rows_affected() == 1)
            })
        });
        let outcomes = join_all(tasks.collect::<Vec<_>>()).await;
        let mut round = Round { time: began.elapsed(), reserved: 0, refused: 0, again: 0 };
        for outcome in outcomes {
            match outcome.map_err(|error| BenchError::Broken(error.to_string()))?? {
                true => round.reserved += 1,
                false => round.refused += 1,
            }
        }
        Ok(round)
    }

    async fn close(self) -> Result<(), BenchError> {
        sqlx::raw_sql("DROP SCHEMA IF EXISTS bench_reservations CASCADE").execute(&self.pool).await?;
        self.pool.close().await;
        Ok(())
    }
}
