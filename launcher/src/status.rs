//! `souk status`: each process with its memory, and how far the projections are.

use crate::{
    LaunchError,
    process::{family, memory_bytes},
    settings::Settings,
    stack::{Service, Stack},
};
use serde::Serialize;
use std::path::PathBuf;

/// Show each process with its memory, and the lag of each projection
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "Examples:\n  souk status\n  souk status --json | jq .processes")]
pub struct Args {
    /// Where everything is.
    #[command(flatten)]
    pub settings: Settings,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// A tenant that is less late is not worth a line, in seconds.
const LATE_SECONDS: f64 = 1.0;

#[derive(Debug, Serialize)]
struct Report {
    processes: Vec<ProcessReport>,
    total_pss_bytes: u64,
    lag: serde_json::Value,
}

#[derive(Debug, Serialize)]
struct ProcessReport {
    name: &'static str,
    address: String,
    pid: Option<i32>,
    ready: bool,
    /// Proportional: shared pages are counted once over all processes.
    pss_bytes: u64,
    rss_bytes: u64,
}

/// Prints the status.
///
/// # Errors
/// If the stack's folder can't be used.
pub async fn run(args: Args, programs: PathBuf) -> Result<(), LaunchError> {
    let stack = Stack::new(args.settings, programs)?;
    let mut processes = Vec::new();
    if let Some(postgres) = stack.postgres()? {
        let pid = postgres.pid();
        processes.push(report("postgres", format!("127.0.0.1:{}", stack.settings.postgres_port), pid, pid.is_some()));
    }
    for service in stack.services() {
        let pid = stack.processes.running(service.name()).map(|running| running.pid);
        let ready = pid.is_some() && stack.is_ready(service).await;
        processes.push(report(service.name(), stack.address(service).to_string(), pid, ready));
    }
    let lag = lag(&stack).await.unwrap_or_default();
    let report = Report { total_pss_bytes: processes.iter().map(|p| p.pss_bytes).sum(), processes, lag };
    if args.json {
        println!("{}", serde_json::to_string_pretty(&report).map_err(|error| LaunchError::Other(error.to_string()))?);
    } else {
        print(&report);
    }
    Ok(())
}

fn report(name: &'static str, address: String, pid: Option<i32>, ready: bool) -> ProcessReport {
    let memory = pid.map(family).unwrap_or_default().into_iter().filter_map(memory_bytes);
    let (pss_bytes, rss_bytes) = memory.fold((0, 0), |(pss, rss), (p, r)| (pss + p, rss + r));
    ProcessReport { name, address, pid, ready, pss_bytes, rss_bytes }
}

async fn lag(stack: &Stack) -> Option<serde_json::Value> {
    let url = format!("{}/v1/status/lag", stack.url(Service::QueryApi));
    let request = reqwest::Client::new().get(url).bearer_auth(stack.admin_key().ok()?);
    request.send().await.ok()?.json().await.ok()
}

fn print(report: &Report) {
    const MIB: u64 = 1024 * 1024;
    println!("{:<16} {:<18} {:>8} {:<8} {:>9} {:>9}", "process", "address", "pid", "state", "PSS MiB", "RSS MiB");
    for process in &report.processes {
        let state = match (process.pid, process.ready) {
            (None, _) => "stopped",
            (Some(_), true) => "ready",
            (Some(_), false) => "starting",
        };
        let pid = process.pid.map_or_else(|| "-".to_owned(), |pid| pid.to_string());
        let (pss, rss) = (process.pss_bytes / MIB, process.rss_bytes / MIB);
        println!("{:<16} {:<18} {pid:>8} {state:<8} {pss:>9} {rss:>9}", process.name, process.address);
    }
    println!("{:<16} {:<18} {:>8} {:<8} {:>9}", "total", "", "", "", report.total_pss_bytes / MIB);
    for projection in report.lag["projections"].as_array().into_iter().flatten() {
        println!("{}", lag_line(projection));
    }
    for tenant in report.lag["tenants"].as_array().into_iter().flatten() {
        let seconds = |name: &str| tenant[name].as_f64().unwrap_or_default();
        let late = seconds("waiting_seconds").max(seconds("late_seconds"));
        if late >= LATE_SECONDS {
            let name = tenant["tenant"].as_str().or(tenant["tenant_id"].as_str()).unwrap_or_default();
            println!("tenant {name} is {late:.1} s late at {}", tenant["projection"].as_str().unwrap_or_default());
        }
    }
}

/// How far one projection is.
fn lag_line(projection: &serde_json::Value) -> String {
    let text = |name: &str| projection[name].as_str().unwrap_or_default();
    let catch_up = match projection["catch_up_seconds"].as_f64() {
        Some(0.0) => String::new(),
        Some(seconds) => format!(", caught up in {seconds:.0} s"),
        None => ", not catching up".to_owned(),
    };
    format!(
        "lag {:<18} {:>8} events {:>8.1} s  {} ({}){catch_up}",
        text("projection"),
        projection["lag_events"].as_i64().unwrap_or_default(),
        projection["lag_seconds"].as_f64().unwrap_or_default(),
        text("state"),
        text("trend"),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    #[test]
    fn a_line_says_when_it_is_over() {
        let line = |catch_up| {
            super::lag_line(&json!({
                "projection": "products", "lag_events": 12, "lag_seconds": 0.5, "state": "ok", "trend": "draining",
                "catch_up_seconds": catch_up,
            }))
        };
        let begin = "lag products                 12 events      0.5 s  ok (draining)";
        assert_eq!(line(Some(0.0)), begin);
        assert_eq!(line(Some(4.2)), format!("{begin}, caught up in 4 s"));
        assert_eq!(line(None), format!("{begin}, not catching up"));
    }
}
