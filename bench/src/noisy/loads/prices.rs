//! Prices that all begin at the same moment.

use crate::{BenchError, noisy::neighbour::Neighbour};
use schemas::Timestamp;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Prices that are written first, to see how long it takes.
const SAMPLE: u64 = 2_000;
/// Between the last price that is written and the moment at which all begin, at least.
const AHEAD: Duration = Duration::from_secs(5);

/// Writes products and prices that begin later; gives when.
pub(super) async fn prepare(shop: &Neighbour, due: u64) -> Result<Instant, BenchError> {
    shop.fill(due, 0).await?;
    let (began, sample) = (Instant::now(), due.min(SAMPLE));
    write(shop, sample, AHEAD + Duration::from_secs(3_600)).await?;
    let ahead = AHEAD + began.elapsed().mul_f64(3.0 * as_float(due) / as_float(sample));
    let begin = Instant::now() + ahead;
    write(shop, due, ahead).await?;
    Ok(begin)
}

async fn write(shop: &Neighbour, prices: u64, ahead: Duration) -> Result<(), BenchError> {
    let now = Timestamp::from(std::time::SystemTime::now());
    let from = now + ahead;
    let line = move |number: u64| -> Value {
        let later = json!({"currency": "USD", "list_amount": 900 + number % 50, "valid_from": from});
        json!({"sku": format!("BENCH-{number}"), "entries": [{"currency": "USD", "list_amount": 1_000}, later]})
    };
    shop.must_take("prices/bulk", (0..prices).map(line)).await
}

#[expect(clippy::cast_precision_loss, reason = "an estimate")]
fn as_float(count: u64) -> f64 {
    count.max(1) as f64
}
