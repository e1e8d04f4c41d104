//! `souk tenant quotas`: how much a shop may have and ask for, and what it has.

use super::WriteArgs;
use crate::{
    LaunchError,
    asked::{answer, request},
    import::report::grouped,
};
use reqwest::Method;
use serde_json::{Map, Value, json};

/// The names of the quotas, as the server knows them.
const NAMES: [&str; 4] = ["products", "commands_per_second", "reads_per_second", "storage_mib"];

#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "Examples:
  souk tenant quotas outdoor                                   # show them, and what the shop has
  souk tenant quotas outdoor --products 10000 --storage-mib 512
  souk tenant quotas outdoor --none

Quotas take the place of all that the shop had before. What is left out is as the installation has it set
(commands and reads a second), or not limited (products and storage).")]
pub(super) struct QuotasArgs {
    /// Its slug
    slug: String,
    /// Products
    #[arg(long, value_name = "N")]
    products: Option<u64>,
    /// Commands a second, on each write-api
    #[arg(long, value_name = "N")]
    commands_per_second: Option<u64>,
    /// Reads a second, on each query-api
    #[arg(long, value_name = "N")]
    reads_per_second: Option<u64>,
    /// MiB of states in the write database
    #[arg(long, value_name = "N")]
    storage_mib: Option<u64>,
    /// Take all quotas away
    #[arg(long, conflicts_with_all = NAMES)]
    none: bool,
    #[command(flatten)]
    write: WriteArgs,
}

/// Sets quotas, or shows them if none is named.
pub(super) async fn run(args: QuotasArgs) -> Result<(), LaunchError> {
    let values = [args.products, args.commands_per_second, args.reads_per_second, args.storage_mib];
    let named = NAMES.into_iter().zip(values).filter_map(|(name, value)| Some((name.to_owned(), json!(value?))));
    let named: Map<String, Value> = named.collect();
    let (url, path) = (&args.write.write_url, format!("/v1/tenants/{}/quotas", args.slug));
    if named.is_empty() && !args.none {
        let shown = answer(request(&args.write.key, Method::GET, url, &path)?, url).await?;
        println!("`{}` may have: {}", args.slug, said(&shown["quotas"]).unwrap_or_else(|| "no quotas".to_owned()));
        println!("{}", usage(&shown["usage"]));
        return Ok(());
    }
    let request = request(&args.write.key, Method::PUT, url, &path)?.json(&Value::Object(named));
    let answer = answer(request, url).await?;
    let done = if answer["status"] == "unchanged" { "had these quotas before" } else { "has these quotas" };
    println!("`{}` {done}", args.slug);
    Ok(())
}

/// Quotas in a line; none where there are none.
pub(super) fn said(quotas: &Value) -> Option<String> {
    let one = |name: &str| Some(format!("{} {}", name.replace('_', " "), grouped(quotas[name].as_u64()?)));
    let all: Vec<String> = NAMES.into_iter().filter_map(one).collect();
    (!all.is_empty()).then(|| all.join(", "))
}

fn usage(usage: &Value) -> String {
    let Some(measured_at) = usage["measured_at"].as_str() else {
        return "what it has was not measured yet".to_owned();
    };
    let of = |name: &str| usage[name].as_u64().unwrap_or_default();
    let (products, kib) = (grouped(of("products")), grouped(of("bytes").div_ceil(1 << 10)));
    format!("it had {products} products and {kib} KiB at {measured_at}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotas_and_usage_are_said_in_a_line() {
        assert_eq!(said(&json!({})), None);
        let quotas = json!({"products": 10_000, "storage_mib": 0});
        assert_eq!(said(&quotas).as_deref(), Some(&*format!("products {}, storage mib 0", grouped(10_000))));
        assert_eq!(usage(&Value::Null), "what it has was not measured yet");
        let measured = json!({"products": 3, "bytes": 1_025, "measured_at": "2026-01-02T03:04:05Z"});
        assert_eq!(usage(&measured), "it had 3 products and 2 KiB at 2026-01-02T03:04:05Z");
    }
}
